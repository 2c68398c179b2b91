//! Schemas in JSON, as documented in [`crate::schema`].

use super::field::{Field, FieldType};
use super::text::{BM25, Keyword, Text};
use super::vector::{OPTION_NAMES, Vector};
use super::vector_index::{Quantization, VectorIndex};
use super::{DEFAULT_KEY, DEFAULT_KEY_MAX_LEN, KeyField, Schema};
use crate::error::{Error, Result};
use lucerne_codec::Similarity;
use serde_json::{Map, Value, json};

const TYPES: &str = "text, keyword, i64, f64, bool, date, sparse_vector, vector, binary_vector";

impl Schema {
    /// Reads a schema in JSON. Keys and options it does not know are refused by name.
    pub fn from_json(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Error::Schema { field: None, problem: format!("not JSON: {error}") })?;
        Self::from_value(&value)
    }

    /// Reads a schema from a JSON value.
    pub fn from_value(value: &Value) -> Result<Self> {
        let (mut builder, fields) =
            read_schema(value).map_err(|problem| Error::Schema { field: None, problem })?;
        for (position, field) in fields.iter().enumerate() {
            let name = field.get("name").and_then(Value::as_str);
            builder = builder.field(read_field(field).map_err(|problem| Error::Schema {
                field: Some(name.map_or_else(|| format!("#{}", position + 1), str::to_owned)),
                problem,
            })?);
        }
        builder.build()
    }

    /// The schema in JSON, with the choices that were left open. Reading it gives an equal schema.
    pub fn to_json(&self) -> Value {
        let fields: Vec<_> = self.fields().iter().map(Field::to_json).collect();
        json!({ "key": key_to_json(self.key()), "dynamic": self.is_dynamic(), "fields": fields })
    }
}

fn key_to_json(key: &KeyField) -> Value {
    let mut json = Map::new();
    json.insert("name".into(), key.name().into());
    if key.is_automatic() {
        json.insert("auto".into(), true.into());
    }
    if key.max_len() != DEFAULT_KEY_MAX_LEN {
        json.insert("max_length".into(), key.max_len().into());
    }
    if json.len() == 1 { key.name().into() } else { json.into() }
}

impl Field {
    /// The field's declaration in JSON.
    pub(super) fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("name".into(), self.name().into());
        json.insert("type".into(), self.field_type().name().into());
        for (name, value) in [("indexed", self.is_indexed()), ("stored", self.is_stored())] {
            if !value {
                json.insert(name.into(), value.into());
            }
        }
        if let Some(path) = self.field_path() {
            json.insert("path".into(), path.to_string().into());
        }
        let options = match self.field_type() {
            FieldType::Vector(options) => options,
            FieldType::Text(text) => {
                text_to_json(text, &mut json);
                return json.into();
            }
            FieldType::Keyword(keyword) => {
                json.extend(keyword.separator.map(|one| ("separator".to_owned(), one.to_string().into())));
                return json.into();
            }
            _ => return json.into(),
        };
        json.insert("dimension".into(), options.dimension.into());
        json.insert("similarity".into(), options.similarity.name().into());
        if options.normalize {
            json.insert("normalize".into(), "on_write".into());
        }
        if let Some(format) = &options.format {
            json.insert("format".into(), format.as_str().into());
        } else if self.is_indexed() {
            json.extend(options.index.map(|index| ("index".to_owned(), index.name().into())));
            let quantization = options.quantization.filter(|_| !options.binary);
            json.extend(quantization.map(|chosen| ("quantization".to_owned(), chosen.name().into())));
        }
        json.extend(options.recall.map(|recall| ("recall".to_owned(), short(recall))));
        let calibration = options.calibration.as_ref().and_then(|it| serde_json::to_value(it).ok());
        json.extend(calibration.map(|calibration| ("calibration".to_owned(), calibration)));
        json.extend(options.params.clone());
        json.into()
    }
}

/// A number in as few digits as tell it from other single-precision numbers.
fn short(value: f32) -> Value {
    value.to_string().parse::<f64>().unwrap_or(value.into()).into()
}

fn text_to_json(text: &Text, json: &mut Map<String, Value>) {
    let (k1, b) = BM25;
    for (name, value, default) in [("weight", text.weight, 1.0), ("k1", text.k1, k1), ("b", text.b, b)] {
        if value != default {
            json.insert(name.into(), short(value));
        }
    }
    if let Ok(Value::Object(analysis)) = serde_json::to_value(&text.analysis) {
        json.extend(analysis);
    }
    if !text.synonyms.is_empty() {
        let rules = text.synonyms.iter().map(|rule| Value::from(rule.as_str()));
        json.insert("synonyms".into(), rules.collect());
    }
}

type Read<T> = std::result::Result<T, String>;

fn read_schema(value: &Value) -> Read<(super::SchemaBuilder, &[Value])> {
    let schema = object(value, "the schema")?;
    only(schema, "key", &["key", "dynamic", "fields"])?;
    let mut builder = Schema::builder().dynamic(truth(schema, "dynamic", false)?);
    match schema.get("key") {
        None => {}
        Some(Value::String(name)) => builder = builder.key(name),
        Some(key) => {
            let key = object(key, "\"key\" (or a string)")?;
            only(key, "option of the key", &["name", "auto", "max_length"])?;
            let automatic = truth(key, "auto", false)?;
            let name = match text(key, "name")? {
                Some(name) => name,
                None if automatic => DEFAULT_KEY,
                None => return Err("the key has no name; give \"name\", or \"auto\": true".into()),
            };
            builder = if automatic { builder.auto_key(name) } else { builder.key(name) };
            builder = builder.key_max_len(size(key, "max_length")?.unwrap_or(DEFAULT_KEY_MAX_LEN));
        }
    }
    match schema.get("fields") {
        None => Ok((builder, &[])),
        Some(Value::Array(fields)) => Ok((builder, fields)),
        Some(other) => Err(unexpected("fields", other, "a list of fields")),
    }
}

fn read_field(value: &Value) -> Read<Field> {
    let json = object(value, "a field")?;
    let name = text(json, "name")?.ok_or("it has no name; give \"name\"")?;
    let of_type = text(json, "type")?.ok_or_else(|| format!("it has no type; accepted: {TYPES}"))?;
    let field = match of_type {
        "text" => Field::text_with(name, read_text(json)?),
        "keyword" => Field::keyword_with(name, read_keyword(json)?),
        "i64" => Field::i64(name),
        "f64" => Field::f64(name),
        "bool" => Field::bool(name),
        "date" => Field::date(name),
        "sparse_vector" => Field::sparse_vector(name),
        "vector" => Field::vector(name, read_vector(json, Vector::f32)?),
        "binary_vector" => Field::vector(name, read_vector(json, Vector::bits)?),
        _ => return Err(format!("type {of_type:?} is unknown; accepted: {TYPES}")),
    };
    let accepted: Option<&[&str]> = match field.field_type() {
        FieldType::Vector(_) | FieldType::Text(_) => None,
        FieldType::Keyword(_) => Some(&["name", "type", "indexed", "stored", "path", "separator"]),
        _ => Some(&COMMON),
    };
    if let Some(accepted) = accepted {
        only(json, "option", accepted)?;
    }
    let field = match text(json, "path")? {
        Some(path) => field.path(path),
        None => field,
    };
    Ok(field.indexed(truth(json, "indexed", true)?).stored(truth(json, "stored", true)?))
}

/// Options every field has.
const COMMON: [&str; 5] = ["name", "type", "indexed", "stored", "path"];

fn read_text(json: &Map<String, Value>) -> Read<Text> {
    let number = |name: &str, default: f32| match json.get(name) {
        None => Ok(default),
        Some(value) => {
            value.as_f64().map(|number| number as f32).ok_or_else(|| unexpected(name, value, "a number"))
        }
    };
    let text = Text::new().weight(number("weight", 1.0)?).bm25(number("k1", BM25.0)?, number("b", BM25.1)?);
    let own = |name: &str| COMMON.contains(&name) || ["weight", "k1", "b", "synonyms"].contains(&name);
    let rule = |rule: &Value| rule.as_str().map(str::to_owned);
    let rules: Option<Vec<String>> = match json.get("synonyms") {
        None => Some(Vec::new()),
        Some(rules) => rules.as_array().and_then(|rules| rules.iter().map(rule).collect()),
    };
    let rules = rules
        .ok_or("\"synonyms\" is not a list of rules, as \"tv, television\" or \"laptop => notebook\"")?;
    let analysis: Map<_, _> = json
        .iter()
        .filter(|(name, _)| !own(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let analysis = serde_json::from_value(analysis.into()).map_err(|error: serde_json::Error| {
        error.to_string().replacen("unknown field", "unknown option", 1)
    })?;
    Ok(text.analysis(analysis).synonyms(rules))
}

fn read_keyword(json: &Map<String, Value>) -> Read<Keyword> {
    let Some(separator) = text(json, "separator")? else { return Ok(Keyword::new()) };
    let mut characters = separator.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => Ok(Keyword::separated_by(one)),
        _ => Err(unexpected("separator", &separator.into(), "one character")),
    }
}

/// Options of a vector that is `new` with its dimension.
fn read_vector(json: &Map<String, Value>, new: fn(usize) -> Vector) -> Read<Vector> {
    let dimension = size(json, "dimension")?;
    let mut vector = new(dimension.unwrap_or_default());
    let range = if vector.options.binary { "a multiple of 8 from 8 to 65536" } else { "1 to 4096" };
    if dimension.is_none() {
        return Err(format!("dimension is missing, expected {range}"));
    }
    if let Some(similarity) = text(json, "similarity")? {
        vector = vector.similarity(similarity.parse::<Similarity>()?);
    }
    if choice(json, "normalize", &["on_write"], |name| name)?.is_some() {
        vector = vector.normalize_on_write();
    }
    vector.options.index = choice(json, "index", &VectorIndex::ALL, VectorIndex::name)?;
    vector.options.quantization = choice(json, "quantization", &Quantization::ALL, Quantization::name)?;
    vector.options.format = text(json, "format")?.map(str::to_owned);
    if let Some(recall) = json.get("recall") {
        let given = recall.as_f64().ok_or_else(|| unexpected("recall", recall, "a number"))?;
        vector = vector.recall(given as f32);
    }
    if let Some(calibration) = json.get("calibration") {
        let calibration = serde_json::from_value(calibration.clone());
        vector.options.calibration = Some(calibration.map_err(|error| format!("calibration: {error}"))?);
    }
    for (name, value) in json.iter().filter(|(name, _)| !OPTION_NAMES.contains(&name.as_str())) {
        vector = vector.param(name, value.clone());
    }
    Ok(vector)
}

fn unexpected(name: &str, value: &Value, expected: &str) -> String {
    format!("{name:?} is {value}, expected {expected}")
}

fn object<'a>(value: &'a Value, what: &str) -> Read<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| format!("{what} is {value}, expected an object"))
}

fn only(json: &Map<String, Value>, what: &str, accepted: &[&str]) -> Read<()> {
    match json.keys().find(|name| !accepted.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(format!("unknown {what} {name:?}; accepted: {}", accepted.join(", "))),
    }
}

fn text<'a>(json: &'a Map<String, Value>, name: &str) -> Read<Option<&'a str>> {
    let read = |value: &'a Value| value.as_str().ok_or_else(|| unexpected(name, value, "a string"));
    json.get(name).map(read).transpose()
}

fn truth(json: &Map<String, Value>, name: &str, default: bool) -> Read<bool> {
    let read = |value: &Value| value.as_bool().ok_or_else(|| unexpected(name, value, "true or false"));
    json.get(name).map_or(Ok(default), read)
}

fn size(json: &Map<String, Value>, name: &str) -> Read<Option<usize>> {
    let read = |value: &Value| {
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| unexpected(name, value, "a whole number"))
    };
    json.get(name).map(read).transpose()
}

fn choice<T: Copy>(
    json: &Map<String, Value>,
    name: &str,
    accepted: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Read<Option<T>> {
    let Some(value) = json.get(name) else {
        return Ok(None);
    };
    let found = accepted.iter().copied().find(|choice| value.as_str() == Some(name_of(*choice)));
    found.map(Some).ok_or_else(|| {
        let names: Vec<_> = accepted.iter().map(|choice| name_of(*choice)).collect();
        unexpected(name, value, &format!("one of {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests;
