//! Hits, as a table, as Markdown and as JSON.

use super::table::{Align, Rows};
use super::{metadata, out};
use lucerne::Hits;
use lucerne::search::{Explanation, Stopped, Timings};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Serialize)]
pub(crate) struct JsonHits<'a> {
    hits: Vec<JsonHit<'a>>,
    exact: bool,
    segments: Vec<JsonSegment<'a>>,
    took_ms: JsonTimings,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'static str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    unknown_fields: &'a [String],
}

#[derive(Serialize)]
struct JsonHit<'a> {
    key: &'a str,
    score: f32,
    distance: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<u32>,
    fields: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    highlights: &'a BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'a Explanation>,
}

#[derive(Serialize)]
struct JsonSegment<'a> {
    segment: &'a str,
    strategy: &'a str,
    visited: u64,
    accepted: u32,
}

/// Milliseconds.
#[derive(Serialize)]
struct JsonTimings {
    total: f64,
    resolve: f64,
    search: f64,
    rerank: f64,
    stored: f64,
}

/// Milliseconds, to the microsecond.
fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}

/// How long a search took, and with what.
pub(crate) fn timings(hits: &Hits) -> String {
    let Timings { total, resolve, search, rerank, stored, .. } = hits.took;
    let [total, resolve, search, rerank, stored] = [total, resolve, search, rerank, stored].map(millis);
    format!(
        "took {total:.3} ms: resolving the query {resolve:.3}, searching {search:.3}, reranking {rerank:.3}, reading hits \
         {stored:.3}"
    )
}

/// All that hits say.
pub(crate) fn as_json(hits: &Hits) -> JsonHits<'_> {
    let found = hits.hits.iter().map(|hit| JsonHit {
        key: &hit.key,
        score: hit.score,
        distance: hit.distance,
        vector: hit.vector,
        fields: hit.fields.as_ref(),
        highlights: &hit.highlights,
        explanation: hit.explanation.as_ref(),
    });
    let segments = hits.segments.iter().map(|searched| JsonSegment {
        segment: &searched.segment,
        strategy: searched.strategy,
        visited: searched.visited,
        accepted: searched.accepted,
    });
    JsonHits {
        hits: found.collect(),
        exact: hits.exact,
        segments: segments.collect(),
        took_ms: JsonTimings {
            total: millis(hits.took.total),
            resolve: millis(hits.took.resolve),
            search: millis(hits.took.search),
            rerank: millis(hits.took.rerank),
            stored: millis(hits.took.stored),
        },
        stopped: hits.stopped.map(|stopped| match stopped {
            Stopped::TimedOut => "timed_out",
            Stopped::Cancelled => "cancelled",
        }),
        unknown_fields: &hits.unknown_fields,
    }
}

/// A table whose fields are cut to the terminal, and the explanations below it.
pub(crate) fn table(hits: &Hits, offset: usize, wanted: &[String]) -> String {
    if hits.hits.is_empty() {
        return String::new();
    }
    let (rows, fixed) = rows(hits, offset, wanted);
    let mut text = rows.text(out::width(), fixed);
    text.push_str(&highlights(hits));
    text.push_str(&explanations(hits));
    text
}

/// A Markdown table, nothing cut, and the explanations below it.
pub(crate) fn markdown(hits: &Hits, offset: usize, wanted: &[String]) -> String {
    if hits.hits.is_empty() {
        return String::new();
    }
    let mut text = rows(hits, offset, wanted).0.markdown();
    let explained = [highlights(hits), explanations(hits)].concat();
    if !explained.is_empty() {
        text.push_str(&format!("\n```text{explained}```\n"));
    }
    text
}

/// The hits, and how many columns come before the fields.
fn rows(hits: &Hits, offset: usize, wanted: &[String]) -> (Rows, usize) {
    let mut columns: Vec<&str> = Vec::new();
    let present = hits.hits.iter().filter_map(|hit| hit.fields.as_ref()).flat_map(Map::keys);
    for name in wanted.iter().filter(|name| *name != "*").chain(present) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let by_distance = hits.hits.iter().any(|hit| hit.distance.is_some());
    let mut heading = vec![("", Align::Right), ("key", Align::Left), ("score", Align::Right)];
    if by_distance {
        heading.push(("distance", Align::Right));
    }
    let fixed = heading.len();
    let mut rows = Rows::new(heading.into_iter().chain(columns.iter().map(|name| (*name, Align::Left))));
    let estimated = if hits.exact { "" } else { "~" };
    for (rank, hit) in hits.hits.iter().enumerate() {
        let mut row = vec![(offset + rank + 1).to_string(), hit.key.clone(), format!("{:.6}", hit.score)];
        if by_distance {
            row.push(hit.distance.map_or("-".to_owned(), |distance| format!("{estimated}{distance:.6}")));
        }
        let value =
            |name: &&str| hit.fields.as_ref().and_then(|fields| fields.get(*name)).unwrap_or(&Value::Null);
        row.extend(columns.iter().map(|name| metadata::scalar(value(name))));
        rows.push(row);
    }
    (rows, fixed)
}

/// The fragments of each hit, below the table.
fn highlights(hits: &Hits) -> String {
    let mut text = String::new();
    for hit in hits.hits.iter().filter(|hit| !hit.highlights.is_empty()) {
        text.push_str(&format!("\n{}\n", hit.key));
        for (field, fragments) in &hit.highlights {
            fragments.iter().for_each(|fragment| text.push_str(&format!("  {field}: {fragment}\n")));
        }
    }
    out::printable(&text)
}

fn explanations(hits: &Hits) -> String {
    let explained = hits.hits.iter().filter_map(|hit| Some((&hit.key, hit.explanation.as_ref()?)));
    explained.map(|(key, explanation)| out::printable(&format!("\n{key}\n{explanation}"))).collect()
}
