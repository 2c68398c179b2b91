//! The ways through a graph.

use super::collect::Best;
use super::cost::{self, Attempt, Compared, Known, Way};
use super::reader::LayeredReader;
use super::search::{Query, Room, Scratch};
use crate::distance::DistanceComputer;
use crate::hnsw::file::GraphFile;
use crate::hnsw::graph::{GraphSearcher, SearchParams, SearchStats};
use lucerne_codec::vector::{VectorHits, VectorSearch};
use lucerne_codec::{Neighbor, Ordinal, Result};

/// Accepted vectors that a filtered walk starts from, besides where the levels above lead to.
const SEEDS: usize = 16;

/// What a coarse walk has found is settled from the nearest on: so many for each vector wanted, and no fewer than
/// [`LEAST_SETTLED`] in all. With 20 wanted and 240 candidates, all of them settled against 2, 4 and 6 times 20, queries a
/// second: 6,699 against 7,275, 7,346 and 7,045 on embeddings of 384 dimensions, 5,589 against 6,255, 6,811 and 6,491 on
/// embeddings of 768, the recall the same to four digits; 7,620 against 8,429, 8,747 and 8,288 on a million synthetic
/// vectors of 128, recall 0.9875 against 0.9840, 0.9856 and 0.9866.
const SETTLED: usize = 6;
const LEAST_SETTLED: usize = 64;

/// A query walking through a graph.
struct Walker<'a> {
    query: &'a Query<'a>,
    scratch: &'a mut Room,
}

impl DistanceComputer for Walker<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        self.query.walked(ordinals, self.scratch, out);
    }
}

/// Walks through the graph; `Err` has the distances spent where that is not worth it, became too expensive, or did
/// not find as many as there may be.
pub(super) fn walk(
    reader: &LayeredReader,
    graph: &GraphFile,
    search: &VectorSearch<'_>,
    query: &Query<'_>,
    (candidates, accepted): (usize, f64),
    scratch: &mut Scratch,
) -> Result<Result<VectorHits, u64>> {
    let mut beam = candidates.max(search.k).min(reader.len);
    let mut visited = 0;
    loop {
        let known = Known { beam, accepted, len: reader.len, compared: query.compared() };
        let mut taken = None;
        for attempt in cost::attempts(&known).into_iter().flatten() {
            let walked = go(reader, graph, search, query, attempt, scratch)?;
            visited += walked.visited;
            // A filtered walk that runs out of nodes before it has enough may have missed a region.
            if walked.complete && (attempt.way == Way::Graph || scratch.found.len() >= attempt.beam) {
                taken = Some(attempt);
                break;
            }
        }
        let Some(attempt) = taken else {
            return Ok(Err(visited));
        };
        let full = scratch.found.len() >= attempt.beam;
        let wanted = search.k.min(search.accept.count() as usize);
        // Documents that only the end of the beam has are those it is least sure of.
        let crowded = query.keeps_documents(reader) && full;
        let sure = if crowded { attempt.beam / 2 } else { scratch.found.len() };
        let sure = scratch.found.get(..sure).unwrap_or_default();
        if !crowded || best_of(reader, search, query, sure)?.len() >= wanted {
            let neighbors = best_of(reader, search, query, &scratch.found)?;
            if neighbors.len() < wanted {
                return Ok(Err(visited));
            }
            let (exact, strategy) = (query.is_exact(), attempt.way.name());
            return Ok(Ok(VectorHits { neighbors, exact, visited, strategy }));
        }
        // The vectors of some documents crowd out other documents.
        beam = beam.saturating_mul(2);
    }
}

fn best_of(
    reader: &LayeredReader,
    search: &VectorSearch<'_>,
    query: &Query<'_>,
    found: &[(f32, Ordinal)],
) -> Result<Vec<Neighbor>> {
    let mut best = Best::new(query.keeps_documents(reader), search.k, search.ties);
    for &(distance, ordinal) in found {
        best.offer(reader, distance, ordinal)?;
    }
    best.into_sorted(reader)
}

fn go(
    reader: &LayeredReader,
    graph: &GraphFile,
    search: &VectorSearch<'_>,
    query: &Query<'_>,
    Attempt { way, beam, budget }: Attempt,
    scratch: &mut Scratch,
) -> Result<SearchStats> {
    let Scratch { walk, found, query: memory, ordinals, distances } = scratch;
    let mut walker = Walker { query, scratch: memory };
    let accept = |ordinal| reader.map.accepts(&search.accept, ordinal);
    let cancel = search.cancel;
    let mut searcher = GraphSearcher { graph, distances: &mut walker, scratch: walk, cancel };
    let params = SearchParams { ef: beam, budget };
    let mut walked = match way {
        Way::Graph if search.accept.docs().is_none() => {
            // Distances of bits are few: that none was nearer for a while says little.
            let k = if query.compared() == Compared::Bits { beam } else { search.k };
            searcher.search(k, params, found)
        }
        Way::Graph => searcher.search_accepted(params, accept, found),
        Way::Filtered => {
            reader.map.spread(&search.accept, SEEDS, ordinals);
            searcher.search_filtered(params, ordinals, accept, found)
        }
    }?;
    if query.is_coarse() {
        // Those that a filtered walk has found are counted, and all vectors of a document count.
        if way == Way::Graph && !query.keeps_documents(reader) {
            found.truncate(search.k.saturating_mul(SETTLED).max(LEAST_SETTLED));
        }
        walked.visited += found.len() as u64;
        settle(query, found, memory, ordinals, distances);
    }
    Ok(walked)
}

/// Replaces the distances of what a walk has found by those of the whole codes, and sorts.
fn settle(
    query: &Query<'_>,
    found: &mut [(f32, Ordinal)],
    memory: &mut Room,
    ordinals: &mut Vec<Ordinal>,
    distances: &mut Vec<f32>,
) {
    ordinals.clear();
    ordinals.extend(found.iter().map(|(_, ordinal)| ordinal));
    distances.clear();
    distances.resize(found.len(), 0.0);
    query.picked(ordinals, memory, distances);
    found.iter_mut().zip(distances).for_each(|(found, distance)| found.0 = *distance);
    found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
}
