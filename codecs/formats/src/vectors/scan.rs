//! Looking at every accepted vector, from front to back or picked.

use super::collect::Best;
use super::cost;
use super::reader::LayeredReader;
use super::search::{Query, Scratch};
use crate::sq8::query::BLOCK;
use lucerne_codec::vector::{VectorHits, VectorSearch};
use lucerne_codec::{Ordinal, Result};

/// Looks at every accepted vector.
pub(super) fn scan(
    reader: &LayeredReader,
    search: &VectorSearch<'_>,
    query: &Query<'_>,
    accepted: f64,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    let mut top = Best::new(query.keeps_documents(reader), search.k, search.ties);
    let exact = query.is_exact();
    let visited = match cost::picking_is_cheaper(accepted, reader.len, query.compared()) {
        true => scan_picked(reader, search, query, scratch, &mut top)?,
        false => scan_all(reader, search, query, scratch, &mut top)?,
    };
    Ok(VectorHits { neighbors: top.into_sorted(reader)?, exact, visited, strategy: query.scan_name() })
}

/// From front to back, in blocks; what the filter refuses is scored and dropped.
fn scan_all(
    reader: &LayeredReader,
    search: &VectorSearch<'_>,
    query: &Query<'_>,
    scratch: &mut Scratch,
    top: &mut Best<'_>,
) -> Result<u64> {
    for first in (0..reader.len).step_by(BLOCK) {
        search.cancel.check()?;
        scratch.distances.resize(BLOCK.min(reader.len - first), 0.0);
        query.scan(first, reader.field.row_len(), &mut scratch.query, &mut scratch.distances);
        offer_accepted(reader, search, first as Ordinal, &scratch.distances, top)?;
    }
    Ok(reader.len as u64)
}

/// Distances looked at together: most have none that is near enough.
const TOGETHER: usize = 16;

/// Offers those of the vectors from ordinal `first` that are accepted.
pub(super) fn offer_accepted(
    reader: &LayeredReader,
    search: &VectorSearch<'_>,
    first: Ordinal,
    distances: &[f32],
    top: &mut Best<'_>,
) -> Result<()> {
    let mut threshold = top.threshold();
    for (from, distances) in (first..).step_by(TOGETHER).zip(distances.chunks(TOGETHER)) {
        if !distances.iter().fold(false, |near, &distance| near | (distance <= threshold)) {
            continue;
        }
        for (ordinal, &distance) in (from..).zip(distances) {
            if distance <= threshold && reader.map.accepts(&search.accept, ordinal) {
                top.offer(reader, distance, ordinal)?;
                threshold = top.threshold();
            }
        }
    }
    Ok(())
}

/// Only the accepted, picked by their ordinals.
fn scan_picked(
    reader: &LayeredReader,
    search: &VectorSearch<'_>,
    query: &Query<'_>,
    scratch: &mut Scratch,
    top: &mut Best<'_>,
) -> Result<u64> {
    let mut visited = 0;
    let Scratch { query: memory, ordinals, distances, .. } = scratch;
    let mut flush = |ordinals: &mut Vec<Ordinal>| -> Result<()> {
        search.cancel.check()?;
        distances.resize(ordinals.len(), 0.0);
        query.picked(ordinals, memory, distances);
        visited += ordinals.len() as u64;
        for (&ordinal, &distance) in ordinals.iter().zip(distances.iter()) {
            top.offer(reader, distance, ordinal)?;
        }
        ordinals.clear();
        Ok(())
    };
    ordinals.clear();
    reader.map.for_each_accepted(&search.accept, |ordinal| {
        // A damaged map may name vectors that are not there.
        if (ordinal as usize) < reader.len {
            ordinals.push(ordinal);
        }
        match ordinals.len() {
            BLOCK.. => flush(ordinals),
            _ => Ok(()),
        }
    })?;
    flush(ordinals)?;
    Ok(visited)
}
