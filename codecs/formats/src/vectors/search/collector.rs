//! The nearest of a stream of vectors: vectors, or documents where each may have several.

use crate::vectors::ordinals::OrdinalMap;
use lucerne_codec::top_k::{TieBreak, TopK};
use lucerne_codec::{Neighbor, Ordinal, Result, TopDocs};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Keeps the `k` nearest vectors, or the `k` documents that have the nearest, each once.
pub(in crate::vectors) enum Collector<'a> {
    /// By distance; ties are decided at the end, for those that are left.
    Vectors(NearestWithTies, &'a TieBreak<'a>),
    Documents(TopDocs<'a>),
}

impl<'a> Collector<'a> {
    /// Keeps vectors.
    pub(in crate::vectors) fn vectors(k: usize, ties: &'a TieBreak<'a>) -> Self {
        Self::Vectors(NearestWithTies::new(k), ties)
    }

    /// Keeps documents.
    pub(in crate::vectors) fn documents(k: usize, ties: &'a TieBreak<'a>) -> Self {
        Self::Documents(TopDocs::new(k, ties))
    }

    /// The distance a vector must not exceed to be kept.
    #[inline]
    pub(in crate::vectors) fn threshold(&self) -> f32 {
        match self {
            Self::Vectors(nearest, _) => nearest.threshold,
            Self::Documents(top) => top.threshold(),
        }
    }

    /// Offers a vector.
    #[inline]
    pub(in crate::vectors) fn offer(
        &mut self,
        map: &OrdinalMap,
        distance: f32,
        ordinal: Ordinal,
    ) -> Result<()> {
        if distance <= self.threshold() {
            match self {
                Self::Vectors(nearest, _) => nearest.offer(distance, ordinal),
                Self::Documents(top) => top.offer(Neighbor { distance, ordinal, doc: map.doc(ordinal)? }),
            }
        }
        Ok(())
    }

    /// Nearest first.
    pub(in crate::vectors) fn into_sorted(self, map: &OrdinalMap) -> Result<Vec<Neighbor>> {
        match self {
            Self::Vectors(nearest, ties) => {
                let (k, kept) = (nearest.k, nearest.into_kept());
                kept.iter().for_each(|&(_, ordinal)| map.prefetch(ordinal));
                let mut top = TopK::new(k, ties);
                for (distance, ordinal) in kept {
                    top.offer(Neighbor { distance, ordinal, doc: map.doc(ordinal)? });
                }
                Ok(top.into_sorted())
            }
            Self::Documents(top) => Ok(top.into_sorted()),
        }
    }
}

/// The buffer is compacted once it exceeds `k` by this many.
const SLACK: usize = 256;

/// Room in the buffer at first for this many more than `k`.
const FEW: usize = 48;

/// Vectors kept at most for one of many queries made together: where more are as near as the nearest, each query is better off with all memory.
pub(super) const MOST_KEPT: usize = 1 << 14;

/// A distance that sorts.
#[derive(Clone, Copy, Debug)]
struct Distance(f32);

impl Ord for Distance {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Distance {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Distance {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Distance {}

/// Keeps the `k` nearest by distance alone, and all that tie with the last of them.
///
/// Where many are equally near, as among bits, most that tie with the last one kept so far are not in the end.
/// Looking up their documents and comparing these costs more than a distance: it is left for those that remain.
#[derive(Debug)]
pub(in crate::vectors) struct NearestWithTies {
    k: usize,
    /// The `k` least distances, or what they are at most, the largest first.
    least: BinaryHeap<Distance>,
    threshold: f32,
    kept: Vec<(f32, Ordinal)>,
    /// At this length those that are too far by now are dropped.
    compact_at: usize,
}

impl NearestWithTies {
    pub(super) fn new(k: usize) -> Self {
        let threshold = if k == 0 { f32::NEG_INFINITY } else { f32::INFINITY };
        let compact_at = k.saturating_add(SLACK);
        let least = BinaryHeap::with_capacity(k.min(SLACK));
        Self { k, least, threshold, kept: Vec::with_capacity(k.min(SLACK) + FEW), compact_at }
    }

    pub(super) fn offer(&mut self, distance: f32, ordinal: Ordinal) {
        self.offer_between(distance, distance, ordinal);
    }

    /// Offers a vector whose distance lies between two bounds: all are kept that may be among the `k` nearest.
    pub(super) fn offer_between(&mut self, least: f32, most: f32, ordinal: Ordinal) {
        if least > self.threshold || self.k == 0 {
            return;
        }
        self.kept.push((least, ordinal));
        if self.least.len() < self.k {
            self.least.push(Distance(most));
            self.look_at_last();
        } else if most < self.threshold {
            if let Some(mut last) = self.least.peek_mut() {
                *last = Distance(most);
            }
            self.look_at_last();
        }
        if self.kept.len() >= self.compact_at {
            self.compact();
            self.compact_at = self.kept.len().saturating_mul(2).max(self.k.saturating_add(SLACK));
        }
    }

    fn look_at_last(&mut self) {
        if self.least.len() == self.k {
            self.threshold = self.least.peek().map_or(f32::INFINITY, |last| last.0);
        }
    }

    /// The distance that a vector must not exceed to be kept.
    #[inline]
    pub(super) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// How many vectors are kept.
    pub(super) fn kept(&self) -> usize {
        self.kept.len()
    }

    fn compact(&mut self) {
        let threshold = self.threshold;
        self.kept.retain(|kept| kept.0 <= threshold);
    }

    /// Those that are left, in the order in which they were offered.
    fn into_kept(mut self) -> Vec<(f32, Ordinal)> {
        self.compact();
        self.kept
    }

    /// Those that are left, nearest first.
    pub(super) fn into_sorted(self) -> Vec<(f32, Ordinal)> {
        let mut kept = self.into_kept();
        kept.sort_unstable_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_and_their_ties_are_left() {
        for (k, len, values) in
            [(1, 50, 3), (10, 2_000, 7), (10, 5, 2), (300, 4_000, 90), (0, 9, 2), (7, 0, 1)]
        {
            let distance = |ordinal: u32| (ordinal.wrapping_mul(2_654_435_761) >> 8) % values;
            let mut nearest = NearestWithTies::new(k);
            (0..len).for_each(|ordinal| nearest.offer(distance(ordinal) as f32, ordinal));
            let mut all: Vec<(u32, u32)> = (0..len).map(|ordinal| (distance(ordinal), ordinal)).collect();
            all.sort_unstable();
            let last = all.iter().take(k).next_back().map(|last| last.0);
            all.retain(|(distance, _)| last.is_some_and(|last| *distance <= last));
            let left: Vec<(u32, u32)> = nearest
                .into_sorted()
                .into_iter()
                .map(|(distance, ordinal)| (distance as u32, ordinal))
                .collect();
            assert_eq!(left, all, "{k} of {len}");
        }
    }
}
