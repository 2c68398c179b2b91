//! Replacing cheap distances by better ones: those of 4-bit codes by those of the 8-bit codes, those of hashes and
//! estimates by those of the raw vectors.

use super::collector::Collector;
use super::request::Search;
use crate::distance::DistanceComputer;
use crate::encoding::Precision;
use crate::encoding::raw::{ExactQuery, RawVectors};
use crate::vectors::segment::VectorSegment;
use lucerne_codec::estimates::EstimateErrors;
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
    /// How many candidates were compared.
    pub(super) compared: usize,
    /// Whether the search was stopped before all were.
    pub(super) partial: bool,
}

/// The `k` nearest of the candidates, which are sorted, by their raw vectors: of estimates those that may be among them. Of a
/// search that was stopped and is to return what it has, the first few are compared nevertheless.
pub(super) fn rescore_candidates(
    search: &Search<'_>,
    query: &ExactQuery,
    candidates: &[Neighbor],
    precision: Precision,
) -> Result<Rescored> {
    let mut rescoring = Rescoring { search, query, nearest: search.collector(), compared: 0 };
    let mut errors = EstimateErrors::default();
    // Hashes are no estimates, and of a document the nearest vector counts.
    let is_estimated = precision == Precision::Estimate && !search.documents;
    let first = if is_estimated { search.request.k.max(EstimateErrors::LEAST) } else { candidates.len() };
    let (first, rest) = candidates.split_at(first.min(candidates.len()));
    let mut partial = rescoring.compare(first, |estimate, exact| errors.add(estimate, exact))?;
    if !partial && !rest.is_empty() {
        let estimates = rest.iter().map(|candidate| candidate.distance);
        let near = errors.within(rescoring.nearest.threshold(), estimates);
        partial = rescoring.compare(rest.get(..near).unwrap_or_default(), |_, _| {})?;
    }
    let Rescoring { nearest, compared, .. } = rescoring;
    Ok(Rescored { neighbors: nearest.into_sorted(&search.segment.map)?, compared, partial })
}

/// Candidates on their way past their raw vectors.
struct Rescoring<'a> {
    search: &'a Search<'a>,
    query: &'a ExactQuery,
    nearest: Collector<'a>,
    compared: usize,
}

impl Rescoring<'_> {
    /// Compares candidates, and calls `note` with the distance that each had and has. True when the search was stopped before.
    fn compare(&mut self, candidates: &[Neighbor], mut note: impl FnMut(f32, f32)) -> Result<bool> {
        let Self { search, query, nearest, compared } = self;
        let (map, raw) = (&search.segment.map, search.segment.raw()?);
        for now in candidates.chunks(RESCORED_TOGETHER) {
            let excused = search.request.on_stop == OnStop::Partial && *compared < RESCORED_ANYWAY;
            if !excused && !search.request.goes_on()? {
                return Ok(true);
            }
            for_each_distance(raw, query, now, |index, distance| {
                let Some(candidate) = now.get(index) else { return Ok(()) };
                note(candidate.distance, distance);
                nearest.offer(map, distance, candidate.ordinal)
            })?;
            *compared += now.len();
        }
        Ok(false)
    }
}

/// Replaces estimated distances by those of the raw vectors, or of the full codes where these are not kept; the order stays.
/// Where a document may have several vectors, each neighbor becomes its document's nearest vector.
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
    neighbors.iter().take(AHEAD).for_each(|neighbor| raw.prefetch(neighbor.ordinal));
    for (index, neighbor) in neighbors.iter().enumerate() {
        if let Some(next) = neighbors.get(index + AHEAD) {
            raw.prefetch(next.ordinal);
        }
        visit(index, query.distance(raw.row(neighbor.ordinal)?))?;
    }
    Ok(())
}
