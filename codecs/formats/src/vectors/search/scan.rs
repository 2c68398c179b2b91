//! Comparing every accepted vector, sequentially or gathered by ordinals.

use super::collector::Collector;
use super::cost;
use super::query::Query;
use super::request::{Scratch, Search};
use lucerne_codec::vector::VectorHits;
use lucerne_codec::{Ordinal, Result};

/// Vectors compared with one call.
pub(super) const BLOCK: usize = 256;
/// Distances compared with the threshold together: most groups have none that is near enough.
const GROUP: usize = 16;

/// Vectors compared, and whether the search was stopped before all were.
struct Scanned {
    visited: u64,
    partial: bool,
}

/// Compares every accepted vector.
pub(super) fn scan(search: &Search<'_>, query: &mut Query<'_>, scratch: &mut Scratch) -> Result<VectorHits> {
    let mut nearest = search.collector();
    let Scanned { visited, partial } =
        if cost::gathering_is_cheaper(search.accepted, search.segment.len, query.cost) {
            gather(search, query, scratch, &mut nearest)?
        } else {
            sequential(search, query, scratch, &mut nearest)?
        };
    let neighbors = nearest.into_sorted(&search.segment.map)?;
    Ok(VectorHits { neighbors, exact: query.is_exact(), visited, partial, strategy: query.scan_name })
}

/// From front to back, in blocks; what the filter refuses is scored and dropped.
fn sequential(
    search: &Search<'_>,
    query: &mut Query<'_>,
    scratch: &mut Scratch,
    nearest: &mut Collector<'_>,
) -> Result<Scanned> {
    let len = search.segment.len;
    for first in (0..len).step_by(BLOCK) {
        if !search.request.goes_on()? {
            return Ok(Scanned { visited: first as u64, partial: true });
        }
        scratch.distances.resize(BLOCK.min(len - first), 0.0);
        query.scan(first, &mut scratch.distances);
        offer_accepted(search, first as Ordinal, &scratch.distances, nearest)?;
    }
    Ok(Scanned { visited: len as u64, partial: false })
}

/// Offers those of the vectors from ordinal `first` that are accepted.
pub(super) fn offer_accepted(
    search: &Search<'_>,
    first: Ordinal,
    distances: &[f32],
    nearest: &mut Collector<'_>,
) -> Result<()> {
    let mut threshold = nearest.threshold();
    for (from, distances) in (first..).step_by(GROUP).zip(distances.chunks(GROUP)) {
        if !distances.iter().fold(false, |near, &distance| near | (distance <= threshold)) {
            continue;
        }
        for (ordinal, &distance) in (from..).zip(distances) {
            if distance <= threshold && search.accepts(ordinal) {
                nearest.offer(&search.segment.map, distance, ordinal)?;
                threshold = nearest.threshold();
            }
        }
    }
    Ok(())
}

/// Only the accepted, by their ordinals.
fn gather(
    search: &Search<'_>,
    query: &mut Query<'_>,
    scratch: &mut Scratch,
    nearest: &mut Collector<'_>,
) -> Result<Scanned> {
    let mut scanned = Scanned { visited: 0, partial: false };
    let Scratch { ordinals, distances, .. } = scratch;
    let map = &search.segment.map;
    let mut flush = |ordinals: &mut Vec<Ordinal>| -> Result<()> {
        if scanned.partial || !search.request.goes_on()? {
            scanned.partial = true;
            ordinals.clear();
            return Ok(());
        }
        distances.resize(ordinals.len(), 0.0);
        query.gather(ordinals, distances);
        scanned.visited += ordinals.len() as u64;
        for (&ordinal, &distance) in ordinals.iter().zip(distances.iter()) {
            nearest.offer(map, distance, ordinal)?;
        }
        ordinals.clear();
        Ok(())
    };
    ordinals.clear();
    map.for_each_accepted(&search.request.accept, |ordinal| {
        // A damaged map may name vectors that are not there.
        if (ordinal as usize) < search.segment.len {
            ordinals.push(ordinal);
        }
        if ordinals.len() < BLOCK { Ok(()) } else { flush(ordinals) }
    })?;
    flush(ordinals)?;
    Ok(scanned)
}
