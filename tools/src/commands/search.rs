//! `search`: the nearest documents, as a table or as JSON.

use crate::args::Search;
use crate::commands::{dimension, searcher};
use crate::failure::{Code, Failure, In as _, Outcome};
use crate::render::table::{Align, Rows};
use crate::render::{facts, out};
use crate::vectors::VectorFile;
use lucerne::{Hits, Knn};
use serde::Serialize;
use serde_json::{Map, Value};
use std::path::Path;

pub(super) fn run(args: &Search, json: bool) -> Outcome {
    let searcher = searcher(&args.dir)?;
    let dimension = dimension(searcher.schema(), &args.knn)?;
    let vector = match (&args.vector, &args.vector_file) {
        (Some(text), _) => parse(text)?,
        (None, Some(file)) => from_file(file, args.row, &args.knn, dimension)?,
        (None, None) => return Err(Failure::usage("no query vector; give --vector or --vector-file")),
    };
    let mut query = Knn::new(&args.knn, vector).k(args.knobs.k);
    if let Some(candidates) = args.candidates {
        query = query.candidates(candidates);
    }
    if let Some(factor) = args.knobs.rescore {
        query = query.rescore(factor);
    }
    if args.exact {
        query = query.exact();
    }
    if !args.fields.is_empty() {
        let all = args.fields.iter().any(|field| field == "*");
        query = query.fields(if all { Vec::new() } else { args.fields.clone() });
    }
    let hits = searcher.search(&query).in_index(&args.dir)?;
    match json {
        true => out::json(&as_json(&hits))?,
        false => out::text(&table(&hits, &args.fields))?,
    }
    match hits.hits.is_empty() {
        false => Ok(()),
        true if json => Err(Failure::silent(Code::DamageOrNoHit)),
        true => Err(Failure::new(Code::DamageOrNoHit, "no hit").hint(format!(
            "the index has {} documents; has one a vector in {:?}?",
            searcher.len(),
            args.knn
        ))),
    }
}

fn parse(text: &str) -> Outcome<Vec<f32>> {
    serde_json::from_str(text).map_err(|error| {
        Failure::usage(format!("--vector: {error}"))
            .hint("expected a JSON list of numbers: --vector '[0.1, 0.7]'")
    })
}

fn from_file(path: &Path, row: u64, field: &str, dimension: usize) -> Outcome<Vec<f32>> {
    let mut file = VectorFile::open(path, Some(dimension))?;
    file.expect_dimension(field, dimension)?;
    file.row(row)
}

#[derive(Serialize)]
struct JsonHits<'a> {
    hits: Vec<JsonHit<'a>>,
    exact: bool,
    segments: Vec<JsonSegment<'a>>,
}

#[derive(Serialize)]
struct JsonHit<'a> {
    key: &'a str,
    score: f32,
    distance: Option<f32>,
    fields: Option<&'a Map<String, Value>>,
}

#[derive(Serialize)]
struct JsonSegment<'a> {
    segment: &'a str,
    strategy: &'a str,
    visited: u64,
}

fn as_json(hits: &Hits) -> JsonHits<'_> {
    let found = hits.hits.iter().map(|hit| JsonHit {
        key: &hit.key,
        score: hit.score,
        distance: hit.distance,
        fields: hit.fields.as_ref(),
    });
    let segments = hits.segments.iter().map(|searched| JsonSegment {
        segment: &searched.segment,
        strategy: searched.strategy,
        visited: searched.visited,
    });
    JsonHits { hits: found.collect(), exact: hits.exact, segments: segments.collect() }
}

/// Columns that are never cut: rank, key, score, distance.
const FIXED: usize = 4;

fn table(hits: &Hits, wanted: &[String]) -> String {
    if hits.hits.is_empty() {
        return String::new();
    }
    let mut columns: Vec<&str> = Vec::new();
    let present = hits.hits.iter().filter_map(|hit| hit.fields.as_ref()).flat_map(Map::keys);
    for name in wanted.iter().filter(|name| *name != "*").chain(present) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let fixed =
        [("", Align::Right), ("key", Align::Left), ("score", Align::Right), ("distance", Align::Right)];
    let mut rows = Rows::new(fixed.into_iter().chain(columns.iter().map(|name| (*name, Align::Left))));
    for (rank, hit) in hits.hits.iter().enumerate() {
        let estimated = if hits.exact { "" } else { "~" };
        let mut row = vec![
            (rank + 1).to_string(),
            hit.key.clone(),
            format!("{:.6}", hit.score),
            hit.distance.map_or(String::new(), |distance| format!("{estimated}{distance:.6}")),
        ];
        let value =
            |name: &&str| hit.fields.as_ref().and_then(|fields| fields.get(*name)).unwrap_or(&Value::Null);
        row.extend(columns.iter().map(|name| facts::scalar(value(name))));
        rows.push(row);
    }
    rows.text(out::width(), FIXED)
}
