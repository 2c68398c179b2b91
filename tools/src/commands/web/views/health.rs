//! What somebody who looks after an index would like to know without asking.

use super::{list, number, text};
use crate::render::units;
use lucerne::limits::DEFAULT_RECALL;
use serde_json::{Value, json};

/// More segments than this make every search slower.
const MANY_SEGMENTS: usize = 40;
/// More deleted documents than this waste space and time.
const DELETED_SHARE: f64 = 0.2;
/// A graph that finds less than this with the fewest candidates is reported.
const WEAK: f64 = 0.5;
/// A graph in which fewer of its own vectors are found than this is reported, as `check` does.
const FOUND: f64 = 0.99;

/// Findings, the worst first: `level` is `warning` or `note`.
pub(super) fn findings(report: &Value) -> Vec<Value> {
    let segments = list(report, "segments");
    let mut found = Vec::new();
    for segment in segments {
        let fields = segment.get("fields").and_then(Value::as_object).into_iter().flatten();
        found.extend(fields.filter_map(|(name, field)| unreachable(text(segment, "name"), name, field)));
    }
    found.extend(weak_graphs(segments));
    found.extend(low_recall(segments));
    found.extend(deleted(report));
    if segments.len() > MANY_SEGMENTS {
        let title = format!("{} segments", units::grouped(segments.len() as u64));
        let detail = "Every search looks into each of them. Automatic merges leave fewer.";
        found.push(finding("note", &title, detail, "lucerne force-merge DIR --max-segments 8"));
    }
    found
}

fn finding(level: &str, title: &str, detail: &str, command: &str) -> Value {
    json!({ "level": level, "title": title, "detail": detail, "command": command })
}

/// Vectors that searches for themselves have missed when the graph was built.
fn unreachable(segment: &str, field: &str, report: &Value) -> Option<Value> {
    let searches = report.pointer("/graph/self_search")?;
    let (searched, missed) = (number(searches, "searched"), number(searches, "missed"));
    let share = 1.0 - missed as f64 / searched.max(1) as f64;
    (share < FOUND).then(|| {
        let title = format!("The graph of {field} in {segment} misses some of its own vectors");
        let detail = format!(
            "{} of {} stored vectors were not found by a search for themselves. A larger m or beam_width gives the \
             graph more links.",
            units::grouped(missed),
            units::grouped(searched)
        );
        finding("warning", &title, &detail, "")
    })
}

/// Segments whose graphs find little with the fewest candidates that were tried: searches keep many more, and take longer.
fn weak_graphs(segments: &[Value]) -> Option<Value> {
    let first = |field: &Value| field.pointer("/recall/0/points/0/recall").and_then(Value::as_f64);
    let mut weak = 0;
    let mut worst: Option<(f64, &str, &str)> = None;
    for segment in segments {
        for (name, field) in segment.get("fields").and_then(Value::as_object).into_iter().flatten() {
            let Some(recall) = first(field).filter(|recall| *recall < WEAK) else { continue };
            weak += 1;
            if worst.is_none_or(|(least, ..)| recall < least) {
                worst = Some((recall, name, text(segment, "name")));
            }
        }
    }
    let (recall, field, segment) = worst?;
    let title = format!("{} with few links between near vectors", units::count(weak, "graph"));
    let detail = format!(
        "In {segment} searches of {field} with the fewest candidates find {recall:.2} of the nearest. Searches keep more \
         candidates for the recall they ask for, and take longer. After lucerne alter with a larger m or beam_width, this \
         makes graphs that find more:"
    );
    Some(finding("note", &title, &detail, "lucerne upgrade DIR"))
}

/// Segments whose measured curves do not reach the recall that searches ask for by default.
fn low_recall(segments: &[Value]) -> Option<Value> {
    let recall = f64::from(DEFAULT_RECALL);
    let low = segments.iter().filter(|segment| {
        let mut fields = segment.get("fields").and_then(Value::as_object).into_iter().flatten();
        fields.any(|(_, field)| {
            let points = field.pointer("/recall/0/points").and_then(Value::as_array);
            let reached =
                |point: &Value| point.get("recall").and_then(Value::as_f64).is_some_and(|it| it >= recall);
            points.is_some_and(|points| !points.iter().any(reached))
        })
    });
    let names: Vec<&str> = low.map(|segment| text(segment, "name")).collect();
    let first = names.first()?;
    let title = format!(
        "{} below a recall of {DEFAULT_RECALL} without rescoring",
        units::count(names.len() as u64, "segment")
    );
    let detail = format!(
        "As measured when they were written ({first}): no number of candidates that was tried reaches it by codes alone. Searches that ask for it rescore with raw vectors where these are kept."
    );
    Some(finding("note", &title, &detail, ""))
}

/// Deleted documents that still take space.
fn deleted(report: &Value) -> Option<Value> {
    let (live, deleted) = (number(report, "docs"), number(report, "deleted"));
    let share = deleted as f64 / (live + deleted).max(1) as f64;
    (share > DELETED_SHARE).then(|| {
        let title = format!("{:.0} % of the documents are deleted", share * 100.0);
        let detail = format!(
            "{} still take space and time until their segments are merged.",
            units::count(deleted, "document")
        );
        finding("note", &title, &detail, "lucerne force-merge DIR --expunge-deletes")
    })
}
