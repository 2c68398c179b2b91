//! Rules of synonyms from files.

use crate::failure::{Failure, Outcome};
use crate::input;
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
        let fields = json.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten();
        let mut fields = fields.filter_map(Value::as_object_mut);
        let Some(field) = fields.find(|field| field.get("name").is_some_and(|own| own == name)) else {
            return Err(Failure::usage(format!("--synonyms {one}: the schema has no field {name:?}")));
        };
        field.insert("synonyms".to_owned(), rules);
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
