//! Searching the graph, with and without a filter.

use super::cost::{self, CostInput, GraphStrategy, PlanStep};
use super::query::Query;
use super::request::{Scratch, Search};
use super::rescore::rescore_traversal;
use crate::distance::DistanceComputer;
use crate::encoding::ScanCost;
use crate::hnsw::file::GraphFile;
use crate::hnsw::graph::{GraphSearcher, SearchParams, SearchStats};
use lucerne_codec::vector::VectorHits;
use lucerne_codec::{Neighbor, Ordinal, Result};

/// Accepted vectors that a filtered search starts from, besides where the levels above lead to.
const SEEDS: usize = 16;

/// After a search with 4-bit codes, this many results for each vector wanted are rescored with 8-bit codes
/// (`docs/measurements/graph-code.md`).
const RESCORED: usize = 6;
/// At least this many are rescored.
const LEAST_RESCORED: usize = 64;

/// How a graph search ended.
pub(super) enum GraphOutcome {
    Found(VectorHits),
    /// It was rejected by cost, ran out of budget, or found fewer than there may be, after so many distances.
    GaveUp {
        visited: u64,
    },
}

/// The searches of the graph to try for so many candidates; a scan is better when there are none.
fn plan(search: &Search<'_>, ef: usize, cost: ScanCost) -> [Option<PlanStep>; 2] {
    let scan = ScanCost { shorter: cost.shorter.filter(|_| !search.documents), ..cost };
    cost::plan(&CostInput { ef, accepted: search.accepted, len: search.segment.len, scan })
}

/// Candidates of a search, at most as many as there are vectors.
fn ef(search: &Search<'_>, candidates: usize) -> usize {
    candidates.max(search.request.k).min(search.segment.len)
}

/// Whether a search with so many candidates tries the graph at all.
pub(super) fn is_tried(search: &Search<'_>, candidates: usize, cost: ScanCost) -> bool {
    plan(search, ef(search, candidates), cost).iter().any(Option::is_some)
}

/// Searches the graph by the plan that costs least.
pub(super) fn search(
    search: &Search<'_>,
    graph: &GraphFile,
    query: &mut Query<'_>,
    candidates: usize,
    scratch: &mut Scratch,
) -> Result<GraphOutcome> {
    let mut ef = ef(search, candidates);
    let mut visited = 0;
    loop {
        let mut taken = None;
        for step in plan(search, ef, query.cost).into_iter().flatten() {
            let stats = traverse(search, graph, query, step, scratch)?;
            visited += stats.visited;
            // A filtered search that runs out of nodes before it has enough may have missed a region.
            let enough = step.strategy == GraphStrategy::Plain || scratch.found.len() >= step.ef;
            if stats.complete && enough {
                taken = Some(step);
                break;
            }
        }
        let Some(step) = taken else { return Ok(GraphOutcome::GaveUp { visited }) };
        // Documents that only the end of the results has are those the search is least sure of.
        let crowded = search.documents && scratch.found.len() >= step.ef;
        let confident = if crowded { step.ef / 2 } else { scratch.found.len() };
        let confident = scratch.found.get(..confident).unwrap_or_default();
        if !crowded || nearest_of(search, confident)?.len() >= search.wanted() {
            let neighbors = nearest_of(search, &scratch.found)?;
            if neighbors.len() < search.wanted() {
                return Ok(GraphOutcome::GaveUp { visited });
            }
            let (exact, strategy) = (query.is_exact(), step.strategy.name());
            let hits = VectorHits { neighbors, exact, visited, partial: false, strategy };
            return Ok(GraphOutcome::Found(hits));
        }
        // The vectors of some documents crowd out other documents.
        ef = ef.saturating_mul(2);
    }
}

/// The best of what was found.
pub(super) fn nearest_of(search: &Search<'_>, found: &[(f32, Ordinal)]) -> Result<Vec<Neighbor>> {
    let map = &search.segment.map;
    let mut nearest = search.collector();
    for &(distance, ordinal) in found {
        nearest.offer(map, distance, ordinal)?;
    }
    nearest.into_sorted(map)
}

/// Carries out one step of the plan; what is found is in the scratch, nearest first.
fn traverse(
    search: &Search<'_>,
    graph: &GraphFile,
    query: &mut Query<'_>,
    PlanStep { strategy, ef, budget }: PlanStep,
    scratch: &mut Scratch,
) -> Result<SearchStats> {
    let Scratch { graph: memory, found, ordinals, distances } = scratch;
    let request = search.request;
    let accept = |ordinal| search.accepts(ordinal);
    let (cancel, unfiltered) = (request.cancel, request.accept.docs().is_none());
    // Where distances have few values, that none was nearer for a while says little.
    let k = if query.ties_often { ef } else { search.watched() };
    let params = SearchParams { ef, budget, hidden: search.hidden };
    let (computer, whole) = query.computers();
    let mut searcher = GraphSearcher { graph, distances: computer, scratch: memory, cancel };
    let mut stats = match strategy {
        GraphStrategy::Plain if unfiltered => searcher.search(k, params, found),
        GraphStrategy::Plain => searcher.search_accepted(params, accept, found),
        GraphStrategy::Filtered => {
            search.segment.map.spread(&request.accept, SEEDS, ordinals);
            searcher.search_filtered(params, ordinals, accept, found)
        }
    }?;
    if let Some(whole) = whole {
        // Results of a filtered search are counted, and all vectors of a document count.
        stats.visited += if strategy == GraphStrategy::Plain && !search.documents {
            rescore_found(search, whole, found, ordinals, distances)
        } else {
            rescore_traversal(whole, found, ordinals, distances)
        };
    }
    Ok(stats)
}

/// Replaces the distances of the best that a graph search has found by those of the encoding, and forgets the others.
/// Returns how many are left.
pub(super) fn rescore_found(
    search: &Search<'_>,
    computer: &mut dyn DistanceComputer,
    found: &mut Vec<(f32, Ordinal)>,
    ordinals: &mut Vec<Ordinal>,
    distances: &mut Vec<f32>,
) -> u64 {
    found.truncate(shortlist_len(search));
    rescore_traversal(computer, found, ordinals, distances)
}

/// How many of the best by shorter codes are rescored.
pub(super) fn shortlist_len(search: &Search<'_>) -> usize {
    search.watched().saturating_mul(RESCORED).max(search.request.k).max(LEAST_RESCORED)
}
