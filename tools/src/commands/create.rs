//! `create`: creates an index from a schema.

use super::synonyms;
use crate::args::Create;
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::render::{metadata, out};
use lucerne::{Error, ErrorKind, Index, Schema};
use serde_json::json;
use std::path::Path;

pub(super) fn run(args: &Create, json: bool) -> Outcome {
    let schema = synonyms::replaced(schema(&args.schema)?, &args.synonyms)?;
    let in_file = |error: &Error| Failure::content(&args.schema, error);
    let index = Index::create(&args.dir, schema.clone()).map_err(|error| match error.kind() {
        // The schema names a format or an option that the engine does not have.
        ErrorKind::Incompatible | ErrorKind::Usage => in_file(&error),
        _ => Failure::engine(&args.dir, &error),
    })?;
    let generation = index.searcher().map_err(|error| Failure::engine(&args.dir, &error))?.generation();
    if json {
        let dir = args.dir.display().to_string();
        return out::json(&json!({ "index": dir, "generation": generation, "schema": schema.to_json() }));
    }
    out::line(&format!("Created {} (generation {generation}).", args.dir.display()))?;
    out::text(&metadata::schema(&schema))
}

/// Reads a schema.
pub(super) fn schema(path: &Path) -> Outcome<Schema> {
    let text = input::read_text(path, "a schema in JSON")?;
    Schema::from_json(&text).map_err(|error| {
        let hint =
            "lucerne create --help shows a schema and the field types; docs/schema.md lists all options";
        Failure::content(path, error).hint(hint)
    })
}
