//! Measuring: the sample is searched for with more and more candidates, by the code that searches.
//!
//! One search of a graph shows what all narrower ones would have found (`hnsw/graph/trace`), so that graphs are searched for
//! many more queries than those whose true neighbors are known (`outcomes`). Where vectors are found in another way, or
//! documents are counted, each number of candidates takes a search of its own.

use super::curve::{Curve, Curves, FEW, MEASURED_K, Point, RESCORED};
use super::outcomes::{ENOUGH, Outcome, Searched, Shares, best, mean, points, rounded};
use super::sample::{Nearest, SampleQuery, more, sample, wider};
use super::threads::in_shares;
use crate::encoding::Precision;
use crate::vectors::search::{Measured, Scratch, Trace, TracedQuery, run_measured};
use crate::vectors::segment::{Index, VectorSegment};
use lucerne_codec::format::WriteContext;
use lucerne_codec::vector::{Effort, VectorSearch};
use lucerne_codec::{Accept, Cancel, DocId, Neighbor, OnStop, Result, Similarity};

/// Candidates grow by this factor from one measurement to the next.
const STEP: f64 = 1.6;
/// As many measurements at most in one search of a graph.
const STEPS: usize = 11;
/// It ends when two steps have gained less than this, from so many candidates for each neighbor on.
const LEAST_STUCK: usize = 8;
const LEAST_GAIN: f64 = 0.001;
/// It ends when the searches for one k have computed this many distances for each vector: less than a hundredth of
/// what building a graph takes.
const MOST_DISTANCES: usize = 8;
/// One search may compute its share of them, and at least as many as a search with a thousand candidates does: most end long
/// before.
const LEAST_BUDGET: usize = 6_000;
/// A search with no more candidates than these is the wide one.
const WIDE: usize = 430;
/// With a greater standard error of what wide searches lack more queries are measured.
const MOST_DOUBT: f64 = 0.004;
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
    let mut queries = sample(segment, context)?;
    if let Some(trace) = Trace::new(segment, MEASURED_K[0], candidates(MEASURED_K[0]).take(STEPS)) {
        // What has a great inner product with a query need not be near the vector that it was made of: a wide search that
        // fails does not look like one.
        let is_inner = segment.field.similarity == Similarity::MaxInnerProduct;
        if is_inner || doubt(segment, &queries, &trace, context)? > MOST_DOUBT {
            queries.extend(more(segment, context)?);
        }
        queries.extend(wider(segment, context)?);
    }
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

/// The standard error of what wide searches lack of the truth: of some data a few searches lack nearly all, and a small sample
/// tells little of how many.
fn doubt(
    segment: &VectorSegment,
    queries: &[SampleQuery],
    trace: &Trace,
    context: &WriteContext<'_>,
) -> Result<f64> {
    let lacking = in_shares(queries, context.threads, |queries| {
        let mut scratch = Scratch::default();
        let lacking = |query| {
            let searched = search_once(segment, query, trace, LEAST_BUDGET, context.cancel, &mut scratch)?;
            let outcome = searched.outcome(usize::MAX);
            Ok(outcome.truth.map_or(0.0, |truth| truth.rescored - outcome.of_wide().rescored))
        };
        queries.iter().map(lacking).collect::<Result<Vec<f64>>>()
    })?;
    Ok(mean(&lacking).1.sqrt())
}

/// Whether the best by estimates can be rescored.
fn rescores(segment: &VectorSegment) -> bool {
    segment.encoded.precision() == Precision::Estimate && segment.raw.is_some()
}

/// The numbers of candidates that are measured.
fn candidates(k: usize) -> impl Iterator<Item = usize> + Clone {
    (0..).map(move |step| (k as f64 * STEP.powi(step)) as usize)
}

/// Measures for one k.
fn curve(
    segment: &VectorSegment,
    queries: &[&SampleQuery],
    k: usize,
    context: &WriteContext<'_>,
) -> Result<Curve> {
    let candidates = candidates(k);
    let (found, queries) = match Trace::new(segment, k, candidates.clone().take(STEPS)) {
        Some(trace) => (trace_all(segment, queries, trace, candidates, context)?, queries.len()),
        None => {
            let known: Vec<&SampleQuery> =
                queries.iter().copied().filter(|query| query.truth.is_some()).collect();
            ((search_each(segment, &known, k, candidates, context)?, None), known.len())
        }
    };
    let (points, lost) = found;
    Ok(Curve { k: k as u32, queries: queries as u32, points, lost })
}

/// Searches a graph once for each query, and once more for the first candidates with which a scan is better. With what estimates
/// lose of the nearest few, if anything.
fn trace_all(
    segment: &VectorSegment,
    queries: &[&SampleQuery],
    trace: Trace,
    mut candidates: impl Iterator<Item = usize>,
    context: &WriteContext<'_>,
) -> Result<(Vec<Point>, Option<f64>)> {
    let estimates = rescores(segment);
    let known = queries.iter().filter(|query| query.truth.is_some()).count();
    let budget = (MOST_DISTANCES * segment.len / known.max(1)).max(LEAST_BUDGET);
    let mut searched = in_shares(queries, context.threads, |queries| {
        let mut scratch = Scratch::default();
        let search = |&query| search_once(segment, query, &trace, budget, context.cancel, &mut scratch);
        queries.iter().map(search).collect()
    })?;
    let Trace { k, candidates: mut used, .. } = trace;
    let lost = rounded(mean(&searched.iter().map(|one| one.lost).collect::<Vec<f64>>()).0.clamp(0.0, 1.0));
    let lost = Some(lost).filter(|lost| *lost > 0.0);
    let found = points(&searched, &used, estimates);
    let all_made = used.len() < STEPS && !searched.iter().any(|one| one.lacks(used.len() - 1));
    let lacking = all_made && found.last().is_some_and(|last| best(last) < ENOUGH);
    let Some(next) = candidates.nth(used.len()).filter(|_| lacking) else {
        return Ok((found, lost));
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
    Ok((found, lost))
}

/// Searches a graph once for a query, without the vector that it was made of, for all candidates: as far as the wide search,
/// and on until the true neighbors are found.
fn search_once<'a>(
    segment: &VectorSegment,
    query: &'a SampleQuery,
    trace: &Trace,
    budget: usize,
    cancel: &Cancel,
    scratch: &mut Scratch,
) -> Result<Searched<'a>> {
    let shares = |of: &Nearest, found: &[Neighbor]| {
        let share = |rows| of.recall(segment, &query.row, found.get(..rows).unwrap_or(found), trace.k);
        // True neighbors among those that are ordered by raw vectors end up in front.
        let plain = share(trace.rows.max(trace.k));
        Shares { plain, rescored: if rescores(segment) { share(trace.rescored()) } else { plain } }
    };
    let traced = |budget: usize| TracedQuery { row: &query.row, hidden: query.hidden, budget: budget as u64 };
    let wide = trace.candidates.iter().take_while(|&&candidates| candidates <= WIDE).count().max(1);
    let mut searches = Vec::new();
    let found = trace.run(wide, segment, traced(LEAST_BUDGET), cancel, scratch, |found, visited| {
        searches.push((found.to_vec(), visited));
        Ok(true)
    })?;
    let nearest = Nearest::of(segment, &query.row, &found);
    let of_best = |k: usize| nearest.recall(segment, &query.row, found.get(..k).unwrap_or(&found), k);
    // Those that are ordered by raw vectors anyway are in their places.
    let confuses = rescores(segment) && trace.rows == 0;
    let lost = if confuses { of_best(trace.k) - of_best((FEW * trace.k as f64) as usize) } else { 0.0 };
    let outcome = |found: &[Neighbor], visited| Outcome {
        truth: query.truth.as_ref().map(|truth| shares(truth, found)),
        wide: Some(shares(&nearest, found)),
        visited,
    };
    let mut outcomes: Vec<Outcome> =
        searches.iter().map(|(found, visited)| outcome(found, *visited)).collect();
    let is_complete = |outcome: &Outcome| {
        outcome.of_wide().rescored >= 1.0 && outcome.truth.is_none_or(|truth| truth.rescored >= 1.0)
    };
    let mut complete = outcomes.last().is_some_and(is_complete);
    if !complete {
        // What the wide search lacks is looked for by all.
        let budget = if query.truth.is_some() { budget } else { LEAST_BUDGET };
        let mut at = 0;
        trace.run(STEPS, segment, traced(budget), cancel, scratch, |found, visited| {
            at += 1;
            if at > outcomes.len() {
                outcomes.push(outcome(found, visited));
                complete = outcomes.last().is_some_and(is_complete);
            }
            Ok(!complete)
        })?;
    }
    Ok(Searched { query, outcomes, complete: complete || query.truth.is_none(), lost })
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
        let share =
            |found| query.truth.as_ref().map_or(1.0, |truth| truth.recall(segment, &query.row, found, k));
        let plain = share(hits.neighbors.get(..k).unwrap_or(&hits.neighbors));
        let rescored = if estimates { share(&hits.neighbors) } else { plain };
        let truth = Shares { plain, rescored };
        // A search wider than the wide one finds as much of it.
        let wide = searched.outcomes.last().and_then(|last| last.wide);
        searched.outcomes.push(Outcome { truth: Some(truth), wide, visited: hits.visited });
        searched.complete = plain >= 1.0;
        Ok(searched)
    };
    queries.iter().map(search).collect()
}
