//! Rules of synonyms from files.

use crate::failure::{Failure, Outcome};
use crate::input;
use crate::render::out;
use lucerne::Schema;
use serde_json::Value;
use std::path::Path;

/// The schema with the rules of files in the place of those that its fields have; `given` are `FIELD=FILE`.
pub(super) fn replaced(schema: Schema, given: &[String]) -> Outcome<Schema> {
    let mut json = schema.to_json();
    for one in given {
        let Some((name, file)) =
            one.split_once('=').filter(|(name, file)| !name.is_empty() && !file.is_empty())
        else {
            return Err(Failure::usage(format!("--synonyms {one}: expected FIELD=FILE")));
        };
        let rules = rules(Path::new(file))?;
        let is_empty = rules.as_array().is_some_and(Vec::is_empty);
        let fields = json.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten();
        let mut fields = fields.filter_map(Value::as_object_mut);
        let Some(field) = fields.find(|field| field.get("name").is_some_and(|own| own == name)) else {
            return Err(Failure::usage(format!("--synonyms {one}: the schema has no field {name:?}")));
        };
        let before = field.insert("synonyms".to_owned(), rules);
        let removed = before.as_ref().and_then(Value::as_array).map_or(0, Vec::len);
        if is_empty && removed > 0 {
            out::warning(&format!("{file} has no rules: all {removed} rules of {name} are removed"));
        } else if is_empty {
            out::warning(&format!("{file} has no rules; expected one a line, such as: tv, television"));
        }
        Schema::from_json(&json.to_string()).map_err(|error| Failure::content(Path::new(file), error))?;
    }
    Schema::from_json(&json.to_string()).map_err(|error| Failure::usage(error.to_string()))
}

/// A rule a line; empty ones and those that begin with # are passed over.
fn rules(file: &Path) -> Outcome<Value> {
    let text = input::read_text(file, "rules of synonyms, one a line")?;
    let rules = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(rules.map(Value::from).collect())
}
