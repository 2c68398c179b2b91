//! Queries made of the vectors of a segment, and what is truly nearest to them.
//!
//! No search sees the vector that its query was made of. Even so a stored vector is an easier query than a new one: the
//! graph was built around it. So every second query is a vector moved part of the way to another one: what such queries
//! find is what held-out ones find, or a little less (`docs/measurements/recall.md`). The others are vectors as they
//! are: between tight clusters codes tell neighbors apart that they confuse within one.
//!
//! The truth takes a scan for each query. A wider sample goes without: a search with many candidates tells nearly all of it,
//! and the first sample tells how much it lacks.

use super::curve::MEASURED_K;
use super::threads::in_shares;
use crate::encoding::{EncodedVectors, Precision};
use crate::hnsw::graph::GraphView as _;
use crate::vectors::search::Collector;
use crate::vectors::segment::VectorSegment;
use lucerne_codec::format::WriteContext;
use lucerne_codec::io::bytes::f32s;
use lucerne_codec::random::SplitMix64;
use lucerne_codec::{Component, DocId, Neighbor, Ordinal, Result};
use std::collections::HashSet;

/// One query for so many vectors, within the limits below: measuring stays a small share of building an index.
const VECTORS_PER_QUERY: usize = 256;
const LEAST_QUERIES: usize = 32;
const MOST_QUERIES: usize = 64;
/// As many times more where these leave a doubt.
const MORE_QUERIES: usize = 3;
/// Queries of the wider sample: one for so many vectors, and no more than so many. Of some data one search in twenty fails
/// altogether, which half as many queries have missed in small segments.
const VECTORS_PER_WIDER: usize = 64;
const MOST_WIDER: usize = 448;
/// How far a moved query lies on the way from its vector to another one.
const MOVED: f32 = 0.3;
/// The share of the other vector's bits that a moved query of bits takes. Sets of few elements that take more lie where no
/// query does.
const MOVED_BITS: f32 = 0.03;
/// Vectors by estimated distances among which each true neighbor is looked for.
const PER_NEIGHBOR: usize = 3;
/// Searches for many neighbors need no more queries: each has more to find.
const QUERIES_FOR_MANY: usize = 20;
/// Rows compared with every query before the next: they stay in the second-level cache.
const BLOCK: usize = 128;
/// Distances compared with the threshold together: most groups have none that is near enough.
const GROUP: usize = 16;

/// A query that tells what a search finds.
pub(super) struct SampleQuery {
    pub(super) row: Vec<u8>,
    /// Whether it was moved.
    pub(super) moved: bool,
    /// The vector that it was made of, which no search sees.
    pub(super) hidden: Ordinal,
    /// How many neighbors it is searched for at most.
    pub(super) k: usize,
    /// As many true neighbors; `None` in the wider sample.
    pub(super) truth: Option<Nearest>,
}

/// Vectors near a query, nearest first.
pub(super) struct Nearest(Vec<Neighbor>);

impl Nearest {
    /// The nearest of some by distances of raw vectors, or of codes where these are not kept.
    pub(super) fn of(segment: &VectorSegment, row: &[u8], found: &[Neighbor]) -> Self {
        let ordinals: Vec<Ordinal> = found.iter().map(|neighbor| neighbor.ordinal).collect();
        let mut distances = vec![0.0; ordinals.len()];
        segment.best().query(row).distances.gather(&ordinals, &mut distances);
        let measured =
            found.iter().zip(distances).map(|(&neighbor, distance)| Neighbor { distance, ..neighbor });
        let mut nearest: Vec<Neighbor> = measured.collect();
        nearest.sort_by(|left, right| left.distance.total_cmp(&right.distance));
        Self(nearest)
    }

    /// The share of the first `k` that is among what a search for `row` has found. One as near as the last of them counts
    /// as one of them.
    pub(super) fn recall(&self, segment: &VectorSegment, row: &[u8], found: &[Neighbor], k: usize) -> f64 {
        let nearest = self.0.get(..k).unwrap_or(&self.0);
        let Some(last) = nearest.last() else { return 1.0 };
        let docs: HashSet<DocId> = nearest.iter().map(|neighbor| neighbor.doc).collect();
        let mut query = segment.best().query(row).distances;
        let mut near = |neighbor: &Neighbor| {
            let mut distance = [0.0];
            query.gather(&[neighbor.ordinal], &mut distance);
            distance <= [last.distance]
        };
        let count = found.iter().filter(|neighbor| docs.contains(&neighbor.doc) || near(neighbor)).count();
        count.min(nearest.len()) as f64 / nearest.len() as f64
    }
}

/// The first sample: queries from all over the segment with their true neighbors, about [`QUERIES_FOR_MANY`] of them with
/// many: by raw vectors, or by codes where these are not kept.
///
/// Where codes find the nearest without raw vectors, as the encoding has measured, the nearest of [`PER_NEIGHBOR`] times as
/// many by codes are them: a scan of codes takes a fraction of the time of one of raw vectors.
pub(super) fn sample(segment: &VectorSegment, context: &WriteContext<'_>) -> Result<Vec<SampleQuery>> {
    known(segment, count(segment), context.seed, context)
}

/// More of them.
pub(super) fn more(segment: &VectorSegment, context: &WriteContext<'_>) -> Result<Vec<SampleQuery>> {
    known(segment, MORE_QUERIES * count(segment), context.seed.rotate_left(2), context)
}

fn count(segment: &VectorSegment) -> usize {
    (segment.len / VECTORS_PER_QUERY).clamp(LEAST_QUERIES, MOST_QUERIES)
}

/// Queries with their true neighbors.
fn known(
    segment: &VectorSegment,
    count: usize,
    seed: u64,
    context: &WriteContext<'_>,
) -> Result<Vec<SampleQuery>> {
    let picked = picked(segment, count, seed);
    let encoded = &*segment.encoded;
    let estimates = encoded.precision() == Precision::Estimate && segment.raw.is_some();
    let by_codes = estimates && encoded.rescore_at_least() == 0 && !segment.params.multiple;
    let by = if by_codes { Scanned::Codes } else { Scanned::Best };
    in_shares(&picked, context.threads, |picked| truth(segment, picked, by, context))
}

/// Queries of the wider sample.
pub(super) fn wider(segment: &VectorSegment, context: &WriteContext<'_>) -> Result<Vec<SampleQuery>> {
    let count = (segment.len / VECTORS_PER_WIDER).min(MOST_WIDER);
    let picked = picked(segment, count, context.seed.rotate_left(1));
    picked.into_iter().map(|picked| query(segment, picked, context.seed)).collect()
}

/// Vectors at about equal distances in the order of the ordinals, which puts neighbors near each other; with how many
/// neighbors to look for.
fn picked(segment: &VectorSegment, count: usize, seed: u64) -> Vec<(Ordinal, usize)> {
    let len = segment.len;
    let count = count.min(len / 2);
    // A node of the upper levels is a way into the graph: without it the search would not be what it is.
    let upper: HashSet<Ordinal> = match segment.graph() {
        Some(graph) if graph.level_count() > 1 => {
            (0..graph.level_len(1) as u32).map(|position| graph.node(1, position)).collect()
        }
        _ => HashSet::new(),
    };
    let place = |number: usize| {
        let (start, end) = (number * len / count, (number + 1) * len / count);
        let jitter = SplitMix64::nth(seed, number as u64) % (end - start).max(1) as u64;
        let from = start + jitter as usize;
        (from..end).chain(start..from).map(|ordinal| ordinal as Ordinal).find(|node| !upper.contains(node))
    };
    let many = count.div_ceil(QUERIES_FOR_MANY).max(1);
    let [few, most] = MEASURED_K;
    let k = |number: usize| if number.is_multiple_of(many) { most } else { few };
    (0..count).filter_map(place).enumerate().map(|(number, ordinal)| (ordinal, k(number))).collect()
}

/// Every second one, by chance.
fn is_moved(ordinal: Ordinal, seed: u64) -> bool {
    SplitMix64::nth(!seed, u64::from(ordinal)) & 1 == 0
}

/// The query made of a vector, whose neighbors are not known.
fn query(segment: &VectorSegment, (hidden, k): (Ordinal, usize), seed: u64) -> Result<SampleQuery> {
    let moved = is_moved(hidden, seed);
    let row = if moved { moved_row(segment, hidden, seed)? } else { segment.vector(hidden)?.into_owned() };
    Ok(SampleQuery { row, moved, hidden, k, truth: None })
}

/// A vector moved.
fn moved_row(segment: &VectorSegment, ordinal: Ordinal, seed: u64) -> Result<Vec<u8>> {
    let mut random = SplitMix64::new(SplitMix64::nth(seed, u64::from(ordinal)));
    let other = random.below(segment.len as u64) as Ordinal;
    let (own, other) = (segment.vector(ordinal)?, segment.vector(other)?);
    Ok(match segment.field.component() {
        Component::Bit => {
            let part = (MOVED_BITS * 256.0) as u8;
            let taken = |_| (0..8).fold(0, |mask, bit| mask | u8::from((random.next() as u8) < part) << bit);
            let masks: Vec<u8> = own.iter().map(taken).collect();
            own.iter()
                .zip(&*other)
                .zip(masks)
                .map(|((own, other), mask)| own & !mask | other & mask)
                .collect()
        }
        _ => {
            let moved = f32s(&own).zip(f32s(&other)).map(|(own, other)| own * (1.0 - MOVED) + other * MOVED);
            moved.flat_map(f32::to_le_bytes).collect()
        }
    })
}

/// What is scanned for the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scanned {
    /// Raw vectors, or codes where there are none.
    Best,
    /// Codes; what they find is rescored with raw vectors.
    Codes,
}

/// The queries made of some vectors, with so many true neighbors of each.
fn truth(
    segment: &VectorSegment,
    picked: &[(Ordinal, usize)],
    by: Scanned,
    context: &WriteContext<'_>,
) -> Result<Vec<SampleQuery>> {
    let ties = |left: DocId, right: DocId| left.cmp(&right);
    let collector = |k| {
        if segment.params.multiple { Collector::documents(k, &ties) } else { Collector::vectors(k, &ties) }
    };
    let (scanned, per_neighbor): (&dyn EncodedVectors, usize) = match by {
        Scanned::Best => (segment.best(), 1),
        Scanned::Codes => (&*segment.encoded, PER_NEIGHBOR),
    };
    let mut queries = Vec::with_capacity(picked.len());
    for &(hidden, k) in picked {
        let query = query(segment, (hidden, k), context.seed)?;
        let computer = scanned.query(&query.row).distances;
        queries.push((query, computer, collector(k * per_neighbor)));
    }
    let mut distances = [0.0; BLOCK];
    for first in (0..segment.len).step_by(BLOCK) {
        context.cancel.check()?;
        let distances = distances.get_mut(..BLOCK.min(segment.len - first)).unwrap_or_default();
        for (query, computer, nearest) in &mut queries {
            computer.scan(first as Ordinal, distances);
            let mut threshold = nearest.threshold();
            for (group, distances) in (first as Ordinal..).step_by(GROUP).zip(distances.chunks(GROUP)) {
                if !distances.iter().fold(false, |near, &distance| near | (distance <= threshold)) {
                    continue;
                }
                for (ordinal, &distance) in (group..).zip(distances) {
                    if distance <= threshold && ordinal != query.hidden {
                        nearest.offer(&segment.map, distance, ordinal)?;
                        threshold = nearest.threshold();
                    }
                }
            }
        }
    }
    let finish = |(query, _, nearest): (SampleQuery, _, Collector<'_>)| {
        let mut nearest = nearest.into_sorted(&segment.map)?;
        if by == Scanned::Codes {
            let raw = segment.raw()?;
            let (exact, mut best) = (raw.exact_query(&query.row), collector(query.k));
            for neighbor in &nearest {
                let distance = exact.distance(raw.row(neighbor.ordinal)?);
                best.offer(&segment.map, distance, neighbor.ordinal)?;
            }
            nearest = best.into_sorted(&segment.map)?;
        }
        Ok(SampleQuery { truth: Some(Nearest(nearest)), ..query })
    };
    queries.into_iter().map(finish).collect()
}
