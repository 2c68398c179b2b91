//! Probing inverted lists.
//!
//! A search probes the lists whose centroids are nearest to the query, nearest first: as many as it was told, or until
//! they held a number of vectors in proportion to the candidates wanted. What a filter refuses does not count, and
//! there is no end before `k` were found. Where that would be all vectors, a scan does it without the detour.

use super::collector::Collector;
use super::query::Query;
use super::request::{Scratch, Search};
use super::scan::{BLOCK, offer_accepted, scan};
use crate::encoding::raw::ExactQuery;
use crate::ivf::ListFile;
use lucerne_codec::vector::VectorHits;
use lucerne_codec::{Ordinal, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Vectors compared for each candidate wanted. With 32 and 100 candidates nine in ten of the nearest and more were
/// found (`docs/measurements/binary-vectors.md`).
const PER_CANDIDATE: usize = 32;

/// Finds the accepted vectors nearest to the query in the lists nearest to it.
pub(super) fn probe(
    search: &Search<'_>,
    lists: &ListFile,
    query: &mut Query<'_>,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    let request = search.request;
    let (probes, vectors) = match search.work.lists {
        Some(probes) => (probes, 0),
        None => (0, search.work.candidates.max(request.k).saturating_mul(PER_CANDIDATE)),
    };
    if vectors as f64 >= search.accepted {
        return scan(search, query, scratch);
    }
    let wanted = vectors.max(search.wanted());
    let mut by_distance = lists_by_distance(search, lists, scratch);
    let mut nearest = search.collector();
    let (mut probed, mut visited, mut accepted) = (0, lists.count(), 0);
    let mut partial = false;
    'lists: while probed < probes || accepted < wanted {
        let Some(Reverse(next)) = by_distance.pop() else { break };
        let range = lists.range((next & u64::from(u32::MAX)) as usize)?;
        probed += 1;
        for first in range.clone().step_by(BLOCK) {
            partial = !request.goes_on()?;
            if partial {
                break 'lists;
            }
            visited += BLOCK.min(range.end - first);
            scratch.distances.resize(BLOCK.min(range.end - first), 0.0);
            query.scan(first, &mut scratch.distances);
            accepted += offer(search, first as Ordinal, &scratch.distances, &mut nearest)?;
        }
    }
    Ok(VectorHits {
        neighbors: nearest.into_sorted(&search.segment.map)?,
        exact: query.is_exact(),
        visited: visited as u64,
        partial,
        strategy: "lists",
    })
}

/// Offers the vectors from ordinal `first`; returns how many of them are accepted.
fn offer(
    search: &Search<'_>,
    first: Ordinal,
    distances: &[f32],
    nearest: &mut Collector<'_>,
) -> Result<usize> {
    offer_accepted(search, first, distances, nearest)?;
    if search.request.accept.docs().is_none() {
        return Ok(distances.len());
    }
    let ordinals = first..first.saturating_add(distances.len() as Ordinal);
    Ok(ordinals.filter(|&ordinal| search.accepts(ordinal)).count())
}

/// The lists by their centroids' distances, nearest first: a distance, which is not negative, has the order of its
/// bits; the list is below them.
fn lists_by_distance(
    search: &Search<'_>,
    lists: &ListFile,
    scratch: &mut Scratch,
) -> BinaryHeap<Reverse<u64>> {
    scratch.distances.resize(lists.count(), 0.0);
    let query = ExactQuery::new(search.segment.field.similarity, search.request.query);
    query.scan(lists.centroids(), &mut scratch.distances);
    let distances = (0u64..).zip(&scratch.distances);
    distances.map(|(list, distance)| Reverse(u64::from(distance.to_bits()) << 32 | list)).collect()
}
