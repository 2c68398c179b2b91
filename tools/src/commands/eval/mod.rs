//! `eval`: recall and latency of vector search.

mod measure;
mod plot;
mod truth;

use crate::args::{Eval, RecallBy};
use crate::commands::{pictures, searcher, shape};
use crate::failure::{Failure, In as _, Outcome};
use crate::render::out;
use crate::render::progress::PhaseBar;
use crate::render::units::short;
use crate::vectors::{Shape, VectorFile};
use lucerne::codec::Progress as _;
use lucerne::{Knn, Searcher};
use measure::Timing;
use serde::Serialize;
use std::path::{Path, PathBuf};
use truth::Truth;

pub(super) fn run(args: &Eval, json: bool) -> Outcome {
    if let Some(path) = &args.plot {
        let read: Vec<&Path> =
            [Some(&args.queries), args.truth.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
        pictures::check_target(path, &args.dir, &read)?;
    }
    let searcher = searcher(&args.dir)?;
    let shape = shape(searcher.schema(), &args.field)?;
    let vectors = queries(args, shape)?;
    let plain: Vec<Knn> = vectors.into_iter().map(|vector| Knn::new(&args.field, vector).k(args.k)).collect();
    let settings = settings(args, &searcher)?;
    for &setting in &settings {
        // What is out of range is refused before the truth is computed.
        let first =
            plain.first().map(|query| searcher.candidates(&with_setting(query.clone(), setting, args)));
        first.transpose().in_index(&args.dir)?;
    }
    let truth = Truth::of(args, &searcher, &plain)?;
    if !json && let Some(first) = settings.first() {
        out::line(&Line::heading(*first, args.k))?;
    }
    let (bar, total, mut lines) = (PhaseBar::new(), settings.len() as u64, Vec::new());
    for setting in settings {
        bar.report("settings", lines.len() as u64, total);
        let queries: Vec<Knn> =
            plain.iter().map(|query| with_setting(query.clone(), setting, args)).collect();
        let candidates = queries.first().map(|query| searcher.candidates(query)).transpose();
        let found = truth.compare(args, &searcher, &plain, &queries)?;
        let timing = Timing::measure(args, &searcher, &queries)?;
        let line = Line {
            asked: if let Setting::Recall(recall) = setting { Some(short(recall)) } else { None },
            candidates: match setting {
                Setting::Candidates(count) => Some(count),
                _ => candidates.in_index(&args.dir)?.flatten(),
            },
            nprobe: if let Setting::Lists(lists) = setting { Some(lists) } else { None },
            rescore: args.rescore(),
            k: args.k,
            threads: args.threads,
            queries: queries.len(),
            recall: match args.recall_by {
                RecallBy::Distance => found.recall,
                RecallBy::Id => found.recall_by_id,
            },
            recall_by_id: found.recall_by_id,
            qps: timing.qps,
            mean_us: timing.mean_us,
            p50_us: timing.p50_us,
            p99_us: timing.p99_us,
            visited: found.visited,
            exact_distances: found.exact,
        };
        bar.beside(|| if json { out::json(&line) } else { out::line(&line.text(setting)) })?;
        lines.push(line);
    }
    bar.finish();
    let Some(path) = &args.plot else { return Ok(()) };
    pictures::write(path, &plot::of(args, &lines).file(), json)
}

/// The recalls asked for where a curve is wanted and nothing else is said.
const PLOTTED: [f32; 5] = [0.8, 0.9, 0.95, 0.98, 0.99];

/// The parameter that varies from one measurement to the next.
#[derive(Clone, Copy)]
enum Setting {
    Recall(f32),
    Candidates(usize),
    Lists(usize),
}

/// The settings asked for, or the recall that searches of the field ask for.
fn settings(args: &Eval, searcher: &Searcher) -> Outcome<Vec<Setting>> {
    let recalls = args.recall.iter().map(|&recall| Setting::Recall(recall));
    let candidates = args.candidates.iter().map(|&count| Setting::Candidates(count));
    let lists = args.nprobe.iter().map(|&lists| Setting::Lists(lists));
    let mut settings: Vec<Setting> = recalls.chain(candidates).chain(lists).collect();
    if settings.is_empty() && args.plot.is_some() {
        settings.extend(PLOTTED.map(Setting::Recall));
    }
    if settings.is_empty() {
        let field = searcher.schema().vector_field_named(&args.field).in_index(&args.dir)?;
        let recall = field.options().recall().unwrap_or(lucerne::limits::DEFAULT_RECALL);
        settings.push(Setting::Recall(recall));
    }
    Ok(settings)
}

fn with_setting(query: Knn, setting: Setting, args: &Eval) -> Knn {
    let query = match setting {
        Setting::Recall(recall) => query.recall(recall),
        Setting::Candidates(count) => query.candidates(count),
        Setting::Lists(lists) => query.nprobe(lists),
    };
    match args.rescore() {
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
    /// The recall asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<f64>,
    /// Candidates kept in a segment, the most where segments differ.
    candidates: Option<usize>,
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
    /// What was asked for, in short.
    fn setting(&self) -> String {
        match (self.asked, self.nprobe, self.candidates) {
            (Some(recall), ..) => format!("asked {recall}"),
            (None, Some(lists), _) => format!("{lists} lists"),
            (None, None, Some(candidates)) => candidates.to_string(),
            (None, None, None) => String::new(),
        }
    }

    fn heading(setting: Setting, k: usize) -> String {
        let (setting, last) = match setting {
            Setting::Recall(_) => (format!("{:>10}", "asked"), format!("  {:>10}", "candidates")),
            Setting::Candidates(_) => (format!("{:>10}", "candidates"), String::new()),
            Setting::Lists(_) => (format!("{:>10}", "nprobe"), String::new()),
        };
        let recall = format!("recall@{k}");
        format!(
            "{setting}  {recall:>10}  {:>7}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}{last}",
            "by id", "qps", "mean µs", "p50 µs", "p99 µs", "visited"
        )
    }

    fn text(&self, setting: Setting) -> String {
        let Self { recall, recall_by_id, qps, mean_us, p50_us, p99_us, visited, .. } = self;
        let (setting, last) = match setting {
            Setting::Recall(asked) => {
                let candidates = self.candidates.map_or_else(|| "-".to_owned(), |count| count.to_string());
                (format!("{asked:>10}"), format!("  {candidates:>10}"))
            }
            Setting::Candidates(count) => (format!("{count:>10}"), String::new()),
            Setting::Lists(lists) => (format!("{lists:>10}"), String::new()),
        };
        format!(
            "{setting}  {recall:>10.4}  {recall_by_id:>7.4}  {qps:>9.1}  {mean_us:>9.1}  {p50_us:>9.1}  {p99_us:>9.1}  {visited:>9.1}{last}"
        )
    }
}
