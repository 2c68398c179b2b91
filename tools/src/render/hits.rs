//! Hits, as a table, as Markdown and as JSON.

use super::table::{Align, Rows};
use super::units;
use super::{aggregations, metadata, out};
use lucerne::search::{Aggregate, Explanation, Group, Stopped, Timings, Total};
use lucerne::{Hit, Hits};
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
    total: Total,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    aggregations: &'a BTreeMap<String, Aggregate>,
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
    vectors: &'a BTreeMap<String, Vec<Vec<f32>>>,
    highlights: &'a BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'a Explanation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<JsonGroup<'a>>,
}

#[derive(Serialize)]
struct JsonGroup<'a> {
    value: Option<&'a lucerne::Value>,
    next: Vec<JsonHit<'a>>,
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
    aggregate: f64,
    stored: f64,
}

/// Milliseconds, to the microsecond.
fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}

/// How long a search took, and with what.
pub(crate) fn timings(hits: &Hits) -> String {
    let Timings { total, resolve, search, rerank, aggregate, stored, .. } = hits.took;
    let [total, resolve, search, rerank, aggregate, stored] =
        [total, resolve, search, rerank, aggregate, stored].map(millis);
    format!(
        "took {total:.3} ms: resolving the query {resolve:.3}, searching {search:.3}, reranking {rerank:.3}, \
         aggregating {aggregate:.3}, reading hits {stored:.3}"
    )
}

/// How many documents there are.
pub(crate) fn total(hits: &Hits) -> String {
    let number = units::grouped(hits.total.value());
    if hits.total.is_exact() { format!("{number} found") } else { format!("at least {number} found") }
}

fn hit_as_json(hit: &Hit) -> JsonHit<'_> {
    JsonHit {
        key: &hit.key,
        score: hit.score,
        distance: hit.distance,
        vector: hit.vector,
        fields: hit.fields.as_ref(),
        vectors: &hit.vectors,
        highlights: &hit.highlights,
        explanation: hit.explanation.as_ref(),
        group: hit.group.as_ref().map(group_as_json),
    }
}

fn group_as_json(group: &Group) -> JsonGroup<'_> {
    JsonGroup { value: group.value.as_ref(), next: group.next.iter().map(hit_as_json).collect() }
}

/// All that hits say.
pub(crate) fn as_json(hits: &Hits) -> JsonHits<'_> {
    let found = hits.hits.iter().map(hit_as_json);
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
            aggregate: millis(hits.took.aggregate),
            stored: millis(hits.took.stored),
        },
        stopped: hits.stopped.map(|stopped| match stopped {
            Stopped::TimedOut => "timed_out",
            Stopped::Cancelled => "cancelled",
        }),
        unknown_fields: &hits.unknown_fields,
        total: hits.total,
        aggregations: &hits.aggregations,
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
    text.push_str(&aggregations::tables(hits, |rows, fixed| rows.text(out::width(), fixed)));
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
    text.push_str(&aggregations::tables(hits, |rows, _| format!("\n{}", rows.markdown())));
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
    let grouped = hits.hits.iter().any(|hit| hit.group.is_some());
    if grouped {
        heading.insert(1, ("group", Align::Left));
    }
    let fixed = heading.len();
    let mut rows = Rows::new(heading.into_iter().chain(columns.iter().map(|name| (*name, Align::Left))));
    let estimated = if hits.exact { "" } else { "~" };
    for (rank, value, hit) in with_groups(hits) {
        let rank = rank.map_or(String::new(), |rank| (offset + rank + 1).to_string());
        let mut row = vec![rank, hit.key.clone(), format!("{:.6}", hit.score)];
        if grouped {
            row.insert(1, value);
        }
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

/// Hits with their ranks and the values of their groups; those that follow in a group have neither.
fn with_groups(hits: &Hits) -> Vec<(Option<usize>, String, &Hit)> {
    let mut all = Vec::new();
    for (rank, hit) in hits.hits.iter().enumerate() {
        let value = hit.group.as_ref().and_then(|group| group.value.as_ref());
        let value = value.map(|value| metadata::scalar(&serde_json::to_value(value).unwrap_or_default()));
        all.push((Some(rank), value.unwrap_or("-".to_owned()), hit));
        let next = hit.group.iter().flat_map(|group| &group.next);
        all.extend(next.map(|hit| (None, String::new(), hit)));
    }
    all
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
