//! Measuring: the sample is searched for with more and more candidates, by the code that searches.
//!
//! One search of a graph shows what all narrower ones would have found (`hnsw/graph/trace`). Where vectors are found in
//! another way, or documents are counted, each number of candidates takes a search of its own.

use super::curve::{Curve, Curves, MEASURED_K, Point, RESCORED};
use super::sample::{SampleQuery, sample};
use super::threads::in_shares;
use crate::encoding::Precision;
use crate::vectors::search::{Measured, Scratch, Trace, TracedQuery, run_measured};
use crate::vectors::segment::{Index, VectorSegment};
use lucerne_codec::format::WriteContext;
use lucerne_codec::vector::{Effort, VectorSearch};
use lucerne_codec::{Accept, Cancel, DocId, OnStop, Result};

/// Candidates grow by this factor from one measurement to the next.
const STEP: f64 = 1.6;
/// As many measurements at most in one search of a graph.
const STEPS: usize = 11;
/// Measuring ends at this recall.
const ENOUGH: f64 = 0.995;
/// It ends when two steps have gained less than this, from so many candidates for each neighbor on.
const LEAST_STUCK: usize = 8;
const LEAST_GAIN: f64 = 0.001;
/// It ends when the searches for one k have computed this many distances for each vector: less than a hundredth of
/// what building a graph takes.
const MOST_DISTANCES: usize = 8;
/// One search may compute its share of them, and at least as many as a search with a thousand candidates does: most end long
/// before.
const LEAST_BUDGET: usize = 6_000;
/// A curve ends where more than one of so many searches had to end before.
const RARELY_ENDED: usize = 8;
/// Fewer vectors are not measured.
pub(in crate::vectors) const LEAST_VECTORS: usize = 256;

/// The curves of a segment that has been written; none when it has no index, and all vectors are compared.
pub(in crate::vectors) fn measure(segment: &VectorSegment, context: &WriteContext<'_>) -> Result<Curves> {
    let indexed = match &segment.index {
        Index::Flat => false,
        Index::Hnsw(graph) => graph.is_some(),
        Index::Ivf(_) => true,
    };
    let candidates_only = segment.encoded.precision() == Precision::CandidatesOnly;
    if segment.len < LEAST_VECTORS || !(indexed || candidates_only) {
        return Ok(Curves::default());
    }
    context.progress.report("recall", 0, 3);
    let queries = sample(segment, context)?;
    let mut curves = Vec::new();
    for (done, k) in (1..).zip(MEASURED_K) {
        context.progress.report("recall", done, 3);
        let queries: Vec<&SampleQuery> = queries.iter().filter(|query| query.k >= k).collect();
        curves.push(curve(segment, &queries, k, context)?);
    }
    context.progress.report("recall", 3, 3);
    let curves = Curves(curves);
    Ok(if segment.raw.is_some() { curves } else { curves.of_share(segment.encoded.recall_of_all()) })
}

/// Whether the best by estimates can be rescored.
fn rescores(segment: &VectorSegment) -> bool {
    segment.encoded.precision() == Precision::Estimate && segment.raw.is_some()
}

/// Measures for one k.
fn curve(
    segment: &VectorSegment,
    queries: &[&SampleQuery],
    k: usize,
    context: &WriteContext<'_>,
) -> Result<Curve> {
    let candidates = (0..).map(|step| (k as f64 * STEP.powi(step)) as usize);
    let points = match Trace::new(segment, k, candidates.clone().take(STEPS)) {
        Some(trace) => trace_all(segment, queries, trace, candidates, context)?,
        None => search_each(segment, queries, k, candidates, context)?,
    };
    Ok(Curve { k: k as u32, queries: queries.len() as u32, points })
}

/// Searches a graph once for each query, and once more for the first candidates with which a scan is better.
fn trace_all(
    segment: &VectorSegment,
    queries: &[&SampleQuery],
    trace: Trace,
    mut candidates: impl Iterator<Item = usize>,
    context: &WriteContext<'_>,
) -> Result<Vec<Point>> {
    let estimates = rescores(segment);
    let budget = (MOST_DISTANCES * segment.len / queries.len().max(1)).max(LEAST_BUDGET);
    let mut searched = in_shares(queries, context.threads, |queries| {
        let mut scratch = Scratch::default();
        let search = |&query| search_once(segment, query, &trace, budget, context.cancel, &mut scratch);
        queries.iter().map(search).collect()
    })?;
    let Trace { k, candidates: mut used, .. } = trace;
    let found = points(&searched, &used, estimates);
    let all_made = used.len() < STEPS && !searched.iter().any(|one| one.lacks(used.len() - 1));
    let lacking = all_made && found.last().is_some_and(|last| best(last) < ENOUGH);
    let Some(next) = candidates.nth(used.len()).filter(|_| lacking) else {
        return Ok(found);
    };
    used.push(next);
    searched =
        in_shares(&searched, context.threads, |searched| search(segment, searched, k, next, context.cancel))?;
    let mut found = points(&searched, &used, estimates);
    // A scan finds what no graph search with a few candidates less does: between the two nothing is in proportion.
    if let [.., graph, scan] = found.as_slice()
        && scan.candidates as usize == next
        && graph.candidates + 1 < scan.candidates
    {
        let before = Point { candidates: scan.candidates - 1, ..*graph };
        found.insert(found.len() - 1, before);
    }
    Ok(found)
}

/// What one search found and cost.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    recall: f64,
    /// When the best are rescored with raw vectors; the same where distances are exact anyway.
    rescored: f64,
    visited: u64,
}

/// A query with the outcomes of searches with more and more candidates.
#[derive(Clone)]
struct Searched<'a> {
    query: &'a SampleQuery,
    outcomes: Vec<Outcome>,
    /// Whether the last has found everything, so that it stands for all with more candidates.
    complete: bool,
}

impl<'a> Searched<'a> {
    fn new(query: &'a SampleQuery) -> Self {
        Self { query, outcomes: Vec::new(), complete: false }
    }

    /// The outcome of the search number `at`, or of the last one made: a search that could not go on has found no more.
    fn outcome(&self, at: usize) -> Outcome {
        self.outcomes.get(at).or(self.outcomes.last()).copied().unwrap_or_default()
    }

    /// Whether the search number `at` was neither made nor needless.
    fn lacks(&self, at: usize) -> bool {
        at >= self.outcomes.len() && !self.complete
    }
}

/// The points of a curve, as far as outcomes are known.
fn points(searched: &[Searched<'_>], candidates: &[usize], estimates: bool) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for (at, &candidates) in candidates.iter().enumerate() {
        if RARELY_ENDED * searched.iter().filter(|one| one.lacks(at)).count() > searched.len() {
            break;
        }
        let outcomes: Vec<(bool, Outcome)> =
            searched.iter().map(|one| (one.query.moved, one.outcome(at))).collect();
        let lesser = |recall: fn(&Outcome) -> f64| {
            let of = |wanted| {
                let some = outcomes.iter().filter(|(moved, _)| *moved == wanted);
                expected(some.map(|(_, outcome)| recall(outcome)).collect())
            };
            f64::min(of(true), of(false))
        };
        let (recall, rescored) = (lesser(|outcome| outcome.recall), lesser(|outcome| outcome.rescored));
        // By chance a search with more candidates may find less.
        let last = points.last();
        let recall = last.map_or(recall, |last| recall.max(last.recall));
        let rescored = last.and_then(|last| last.rescored).map_or(rescored, |last| rescored.max(last));
        let point = Point { candidates: candidates as u32, recall, rescored: estimates.then_some(rescored) };
        points.push(point);
        if best(&point) >= ENOUGH {
            break;
        }
    }
    points
}

fn best(point: &Point) -> f64 {
    point.rescored.unwrap_or(point.recall)
}

/// Searches a graph once for a query, without the vector that it was made of, for all candidates.
fn search_once<'a>(
    segment: &VectorSegment,
    query: &'a SampleQuery,
    trace: &Trace,
    budget: usize,
    cancel: &Cancel,
    scratch: &mut Scratch,
) -> Result<Searched<'a>> {
    let mut searched = Searched::new(query);
    let estimates = rescores(segment);
    let traced = TracedQuery { row: &query.row, hidden: query.hidden, budget: budget as u64 };
    trace.run(segment, traced, cancel, scratch, |found, visited| {
        let recall = |rows: usize| query.recall(segment, found.get(..rows).unwrap_or(found), trace.k);
        // True neighbors among those that are ordered by raw vectors end up in front.
        let plain = recall(trace.rows.max(trace.k))?;
        let rescored = if estimates { recall(trace.rescored())? } else { plain };
        searched.outcomes.push(Outcome { recall: plain, rescored, visited });
        searched.complete = rescored >= 1.0;
        Ok(!searched.complete)
    })?;
    Ok(searched)
}

/// Searches for the queries with more and more candidates, one search for each.
fn search_each(
    segment: &VectorSegment,
    queries: &[&SampleQuery],
    k: usize,
    all_candidates: impl Iterator<Item = usize>,
    context: &WriteContext<'_>,
) -> Result<Vec<Point>> {
    let precision = segment.encoded.precision();
    let mut searched: Vec<Searched<'_>> = queries.iter().map(|query| Searched::new(query)).collect();
    let (mut used, mut found) = (Vec::new(), Vec::new());
    for candidates in all_candidates {
        used.push(candidates);
        searched = in_shares(&searched, context.threads, |searched| {
            search(segment, searched, k, candidates, context.cancel)
        })?;
        found = points(&searched, &used, precision == Precision::Estimate);
        let stuck = candidates >= LEAST_STUCK * k
            && matches!(found.as_slice(), [.., old, _, new] if best(new) - best(old) < LEAST_GAIN);
        let enough = found.last().is_some_and(|last| best(last) >= ENOUGH);
        // Distances of hashes cost next to nothing.
        let visited: u64 = searched.iter().flat_map(|one| &one.outcomes).map(|outcome| outcome.visited).sum();
        let spent = precision != Precision::CandidatesOnly && visited > (MOST_DISTANCES * segment.len) as u64;
        if enough || stuck || spent || candidates >= segment.len {
            break;
        }
    }
    Ok(found)
}

/// Searches for each query without the vector that it was made of, but for those that have found everything.
fn search<'a>(
    segment: &VectorSegment,
    queries: &[Searched<'a>],
    k: usize,
    candidates: usize,
    cancel: &Cancel,
) -> Result<Vec<Searched<'a>>> {
    let mut scratch = Scratch::default();
    let estimates = rescores(segment);
    let search = |searched: &Searched<'a>| {
        cancel.check()?;
        let mut searched = searched.clone();
        if searched.complete {
            return Ok(searched);
        }
        let query = searched.query;
        let request = VectorSearch {
            query: &query.row,
            k: if estimates { (RESCORED * k).min(candidates).max(k) } else { k },
            effort: Effort::Candidates(candidates),
            accept: Accept::all(segment.max_doc),
            ties: &|left: DocId, right: DocId| left.cmp(&right),
            cancel,
            on_stop: OnStop::Fail,
        };
        let measured = Measured { hidden: Some(query.hidden), watched: Some(k) };
        let hits = run_measured(segment, &request, measured, &mut scratch)?;
        let plain = hits.neighbors.get(..k).unwrap_or(&hits.neighbors);
        let recall = query.recall(segment, plain, k)?;
        let rescored = if estimates { query.recall(segment, &hits.neighbors, k)? } else { recall };
        searched.outcomes.push(Outcome { recall, rescored, visited: hits.visited });
        searched.complete = recall >= 1.0;
        Ok(searched)
    };
    queries.iter().map(search).collect()
}

/// Standard errors that are taken off a mean: without them half of all segments would promise too much, with so many one in
/// fifteen does.
const STANDARD_ERRORS: f64 = 1.5;

/// The mean recall, less [`STANDARD_ERRORS`].
fn expected(recalls: Vec<f64>) -> f64 {
    if recalls.is_empty() {
        return 1.0;
    }
    let count = recalls.len() as f64;
    let mean = recalls.iter().sum::<f64>() / count;
    let variance = recalls.iter().map(|recall| (recall - mean).powi(2)).sum::<f64>() / count;
    rounded((mean - STANDARD_ERRORS * (variance / count).sqrt()).max(0.0))
}

/// Four digits are more than a sample tells.
fn rounded(recall: f64) -> f64 {
    (recall * 1e4).round() / 1e4
}
