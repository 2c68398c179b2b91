//! Which strategy a search takes, and what follows it.

use super::graph::{self, GraphOutcome};
use super::query::Query;
use super::request::{Measured, Scratch, Search};
use super::rescore::{Rescored, rescore_candidates};
use super::work::Work;
use super::{ivf, scan};
use crate::encoding::Precision;
use crate::vectors::segment::{Index, VectorSegment};
use lucerne_codec::vector::{VectorHits, VectorSearch};
use lucerne_codec::{DocId, OnStop, Result};

/// Finds the accepted vectors nearest to the query.
pub(in crate::vectors) fn run(
    segment: &VectorSegment,
    request: &VectorSearch<'_>,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    run_measured(segment, request, Measured::default(), scratch)
}

/// The same for a measurement.
pub(in crate::vectors) fn run_measured(
    segment: &VectorSegment,
    request: &VectorSearch<'_>,
    measured: Measured,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    if request.k == 0 || request.accept.count() == 0 {
        return Ok(VectorHits { exact: true, strategy: "none", ..VectorHits::default() });
    }
    let work = Work::of(segment, request.k, request.effort)
        .map(|work| Work { watched: measured.watched.or(work.watched), ..work });
    let search =
        Search { hidden: measured.hidden, ..Search::new(segment, request, work.unwrap_or_default()) };
    let Some(Work { candidates, .. }) = work else { return exact(&search, scratch) };
    let mut query = Query::new(&*segment.encoded, request.query);
    let rows = rescored_rows(&search, query.rescore_at_least);
    match (&segment.index, query.precision) {
        (_, Precision::CandidatesOnly) => rescored(&search, &mut query, candidates, candidates, scratch),
        (_, Precision::Estimate) if rows > request.k => {
            let candidates = candidates.max(least_candidates(query.rescore_at_least, rows));
            rescored(&search, &mut query, rows, candidates, scratch)
        }
        (Index::Ivf(lists), _) => ivf::probe(&search, lists, &mut query, scratch),
        _ => approximate(&search, &mut query, candidates, scratch),
    }
}

/// How many of the best by estimated distances are ordered by raw vectors: as many as the wish takes, and as the encoding
/// needs.
pub(super) fn rescored_rows(search: &Search<'_>, for_ten: usize) -> usize {
    if search.segment.raw.is_none() {
        return 0;
    }
    rows_needed(for_ten, search.request.k).max(search.work.rescored)
}

/// As many as an encoding needs to find the nearest `k`, which says so for the nearest ten; 0 when it needs none.
pub(super) fn rows_needed(for_ten: usize, k: usize) -> usize {
    match for_ten {
        0 => 0,
        least => least.max(k.saturating_mul(least).div_ceil(10)).max(k + 1),
    }
}

/// The least candidates of a search whose best `rows` are rescored.
pub(super) fn least_candidates(for_ten: usize, rows: usize) -> usize {
    if for_ten > 0 { room(rows) } else { rows }
}

/// Candidates of a search by codes that confuse the nearest: it needs room to find as many as are rescored.
pub(super) fn room(rows: usize) -> usize {
    rows.saturating_mul(ROOM)
}

/// With twice the rows searches of some data miss one stored vector in seventy-five (`docs/measurements/quantization.md`).
const ROOM: usize = 3;

/// Compares all accepted raw vectors, or all codes where raw vectors are not kept.
fn exact(search: &Search<'_>, scratch: &mut Scratch) -> Result<VectorHits> {
    let mut query = Query::new(search.segment.best(), search.request.query);
    scan::scan_full(search, &mut query, scratch)
}

/// Searches the graph, or scans where there is none or that is better.
fn approximate(
    search: &Search<'_>,
    query: &mut Query<'_>,
    candidates: usize,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    let wasted = match search.segment.graph() {
        None => 0,
        Some(graph) => match graph::search(search, graph, query, candidates, scratch) {
            Ok(GraphOutcome::Found(hits)) => return Ok(hits),
            Ok(GraphOutcome::GaveUp { visited }) => visited,
            // Where a walk has come to by then is not yet near the query.
            Err(stop) if stop.is_stop() && search.request.on_stop == OnStop::Partial => {
                return Ok(VectorHits { partial: true, strategy: "graph", ..VectorHits::default() });
            }
            Err(error) => return Err(error),
        },
    };
    let hits = scan::scan(search, query, scratch)?;
    Ok(VectorHits { visited: hits.visited + wasted, ..hits })
}

/// The search for so many candidates.
pub(super) fn for_candidates<'a>(request: &VectorSearch<'a>, rows: usize) -> VectorSearch<'a> {
    VectorSearch { k: rows, ties: &|left: DocId, right: DocId| left.cmp(&right), ..*request }
}

/// Finds candidates, and the nearest of the best `rows` of them by raw vectors.
///
/// Every distance that is returned comes from a raw vector. Candidates are vectors, not documents: where a
/// document has several and they crowd out other documents, twice as many candidates are looked for.
fn rescored(
    search: &Search<'_>,
    query: &mut Query<'_>,
    rows: usize,
    candidates: usize,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    let request = search.request;
    let mut rows = rows.max(request.k);
    if rows as f64 >= search.accepted {
        // All that are accepted would be candidates.
        return exact(search, scratch);
    }
    let raw = search.segment.raw()?.exact_query(request.query);
    let mut visited = 0;
    loop {
        let first = for_candidates(request, rows);
        let candidates = rows.max(candidates);
        let found = approximate(&search.for_candidates(&first), query, candidates, scratch)?;
        let Rescored { neighbors, compared, partial } =
            rescore_candidates(search, &raw, &found.neighbors, query.precision)?;
        visited += found.visited + compared as u64;
        let partial = found.partial || partial;
        if partial || neighbors.len() >= search.wanted() || found.neighbors.len() < rows {
            return Ok(VectorHits { neighbors, exact: true, visited, partial, strategy: found.strategy });
        }
        rows = rows.saturating_mul(2);
    }
}
