//! `create`: creates an index from a schema.

use crate::args::Create;
use crate::failure::{Code, Failure, Outcome};
use crate::render::{metadata, out};
use lucerne::{Error, ErrorKind, Index, Schema};
use serde_json::json;
use std::io::Read as _;
use std::path::Path;

pub(super) fn run(args: &Create, json: bool) -> Outcome {
    let text = read(&args.schema)?;
    let in_file = |error: &Error| Failure::content(&args.schema, error);
    let schema = Schema::from_json(&text).map_err(|error| {
        in_file(&error).hint(
            "lucerne create --help shows a schema and the field types; docs/schema.md lists all options",
        )
    })?;
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

fn read(path: &Path) -> Outcome<String> {
    let read = if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    read.map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => {
            Failure::new(Code::Usage, format!("{}: not UTF-8", path.display()))
        }
        _ => Failure::file(path, "read", &error),
    })
}
