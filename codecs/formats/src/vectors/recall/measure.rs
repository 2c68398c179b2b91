//! Measuring: the sample is searched for with more and more candidates, by the code that searches.

use super::curve::{Curve, Curves, MEASURED_K, Point, RESCORED};
use super::sample::{SampleQuery, sample};
use super::threads::in_shares;
use crate::encoding::Precision;
use crate::vectors::search::{Measured, Scratch, run_measured};
use crate::vectors::segment::{Index, VectorSegment};
use lucerne_codec::format::WriteContext;
use lucerne_codec::vector::{Effort, VectorSearch};
use lucerne_codec::{Accept, Cancel, DocId, Result};

/// Candidates grow by this factor from one measurement to the next.
const STEP: f64 = 1.6;
/// Measuring ends at this recall.
const ENOUGH: f64 = 0.995;
/// It ends when two steps have gained less than this, from so many candidates for each neighbor on.
const LEAST_STUCK: usize = 8;
const LEAST_GAIN: f64 = 0.001;
/// It ends when the searches for one k have computed this many distances for each vector: less than a hundredth of
/// what building a graph takes.
const MOST_DISTANCES: u64 = 8;
/// Fewer vectors are not measured.
pub(in crate::vectors) const LEAST_VECTORS: usize = 256;
/// Searches for many neighbors need fewer queries: each has more to find.
const QUERIES_FOR_MANY: usize = 20;

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
    let [few, many] = MEASURED_K;
    context.progress.report("recall", 0, 3);
    let queries = sample(segment, many, context)?;
    context.progress.report("recall", 1, 3);
    let fewer = queries.len().div_ceil(QUERIES_FOR_MANY).max(1);
    let some: Vec<&SampleQuery> = queries.iter().step_by(fewer).collect();
    let few = curve(segment, &queries.iter().collect::<Vec<_>>(), few, context)?;
    context.progress.report("recall", 2, 3);
    let many = curve(segment, &some, many, context)?;
    context.progress.report("recall", 3, 3);
    let curves = Curves(vec![few, many]);
    Ok(if segment.raw.is_some() { curves } else { curves.of_share(segment.encoded.recall_of_all()) })
}

/// Whether the best by estimates can be rescored.
fn rescores(segment: &VectorSegment) -> bool {
    segment.encoded.precision() == Precision::Estimate && segment.raw.is_some()
}

/// What one search found and cost.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    recall: f64,
    /// When the best are rescored with raw vectors; the same where distances are exact anyway.
    rescored: f64,
    visited: u64,
}

/// A query with the last outcome.
#[derive(Clone, Copy)]
struct Searched<'a> {
    query: &'a SampleQuery,
    last: Outcome,
}

/// Measures for one k. A query that has found everything is not searched for with yet more candidates.
fn curve(
    segment: &VectorSegment,
    queries: &[&SampleQuery],
    k: usize,
    context: &WriteContext<'_>,
) -> Result<Curve> {
    let estimates = rescores(segment);
    let mut points: Vec<Point> = Vec::new();
    let mut searched: Vec<Searched<'_>> =
        queries.iter().map(|query| Searched { query, last: Outcome::default() }).collect();
    let (mut visited, mut candidates) = (0, k as f64);
    loop {
        searched = in_shares(&searched, context.threads, |searched| {
            search(segment, searched, k, candidates as usize, context.cancel)
        })?;
        visited += searched.iter().map(|searched| searched.last.visited).sum::<u64>();
        let lesser = |recall: fn(&Outcome) -> f64| {
            let of = |moved| {
                let some = searched.iter().filter(move |searched| searched.query.moved == moved);
                expected(some.map(|searched| recall(&searched.last)).collect())
            };
            f64::min(of(true), of(false))
        };
        let (recall, rescored) = (lesser(|outcome| outcome.recall), lesser(|outcome| outcome.rescored));
        // By chance a search with more candidates may find less.
        let last = points.last();
        let recall = last.map_or(recall, |last| recall.max(last.recall));
        let rescored = last.and_then(|last| last.rescored).map_or(rescored, |last| rescored.max(last));
        let rescored = estimates.then_some(rescored);
        points.push(Point { candidates: candidates as u32, recall, rescored });
        let best = |point: &Point| point.rescored.unwrap_or(point.recall);
        let stuck = candidates as usize >= LEAST_STUCK * k
            && matches!(points.as_slice(), [.., old, _, new] if best(new) - best(old) < LEAST_GAIN);
        let enough = points.last().is_some_and(|last| best(last) >= ENOUGH);
        let all = candidates as usize >= segment.len;
        // Distances of hashes cost next to nothing.
        let hashes = segment.encoded.precision() == Precision::CandidatesOnly;
        let spent = !hashes && visited > MOST_DISTANCES * segment.len as u64;
        if enough || stuck || all || spent {
            return Ok(Curve { k: k as u32, queries: queries.len() as u32, points });
        }
        candidates *= STEP;
    }
}

/// Searches for each query without itself.
fn search<'a>(
    segment: &VectorSegment,
    queries: &[Searched<'a>],
    k: usize,
    candidates: usize,
    cancel: &Cancel,
) -> Result<Vec<Searched<'a>>> {
    let mut scratch = Scratch::default();
    let search = |searched: &Searched<'a>| {
        cancel.check()?;
        let Searched { query, last } = *searched;
        if last.recall >= 1.0 {
            return Ok(Searched { query, last: Outcome { visited: 0, ..last } });
        }
        let mut found = |wanted: usize| {
            let request = VectorSearch {
                query: &query.row,
                k: wanted,
                effort: Effort::Candidates(candidates),
                accept: Accept::all(segment.max_doc),
                ties: &|left: DocId, right: DocId| left.cmp(&right),
                cancel,
            };
            let measured = Measured { hidden: Some(query.hidden), watched: Some(k) };
            run_measured(segment, &request, measured, &mut scratch)
        };
        let estimates = rescores(segment);
        let hits = found(if estimates { (RESCORED * k).min(candidates).max(k) } else { k })?;
        let plain = hits.neighbors.get(..k).unwrap_or(&hits.neighbors);
        let recall = query.recall(segment, plain, k)?;
        let rescored = if estimates { query.recall(segment, &hits.neighbors, k)? } else { recall };
        Ok(Searched { query, last: Outcome { recall, rescored, visited: hits.visited } })
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
