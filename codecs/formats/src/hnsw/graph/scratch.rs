//! Reusable memory of one search.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A node and its distance as one integer that orders by distance, then by node: comparing it is one
/// instruction, and ties are decided the same way everywhere. The lowest bit is free for [`Pool`]; a node has
/// 31 bits ([`super::MAX_NODES`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

impl Key {
    #[inline]
    pub(super) fn new(distance: f32, node: u32) -> Self {
        // The order of `f32::total_cmp` as an unsigned integer. Adding zero turns −0 into 0.
        let bits = (distance + 0.0).to_bits();
        let flip = ((bits as i32 >> 31) as u32) | 0x8000_0000;
        Self(u64::from(bits ^ flip) << 32 | u64::from(node << 1))
    }

    #[inline]
    pub(super) fn node(self) -> u32 {
        self.0 as u32 >> 1
    }

    #[inline]
    pub(super) fn distance(self) -> f32 {
        let ordered = (self.0 >> 32) as u32;
        let flip = if ordered >> 31 == 1 { 0x8000_0000 } else { u32::MAX };
        f32::from_bits(ordered ^ flip)
    }
}

/// The nodes a search has seen: one bit each, so that a million nodes fit into a core's cache, cleared by
/// walking over the seen nodes, which costs nothing next to having scored them.
#[derive(Debug, Default)]
pub(super) struct Visited {
    words: Vec<u64>,
    seen: Vec<u32>,
}

impl Visited {
    /// Forgets everything and makes room for `len` nodes.
    pub(super) fn reset(&mut self, len: usize) {
        for &node in &self.seen {
            if let Some(word) = self.words.get_mut(node as usize / 64) {
                *word = 0;
            }
        }
        self.seen.clear();
        let words = len.div_ceil(64);
        if self.words.len() < words {
            self.words.resize(words, 0);
        }
    }

    /// True the first time a node is seen. False beyond the length.
    #[inline]
    pub(super) fn insert(&mut self, node: u32) -> bool {
        match self.words.get_mut(node as usize / 64) {
            Some(word) if *word >> (node % 64) & 1 == 0 => {
                *word |= 1 << (node % 64);
                self.seen.push(node);
                true
            }
            _ => false,
        }
    }

    /// Puts the nodes of `row` that are seen the first time into `fresh` (which is cleared first), without a branch
    /// that nobody could predict. Ignores those beyond the length.
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
        self.seen.extend_from_slice(fresh);
    }

    /// True when the node was seen.
    #[inline]
    pub(super) fn contains(&self, node: u32) -> bool {
        self.words.get(node as usize / 64).is_some_and(|word| word >> (node % 64) & 1 == 1)
    }
}

/// The nearest nodes seen, sorted, each marked once its links were followed: candidates and results in one
/// list, as in NSG (arXiv 1707.00143) and Vamana.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// Keys; the lowest bit is set where the links were followed.
    entries: Vec<u64>,
    /// Entries kept.
    limit: usize,
    /// Only the links of this many nearest entries are followed.
    width: usize,
    /// Everything before it is followed.
    cursor: usize,
}

/// The bit of an entry whose links were followed.
const FOLLOWED: u64 = 1;

impl Pool {
    /// Follows the links of the `width` nearest and keeps `limit`, at least as many.
    pub(super) fn reset(&mut self, width: usize, limit: usize) {
        self.entries.clear();
        self.width = width.max(1);
        self.limit = limit.max(self.width);
        self.cursor = 0;
    }

    /// Adds a node that was not offered before, unless `limit` nearer ones are known. The place it was given.
    #[inline]
    pub(super) fn offer(&mut self, Key(key): Key) -> Option<usize> {
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

    /// The nearest node whose links were not followed, which it marks as followed.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Key> {
        while self.cursor < self.width
            && let Some(entry) = self.entries.get_mut(self.cursor)
        {
            self.cursor += 1;
            if *entry & FOLLOWED == 0 {
                let key = Key(*entry);
                *entry |= FOLLOWED;
                return Some(key);
            }
        }
        None
    }

    /// Entries kept at most.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// True when no more are kept.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= self.limit
    }

    pub(super) fn keys(&self) -> impl ExactSizeIterator<Item = Key> + '_ {
        self.entries.iter().map(|entry| Key(entry & !FOLLOWED))
    }
}

/// Candidates and results apart, for searches that may not return everything they walk through.
#[derive(Debug, Default)]
pub(super) struct Heaps {
    frontier: BinaryHeap<Reverse<Key>>,
    results: BinaryHeap<Key>,
    limit: usize,
}

impl Heaps {
    pub(super) fn reset(&mut self, limit: usize) {
        self.frontier.clear();
        self.results.clear();
        self.limit = limit.max(1);
    }

    #[inline]
    pub(super) fn offer(&mut self, key: Key, accepted: bool) {
        if self.is_full() && self.results.peek().is_some_and(|worst| *worst < key) {
            return;
        }
        self.frontier.push(Reverse(key));
        if accepted {
            self.results.push(key);
            if self.results.len() > self.limit {
                self.results.pop();
            }
        }
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<Key> {
        let Reverse(key) = self.frontier.pop()?;
        let done = self.is_full() && self.results.peek().is_some_and(|worst| *worst < key);
        (!done).then_some(key)
    }

    pub(super) fn is_full(&self) -> bool {
        self.results.len() >= self.limit
    }

    pub(super) fn drain_sorted(&mut self, into: &mut Vec<(f32, u32)>) {
        let start = into.len();
        while let Some(key) = self.results.pop() {
            into.push((key.distance(), key.node()));
        }
        if let Some(added) = into.get_mut(start..) {
            added.reverse();
        }
    }
}

/// Reusable memory of searches: keep one for each thread. It grows with the largest graph searched.
#[derive(Debug, Default)]
pub struct SearchScratch {
    pub(super) visited: Visited,
    pub(super) pool: Pool,
    /// Distances of the nodes that the last walk that filled `pool` has visited.
    pub(super) known: Vec<f32>,
    pub(super) heaps: Heaps,
    /// Positions a walk starts from.
    pub(super) starts: Vec<u32>,
    /// The links at hand.
    pub(super) row: Vec<u32>,
    /// The links of a node that is looked through.
    pub(super) links: Vec<u32>,
    /// Positions to score, their ordinals, and their distances.
    pub(super) fresh: Vec<u32>,
    pub(super) ordinals: Vec<u32>,
    pub(super) distances: Vec<f32>,
}

impl SearchScratch {
    /// Nothing is allocated before the first search.
    pub fn new() -> Self {
        Self::default()
    }
}
