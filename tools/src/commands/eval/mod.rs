//! `eval`: recall and latency of vector search.

mod measure;
mod truth;

use crate::args::Eval;
use crate::commands::{searcher, shape};
use crate::failure::{Failure, In as _, Outcome};
use crate::render::out;
use crate::vectors::{Shape, VectorFile};
use lucerne::Knn;
use measure::Timing;
use serde::Serialize;
use truth::Truth;

pub(super) fn run(args: &Eval, json: bool) -> Outcome {
    let searcher = searcher(&args.dir)?;
    let shape = shape(searcher.schema(), &args.field)?;
    let vectors = queries(args, shape)?;
    let default = searcher.default_candidates(&args.field, args.k).in_index(&args.dir)?;
    let plain: Vec<Knn> = vectors.into_iter().map(|vector| Knn::new(&args.field, vector).k(args.k)).collect();
    let truth = Truth::of(args, &searcher, &plain)?;
    if !json {
        let setting = if args.nprobe.is_empty() { "candidates" } else { "nprobe" };
        out::line(&Line::heading(setting, args.k))?;
    }
    let candidates = args.candidates.iter().map(|&count| Setting::Candidates(count));
    let settings = candidates.chain(args.nprobe.iter().map(|&lists| Setting::Lists(lists)));
    let mut settings: Vec<Setting> = settings.collect();
    if settings.is_empty() {
        settings.push(Setting::Default);
    }
    for setting in settings {
        let queries: Vec<Knn> =
            plain.iter().map(|query| with_setting(query.clone(), setting, args)).collect();
        let found = truth.compare(args, &searcher, &plain, &queries)?;
        let timing = Timing::measure(args, &searcher, &queries)?;
        let line = Line {
            candidates: if let Setting::Candidates(count) = setting { count } else { default },
            nprobe: if let Setting::Lists(lists) = setting { Some(lists) } else { None },
            rescore: args.rescore,
            k: args.k,
            threads: args.threads,
            queries: queries.len(),
            recall: found.recall,
            recall_by_id: found.recall_by_id,
            qps: timing.qps,
            mean_us: timing.mean_us,
            p50_us: timing.p50_us,
            p99_us: timing.p99_us,
            visited: found.visited,
            exact_distances: found.exact,
        };
        if json { out::json(&line)? } else { out::line(&line.text())? }
    }
    Ok(())
}

/// The parameter that varies from one measurement to the next.
#[derive(Clone, Copy)]
enum Setting {
    Default,
    Candidates(usize),
    Lists(usize),
}

fn with_setting(query: Knn, setting: Setting, args: &Eval) -> Knn {
    let query = match setting {
        Setting::Default => query,
        Setting::Candidates(count) => query.candidates(count),
        Setting::Lists(lists) => query.nprobe(lists),
    };
    match args.rescore {
        Some(factor) => query.rescore(factor),
        None => query,
    }
}

fn queries(args: &Eval, shape: Shape) -> Outcome<Vec<Vec<f32>>> {
    let mut file = VectorFile::open(&args.queries, Some(shape))?;
    file.expect(&args.field, shape)?;
    let rows = file.rows().min(args.limit.map_or(u64::MAX, |limit| limit as u64));
    match rows {
        0 => Err(Failure::content(&args.queries, "no queries")),
        _ => (0..rows).map(|row| file.row(row)).collect(),
    }
}

/// One setting and its measurements.
#[derive(Debug, Serialize)]
struct Line {
    candidates: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    nprobe: Option<usize>,
    rescore: Option<f32>,
    k: usize,
    threads: usize,
    queries: usize,
    /// Ties with the last true neighbor count as found.
    recall: f64,
    recall_by_id: f64,
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
    fn heading(setting: &str, k: usize) -> String {
        let recall = format!("recall@{k}");
        format!(
            "{setting:>10}  {recall:>10}  {:>7}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}",
            "by id", "qps", "mean µs", "p50 µs", "p99 µs", "visited"
        )
    }

    fn text(&self) -> String {
        let Self { candidates, nprobe, recall, recall_by_id, qps, mean_us, p50_us, p99_us, visited, .. } =
            self;
        let setting = nprobe.unwrap_or(*candidates);
        format!(
            "{setting:>10}  {recall:>10.4}  {recall_by_id:>7.4}  {qps:>9.1}  {mean_us:>9.1}  {p50_us:>9.1}  {p99_us:>9.1}  {visited:>9.1}"
        )
    }
}
