//! Tables and whole reports as HTML, for notebooks.

use crate::bars::{Part, bars};
use crate::markup::escaped;
use crate::merges::{documents, flow, heading, sizes};
use crate::parts;
use crate::picture::STYLE;
use crate::recall::recall;
use crate::report::{list, number, text};
use crate::units::{bytes, grouped};
use serde_json::Value;

/// Rows of a table that are shown.
const ROWS: usize = 50;

/// What `inspect` reports of an index: totals, bytes by part, segments, recall of each field of vectors.
#[must_use]
pub fn index(report: &Value) -> String {
    let segments = list(report, "segments");
    let head = format!(
        "{} documents, {} deleted, {} segments, {}, generation {}",
        count(report, "docs"),
        count(report, "deleted"),
        segments.len(),
        bytes(number(report, "bytes")),
        count(report, "generation"),
    );
    let mut html = format!("<p>{}</p>", escaped(&head));
    if !segments.is_empty() {
        html += &bars("Bytes by part", &by_part(segments)).svg();
        let rows = segments.iter().map(|segment| {
            let name = text(segment, "name").to_owned();
            vec![name, count(segment, "docs"), count(segment, "deleted"), bytes(number(segment, "bytes"))]
        });
        html += &table(&["segment", "documents", "deleted", "bytes"], rows.collect());
    }
    let asked = report.pointer("/defaults/recall").and_then(Value::as_f64).unwrap_or(0.95);
    let mut fields: Vec<&String> = Vec::new();
    for (name, _) in segments.iter().filter_map(|it| it.get("fields")?.as_object()).flatten() {
        if !fields.contains(&name) {
            fields.push(name);
        }
    }
    for field in fields {
        let of_field = |segment: &'_ Value| segment.get("fields")?.get(field).cloned();
        let reports: Vec<(&str, Value)> = segments
            .iter()
            .filter_map(|segment| Some((segment.get("name")?.as_str()?, of_field(segment)?)))
            .collect();
        let reports: Vec<(&str, &Value)> = reports.iter().map(|(name, report)| (*name, report)).collect();
        html += &recall(&reports, asked).map_or_else(String::new, |it| it.titled(field).svg());
    }
    in_a_notebook(&html)
}

/// The records of merges: for each field what became of the codes of its sources.
#[must_use]
pub fn merge_report(records: &[Value]) -> String {
    if records.is_empty() {
        return "<p>There was nothing to merge.</p>".to_owned();
    }
    let of_record = |record: &Value| {
        let fields = record.get("fields").and_then(Value::as_object).into_iter().flatten();
        let flows = fields.filter_map(|(name, report)| Some(flow(name, report)?.titled(name).svg()));
        let flows: String = flows.collect();
        let flows = if flows.is_empty() { documents(record).map_or(flows, |it| it.svg()) } else { flows };
        format!("<p>{}: {}</p>{flows}", escaped(&heading(record)), escaped(&sizes(record)))
    };
    in_a_notebook(&records.iter().map(of_record).collect::<String>())
}

/// With the style of pictures, which says nothing of what else is on the page.
fn in_a_notebook(html: &str) -> String {
    format!(
        "<div><style>{STYLE} .picture {{ display: block; max-width: 44rem; margin: .4rem 0; }}</style>{html}</div>"
    )
}

fn by_part(segments: &[Value]) -> Vec<Part> {
    let of_segments: Vec<_> = segments.iter().map(parts::of_segment).collect();
    let part = |(color, name): (usize, &&str)| {
        let all: u64 = of_segments.iter().filter_map(|parts| parts.get(*name)?.as_u64()).sum();
        Part { name: (*name).to_owned(), value: all as f64, text: bytes(all), color }
    };
    parts::names().iter().enumerate().map(part).collect()
}

fn table(names: &[&str], rows: Vec<Vec<String>>) -> String {
    let row = |cells: &mut dyn Iterator<Item = &str>, tag: &str| {
        let cells: String = cells.map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect();
        format!("<tr>{cells}</tr>")
    };
    let body: String =
        rows.iter().take(ROWS).map(|cells| row(&mut cells.iter().map(|it| &**it), "td")).collect();
    let more = rows.len().saturating_sub(ROWS);
    let more = if more > 0 { format!("<p>… {more} more</p>") } else { String::new() };
    format!("<table>{}{body}</table>{more}", row(&mut names.iter().copied(), "th"))
}

fn count(value: &Value, name: &str) -> String {
    grouped(number(value, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_index_and_merges_are_shown_and_names_are_text() {
        let report = json!({
            "docs": 12345, "deleted": 0, "bytes": 4096, "generation": 2, "defaults": { "recall": 0.9 },
            "segments": [{
                "name": "<_0>", "docs": 12345, "deleted": 0, "bytes": 4096,
                "files": [{ "name": "_0.vec", "bytes": 4000 }, { "name": "_0.si", "bytes": 96 }],
                "fields": { "<v>": { "recall": [{ "k": 10, "points": [{ "candidates": 10, "recall": 0.9 }] }] } },
            }],
        });
        let html = index(&report);
        for part in [
            "12,345 documents",
            "raw vectors: 3.91 KiB",
            "&lt;_0&gt;",
            "&lt;v&gt;",
            "asked for: 0.9",
            "<style>",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("<_0>") && !html.contains("<v>"));
        assert!(index(&json!({ "docs": 0 })).contains("0 segments"));
        let record = json!({ "sources": [{ "segment": "_0", "docs": 1 }], "bytes_read": 10, "fields": {} });
        assert!(merge_report(&[record]).contains("1 segment becomes 1: read 10 B"));
        assert!(merge_report(&[]).contains("nothing to merge"));
    }
}
