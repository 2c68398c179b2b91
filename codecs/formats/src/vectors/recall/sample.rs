//! Vectors of a segment as queries, each without itself, and what is truly nearest to them.

use super::threads::in_shares;
use crate::encoding::EncodedVectors as _;
use crate::hnsw::graph::GraphView as _;
use crate::vectors::search::Collector;
use crate::vectors::segment::VectorSegment;
use lucerne_codec::format::WriteContext;
use lucerne_codec::random::SplitMix64;
use lucerne_codec::{DocId, Neighbor, Ordinal, Result};
use std::collections::HashSet;

/// One query for so many vectors, within the limits below: measuring stays a small share of building an index.
const VECTORS_PER_QUERY: usize = 128;
const LEAST_QUERIES: usize = 32;
const MOST_QUERIES: usize = 128;
/// Rows compared with every query before the next: they stay in the second-level cache.
const BLOCK: usize = 128;

/// A vector of the segment whose neighbors are known.
pub(super) struct SampleQuery {
    /// The vector, which is not one of its own neighbors.
    pub(super) ordinal: Ordinal,
    /// True neighbors, nearest first.
    nearest: Vec<Neighbor>,
}

impl SampleQuery {
    /// The share of the `k` nearest that a search has found. One as near as the last of them counts as one of them.
    pub(super) fn recall(&self, segment: &VectorSegment, found: &[Neighbor], k: usize) -> Result<f64> {
        self.count(segment, found.get(..k).unwrap_or(found), k)
    }

    /// The same when all that was found is rescored with raw vectors: of the true neighbors none is lost then.
    pub(super) fn recall_rescored(
        &self,
        segment: &VectorSegment,
        found: &[Neighbor],
        k: usize,
    ) -> Result<f64> {
        self.count(segment, found, k)
    }

    fn count(&self, segment: &VectorSegment, found: &[Neighbor], k: usize) -> Result<f64> {
        let nearest = self.nearest.get(..k).unwrap_or(&self.nearest);
        let Some(last) = nearest.last() else { return Ok(1.0) };
        let docs: HashSet<DocId> = nearest.iter().map(|neighbor| neighbor.doc).collect();
        let query = segment.raw.exact_query(segment.raw.row(self.ordinal)?);
        let mut count = 0;
        for neighbor in found {
            if docs.contains(&neighbor.doc)
                || query.distance(segment.raw.row(neighbor.ordinal)?) <= last.distance
            {
                count += 1;
            }
        }
        Ok(count.min(nearest.len()) as f64 / nearest.len() as f64)
    }
}

/// Queries from all over the segment with their `k` nearest: all raw vectors are read once.
pub(super) fn sample(
    segment: &VectorSegment,
    k: usize,
    context: &WriteContext<'_>,
) -> Result<Vec<SampleQuery>> {
    let ordinals = ordinals(segment, context.seed);
    in_shares(&ordinals, context.threads, |ordinals| truth(segment, ordinals, k, context))
}

/// Vectors at about equal distances in the order of the ordinals, which puts neighbors near each other.
fn ordinals(segment: &VectorSegment, seed: u64) -> Vec<Ordinal> {
    let len = segment.len;
    let count = (len / VECTORS_PER_QUERY).clamp(LEAST_QUERIES, MOST_QUERIES).min(len / 2);
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
    (0..count).filter_map(place).collect()
}

/// The true neighbors of some vectors.
fn truth(
    segment: &VectorSegment,
    ordinals: &[Ordinal],
    k: usize,
    context: &WriteContext<'_>,
) -> Result<Vec<SampleQuery>> {
    let ties = |left: DocId, right: DocId| left.cmp(&right);
    let collector = || {
        if segment.params.multiple { Collector::documents(k, &ties) } else { Collector::vectors(k, &ties) }
    };
    let mut queries = Vec::with_capacity(ordinals.len());
    for &ordinal in ordinals {
        queries.push((ordinal, segment.raw.query(segment.raw.row(ordinal)?).distances, collector()));
    }
    let mut distances = [0.0; BLOCK];
    for first in (0..segment.len).step_by(BLOCK) {
        context.cancel.check()?;
        let distances = distances.get_mut(..BLOCK.min(segment.len - first)).unwrap_or_default();
        for (hidden, computer, nearest) in &mut queries {
            computer.scan(first as Ordinal, distances);
            let threshold = nearest.threshold();
            for (ordinal, &distance) in (first as Ordinal..).zip(distances.iter()) {
                if distance <= threshold && ordinal != *hidden {
                    nearest.offer(&segment.map, distance, ordinal)?;
                }
            }
        }
    }
    let finish = |(ordinal, _, nearest): (Ordinal, _, Collector<'_>)| {
        Ok(SampleQuery { ordinal, nearest: nearest.into_sorted(&segment.map)? })
    };
    queries.into_iter().map(finish).collect()
}
