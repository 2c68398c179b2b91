//! Reusable memory of one search: the visited set, the queue of candidates, the heaps of a filtered search.

use crate::distance::DistanceComputer;
use lucerne_codec::{Ordinal, ordered};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A node and its distance as one integer that orders by distance, then by node: comparing it is one
/// instruction, and ties are decided the same way everywhere. The lowest bit is free for [`NeighborQueue`]; a
/// node has 31 bits ([`super::MAX_NODES`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

impl Key {
    #[inline]
    pub(super) fn new(distance: f32, node: u32) -> Self {
        // Adding zero turns −0 into 0.
        Self(u64::from(ordered::from_f32(distance + 0.0)) << 32 | u64::from(node << 1))
    }

    #[inline]
    pub(super) fn node(self) -> u32 {
        self.0 as u32 >> 1
    }

    #[inline]
    pub(super) fn distance(self) -> f32 {
        ordered::to_f32((self.0 >> 32) as u32)
    }
}

/// The visited set: one bit for each node, so that a million nodes fit into a core's cache. It is cleared node by node,
/// which costs nothing next to having computed their distances.
#[derive(Debug, Default)]
pub(super) struct Visited {
    words: Vec<u64>,
    nodes: Vec<u32>,
}

impl Visited {
    /// Forgets everything and makes room for `len` nodes.
    pub(super) fn reset(&mut self, len: usize) {
        for &node in &self.nodes {
            if let Some(word) = self.words.get_mut(node as usize / 64) {
                *word = 0;
            }
        }
        self.nodes.clear();
        let words = len.div_ceil(64);
        if self.words.len() < words {
            self.words.resize(words, 0);
        }
    }

    /// True the first time a node is inserted. False beyond the length.
    #[inline]
    pub(super) fn insert(&mut self, node: u32) -> bool {
        match self.words.get_mut(node as usize / 64) {
            Some(word) if *word >> (node % 64) & 1 == 0 => {
                *word |= 1 << (node % 64);
                self.nodes.push(node);
                true
            }
            _ => false,
        }
    }

    /// Inserts the nodes of `row` and puts those that were not visited into `fresh` (which is cleared first), without a
    /// branch that nobody could predict. Ignores those beyond the length.
    #[inline]
    pub(super) fn insert_all(&mut self, row: &[u32], fresh: &mut Vec<u32>) {
        fresh.clear();
        fresh.resize(row.len(), 0);
        let mut count = 0;
        for &node in row {
            if let (Some(word), Some(slot)) = (self.words.get_mut(node as usize / 64), fresh.get_mut(count)) {
                *slot = node;
                count += usize::from(*word >> (node % 64) & 1 == 0);
                *word |= 1 << (node % 64);
            }
        }
        fresh.truncate(count);
        self.nodes.extend_from_slice(fresh);
    }

    /// True when the node was visited.
    #[inline]
    pub(super) fn contains(&self, node: u32) -> bool {
        self.words.get(node as usize / 64).is_some_and(|word| word >> (node % 64) & 1 == 1)
    }
}

/// The nearest candidates, sorted, each marked once it is expanded (its neighbors visited): candidates and results in
/// one list, as in NSG (arXiv 1707.00143) and Vamana.
#[derive(Debug, Default)]
pub(super) struct NeighborQueue {
    /// Keys; the lowest bit is set where the candidate is expanded.
    entries: Vec<u64>,
    /// Entries kept.
    limit: usize,
    /// Only this many nearest entries are expanded.
    ef: usize,
    /// Everything before it is expanded.
    cursor: usize,
}

/// The bit of an expanded entry.
const EXPANDED: u64 = 1;

impl NeighborQueue {
    /// Empties it. It will expand the `ef` nearest and keep `limit`, at least as many.
    pub(super) fn reset(&mut self, ef: usize, limit: usize) {
        self.entries.clear();
        self.ef = ef.max(1);
        self.limit = limit.max(self.ef);
        self.cursor = 0;
    }

    /// Inserts a node that was not inserted before, unless `limit` nearer ones are known. Returns its rank.
    #[inline]
    pub(super) fn insert(&mut self, Key(key): Key) -> Option<usize> {
        let full = self.entries.len() >= self.limit;
        if full && self.entries.last().is_none_or(|&worst| worst < key) {
            return None;
        }
        let at = self.entries.partition_point(|&entry| entry < key);
        if full {
            // Everything from `at` on moves up, the worst is overwritten.
            let last = self.entries.len().saturating_sub(1);
            self.entries.copy_within(at..last, at + 1);
            if let Some(slot) = self.entries.get_mut(at) {
                *slot = key;
            }
        } else {
            self.entries.insert(at, key);
        }
        self.cursor = self.cursor.min(at);
        Some(at)
    }

    /// The nearest candidate that is not expanded, which it marks as expanded.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Key> {
        let rank = self.next_rank();
        let entry = self.entries.get_mut(rank).filter(|_| rank < self.ef)?;
        let key = Key(*entry);
        *entry |= EXPANDED;
        self.cursor = rank + 1;
        Some(key)
    }

    /// The rank of that candidate; beyond the last when all are expanded.
    #[inline]
    pub(super) fn next_rank(&mut self) -> usize {
        while self.entries.get(self.cursor).is_some_and(|entry| entry & EXPANDED != 0) {
            self.cursor += 1;
        }
        self.cursor
    }

    /// Puts the `count` nearest into `into` (which is cleared first).
    pub(super) fn nearest(&self, count: usize, into: &mut Vec<(f32, Ordinal)>) {
        into.clear();
        into.extend(self.keys().take(count).map(|key| (key.distance(), key.node())));
    }

    /// Entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when no more are kept.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= self.limit
    }

    /// The entries, nearest first.
    pub(super) fn keys(&self) -> impl ExactSizeIterator<Item = Key> + '_ {
        self.entries.iter().map(|entry| Key(entry & !EXPANDED))
    }
}

/// The candidate heap and the result heap of algorithm 2, for searches that may not return all they visit.
#[derive(Debug, Default)]
pub(super) struct SearchHeaps {
    /// To be expanded, nearest first.
    candidates: BinaryHeap<Reverse<Key>>,
    /// The `ef` nearest accepted, farthest first.
    results: BinaryHeap<Key>,
    ef: usize,
}

impl SearchHeaps {
    pub(super) fn reset(&mut self, ef: usize) {
        self.candidates.clear();
        self.results.clear();
        self.ef = ef.max(1);
    }

    #[inline]
    pub(super) fn insert(&mut self, key: Key, accepted: bool) {
        if self.is_full() && self.results.peek().is_some_and(|worst| *worst < key) {
            return;
        }
        self.candidates.push(Reverse(key));
        if accepted {
            self.results.push(key);
            if self.results.len() > self.ef {
                self.results.pop();
            }
        }
    }

    /// The nearest candidate; `None` when it is farther than all of `ef` results.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Key> {
        let Reverse(key) = self.candidates.pop()?;
        let done = self.is_full() && self.results.peek().is_some_and(|worst| *worst < key);
        (!done).then_some(key)
    }

    pub(super) fn is_full(&self) -> bool {
        self.results.len() >= self.ef
    }

    /// Moves the results to the end of `into`, nearest first.
    pub(super) fn drain_sorted(&mut self, into: &mut Vec<(f32, Ordinal)>) {
        let start = into.len();
        while let Some(key) = self.results.pop() {
            into.push((key.distance(), key.node()));
        }
        if let Some(added) = into.get_mut(start..) {
            added.reverse();
        }
    }
}

/// Nodes whose distances are computed in one call.
#[derive(Debug, Default)]
pub(super) struct Scored {
    pub(super) positions: Vec<u32>,
    /// Theirs, where positions are not ordinals: on the levels above 0.
    pub(super) ordinals: Vec<Ordinal>,
    distances: Vec<f32>,
}

impl Scored {
    /// Computes the distances of `positions`, which are on level 0. Returns how many they are.
    #[inline]
    pub(super) fn compute_positions<D: DistanceComputer + ?Sized>(&mut self, distances: &mut D) -> u64 {
        self.distances.clear();
        self.distances.resize(self.positions.len(), 0.0);
        distances.gather(&self.positions, &mut self.distances);
        self.positions.len() as u64
    }

    /// Computes the distances of these nodes.
    pub(super) fn compute<D: DistanceComputer + ?Sized>(
        &mut self,
        distances: &mut D,
        ordinals: impl Iterator<Item = Ordinal>,
    ) -> &[f32] {
        self.ordinals.clear();
        self.ordinals.extend(ordinals);
        self.compute_ordinals(distances)
    }

    /// Computes the distances of `ordinals`.
    pub(super) fn compute_ordinals<D: DistanceComputer + ?Sized>(&mut self, distances: &mut D) -> &[f32] {
        self.distances.clear();
        self.distances.resize(self.ordinals.len(), 0.0);
        distances.gather(&self.ordinals, &mut self.distances);
        &self.distances
    }

    /// `positions` with their distances.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, f32)> + '_ {
        self.positions.iter().copied().zip(self.distances.iter().copied())
    }
}

/// Reusable memory of searches: keep one for each thread. It grows with the largest graph searched.
#[derive(Debug, Default)]
pub struct SearchScratch {
    pub(super) visited: Visited,
    pub(super) queue: NeighborQueue,
    pub(super) heaps: SearchHeaps,
    /// By position, the distances of the nodes that the last search of a layer has visited.
    pub(super) known: Vec<f32>,
    /// Nodes that the last search of a layer has expanded in vain, at most, before it came nearer after all.
    pub(super) longest_detour: usize,
    /// Candidates that the last search of a layer has expanded, also those that it has not kept.
    pub(super) expanded: Vec<Key>,
    /// The links of the nodes being expanded, and of one of them.
    pub(super) row: Vec<u32>,
    pub(super) links: Vec<u32>,
    /// The nodes visited last.
    pub(super) scored: Scored,
    /// Linked nodes that a filter rejects.
    pub(super) rejected: Vec<u32>,
}

impl SearchScratch {
    /// Nothing is allocated before the first search.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets visited nodes and makes room for the distances of `len`.
    pub(super) fn reset_known(&mut self, len: usize) {
        self.visited.reset(len);
        if self.known.len() < len {
            self.known.resize(len, 0.0);
        }
    }
}
