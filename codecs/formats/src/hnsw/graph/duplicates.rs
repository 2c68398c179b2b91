//! Vectors that no distance can tell apart.
//!
//! Thousands of identical vectors break the construction of a proximity graph: they fill every list of
//! candidates and every row with each other, and what lies behind them is cut off. So only the first of them,
//! the *representative*, takes part in the construction. At the end the others are attached to it as a tree
//! whose inner nodes have few children, each with the representative's links in the rest of its row: it is
//! at the same place, so they are the right ones.

use super::{Graph, GraphView, NO_NODE, max_links};
use lucerne_codec::Ordinal;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The representative of each vector.
#[derive(Debug)]
pub(super) struct Duplicates {
    /// By node; itself when it is nobody's duplicate. To be followed to its end.
    representatives: Vec<AtomicU32>,
}

impl Duplicates {
    pub(super) fn new(len: usize) -> Self {
        Self { representatives: (0..len as u32).map(AtomicU32::new).collect() }
    }

    /// The node that represents `node`.
    pub(super) fn representative(&self, node: Ordinal) -> Ordinal {
        let mut node = node;
        while let Some(next) = self.representatives.get(node as usize) {
            let next = next.load(Relaxed);
            if next == node {
                break;
            }
            node = next;
        }
        node
    }

    pub(super) fn is_duplicate(&self, node: Ordinal) -> bool {
        self.representative(node) != node
    }

    /// Makes `node`, which represents nobody that is linked, a duplicate of `representative`.
    pub(super) fn set(&self, node: Ordinal, representative: Ordinal) {
        if let (Some(slot), true) = (self.representatives.get(node as usize), node != representative) {
            slot.store(representative, Relaxed);
        }
    }

    /// Attaches all duplicates to their representatives.
    pub(super) fn attach(&self, graph: &mut Graph) {
        let mut pairs: Vec<(Ordinal, Ordinal)> = (0..graph.len() as u32)
            .map(|node| (self.representative(node), node))
            .filter(|(representative, node)| representative != node)
            .collect();
        pairs.sort_unstable();
        for group in pairs.chunk_by(|left, right| left.0 == right.0) {
            if let Some(&(first, _)) = group.first() {
                attach_group(graph, first, group);
            }
        }
    }
}

fn attach_group(graph: &mut Graph, first: Ordinal, group: &[(Ordinal, Ordinal)]) {
    let row_len = max_links(graph.m(), 0);
    // Half of the links a node has on upper levels: few enough to cost the representative little.
    let children = (graph.m() / 2).max(1);
    // A link that leads into the group would be there twice.
    let links = graph.links(0, first).iter().copied();
    let links: Vec<u32> = links.filter(|link| group.binary_search(&(first, *link)).is_err()).collect();
    let child_nodes = |index: usize| {
        let from = (index * children).min(group.len());
        let to = (from + children).min(group.len());
        group.get(from..to).unwrap_or_default().iter().map(|&(_, node)| node)
    };
    let kept = links.iter().copied();
    graph.set_row(0, first, child_nodes(0).chain(kept.clone()).take(row_len));
    for (index, &(_, node)) in group.iter().enumerate() {
        // Number `index + 1` of the tree in breadth-first order; the representative is number 0.
        let parent = match index / children {
            0 => first,
            above => group.get(above - 1).map_or(NO_NODE, |&(_, node)| node),
        };
        let row = child_nodes(index + 1).chain([parent]).chain(kept.clone());
        graph.set_row(0, node, row.take(row_len));
    }
}
