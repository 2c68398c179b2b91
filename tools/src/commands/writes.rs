//! `delete` and `update`: of all documents that match, in one commit.

use crate::args::{Delete, Update, Which};
use crate::failure::{Failure, In as _, Outcome};
use crate::input::read_text;
use crate::render::progress::PhaseBar;
use crate::render::{out, units};
use crate::signals::stop_flag;
use lucerne::query::QueryParser;
use lucerne::schema::FieldType;
use lucerne::search::SearchOptions;
use lucerne::writer::ByQueryReport;
use lucerne::{Cancel, Index, Query, Range, Schema, Terms, Value, Writer};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::SystemTime;

pub(super) fn delete(args: &Delete, json: bool) -> Outcome {
    let (dir, now) = (&args.dir, SystemTime::now());
    let index = Index::open(dir).in_index(dir)?;
    let query = match &args.expired {
        Some(field) => {
            let schema = index.schema().in_index(dir)?;
            let of_type = schema.require(field).in_index(dir)?.field_type();
            if !matches!(of_type, FieldType::Date) {
                let of_type = of_type.name();
                let problem = format!("--expired {field}: expected a date field, it is of type {of_type}");
                return Err(Failure::usage(problem));
            }
            Range::new(field).lte(now).into()
        }
        None => found(&args.which, &index.schema().in_index(dir)?, dir)?,
    };
    write(dir, json, &args.which, "deleted", &index, &query, |writer, stop| match &args.expired {
        Some(field) => writer.delete_expired_with(field, now, stop),
        None => writer.delete_by_query_with(query.clone(), stop),
    })
}

pub(super) fn update(args: &Update, json: bool) -> Outcome {
    let dir = &args.dir;
    let index = Index::open(dir).in_index(dir)?;
    let schema = index.schema().in_index(dir)?;
    let update = changes(args, &schema)?;
    let query = found(&args.which, &schema, dir)?;
    write(dir, json, &args.which, "updated", &index, &query, |writer, stop| {
        let bar = PhaseBar::new();
        let report = writer.update_by_query_with(query.clone(), &update, stop, &bar);
        bar.finish();
        report
    })
}

/// Does it, commits, and says what was done; of a dry run only what there is.
fn write(
    dir: &Path,
    json: bool,
    which: &Which,
    done: &str,
    index: &Index,
    query: &Query,
    work: impl FnOnce(&Writer, &Cancel) -> lucerne::Result<ByQueryReport>,
) -> Outcome {
    let stop = stop_flag();
    if which.dry_run {
        let searcher = index.searcher().in_index(dir)?;
        let options = SearchOptions::new().cancel(&stop);
        let matched = searcher.count_with(query.clone(), &options).in_index(dir)?;
        if json {
            return out::json(
                &json!({ "matched": matched, "dry_run": true, "generation": searcher.generation() }),
            );
        }
        let matched = units::count(matched, "document");
        return out::line(&format!("{matched} would be {done}. Nothing was changed (--dry-run)."));
    }
    let writer = index.writer().in_index(dir)?;
    let report = work(&writer, &stop).in_index(dir)?;
    let generation = writer.commit().in_index(dir)?;
    let docs = index.searcher().in_index(dir)?.len();
    writer.close().in_index(dir)?;
    for field in &report.unknown_fields {
        out::warning(&format!(
            "no document has a field {field:?}, and the schema does not declare it; is it misspelt?"
        ));
    }
    let ByQueryReport { matched, changed, unchanged, .. } = report;
    if json {
        return out::json(&json!({
            "matched": matched,
            "changed": changed,
            "unchanged": unchanged,
            "dry_run": false,
            "generation": generation,
            "docs": docs,
        }));
    }
    let same = match unchanged {
        0 => String::new(),
        _ => format!(", {} had these values already", units::grouped(unchanged)),
    };
    out::line(&format!(
        "{} {done}{same}. The index has {} (generation {generation}).",
        units::count(changed, "document"),
        units::count(docs, "document")
    ))
}

/// The query for the documents that the arguments name.
fn found(which: &Which, schema: &Schema, dir: &Path) -> Outcome<Query> {
    if let Some(query) = &which.query {
        let parser = QueryParser::new(schema);
        let parser = which.default_field.iter().fold(parser, QueryParser::default_field);
        return parser.parse_query(query).in_index(dir);
    }
    let file = which.keys_file.as_ref().map(|path| read_text(path, "keys, one on each line")).transpose()?;
    let lines = file.iter().flat_map(|text| text.lines()).filter(|line| !line.is_empty());
    let keys: Vec<&str> = which.key.iter().map(String::as_str).chain(lines).collect();
    Ok(Terms::new(schema.key().name(), keys).into())
}

fn changes(args: &Update, schema: &Schema) -> Outcome<lucerne::Update> {
    let mut seen = BTreeSet::new();
    let changed = args.set.iter().chain(&args.increment).map(|(field, _)| field).chain(&args.remove);
    if let Some(field) = changed.into_iter().find(|field| !seen.insert(*field)) {
        return Err(Failure::usage(format!(
            "field {field:?} is changed twice; expected one change of a field"
        )));
    }
    let mut update = lucerne::Update::new();
    for (field, value) in &args.set {
        update = update.set(field, of_field(schema, field, value));
    }
    for (field, number) in &args.increment {
        let by: serde_json::Number = number.parse().map_err(|_| {
            Failure::usage(format!("--increment {field}={number}: expected a number, which may be negative"))
        })?;
        update = update.increment(field, Value::from(serde_json::Value::from(by)));
    }
    for field in &args.remove {
        update = update.remove(field);
    }
    match update.is_empty() {
        true => Err(Failure::usage("nothing to change; give --set, --increment or --remove")),
        false => Ok(update),
    }
}

/// A value as JSON, or a text as it is. Fields of texts take a number for the text that it is.
fn of_field(schema: &Schema, field: &str, text: &str) -> Value {
    let json = serde_json::from_str::<serde_json::Value>(text).ok();
    let takes_text = match schema.field(field).map(|field| field.field_type()) {
        Some(FieldType::Text(_) | FieldType::Keyword(_) | FieldType::Date) => true,
        Some(_) => false,
        None => field == schema.key().name(),
    };
    match json {
        Some(json) if !takes_text || json.is_string() || json.is_array() || json.is_null() => json.into(),
        _ => text.into(),
    }
}
