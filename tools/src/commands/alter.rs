//! `alter`: puts another schema in force.

use super::{create, synonyms};
use crate::args::Alter;
use crate::failure::{Failure, In as _, Outcome};
use crate::render::out;
use lucerne::merge::MergePolicy;
use lucerne::{ErrorKind, Index, Schema, WriterOptions};
use serde_json::{Map, Value, json};

pub(super) fn run(args: &Alter, json: bool) -> Outcome {
    let dir = &args.dir;
    let index = Index::open(dir).in_index(dir)?;
    let given = args.schema.as_deref().map(create::schema).transpose()?;
    let writer = index.writer_with(WriterOptions::new().merge_policy(MergePolicy::None)).in_index(dir)?;
    let old = writer.schema();
    let next = synonyms::replaced(given.unwrap_or_else(|| old.clone()), &args.synonyms)?;
    let file = args.schema.as_deref().unwrap_or(dir);
    writer.set_schema(&next).map_err(|error| match error.kind() {
        ErrorKind::Usage | ErrorKind::Incompatible => Failure::content(file, error)
            .hint("lucerne alter --help says what may change; nothing was changed"),
        _ => Failure::engine(dir, &error),
    })?;
    let changes = Changes::between(&old, &next);
    let generation = match args.dry_run {
        true => writer.generation(),
        false => writer.commit().in_index(dir)?,
    };
    if json {
        return out::json(&json!({
            "index": dir.display().to_string(),
            "generation": generation,
            "dry_run": args.dry_run,
            "added": changes.added,
            "changed": changes.changed,
            "schema": next.to_json(),
        }));
    }
    changes.print(args, generation)
}

/// What differs between two schemas.
struct Changes {
    /// Declarations of new fields.
    added: Vec<Value>,
    /// Field (none for an option of the schema), option, old and new value.
    changed: Vec<Value>,
}

impl Changes {
    fn between(old: &Schema, next: &Schema) -> Self {
        let (old, next) = (old.to_json(), next.to_json());
        let fields =
            |schema: &Value| schema.get("fields").and_then(Value::as_array).cloned().unwrap_or_default();
        let (old_fields, next_fields) = (fields(&old), fields(&next));
        let mut changed = Vec::new();
        compare(&Value::Null, &options(&old), &options(&next), &mut changed);
        for (old, next) in old_fields.iter().zip(&next_fields) {
            let name = next.get("name").cloned().unwrap_or_default();
            compare(&name, &options(old), &options(next), &mut changed);
        }
        Self { added: next_fields.into_iter().skip(old_fields.len()).collect(), changed }
    }

    fn print(&self, args: &Alter, generation: u64) -> Outcome {
        let dir = args.dir.display();
        if self.added.is_empty() && self.changed.is_empty() {
            return out::line(&format!("{dir}: this schema is in force already (generation {generation})."));
        }
        let text = |value: &Value, name: &str| match value.get(name) {
            None | Some(Value::Null) => "unset".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        for field in &self.added {
            out::line(&out::printable(&format!("added {} ({})", text(field, "name"), text(field, "type"))))?;
        }
        for change in &self.changed {
            let of = match change.get("field") {
                Some(Value::String(field)) => format!("{field}: "),
                _ => String::new(),
            };
            let (option, old, new) = (text(change, "option"), text(change, "old"), text(change, "new"));
            out::line(&out::printable(&format!("changed {of}{option} {old} -> {new}")))?;
        }
        match args.dry_run {
            true => out::line("Nothing was changed (--dry-run)."),
            false => out::line(&format!("{dir}: the new schema is in force (generation {generation}).")),
        }
    }
}

/// Options of a schema or field: everything but its fields and name. Options of an object within count too.
fn options(declaration: &Value) -> Map<String, Value> {
    let mut options = declaration.as_object().cloned().unwrap_or_default();
    options.remove("fields");
    options
}

fn compare(field: &Value, old: &Map<String, Value>, next: &Map<String, Value>, changed: &mut Vec<Value>) {
    let new = next.keys().filter(|name| !old.contains_key(*name));
    for name in old.keys().chain(new) {
        if old.get(name) != next.get(name) {
            changed
                .push(json!({ "field": field, "option": name, "old": old.get(name), "new": next.get(name) }));
        }
    }
}
