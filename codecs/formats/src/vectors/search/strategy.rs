//! Which strategy a search takes, and what follows it.

use super::graph::{self, GraphOutcome};
use super::query::Query;
use super::request::{Scratch, Search};
use super::rescore::rescore_candidates;
use super::{ivf, scan};
use crate::encoding::Precision;
use crate::vectors::segment::{Index, VectorSegment};
use lucerne_codec::vector::{Effort, VectorHits, VectorSearch};
use lucerne_codec::{DocId, Result};

/// Finds the accepted vectors nearest to the query.
pub(in crate::vectors) fn run(
    segment: &VectorSegment,
    request: &VectorSearch<'_>,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    if request.k == 0 || request.accept.count() == 0 {
        return Ok(VectorHits { exact: true, strategy: "none", ..VectorHits::default() });
    }
    let search = Search::new(segment, request);
    let candidates = match request.effort {
        Effort::Exact => return exact(&search, scratch),
        Effort::Candidates(candidates) | Effort::Lists { candidates, .. } => candidates,
    };
    let mut query = Query::new(&*segment.encoded, request.query);
    match (&segment.index, query.precision) {
        (_, Precision::CandidatesOnly) => {
            let candidates = candidates.max(request.k);
            rescored(&search, &mut query, candidates, candidates, scratch)
        }
        (_, Precision::Estimate) if query.rescore_at_least > 0 => {
            let rescore = rescored_hits(query.rescore_at_least, request.k);
            rescored(&search, &mut query, rescore, candidates.max(rescore), scratch)
        }
        (Index::Ivf(lists), _) => ivf::probe(&search, lists, &mut query, scratch),
        _ => approximate(&search, &mut query, candidates, scratch),
    }
}

/// Compares all accepted raw vectors.
fn exact(search: &Search<'_>, scratch: &mut Scratch) -> Result<VectorHits> {
    let mut query = Query::new(&search.segment.raw, search.request.query);
    scan::scan(search, &mut query, scratch)
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
        Some(graph) => match graph::search(search, graph, query, candidates, scratch)? {
            GraphOutcome::Found(hits) => return Ok(hits),
            GraphOutcome::GaveUp { visited } => visited,
        },
    };
    let hits = scan::scan(search, query, scratch)?;
    Ok(VectorHits { visited: hits.visited + wasted, ..hits })
}

/// How many hits raw vectors must order in a search for `k`, when they must order `at_least` for the nearest ten.
fn rescored_hits(at_least: usize, k: usize) -> usize {
    at_least.max(k.saturating_mul(at_least).div_ceil(10)).max(k)
}

/// Finds `rescore` hits by keeping as many candidates as is said, and of those the nearest by raw vectors.
///
/// Every distance that is returned comes from a raw vector. Candidates are vectors, not documents: where a
/// document has several and they crowd out other documents, twice as many hits are looked for.
fn rescored(
    search: &Search<'_>,
    query: &mut Query<'_>,
    mut rescore: usize,
    mut candidates: usize,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    let request = search.request;
    if rescore as f64 >= search.accepted {
        // All that are accepted would be rescored.
        return exact(search, scratch);
    }
    let raw = search.segment.raw.exact_query(request.query);
    let mut visited = 0;
    loop {
        let first = VectorSearch {
            k: rescore,
            accept: request.accept,
            ties: &|left: DocId, right: DocId| left.cmp(&right),
            ..*request
        };
        let found = approximate(&search.for_candidates(&first), query, candidates, scratch)?;
        let neighbors = rescore_candidates(search, &raw, &found.neighbors)?;
        visited += found.visited + found.neighbors.len() as u64;
        if neighbors.len() >= search.wanted() || found.neighbors.len() < rescore {
            return Ok(VectorHits { neighbors, exact: true, visited, strategy: found.strategy });
        }
        (rescore, candidates) = (rescore.saturating_mul(2), candidates.saturating_mul(2));
    }
}
