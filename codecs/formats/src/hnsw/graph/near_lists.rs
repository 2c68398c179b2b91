//! For each node the nearest others that any comparison has found.

use super::NO_NODE;
use super::rows::Rows;
use super::scratch::Key;
use lucerne_codec::{Directory, Ordinal, Result};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Threads that change lists of different nodes seldom wait for each other.
const LOCKS: usize = 1_024;

/// Lists of the same greatest length.
pub(super) struct NearLists {
    most: usize,
    /// Nearest first, then [`NO_NODE`].
    nodes: Rows<AtomicU32>,
    /// Bits of the distances.
    distances: Rows<AtomicU32>,
    /// For the nodes of the same remainder.
    locks: Vec<Mutex<()>>,
}

impl NearLists {
    /// Empty lists of at most `most` others for `len` nodes; in files when a directory for them is given.
    pub(super) fn new(len: usize, most: usize, files: Option<&dyn Directory>) -> Result<Self> {
        let words = len * most;
        let (nodes, distances) = (Rows::filled(NO_NODE, words, files)?, Rows::filled(0, words, files)?);
        Ok(Self { most, nodes, distances, locks: (0..LOCKS).map(|_| Mutex::default()).collect() })
    }

    fn words(&self, node: Ordinal) -> impl DoubleEndedIterator<Item = (&AtomicU32, &AtomicU32)> {
        let start = node as usize * self.most;
        let range = start..start + self.most;
        let (nodes, distances) = (self.nodes.get(range.clone()), self.distances.get(range));
        nodes.unwrap_or_default().iter().zip(distances.unwrap_or_default())
    }

    /// The list of a node, nearest first.
    pub(super) fn get(&self, node: Ordinal) -> impl Iterator<Item = (Ordinal, f32)> {
        let words = self.words(node);
        words
            .map(|(node, distance)| (node.load(Relaxed), f32::from_bits(distance.load(Relaxed))))
            .take_while(|&(node, _)| node != NO_NODE)
    }

    /// The greatest distance at which another would come into a node's list.
    pub(super) fn bound(&self, node: Ordinal) -> f32 {
        let _lock = self.locks.get(node as usize % LOCKS).map(Mutex::lock);
        self.last(node)
    }

    fn last(&self, node: Ordinal) -> f32 {
        match self.words(node).next_back() {
            Some((node, distance)) if node.load(Relaxed) != NO_NODE => f32::from_bits(distance.load(Relaxed)),
            _ => f32::INFINITY,
        }
    }

    /// Adds `keys`, sorted, to the list of a node; `merged` is memory. What the list is in the end does not depend on the order of
    /// calls.
    pub(super) fn add(&self, node: Ordinal, keys: &[Key], merged: &mut Vec<Key>) {
        let _lock = self.locks.get(node as usize % LOCKS).map(Mutex::lock);
        let bound = self.last(node);
        let keys = keys.get(..keys.partition_point(|key| key.distance() <= bound)).unwrap_or_default();
        if keys.is_empty() {
            return;
        }
        merged.clear();
        merged.extend(self.get(node).map(|(node, distance)| Key::new(distance, node)));
        for &key in keys {
            // A pair that is in several leaves has the same distance in each.
            if let Err(at) = merged.binary_search(&key)
                && at < self.most
            {
                merged.truncate(self.most - 1);
                merged.insert(at, key);
            }
        }
        for ((node, distance), key) in self.words(node).zip(&*merged) {
            distance.store(key.distance().to_bits(), Relaxed);
            node.store(key.node(), Relaxed);
        }
    }
}
