//! `eval`: how much is found, and how fast.

mod measure;
mod truth;

use crate::args::Eval;
use crate::commands::{dimension, searcher};
use crate::failure::{Failure, Outcome};
use crate::render::out;
use crate::vectors::VectorFile;
use lucerne::{DEFAULT_CANDIDATES, HASH_CANDIDATES_PER_HIT, Knn};
use measure::Timing;
use serde::Serialize;
use truth::Truth;

pub(super) fn run(args: &Eval, json: bool) -> Outcome {
    let searcher = searcher(&args.dir)?;
    let dimension = dimension(searcher.schema(), &args.field)?;
    let vectors = queries(args, dimension)?;
    let hashes = searcher.schema().vector_field_named(&args.field);
    let default = match hashes.is_ok_and(|field| field.options().is_sign_hash()) {
        true => HASH_CANDIDATES_PER_HIT * args.k,
        false => DEFAULT_CANDIDATES,
    };
    let plain: Vec<Knn> = vectors.into_iter().map(|vector| Knn::new(&args.field, vector).k(args.k)).collect();
    let truth = Truth::of(args, &searcher, &plain)?;
    if !json {
        out::line(&Line::heading(args.k))?;
    }
    let settings: Vec<Option<usize>> = match args.candidates.is_empty() {
        true => vec![None],
        false => args.candidates.iter().copied().map(Some).collect(),
    };
    for candidates in settings {
        let queries: Vec<Knn> =
            plain.iter().map(|query| with_knobs(query.clone(), candidates, args)).collect();
        let found = truth.compare(args, &searcher, &queries)?;
        let timing = Timing::measure(args, &searcher, &queries)?;
        let line = Line {
            candidates: candidates.unwrap_or(default),
            rescore: args.rescore,
            k: args.k,
            threads: args.threads,
            queries: queries.len(),
            recall: found.recall,
            qps: timing.qps,
            mean_us: timing.mean_us,
            p50_us: timing.p50_us,
            p99_us: timing.p99_us,
            visited: found.visited,
            exact_distances: found.exact,
        };
        match json {
            true => out::json(&line)?,
            false => out::line(&line.text())?,
        }
    }
    Ok(())
}

fn with_knobs(mut query: Knn, candidates: Option<usize>, args: &Eval) -> Knn {
    if let Some(candidates) = candidates {
        query = query.candidates(candidates);
    }
    match args.rescore {
        Some(factor) => query.rescore(factor),
        None => query,
    }
}

fn queries(args: &Eval, dimension: usize) -> Outcome<Vec<Vec<f32>>> {
    let mut file = VectorFile::open(&args.queries, Some(dimension))?;
    file.expect_dimension(&args.field, dimension)?;
    let rows = file.rows().min(args.limit.map_or(u64::MAX, |limit| limit as u64));
    match rows {
        0 => Err(Failure::content(&args.queries, "no queries")),
        _ => (0..rows).map(|row| file.row(row)).collect(),
    }
}

/// One setting and what came of it.
#[derive(Debug, Serialize)]
struct Line {
    candidates: usize,
    rescore: Option<f32>,
    k: usize,
    threads: usize,
    queries: usize,
    recall: f64,
    qps: f64,
    mean_us: f64,
    p50_us: f64,
    p99_us: f64,
    /// Distances computed per query, on average.
    visited: f64,
    /// Whether the distances returned come from raw vectors.
    exact_distances: bool,
}

impl Line {
    fn heading(k: usize) -> String {
        let recall = format!("recall@{k}");
        format!(
            "candidates  {recall:>10}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}",
            "qps", "mean µs", "p50 µs", "p99 µs", "visited"
        )
    }

    fn text(&self) -> String {
        let Self { candidates, recall, qps, mean_us, p50_us, p99_us, visited, .. } = self;
        format!(
            "{candidates:>10}  {recall:>10.4}  {qps:>9.1}  {mean_us:>9.1}  {p50_us:>9.1}  {p99_us:>9.1}  {visited:>9.1}"
        )
    }
}
