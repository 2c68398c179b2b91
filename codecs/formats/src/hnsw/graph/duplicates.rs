//! Vectors the scorer cannot tell apart.
//!
//! Thousands of identical vectors break the construction of a proximity graph: they fill every list of
//! candidates and every row with each other, and what lies behind them is cut off. So only the first of them,
//! the *representative*, takes part in the construction. At the end the others are hung under it as a tree
//! whose inner nodes have few children, each with the representative's links in the rest of its row: it is
//! at the same place, so they are the right ones.

use super::{Graph, NO_NODE, Ordinal};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Who represents whom.
#[derive(Debug)]
pub(super) struct Duplicates {
    /// The representative of each node, itself when it is nobody's duplicate.
    representative: Vec<AtomicU32>,
}

impl Duplicates {
    pub(super) fn new(len: usize) -> Self {
        Self { representative: (0..len as u32).map(AtomicU32::new).collect() }
    }

    /// The node that represents `node`.
    pub(super) fn of(&self, node: Ordinal) -> Ordinal {
        let mut node = node;
        while let Some(next) = self.representative.get(node as usize) {
            let next = next.load(Relaxed);
            if next == node {
                break;
            }
            node = next;
        }
        node
    }

    pub(super) fn is_duplicate(&self, node: Ordinal) -> bool {
        self.of(node) != node
    }

    /// Makes `node`, which represents nobody that is linked, a duplicate of the representative `of`.
    pub(super) fn set(&self, node: Ordinal, of: Ordinal) {
        if let (Some(slot), true) = (self.representative.get(node as usize), node != of) {
            slot.store(of, Relaxed);
        }
    }

    /// Hangs all duplicates under their representatives.
    pub(super) fn hang(&self, graph: &mut Graph) {
        let mut pairs: Vec<(Ordinal, Ordinal)> = (0..graph.len() as u32)
            .map(|node| (self.of(node), node))
            .filter(|(of, node)| of != node)
            .collect();
        pairs.sort_unstable();
        for group in pairs.chunk_by(|left, right| left.0 == right.0) {
            if let Some(&(first, _)) = group.first() {
                hang_group(graph, first, group);
            }
        }
    }
}

fn hang_group(graph: &mut Graph, first: Ordinal, group: &[(Ordinal, Ordinal)]) {
    let stride = graph.stride(0);
    // Half of the links a node has on upper levels: few enough to cost the representative little.
    let children = (graph.m() / 2).max(1);
    // A link that leads into the group would be there twice.
    let links = graph.neighbors(0, first).iter().copied();
    let links: Vec<u32> = links.filter(|link| group.binary_search(&(first, *link)).is_err()).collect();
    let child_nodes = |index: usize| {
        let from = (index * children).min(group.len());
        let to = (from + children).min(group.len());
        group.get(from..to).unwrap_or_default().iter().map(|&(_, node)| node)
    };
    let kept = links.iter().copied();
    graph.set_row(0, first, child_nodes(0).chain(kept.clone()).take(stride));
    for (index, &(_, node)) in group.iter().enumerate() {
        // Number `index + 1` of the tree in breadth-first order; the representative is number 0.
        let parent = match index / children {
            0 => first,
            above => group.get(above - 1).map_or(NO_NODE, |&(_, node)| node),
        };
        let row = child_nodes(index + 1).chain([parent]).chain(kept.clone());
        graph.set_row(0, node, row.take(stride));
    }
}
