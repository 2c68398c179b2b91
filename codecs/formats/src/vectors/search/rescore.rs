//! Replacing cheap distances by better ones: those of 4-bit codes by those of the 8-bit codes, those of hashes and
//! estimates by those of the raw vectors.

use super::request::Search;
use crate::distance::DistanceComputer;
use crate::encoding::raw::{ExactQuery, RawVectors};
use crate::vectors::segment::VectorSegment;
use lucerne_codec::{Neighbor, OnStop, Ordinal, Result};

/// Raw rows prefetched ahead of the one being compared.
const AHEAD: usize = 4;
/// Raw rows compared between two looks at the cancel flag: each may be a page to read from a disk.
const RESCORED_TOGETHER: usize = 64;
/// A search that was stopped compares so many candidates with raw rows, so that it has something to return.
const RESCORED_ANYWAY: usize = 128;

/// Replaces the distances that a graph search used by those of the encoding, and sorts. Returns how many there are.
pub(super) fn rescore_traversal(
    computer: &mut dyn DistanceComputer,
    found: &mut [(f32, Ordinal)],
    ordinals: &mut Vec<Ordinal>,
    distances: &mut Vec<f32>,
) -> u64 {
    ordinals.clear();
    ordinals.extend(found.iter().map(|(_, ordinal)| ordinal));
    distances.clear();
    distances.resize(found.len(), 0.0);
    computer.gather(ordinals, distances);
    found.iter_mut().zip(distances).for_each(|(found, distance)| found.0 = *distance);
    found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    found.len() as u64
}

/// The nearest of candidates by their raw vectors.
pub(super) struct Rescored {
    pub(super) neighbors: Vec<Neighbor>,
    /// How many candidates were compared; not all when the search was stopped.
    pub(super) compared: usize,
}

/// The `k` nearest of the candidates, which are sorted, by their raw vectors. Of a search that was stopped and is to return
/// what it has, the first few are compared nevertheless.
pub(super) fn rescore_candidates(
    search: &Search<'_>,
    query: &ExactQuery,
    candidates: &[Neighbor],
) -> Result<Rescored> {
    let map = &search.segment.map;
    let mut nearest = search.collector();
    let raw = search.segment.raw()?;
    let (mut compared, mut rest) = (0, candidates);
    while !rest.is_empty() {
        let excused = search.request.on_stop == OnStop::Partial && compared < RESCORED_ANYWAY;
        if !excused && !search.request.goes_on()? {
            break;
        }
        let (now, later) = rest.split_at(rest.len().min(RESCORED_TOGETHER));
        for_each_distance(raw, query, now, |index, distance| {
            let ordinal = now.get(index).map_or(0, |candidate| candidate.ordinal);
            nearest.offer(map, distance, ordinal)
        })?;
        (compared, rest) = (compared + now.len(), later);
    }
    Ok(Rescored { neighbors: nearest.into_sorted(map)?, compared })
}

/// Replaces estimated distances by those of the raw vectors, or of the whole codes where these are not kept; the order
/// stays. Where a document may have several vectors,
/// each neighbor becomes its document's nearest vector.
pub(in crate::vectors) fn rescore_neighbors(
    segment: &VectorSegment,
    query: &[u8],
    neighbors: &mut [Neighbor],
) -> Result<()> {
    let Some(raw) = &segment.raw else { return rescore_by_codes(segment, query, neighbors) };
    let query = raw.exact_query(query);
    let exact = |ordinal: Ordinal| Ok(query.distance(raw.row(ordinal)?));
    if segment.params.multiple {
        return rescore_documents(segment, exact, neighbors);
    }
    let rows: Vec<Neighbor> = neighbors.to_vec();
    for_each_distance(raw, &query, &rows, |index, distance| {
        if let Some(neighbor) = neighbors.get_mut(index) {
            neighbor.distance = distance;
        }
        Ok(())
    })
}

/// The same by whole codes: a graph search may have used shorter ones.
fn rescore_by_codes(segment: &VectorSegment, query: &[u8], neighbors: &mut [Neighbor]) -> Result<()> {
    let mut query = segment.encoded.query(query).distances;
    let mut estimate = |ordinal: Ordinal| {
        let mut distance = [f32::INFINITY];
        // A damaged map may name vectors that are not there.
        if (ordinal as usize) < segment.len {
            query.gather(&[ordinal], &mut distance);
        }
        let [distance] = distance;
        Ok(distance)
    };
    if segment.params.multiple {
        return rescore_documents(segment, estimate, neighbors);
    }
    neighbors.iter_mut().try_for_each(|neighbor| {
        neighbor.distance = estimate(neighbor.ordinal)?;
        Ok(())
    })
}

/// Replaces each neighbor by its document's nearest vector: the nearest by estimates need not be that.
fn rescore_documents(
    segment: &VectorSegment,
    mut distance_to: impl FnMut(Ordinal) -> Result<f32>,
    neighbors: &mut [Neighbor],
) -> Result<()> {
    let mut last: Option<Neighbor> = None;
    for neighbor in neighbors {
        if let Some(known) = last.filter(|last| last.doc == neighbor.doc) {
            *neighbor = known;
            continue;
        }
        neighbor.distance = distance_to(neighbor.ordinal)?;
        for ordinal in segment.map.ordinals(neighbor.doc) {
            let distance = distance_to(ordinal)?;
            if (distance, ordinal) < (neighbor.distance, neighbor.ordinal) {
                (neighbor.distance, neighbor.ordinal) = (distance, ordinal);
            }
        }
        last = Some(*neighbor);
    }
    Ok(())
}

/// Calls `visit` with the index and the exact distance of each neighbor.
fn for_each_distance(
    raw: &RawVectors,
    query: &ExactQuery,
    neighbors: &[Neighbor],
    mut visit: impl FnMut(usize, f32) -> Result<()>,
) -> Result<()> {
    for (index, neighbor) in neighbors.iter().enumerate() {
        if let Some(next) = neighbors.get(index + AHEAD) {
            raw.prefetch(next.ordinal);
        }
        visit(index, query.distance(raw.row(neighbor.ordinal)?))?;
    }
    Ok(())
}
