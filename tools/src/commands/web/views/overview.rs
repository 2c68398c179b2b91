//! The whole index, its segments, and the plan of a forced merge.

use super::{health, list, number, text};
use crate::commands::web::watched::Commit;
use crate::failure::{Failure, In as _, Outcome};
use crate::render::metadata;
use lucerne::admin;
use lucerne_pictures::{flow, parts};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::time::UNIX_EPOCH;

/// Totals, fields, settings, findings, and a row for each segment.
pub(super) fn overview(commit: &Commit, _: &Value) -> Outcome<Value> {
    let report = commit.report()?;
    let segments = list(report, "segments");
    Ok(json!({
        "dir": commit.dir.display().to_string(),
        "version": env!("CARGO_PKG_VERSION"),
        "generation": report.get("generation"),
        "committed_at": committed_at(commit),
        "docs": report.get("docs"),
        "deleted": report.get("deleted"),
        "bytes": report.get("bytes"),
        "parts": parts::names(),
        "schema": report.get("schema"),
        "coverage": coverage(report),
        "defaults": report.get("defaults"),
        "user_data": report.get("user_data"),
        "tags": report.get("tags"),
        "older_commits": report.get("older_commits"),
        "health": health::findings(report),
        "segments": segments.iter().map(row).collect::<Vec<_>>(),
    }))
}

/// When the commit was written, in milliseconds since 1970, as the file system has it.
fn committed_at(commit: &Commit) -> Option<u64> {
    let file = commit.dir.join(format!("segments_{}", commit.searcher.generation()));
    let modified = std::fs::metadata(file).and_then(|file| file.modified()).ok()?;
    u64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

fn row(segment: &Value) -> Value {
    let fields = segment.get("fields").and_then(Value::as_object).into_iter().flatten();
    let fields = fields.map(|(name, field)| (name.clone(), vector_row(field))).collect::<Map<_, _>>();
    json!({
        "name": segment.get("name"),
        "docs": segment.get("docs"),
        "deleted": segment.get("deleted"),
        "bytes": segment.get("bytes"),
        "parts": parts::of_segment(segment),
        "fields": fields,
        "merge": merge_row(segment.get("merge").unwrap_or(&Value::Null)),
    })
}

/// What the segments table says of a vector field.
fn vector_row(field: &Value) -> Value {
    json!({
        "format": field.get("format"),
        "vectors": field.get("vectors"),
        "quantiles": metadata::find(field, "quantiles"),
        "searches": field.get("searches"),
        "code_recall": field.pointer("/code_quality/recall"),
    })
}

/// The merge that a segment comes from, in short.
pub(super) fn merge_row(merge: &Value) -> Value {
    if merge.is_null() {
        return Value::Null;
    }
    let sources = list(merge, "sources").iter().map(|source| text(source, "segment"));
    let mut outcomes = Map::new();
    for (_, field) in merge.get("fields").and_then(Value::as_object).into_iter().flatten() {
        for source in metadata::find(field, "sources").and_then(Value::as_array).into_iter().flatten() {
            let outcome = text(source, "outcome");
            let count = outcomes.get(outcome).and_then(Value::as_u64).unwrap_or(0) + 1;
            outcomes.insert(outcome.to_owned(), count.into());
        }
    }
    json!({
        "sources": sources.collect::<Vec<_>>(),
        "outcomes": outcomes,
        "seconds": merge.pointer("/seconds/all"),
    })
}

/// For each field the documents that have something in it, deleted ones included, and its bytes where they are known.
fn coverage(report: &Value) -> Value {
    let mut docs: Map<String, Value> = Map::new();
    for segment in list(report, "segments") {
        let terms = segment.get("terms").map_or(&[][..], |terms| list(terms, "fields"));
        let terms = terms.iter().map(|field| (text(field, "field"), number(field, "docs")));
        let columns = segment.get("columns").map_or(&[][..], |columns| list(columns, "columns"));
        let name =
            |column: &'_ Value| column.pointer("/field/name").and_then(Value::as_str).map(str::to_owned);
        let columns: Vec<_> =
            columns.iter().filter_map(|it| Some((name(it)?, number(it, "documents")))).collect();
        let vectors = segment.get("fields").and_then(Value::as_object).into_iter().flatten();
        let vectors = vectors.map(|(name, field)| {
            let documents = field.get("documents").or_else(|| field.get("vectors"));
            (name.as_str(), documents.and_then(Value::as_u64).unwrap_or(0))
        });
        let columns = columns.iter().map(|(name, docs)| (name.as_str(), *docs));
        // A keyword has both words and values.
        let mut seen = BTreeSet::new();
        for (name, count) in terms.chain(columns).chain(vectors) {
            if seen.insert(name.to_owned()) {
                let sum = docs.get(name).and_then(Value::as_u64).unwrap_or(0) + count;
                docs.insert(name.to_owned(), sum.into());
            }
        }
    }
    docs.into()
}

/// All metadata of a segment.
pub(super) fn segment(commit: &Commit, question: &Value) -> Outcome<Value> {
    let name = super::asked(question, "name")?;
    let segments = list(commit.report()?, "segments");
    let found = segments.iter().find(|segment| text(segment, "name") == name);
    let mut found = found.cloned().ok_or_else(|| {
        Failure::usage(format!("there is no segment {name:?}")).hint("a merge may have replaced it")
    })?;
    let pictures = found.get("merge").filter(|merge| merge.is_object()).map(pictures);
    if let (Some(pictures), Some(found)) = (pictures, found.as_object_mut()) {
        found.insert("pictures".to_owned(), pictures);
    }
    Ok(found)
}

/// The pictures of a merge, from its plan or record: for each field what becomes of the codes of its sources.
fn pictures(merge: &Value) -> Value {
    let fields = merge.get("fields").and_then(Value::as_object).into_iter().flatten();
    let pictures = fields.filter_map(|(name, report)| Some((name.clone(), flow(name, report)?.svg().into())));
    pictures.collect::<Map<String, Value>>().into()
}

/// What a forced merge into `max_segments` would do.
pub(super) fn plan(commit: &Commit, question: &Value) -> Outcome<Value> {
    let most = question.get("max_segments").and_then(Value::as_u64).unwrap_or(1);
    let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
    let merges = admin::plan_force_merge(&commit.searcher, most).in_index(&commit.dir)?;
    let pictures: Vec<Value> = merges.iter().map(pictures).collect();
    let segments = commit.searcher.segment_count();
    Ok(json!({ "segments": segments, "max_segments": most, "merges": merges, "pictures": pictures }))
}
