//! The merges that the segments of a commit come from, along time.

use super::{list, number, text};
use crate::commands::web::watched::Commit;
use crate::failure::Outcome;
use crate::render::units;
use lucerne_pictures::{Span, timeline};
use serde_json::{Value, json};
use std::time::UNIX_EPOCH;

/// The picture; `null` without merges. A merge ended when the file system says that its segment was written.
pub(super) fn merges(commit: &Commit, _: &Value) -> Outcome<Value> {
    let segments = list(commit.report()?, "segments").iter();
    let spans: Vec<Span> = segments.filter_map(|segment| span(commit, segment)).collect();
    let picture = (!spans.is_empty()).then(|| timeline("Merges along time", &spans).svg());
    Ok(json!({ "picture": picture }))
}

fn span(commit: &Commit, segment: &Value) -> Option<Span> {
    let merge = segment.get("merge").filter(|merge| merge.is_object())?;
    let took = merge.pointer("/seconds/all").and_then(Value::as_f64)?;
    let name = text(segment, "name");
    let written =
        std::fs::metadata(commit.dir.join(format!("{name}.si"))).and_then(|file| file.modified()).ok()?;
    let to = written.duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
    let row = super::overview::merge_row(merge);
    let outcomes = row.get("outcomes").and_then(Value::as_object)?;
    let color = if outcomes.contains_key("resampled") {
        3
    } else if outcomes.contains_key("requantized") {
        1
    } else {
        0
    };
    let outcomes: Vec<String> = outcomes.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let sources = units::count(list(merge, "sources").len() as u64, "segment");
    let docs = units::count(number(segment, "docs"), "document");
    let text = format!("{docs} from {sources} in {}: {}", units::seconds(took), outcomes.join(", "));
    Some(Span { name: name.to_owned(), from: to - took, to, text, color })
}
