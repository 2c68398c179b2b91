//! `inspect`: segments, sizes, schema and defaults. Metadata of formats is printed as it is.

mod field;
mod watch;

use crate::args::Inspect;
use crate::commands::under_way::{in_words, under_way};
use crate::commands::{pictures, searcher_at, web::report};
use crate::failure::{Failure, In as _, Outcome};
use crate::render::metadata::{self, Numbers, list, number, text};
use crate::render::table::{Align, Rows};
use crate::render::{out, units};
use lucerne::limits::{DEFAULT_K, DEFAULT_RAM_BUDGET, DEFAULT_RECALL};
use lucerne::{Searcher, admin};
use serde_json::{Value, json};
use std::path::Path;

pub(super) fn run(args: &Inspect, json: bool) -> Outcome {
    if args.watch {
        return watch::run(args, json);
    }
    let searcher = searcher_at(&args.dir, args.at.as_ref())?;
    if let Some(path) = &args.html {
        pictures::check_target(path, &args.dir, &[])?;
        pictures::write(path, &report::html(&args.dir, searcher)?, json)?;
        return if json { out::json(&json!({ "html": path })) } else { Ok(()) };
    }
    let numbers = if args.bytes { Numbers::Raw } else { Numbers::Units };
    if args.part.as_deref() == Some("schema") {
        return if json {
            out::json(&searcher.schema().to_json())
        } else {
            out::text(&metadata::schema(searcher.schema()))
        };
    }
    let all = admin::inspect(&searcher).in_index(&args.dir)?;
    match &args.part {
        Some(name) => {
            if field::is_field(&searcher, name) {
                return field::print(&args.dir, searcher, name, json);
            }
            let segment = find(&all, name, &searcher)?;
            if json { out::json(segment) } else { out::text(&metadata::tree(segment, numbers)) }
        }
        None if json => out::json(&all),
        None => {
            out::text(&overview(&args.dir, &searcher, &all, numbers))?;
            if let Some(writing) = in_words(&under_way(&args.dir, &all)).filter(|_| args.at.is_none()) {
                out::note(&writing);
            }
            Ok(())
        }
    }
}

fn segments(all: &Value) -> &[Value] {
    list(all, "segments")
}

fn find<'a>(all: &'a Value, name: &str, searcher: &Searcher) -> Outcome<&'a Value> {
    let segments = segments(all);
    segments.iter().find(|segment| text(segment, "name") == name).ok_or_else(|| {
        let names: Vec<_> = segments.iter().map(|segment| text(segment, "name")).collect();
        let fields: Vec<_> = searcher.schema().fields().iter().map(|field| field.name()).collect();
        let segments = if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
        let hint =
            format!("segments: {segments}; \"schema\" shows the schema; fields: {}", fields.join(", "));
        Failure::usage(format!("no segment {name:?}, and no field of that name")).hint(hint)
    })
}

/// Totals, segments, fields of vectors, recall, schema, defaults.
fn overview(dir: &Path, searcher: &Searcher, all: &Value, numbers: Numbers) -> String {
    let segments = segments(all);
    let mut parts = vec![format!("{}\n", totals(dir, all, numbers))];
    if let (Some(tags), Some(first)) = (tags(all), parts.first_mut()) {
        first.push_str(&format!("tags: {tags}\n"));
    }
    let fields = field_names(segments);
    if !segments.is_empty() {
        parts.push(segment_table(all, numbers));
        if !fields.is_empty() {
            parts.push(vector_table(segments, &fields, numbers));
        }
        parts.extend(recall_table(segments, &fields));
    }
    parts.push(metadata::schema(searcher.schema()));
    parts.push(defaults(segments, &fields, numbers));
    parts.join("\n")
}

/// The index in a line.
fn totals(dir: &Path, all: &Value, numbers: Numbers) -> String {
    format!(
        "{}: generation {}, {}, {}, {} deleted, {}",
        dir.display(),
        number(all, "generation"),
        units::count(number(all, "docs"), "document"),
        units::count(segments(all).len() as u64, "segment"),
        numbers.count(number(all, "deleted")),
        numbers.bytes(number(all, "bytes")),
    )
}

/// Commits that are kept under a name.
fn tags(all: &Value) -> Option<String> {
    let tags = all.get("tags").and_then(Value::as_object).filter(|tags| !tags.is_empty())?;
    let tags = tags.iter().map(|(tag, generation)| format!("{tag} ({generation})"));
    Some(tags.collect::<Vec<_>>().join(", "))
}

/// One line per segment, and the totals.
fn segment_table(all: &Value, numbers: Numbers) -> String {
    let heading = [
        ("segment", Align::Left),
        ("docs", Align::Right),
        ("deleted", Align::Right),
        ("live docs", Align::Right),
        ("stored", Align::Right),
        ("keys", Align::Right),
        ("bytes", Align::Right),
    ];
    let mut rows = Rows::new(heading);
    let (mut stored, mut keys) = (0, 0);
    for segment in segments(all) {
        let size = |name: &str| segment.get(name).map_or(0, |metadata| number(metadata, "bytes"));
        stored += size("stored");
        keys += size("keys");
        let generation = segment.get("live_docs_generation").and_then(Value::as_u64);
        rows.push(vec![
            text(segment, "name").to_owned(),
            numbers.count(number(segment, "docs")),
            numbers.count(number(segment, "deleted")),
            generation.map_or_else(|| "-".to_owned(), |generation| format!("generation {generation}")),
            numbers.bytes(size("stored")),
            numbers.bytes(size("keys")),
            numbers.bytes(number(segment, "bytes")),
        ]);
    }
    rows.push(vec![
        "total".to_owned(),
        numbers.count(number(all, "docs")),
        numbers.count(number(all, "deleted")),
        String::new(),
        numbers.bytes(stored),
        numbers.bytes(keys),
        numbers.bytes(number(all, "bytes")),
    ]);
    rows.text(None, usize::MAX)
}

fn fields(segment: &Value) -> impl Iterator<Item = (&String, &Value)> {
    segment.get("fields").and_then(Value::as_object).into_iter().flatten()
}

/// Names of the vector fields that some segment has, in the order they are met.
fn field_names(segments: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in segments.iter().flat_map(fields) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// One line per vector field and segment, and its totals; a column for each part that any of them has.
fn vector_table(segments: &[Value], names: &[String], numbers: Numbers) -> String {
    let mut columns: Vec<String> = Vec::new();
    for (part, _) in segments.iter().flat_map(fields).flat_map(|(_, metadata)| metadata::parts(metadata)) {
        if !columns.contains(&part) {
            columns.push(part);
        }
    }
    let heading = [
        ("field", Align::Left),
        ("segment", Align::Left),
        ("format", Align::Left),
        ("vectors", Align::Right),
        ("quantiles", Align::Left),
    ];
    let heading = heading.map(|(name, align)| (name.to_owned(), align)).into_iter();
    let mut rows = Rows::new(heading.chain(columns.iter().map(|part| (part.clone(), Align::Right))));
    for name in names {
        // `None` for a part that no segment has.
        let mut totals: Vec<Option<u64>> = vec![None; columns.len()];
        let mut vectors = 0;
        let cell = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), |bytes| numbers.bytes(bytes));
        for segment in segments {
            let Some((_, metadata)) = fields(segment).find(|(field, _)| *field == name) else { continue };
            let parts = metadata::parts(metadata);
            let mut row = vec![
                name.clone(),
                text(segment, "name").to_owned(),
                text(metadata, "format").to_owned(),
                numbers.count(number(metadata, "vectors")),
                metadata::quantiles(metadata).unwrap_or_else(|| "-".to_owned()),
            ];
            vectors += number(metadata, "vectors");
            for (column, total) in columns.iter().zip(&mut totals) {
                let bytes = parts.iter().find(|(part, _)| part == column).map(|(_, bytes)| *bytes);
                *total = bytes.map(|bytes| bytes + total.unwrap_or(0)).or(*total);
                row.push(cell(bytes));
            }
            rows.push(row);
        }
        let row = [name.clone(), "total".to_owned(), String::new(), numbers.count(vectors), String::new()];
        rows.push(row.into_iter().chain(totals.into_iter().map(cell)).collect());
    }
    rows.text(None, usize::MAX)
}

/// What searches for 10 do in each segment to reach a recall, by the curve that it measured when it was written; nothing
/// where no segment has an index.
fn recall_table(segments: &[Value], names: &[String]) -> Option<String> {
    let all = segments.iter().flat_map(fields).map(|(_, metadata)| list(metadata, "searches"));
    let shown: Vec<String> = all.max_by_key(|searches| searches.len())?.iter().map(asked).collect();
    let heading = [("field", Align::Left), ("segment", Align::Left), ("queries", Align::Right)];
    let heading = heading.map(|(name, align)| (name.to_owned(), align)).into_iter();
    let mut rows =
        Rows::new(heading.chain(shown.iter().map(|recall| (format!("recall {recall}"), Align::Right))));
    for name in names {
        for segment in segments {
            let Some((_, metadata)) = fields(segment).find(|(field, _)| *field == name) else { continue };
            let searches = list(metadata, "searches");
            if searches.is_empty() {
                continue;
            }
            let queries = metadata.pointer("/recall/0/queries").map(metadata::scalar).unwrap_or_default();
            let mut row = vec![name.clone(), text(segment, "name").to_owned(), queries];
            row.extend(shown.iter().map(|recall| {
                let found = searches.iter().find(|search| asked(search) == *recall);
                found.map_or_else(|| "-".to_owned(), effort)
            }));
            rows.push(row);
        }
    }
    (!shown.is_empty()).then(|| {
        format!(
            "Candidates that searches for 10 keep to reach a recall (+ rescored; ~ beyond what was measured)\n{}",
            rows.text(None, usize::MAX)
        )
    })
}

/// The recall that a search asks for.
fn asked(search: &Value) -> String {
    search.get("recall").map(metadata::scalar).unwrap_or_default()
}

/// `40`, `25 + 20`, `~310`.
fn effort(search: &Value) -> String {
    let beyond = if search.get("measured") == Some(&Value::Bool(false)) { "~" } else { "" };
    match (number(search, "candidates"), number(search, "rescored")) {
        (candidates, 0) => format!("{beyond}{candidates}"),
        (candidates, rescored) => format!("{beyond}{candidates} + {rescored}"),
    }
}

/// What holds when nothing else is said.
fn defaults(segments: &[Value], names: &[String], numbers: Numbers) -> String {
    let mut lines = format!(
        "Defaults\n  search   k {DEFAULT_K}, recall {DEFAULT_RECALL}\n  \
         writing  {} for buffered documents\n",
        numbers.bytes(DEFAULT_RAM_BUDGET as u64)
    );
    for name in names {
        let newest =
            segments.iter().rev().find_map(|segment| fields(segment).find(|(field, _)| *field == name));
        let Some((_, metadata)) = newest else { continue };
        let known = [
            ("m", "M"),
            ("beam_width", "beam_width"),
            ("sign_hash", "sign_hash"),
            ("candidates", "candidates"),
            ("cheaper", "cheaper for this many vectors:"),
        ];
        let known = known.iter().filter_map(|(key, label)| Some((label, metadata::find(metadata, key)?)));
        let known: Vec<_> =
            known.map(|(label, value)| format!("{label} {}", metadata::scalar(value))).collect();
        if !known.is_empty() {
            lines.push_str(&format!("  {name}  {}\n", known.join(", ")));
        }
    }
    lines
}
