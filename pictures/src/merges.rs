//! What a merge does, or would do, with the codes of its sources.

use crate::bars::{Part, bar, legend};
use crate::markup::words;
use crate::picture::{Picture, WIDTH};
use crate::report::{number, text};
use crate::units::{bytes, count};
use serde_json::Value;

/// What becomes of codes, by color: they are copied; computed again from drifted quantiles; computed with new quantiles.
const OUTCOMES: [(&str, usize); 3] = [("kept", 0), ("requantized", 1), ("resampled", 3)];
const OTHER: usize = 8;
/// The color of what comes out.
const MERGED: usize = 2;

/// A merge of a field, from its plan or record: sources as wide as they have vectors, in the colors of what becomes of their
/// codes, and below them the segment that comes out. `None` where nothing is said of sources.
#[must_use]
pub fn flow(field: &str, report: &Value) -> Option<Picture> {
    let mut sources = sources(report)?.clone();
    sources.sort_by_key(|source| std::cmp::Reverse(number(source, "live")));
    let parts: Vec<Part> = sources
        .iter()
        .map(|source| {
            let (name, outcome) = (text(source, "segment"), text(source, "outcome"));
            let drift = source.get("drift").and_then(Value::as_f64);
            let drift = drift.map(|drift| format!(", drift {:.2} %", drift * 100.0)).unwrap_or_default();
            let vectors = count(number(source, "live"), "vector");
            Part {
                name: name.to_owned(),
                value: number(source, "live") as f64,
                text: format!("{vectors}, {outcome}{drift}"),
                color: color(outcome),
            }
        })
        .collect();
    let mut names: Vec<(String, usize)> = Vec::new();
    for (outcome, color) in OUTCOMES.into_iter().chain([("", OTHER)]) {
        let own: Vec<&Value> = sources.iter().filter(|it| text(it, "outcome") == outcome).collect();
        if !own.is_empty() {
            let outcome = if outcome.is_empty() { "in one segment" } else { outcome };
            // Why: how far their quantiles are from the merged ones.
            let drifts = own.iter().filter_map(|it| it.get("drift")?.as_f64());
            let drift = drifts.reduce(f64::max).map(|most| format!(" (drift up to {:.2} %)", most * 100.0));
            let named =
                format!("{} {outcome}{}", count(own.len() as u64, "segment"), drift.unwrap_or_default());
            names.push((named, color));
        }
    }
    let others =
        sources.iter().filter(|it| color(text(it, "outcome")) == OTHER && !text(it, "outcome").is_empty());
    let others: Vec<&str> = others.map(|it| text(it, "outcome")).collect();
    if let Some(first) = others.first() {
        names.push((format!("{} {first}", count(others.len() as u64, "segment")), OTHER));
    }
    let merged = number(report, "vectors").max(sources.iter().map(|it| number(it, "live")).sum());
    let merged = Part {
        name: format!("1 segment, {}", count(merged, "vector")),
        value: 1.0,
        text: "what comes out".to_owned(),
        color: MERGED,
    };
    let elements = legend(&names, 4.0)
        + &bar(&parts, 24.0)
        + &words(WIDTH / 2.0, 63.0, "middle", "", "↓")
        + &bar(&[merged], 70.0);
    let in_words: Vec<&str> = names.iter().map(|(name, _)| &**name).collect();
    Some(Picture::new(format!("Merge of {field}: {}", in_words.join(", ")), 102.0, elements))
}

/// Merges of a plan, or their records, as one picture with the sizes in words.
#[must_use]
pub fn merges(reports: &[Value]) -> Picture {
    let mut pictures = Vec::new();
    for report in reports {
        pictures.push(Picture::new("", 8.0, String::new()).titled(&heading(report)));
        for line in [sizes(report), memory(report)].iter().filter(|line| !line.is_empty()) {
            pictures.push(Picture::new("", 18.0, words(4.0, 8.0, "start", "", line)));
        }
        let fields = report.get("fields").and_then(Value::as_object).into_iter().flatten();
        let flows: Vec<Picture> =
            fields.filter_map(|(name, of_field)| Some(flow(name, of_field)?.titled(name))).collect();
        if flows.is_empty() {
            pictures.extend(documents(report));
        }
        pictures.extend(flows);
    }
    if pictures.is_empty() {
        return Picture::new(
            "Nothing to merge",
            30.0,
            words(4.0, 20.0, "start", "name", "There is nothing to merge."),
        );
    }
    Picture::stack("What merges do with the codes of their sources", &pictures)
}

/// The flow of a merge without vectors: documents.
pub(crate) fn documents(report: &Value) -> Option<Picture> {
    let mut documents = report.clone();
    let sources = documents.get_mut("sources").and_then(Value::as_array_mut)?;
    for source in sources.iter_mut() {
        let docs = source.get("docs").cloned().unwrap_or_default();
        source.as_object_mut()?.insert("live".to_owned(), docs);
    }
    flow("documents", &documents)
}

pub(crate) fn heading(report: &Value) -> String {
    let sources = report.get("sources").and_then(Value::as_array).map_or(0, Vec::len);
    format!("{} {} 1", count(sources as u64, "segment"), if sources == 1 { "becomes" } else { "become" })
}

/// What is taken of memory.
fn memory(report: &Value) -> String {
    let size = |name: &str| report.get(name).and_then(Value::as_u64).map(bytes);
    match (size("memory"), size("memory_least")) {
        (Some(most), Some(least)) => format!("{most} of memory at most, {least} at least, below a ceiling"),
        _ => String::new(),
    }
}

/// What is read and written, and how long it took.
pub(crate) fn sizes(report: &Value) -> String {
    let size = |name: &str, said: &str| {
        let value = report.get(name).and_then(Value::as_u64)?;
        Some(format!("{said} {}", bytes(value)))
    };
    let seconds = report.pointer("/seconds/all").and_then(Value::as_f64).map(|it| format!("{it:.2} s"));
    let docs = report.get("docs").and_then(Value::as_u64).map(|docs| count(docs, "document"));
    let all = [
        docs,
        size("bytes_to_read", "to read"),
        size("bytes_to_write", "to write about"),
        size("bytes_read", "read"),
        size("bytes_written", "written"),
        seconds,
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The sources of a field, wherever its format has put them.
pub(crate) fn sources(report: &Value) -> Option<&Vec<Value>> {
    let fields = report.as_object()?;
    match fields.get("sources").and_then(Value::as_array) {
        Some(sources) => Some(sources).filter(|sources| !sources.is_empty()),
        None => fields.values().find_map(sources),
    }
}

fn color(outcome: &str) -> usize {
    OUTCOMES.iter().find(|(name, _)| *name == outcome).map_or(OTHER, |(_, color)| *color)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sources_are_as_wide_as_they_have_vectors_in_the_colors_of_what_becomes_of_them() {
        let plan = json!({
            "sources": [{ "segment": "_0", "docs": 3 }, { "segment": "_1", "docs": 1 }],
            "docs": 4, "bytes_to_read": 2048, "fields": { "v<": { "format": "x", "nested": { "sources": [
                { "segment": "_1", "live": 1, "drift": 0.05, "outcome": "requantized" },
                { "segment": "_0", "live": 3, "drift": 0.001, "outcome": "kept" },
            ] } } },
        });
        let svg = merges(std::slice::from_ref(&plan)).svg();
        for part in [
            "2 segments become 1",
            "4 documents, to read 2.00 KiB",
            "_0: 3 vectors, kept, drift 0.10 %",
            "1 segment requantized (drift up to 5.00 %)",
            ">v&lt;<",
            "1 segment, 4 vectors",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        let mut words_only = plan;
        words_only["fields"] = json!({});
        assert!(merges(&[words_only]).svg().contains("2 segments in one segment"));
        assert!(merges(&[]).svg().contains("nothing to merge"));
        assert_eq!(flow("v", &json!({ "sources": [] })), None);
    }
}
