//! Replacing cheap distances by better ones: those of 4-bit codes by those of the 8-bit codes, those of hashes and
//! estimates by those of the raw vectors.

use super::query::Query;
use super::request::Search;
use crate::encoding::raw::{ExactQuery, RawVectors};
use crate::vectors::segment::VectorSegment;
use lucerne_codec::{Neighbor, Ordinal, Result};

/// Raw rows prefetched ahead of the one being compared.
const AHEAD: usize = 4;

/// Replaces the distances that a graph search used by those of the encoding, and sorts.
pub(super) fn rescore_traversal(
    query: &mut Query<'_>,
    found: &mut [(f32, Ordinal)],
    ordinals: &mut Vec<Ordinal>,
    distances: &mut Vec<f32>,
) {
    ordinals.clear();
    ordinals.extend(found.iter().map(|(_, ordinal)| ordinal));
    distances.clear();
    distances.resize(found.len(), 0.0);
    query.gather(ordinals, distances);
    found.iter_mut().zip(distances).for_each(|(found, distance)| found.0 = *distance);
    found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
}

/// The `k` nearest of the candidates by their raw vectors.
pub(super) fn rescore_candidates(
    search: &Search<'_>,
    query: &ExactQuery,
    candidates: &[Neighbor],
) -> Result<Vec<Neighbor>> {
    search.request.cancel.check()?;
    let map = &search.segment.map;
    let mut nearest = search.collector();
    for_each_distance(search.segment.raw()?, query, candidates, |index, distance| {
        let ordinal = candidates.get(index).map_or(0, |candidate| candidate.ordinal);
        nearest.offer(map, distance, ordinal)
    })?;
    nearest.into_sorted(map)
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
