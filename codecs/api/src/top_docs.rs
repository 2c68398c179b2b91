//! The k nearest documents of a stream of neighbors, for fields of several vectors a document.

use crate::Neighbor;
use crate::top_k::{TieBreak, order};
use std::collections::HashSet;

/// Keeps the `k` nearest documents offered, each by its nearest vector.
///
/// Neighbors are buffered, several of one document included, and the buffer is compacted when it is full.
pub struct TopDocs<'a> {
    k: usize,
    kept: Vec<Neighbor>,
    /// The buffer is compacted when it has this many entries.
    limit: usize,
    threshold: f32,
    ties: &'a TieBreak<'a>,
}

impl<'a> TopDocs<'a> {
    /// Keeps at most `k` documents.
    pub fn new(k: usize, ties: &'a TieBreak<'a>) -> Self {
        let threshold = if k == 0 { f32::NEG_INFINITY } else { f32::INFINITY };
        Self { k, kept: Vec::new(), limit: limit(k), threshold, ties }
    }

    /// A distance that a neighbor must not exceed to be kept; infinite until `k` documents were counted.
    #[inline]
    pub fn threshold(&self) -> f32 {
        self.threshold
    }

    /// Offers a neighbor.
    #[inline]
    pub fn offer(&mut self, neighbor: Neighbor) {
        if neighbor.distance <= self.threshold {
            self.kept.push(neighbor);
            if self.kept.len() >= self.limit {
                self.compact();
            }
        }
    }

    /// Compacts the buffer to each document's nearest vector, and of these to the `k` nearest.
    fn compact(&mut self) {
        let Self { k, kept, ties, .. } = self;
        kept.sort_by(|left, right| order(left, right, *ties));
        let mut seen = HashSet::with_capacity((*k).min(kept.len()));
        kept.retain(|neighbor| seen.len() < *k && seen.insert(neighbor.doc));
        if let (Some(worst), true) = (self.kept.last(), self.kept.len() >= self.k) {
            self.threshold = worst.distance;
        }
    }

    /// The kept documents, nearest first.
    pub fn into_sorted(mut self) -> Vec<Neighbor> {
        self.compact();
        self.kept
    }
}

fn limit(k: usize) -> usize {
    k.saturating_mul(2).saturating_add(64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DocId;

    #[test]
    fn top_docs_equals_sorting_everything() {
        let ties = |left: DocId, right: DocId| right.cmp(&left);
        let mut state = 7u64;
        for (k, docs) in [(0, 10), (1, 10), (3, 2), (10, 40), (10, 5_000), (500, 100)] {
            let all: Vec<Neighbor> = (0..3_000)
                .map(|ordinal| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
                    let doc = (state >> 33) as u32 % docs;
                    Neighbor { distance: (state >> 55) as f32, ordinal, doc }
                })
                .collect();
            let mut top = TopDocs::new(k, &ties);
            all.iter().for_each(|neighbor| top.offer(*neighbor));
            let mut expected = all.clone();
            expected.sort_by(|left, right| order(left, right, &ties));
            let mut seen = HashSet::new();
            expected.retain(|neighbor| seen.insert(neighbor.doc));
            expected.truncate(k);
            assert_eq!(top.into_sorted(), expected);
        }
    }
}
