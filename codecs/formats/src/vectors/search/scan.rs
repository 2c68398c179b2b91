//! Comparing every accepted vector, sequentially or gathered by ordinals.

use super::collector::Collector;
use super::cost;
use super::graph::{nearest_of, shortlist_len};
use super::query::Query;
use super::request::{Scratch, Search};
use super::rescore::rescore_traversal;
use super::shortlist::Shortlist;
use crate::distance::PanelDistances;
use crate::vectors::accepted::AcceptedVectors;
use lucerne_codec::vector::VectorHits;
use lucerne_codec::{Ordinal, Result};
use lucerne_simd::PANEL;

/// Vectors compared with one call.
pub(super) const BLOCK: usize = 256;
/// Accepted vectors for each that is kept, at least, where shorter codes are compared first.
const WORTH_A_SHORTLIST: usize = 3;
/// A shortlist will do if the last of it is so many times the error of shorter codes farther than the last vector wanted.
const ERRORS_APART: f64 = 3.0;
/// Distances compared with the threshold together: most groups have none that is near enough.
pub(super) const GROUP: usize = 16;

/// Vectors compared, and whether the search was stopped before all were.
struct Scanned {
    visited: u64,
    partial: bool,
}

/// Compares every accepted vector, by its full code.
pub(super) fn scan_full(
    search: &Search<'_>,
    query: &mut Query<'_>,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    let mut nearest = search.collector();
    let Scanned { visited, partial } =
        if cost::gathering_is_cheaper(search.accepted, search.segment.len, query.cost) {
            let Scratch { ordinals, distances, .. } = scratch;
            let computer = query.full();
            for_each_block(search, ordinals, |ordinals| {
                distances.resize(ordinals.len(), 0.0);
                computer.gather(ordinals, distances);
                for (ordinals, distances) in ordinals.chunks(GROUP).zip(distances.chunks(GROUP)) {
                    offer(search, ordinals.iter().copied(), distances, &mut nearest)?;
                }
                Ok(())
            })?
        } else {
            sequential(search, query, scratch, &mut nearest)?
        };
    let neighbors = nearest.into_sorted(&search.segment.map)?;
    Ok(VectorHits { neighbors, exact: query.is_exact(), visited, partial, strategy: query.scan_name })
}

/// Compares every accepted vector: by its shorter code, where there is one, and the best by the full one; all by that where
/// shorter codes cannot tell which those are.
pub(super) fn scan(search: &Search<'_>, query: &mut Query<'_>, scratch: &mut Scratch) -> Result<VectorHits> {
    let found = scan_each(search, std::slice::from_mut(query), None, scratch)?;
    Ok(found.into_iter().next().unwrap_or_default())
}

/// Whether vectors are compared by their shorter codes first, if they have any. Of few, most would be compared twice; where documents
/// have several vectors, those of some would crowd out others.
pub(super) fn takes_shortlist(search: &Search<'_>) -> bool {
    !search.documents && search.accepted >= (shortlist_len(search) * WORTH_A_SHORTLIST) as f64
}

/// The same for several queries of one encoding: each block of vectors is compared with all of them while it is in a cache. A panel
/// of the queries compares a vector's shorter code with all of them at once.
pub(super) fn scan_each(
    search: &Search<'_>,
    queries: &mut [Query<'_>],
    mut panel: Option<Box<dyn PanelDistances + '_>>,
    scratch: &mut Scratch,
) -> Result<Vec<VectorHits>> {
    let len = shortlist_len(search);
    let has_shorter = |query: &mut Query<'_>| query.computers().1.is_some();
    if !takes_shortlist(search) || !queries.iter_mut().all(has_shorter) {
        return queries.iter_mut().map(|query| scan_full(search, query, scratch)).collect();
    }
    let mut best: Vec<Shortlist> = queries.iter().map(|_| Shortlist::new(len)).collect();
    let Scratch { ordinals, distances, .. } = scratch;
    let mut of_panel = Vec::new();
    let scanned = for_each_block(search, ordinals, |ordinals| {
        if let Some(panel) = &mut panel {
            of_panel.resize(ordinals.len(), [0.0; PANEL]);
            panel.gather(ordinals, &mut of_panel);
            keep_of_each(&mut best, ordinals, &of_panel);
            return Ok(());
        }
        for (query, best) in queries.iter_mut().zip(&mut best) {
            distances.resize(ordinals.len(), 0.0);
            query.computers().0.gather(ordinals, distances);
            for (ordinals, distances) in ordinals.chunks(GROUP).zip(distances.chunks(GROUP)) {
                keep(best, ordinals, distances);
            }
        }
        Ok(())
    })?;
    let finished = |(query, best)| finish(search, query, best, &scanned, scratch);
    queries.iter_mut().zip(best).map(finished).collect()
}

/// Keeps those of a few vectors that are near enough.
fn keep(best: &mut Shortlist, ordinals: &[Ordinal], distances: &[f32]) {
    let mut threshold = best.threshold();
    if !is_any_near(distances, threshold) {
        return;
    }
    for (&ordinal, &distance) in ordinals.iter().zip(distances) {
        if distance <= threshold {
            best.keep(distance, ordinal);
            threshold = best.threshold();
        }
    }
}

/// Keeps for each query of a panel those of a few vectors that are near enough.
fn keep_of_each(best: &mut [Shortlist], ordinals: &[Ordinal], distances: &[[f32; PANEL]]) {
    // Queries that fill up the panel keep nothing.
    let mut thresholds = [f32::NEG_INFINITY; PANEL];
    thresholds.iter_mut().zip(&*best).for_each(|(threshold, best)| *threshold = best.threshold());
    for (&ordinal, distances) in ordinals.iter().zip(distances) {
        // Some query of the panel is near to most vectors: which one must not be a branch for each.
        let mut near = [0; PANEL];
        let of_lanes = near.iter_mut().zip(distances.iter().zip(&thresholds));
        of_lanes.for_each(|(near, (distance, most))| *near = u8::from(distance <= most));
        for (first, eight) in (0..).step_by(8).zip(near.as_chunks().0) {
            let mut left = u64::from_le_bytes(*eight);
            while left != 0 {
                let lane = first + left.trailing_zeros() as usize / 8;
                left &= left - 1;
                if let (Some(best), Some(&distance)) = (best.get_mut(lane), distances.get(lane)) {
                    best.keep(distance, ordinal);
                    thresholds.get_mut(lane).into_iter().for_each(|most| *most = best.threshold());
                }
            }
        }
    }
}

/// Compares the best by their shorter codes by the full ones; all accepted vectors where these cannot tell which are nearest.
fn finish(
    search: &Search<'_>,
    query: &mut Query<'_>,
    best: Shortlist,
    scanned: &Scanned,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    let (exact, strategy) = (query.is_exact(), query.scan_name);
    let Scanned { visited, partial } = *scanned;
    let len = best.len();
    let Scratch { found, ordinals, distances, .. } = scratch;
    best.finish(search, found)?;
    let all = found.len() < len;
    let short: Vec<f32> = found.iter().map(|(distance, _)| *distance).collect();
    let visited = visited + rescore_traversal(query.full(), found, ordinals, distances);
    if !(all || partial || is_sure(search, found, &short, distances)) {
        let hits = scan_full(search, query, scratch)?;
        return Ok(VectorHits { visited: hits.visited + visited, ..hits });
    }
    let neighbors = nearest_of(search, found)?;
    Ok(VectorHits { neighbors, exact, visited, partial, strategy })
}

/// Whether the `full` code of hardly any vector that is not on a shortlist can be as near as those wanted of it. `found` is the
/// shortlist, nearest first by full codes; `short` and `full` are its distances, in another order.
///
/// Where most accepted vectors are about as far from the query, errors of the shorter codes decide which come on it: the
/// errors of these are great, and the last of them is no farther than those wanted.
fn is_sure(search: &Search<'_>, found: &[(f32, Ordinal)], short: &[f32], full: &[f32]) -> bool {
    let wanted = search.watched().min(search.request.k);
    let Some(&(last_wanted, _)) = found.get(wanted.saturating_sub(1)) else { return true };
    let last = short.iter().copied().fold(f32::MIN, f32::max);
    let errors = short.iter().zip(full).map(|(short, full)| (f64::from(*short) - f64::from(*full)).powi(2));
    let error = (errors.sum::<f64>() / short.len().max(1) as f64).sqrt();
    f64::from(last) - f64::from(last_wanted) >= ERRORS_APART * error
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
    for (from, distances) in (first..).step_by(GROUP).zip(distances.chunks(GROUP)) {
        offer(search, from.., distances, nearest)?;
    }
    Ok(())
}

/// Offers those of a few vectors that are near enough and accepted.
fn offer(
    search: &Search<'_>,
    ordinals: impl Iterator<Item = Ordinal>,
    distances: &[f32],
    nearest: &mut Collector<'_>,
) -> Result<()> {
    let mut threshold = nearest.threshold();
    if !is_any_near(distances, threshold) {
        return Ok(());
    }
    for (ordinal, &distance) in ordinals.zip(distances) {
        if distance <= threshold && search.accepts(ordinal) {
            nearest.offer(&search.segment.map, distance, ordinal)?;
            threshold = nearest.threshold();
        }
    }
    Ok(())
}

/// Goes through the accepted vectors, a block at a time.
fn for_each_block(
    search: &Search<'_>,
    ordinals: &mut Vec<Ordinal>,
    mut compare: impl FnMut(&[Ordinal]) -> Result<()>,
) -> Result<Scanned> {
    let mut vectors = AcceptedVectors::new(search.map, &search.request.accept);
    let mut visited = 0;
    loop {
        vectors.next_block(BLOCK, ordinals);
        if ordinals.is_empty() {
            return Ok(Scanned { visited, partial: false });
        }
        if !search.request.goes_on()? {
            return Ok(Scanned { visited, partial: true });
        }
        compare(ordinals)?;
        visited += ordinals.len() as u64;
    }
}

fn is_any_near(distances: &[f32], threshold: f32) -> bool {
    distances.iter().fold(false, |near, &distance| near | (distance <= threshold))
}
