//! Checks a document against a schema, before anything of it is kept.

use super::analyzers::FieldAnalyzers;
use super::indexed::Indexed;
use super::number::is_whole;
use super::{Document, Value, date, dynamic, sparse, vector};
use crate::error::{Error, Result, ValueProblem, shortened};
use crate::limits::MAX_DOCUMENT_BYTES;
use crate::schema::{Field, FieldType, KeyField, Schema, check_name};
use serde::Serializer as _;

/// Depth to which values may be nested: what was kept can be read back.
const MAX_DEPTH: usize = 100;

/// A document that fits its schema, ready to be kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Validated {
    /// The key; `None` when the writer assigns one ([`Validated::assign_key`]).
    pub(crate) key: Option<String>,
    /// The stored fields as a JSON object in the document's order, the key included; vectors are not.
    pub(crate) stored: Vec<u8>,
    /// Rows as they are stored ([`lucerne_codec::FieldInfo::row_len`]) with their field's number; a field of several vectors repeats.
    pub(crate) vectors: Rows,
    /// What is searched beside them.
    pub(crate) indexed: Indexed,
}

impl Validated {
    /// A document of which nothing is searched.
    pub(crate) fn not_indexed() -> Self {
        Self { key: None, stored: Vec::new(), vectors: Vec::new(), indexed: Indexed::default() }
    }

    /// Gives the document its automatic key, as the first stored field.
    pub(crate) fn assign_key(&mut self, schema: &Schema, number: u64) {
        let key = KeyField::automatic(number);
        let mut stored = automatic_key_json(schema, &key).into_bytes();
        if self.stored != b"{}" {
            stored.push(b',');
        }
        stored.extend(self.stored.iter().skip(1));
        (self.key, self.stored) = (Some(key), stored);
    }

    /// Bytes of the stored JSON, with the automatic key that it has or gets.
    fn stored_len(&self, schema: &Schema) -> usize {
        match &self.key {
            Some(_) => self.stored.len(),
            // In place of the opening brace, and a comma.
            None => self.stored.len() + automatic_key_json(schema, &KeyField::automatic(0)).len(),
        }
    }
}

/// The beginning of a stored document with an automatic key. A key has digits only, but the field's name may need
/// escapes.
fn automatic_key_json(schema: &Schema, key: &str) -> String {
    format!("{{{}:\"{key}\"", serde_json::Value::from(schema.key().name()))
}

/// Checks a document against a schema: its key, that fields are declared (unless the schema is dynamic),
/// their types, of vectors the dimension, that they are finite, and their length where the metric needs it, and that
/// what is stored is not too long. A value that is null counts as absent.
pub(crate) fn validate(
    schema: &Schema,
    analyzers: &FieldAnalyzers,
    document: &Document,
) -> Result<Validated> {
    let key = document.get(schema.key().name()).unwrap_or(&Value::Null);
    let key = check_key(schema.key(), key).map_err(|problem| Error::Document { key: None, problem })?;
    let refuse = |problem| Error::Document { key: key.map(str::to_owned), problem };
    let Checks { stored, vectors, indexed } = check_fields(schema, analyzers, document).map_err(refuse)?;
    let validated = Validated { key: key.map(str::to_owned), stored: to_bytes(&stored)?, vectors, indexed };
    match validated.stored_len(schema) {
        len if len > MAX_DOCUMENT_BYTES => {
            Err(refuse(ValueProblem::TooLong { len, max: MAX_DOCUMENT_BYTES }))
        }
        _ => Ok(validated),
    }
}

type Checked<T> = Result<T, ValueProblem>;
type Fields<'a> = Vec<(&'a str, &'a Value)>;
type Rows = Vec<(u32, Vec<u8>)>;

/// What is to be kept of a document.
#[derive(Default)]
struct Checks<'a> {
    stored: Fields<'a>,
    vectors: Rows,
    indexed: Indexed,
}

fn check_key<'a>(key: &KeyField, value: &'a Value) -> Checked<Option<&'a str>> {
    let field = key.name().to_owned();
    let text = match value {
        Value::Null if key.is_automatic() => return Ok(None),
        Value::Null => return Err(ValueProblem::KeyMissing { field }),
        Value::Text(text) => text,
        other => return Err(wrong_type(&field, "a string (the key)", other)),
    };
    if text.is_empty() {
        return Err(ValueProblem::KeyEmpty { field });
    }
    if text.len() > key.max_len() {
        return Err(ValueProblem::KeyTooLong { field, len: text.len(), max: key.max_len() });
    }
    if key.is_automatic() && KeyField::automatic_number(text).is_none() {
        return Err(ValueProblem::KeyNotAutomatic { field, value: shortened(text) });
    }
    Ok(Some(text))
}

fn check_fields<'a>(
    schema: &Schema,
    analyzers: &FieldAnalyzers,
    document: &'a Document,
) -> Checked<Checks<'a>> {
    let mut checks = Checks { stored: Vec::with_capacity(document.len()), ..Checks::default() };
    for (name, value) in document.iter() {
        let declared = schema.field(name).filter(|field| field.field_path().is_none());
        let keep = match declared {
            _ if name == schema.key().name() => true,
            None => {
                if schema.is_path_source(name) {
                    check_any(name, value, MAX_DEPTH)?;
                } else {
                    check_undeclared(schema, name, value)?;
                    dynamic::terms(name, value, &mut checks.indexed.dynamic);
                }
                true
            }
            Some(_) if *value == Value::Null => false,
            Some(field) => {
                check_declared(field, value, analyzers, &mut checks)?;
                field.as_vector().is_none() && field.is_stored()
            }
        };
        if keep && *value != Value::Null {
            checks.stored.push((name, value));
        }
    }
    for (field, path) in schema.fields().iter().filter_map(|field| Some((field, field.field_path()?))) {
        let Some(value) = document.get(path.first()) else { continue };
        let json = serde_json::to_value(value).unwrap_or_default();
        let mut found = Vec::new();
        path.values(&json, &mut |json| found.push(Value::from(json.clone())));
        for value in found.iter().filter(|value| **value != Value::Null) {
            check_declared(field, value, analyzers, &mut checks)?;
        }
    }
    Ok(checks)
}

fn check_declared(
    field: &Field,
    value: &Value,
    analyzers: &FieldAnalyzers,
    checks: &mut Checks<'_>,
) -> Checked<()> {
    match field.as_vector() {
        None if matches!(field.field_type(), FieldType::SparseVector) => {
            let row = sparse::row_of(field.name(), value)?;
            let rows = &mut checks.indexed.sparse;
            if rows.iter().any(|(number, _)| *number == field.number()) {
                return Err(wrong_type(field.name(), "one sparse vector", value));
            }
            // One that is not searched is counted all the same.
            rows.push((field.number(), if field.is_indexed() { row } else { Vec::new() }));
        }
        None => {
            check_value(field, value)?;
            checks.indexed.add(field, value, analyzers);
        }
        Some(vector) => {
            let kept = vector.is_indexed() || vector.is_stored();
            vector::rows_of(vector, value, &mut |row| {
                if kept {
                    checks.vectors.push((vector.number(), row));
                }
            })?;
            if !vector.options().is_multiple()
                && checks.vectors.iter().filter(|(number, _)| *number == vector.number()).count() > 1
            {
                return Err(wrong_type(field.name(), "one vector (\"multiple\" is not set)", value));
            }
        }
    }
    Ok(())
}

fn check_undeclared(schema: &Schema, name: &str, value: &Value) -> Checked<()> {
    if !schema.is_dynamic() {
        let known = format!("declared: {}", schema.known());
        return Err(ValueProblem::UndeclaredField { field: shortened(name), known });
    }
    check_name(name).map_err(|problem| ValueProblem::BadFieldName { field: shortened(name), problem })?;
    check_any(name, value, MAX_DEPTH)
}

/// Checks what every value must hold: finite numbers, real dates, bounded depth.
fn check_any(field: &str, value: &Value, depth: usize) -> Checked<()> {
    let deeper = || {
        let problem = || ValueProblem::TooDeep { field: field.to_owned(), max: MAX_DEPTH };
        depth.checked_sub(1).ok_or_else(problem)
    };
    match value {
        Value::F64(number) if !number.is_finite() => Err(not_finite(field, None, number)),
        Value::Vector(components) => match components.iter().position(|number| !number.is_finite()) {
            None => Ok(()),
            Some(position) => Err(not_finite(field, Some(position), components.get(position))),
        },
        Value::Sparse(vector) => sparse::entries_of(field, vector).map(drop),
        Value::Date(moment) if !(date::FIRST..=date::LAST).contains(moment) => {
            Err(ValueProblem::NotADate { field: field.to_owned(), value: date::format(*moment) })
        }
        Value::List(values) => {
            let depth = deeper()?;
            values.iter().try_for_each(|value| check_any(field, value, depth))
        }
        Value::Json(json) if depth_exceeds(json, depth) => {
            Err(ValueProblem::TooDeep { field: field.to_owned(), max: MAX_DEPTH })
        }
        _ => Ok(()),
    }
}

fn depth_exceeds(json: &serde_json::Value, depth: usize) -> bool {
    let inner = |json| depth.checked_sub(1).is_none_or(|depth| depth_exceeds(json, depth));
    match json {
        serde_json::Value::Array(values) => depth == 0 || values.iter().any(inner),
        serde_json::Value::Object(fields) => depth == 0 || fields.values().any(inner),
        _ => false,
    }
}

/// Bytes of a keyword at most.
const MAX_KEYWORD_LEN: usize = 32_766;

/// Checks a value or each of a list of values.
fn check_value(field: &Field, value: &Value) -> Checked<()> {
    match value {
        Value::List(values) => {
            values.iter().enumerate().try_for_each(|(at, one)| check_one(field, one, Some(at)))
        }
        one => check_one(field, one, None),
    }
}

/// Checks one value, which may be at a place of a list.
fn check_one(field: &Field, value: &Value, place: Option<usize>) -> Checked<()> {
    let name = field.name();
    let refuse = |expected: &str| {
        let place = place.map_or(String::new(), |at| format!(" at position {at} of a list"));
        let (field, expected) = (name.to_owned(), expected.to_owned());
        Err(ValueProblem::WrongType { field, expected, given: format!("{}{place}", value.describe()) })
    };
    match field.field_type() {
        FieldType::Keyword(_) if matches!(value, Value::Text(text) if text.len() > MAX_KEYWORD_LEN) => {
            refuse("a string of at most 32766 bytes")
        }
        FieldType::Text(_) | FieldType::Keyword(_) => match value {
            Value::Text(_) => Ok(()),
            _ => refuse("a string or a list of strings"),
        },
        FieldType::I64 => match value {
            Value::I64(_) => Ok(()),
            Value::F64(number) if is_whole(*number) => Ok(()),
            _ => refuse("a whole number of 64 bits"),
        },
        FieldType::F64 => match value {
            Value::I64(_) => Ok(()),
            Value::F64(number) if number.is_finite() => Ok(()),
            Value::F64(number) => Err(not_finite(name, None, number)),
            Value::Json(json) if json.is_number() => Ok(()),
            _ => refuse("a number"),
        },
        FieldType::Bool => match value {
            Value::Bool(_) => Ok(()),
            _ => refuse("true or false"),
        },
        FieldType::Date => match value {
            Value::Date(_) => check_any(name, value, MAX_DEPTH),
            Value::Text(text) if date::parse(text).is_some() => Ok(()),
            Value::Text(text) => {
                Err(ValueProblem::NotADate { field: name.to_owned(), value: shortened(text) })
            }
            _ => refuse("a date (a string)"),
        },
        // Handled by `vector::rows_of` and `sparse::row_of`.
        FieldType::Vector(_) | FieldType::SparseVector => refuse("a vector"),
    }
}

fn wrong_type(field: &str, expected: &str, value: &Value) -> ValueProblem {
    let (field, expected) = (field.to_owned(), expected.to_owned());
    ValueProblem::WrongType { field, expected, given: value.describe() }
}

fn not_finite(field: &str, position: Option<usize>, value: impl std::fmt::Debug) -> ValueProblem {
    ValueProblem::NotFinite { field: field.to_owned(), position, value: format!("{value:?}") }
}

fn to_bytes(fields: &[(&str, &Value)]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(256);
    let written = serde_json::Serializer::new(&mut bytes).collect_map(fields.iter().copied());
    written.map_err(|error| Error::Invalid(format!("a document cannot be written as JSON: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
