//! What can be reached from the entry point: reachability, proven and enforced; nodes in breadth-first order.
//!
//! Pruned links leave nodes that nothing links to: up to 3.7 % were measured in Lucene's graphs
//! (apache/lucene#12627), and a vector that cannot be found is a wrong answer no beam width repairs.

use super::scratch::{Key, SearchScratch};
use super::search::{GraphSearcher, entry_point};
use super::separation::{SeparationComputer, Separations};
use super::{Graph, GraphView, NO_NODE, NodeAt};
use crate::distance::{DistanceComputer, GraphVectors};
use lucerne_codec::{Cancel, Ordinal, Result};

/// The nodes that cannot be reached from the entry point on level 0, in order of ordinal.
pub fn unreachable<G: GraphView + ?Sized>(graph: &G) -> Result<Vec<Ordinal>> {
    if graph.is_empty() {
        return Ok(Vec::new());
    }
    let mut tree = Tree::new(graph.len());
    tree.grow(graph, entry_point(graph)?, NO_NODE)?;
    Ok(tree.unreached())
}

/// A tree of links from the entry point to every node it reaches.
pub(super) struct Tree {
    /// Each node's parent; [`NO_NODE`] for the root and for nodes not reached.
    parent: Vec<u32>,
    reached: Vec<bool>,
    queue: Vec<u32>,
    row: Vec<u32>,
}

impl Tree {
    fn new(len: usize) -> Self {
        Self { parent: vec![NO_NODE; len], reached: vec![false; len], queue: Vec::new(), row: Vec::new() }
    }

    fn reaches(&self, node: Ordinal) -> bool {
        self.reached.get(node as usize).copied().unwrap_or(false)
    }

    /// Whether the link from `parent` to `child` is one of the tree.
    pub(super) fn is_parent(&self, parent: Ordinal, child: Ordinal) -> bool {
        self.parent.get(child as usize).is_some_and(|&of| of == parent)
    }

    /// Adds `node` under `parent`, and all that can be reached from it and was not before.
    fn grow<G: GraphView + ?Sized>(&mut self, graph: &G, node: Ordinal, parent: Ordinal) -> Result<()> {
        self.add(node, parent);
        let mut row = std::mem::take(&mut self.row);
        while let Some(node) = self.queue.pop() {
            graph.neighbors(0, node, &mut row);
            for &link in &row {
                if link as usize >= graph.len() {
                    return Err(graph.corrupt(format!("level 0: node {node} is linked to {link}")));
                }
                self.add(link, node);
            }
        }
        self.row = row;
        Ok(())
    }

    fn add(&mut self, node: Ordinal, parent: Ordinal) {
        if let (Some(reached @ false), Some(of)) =
            (self.reached.get_mut(node as usize), self.parent.get_mut(node as usize))
        {
            *reached = true;
            *of = parent;
            self.queue.push(node);
        }
    }

    fn unreached(&self) -> Vec<Ordinal> {
        let nodes = (0..NO_NODE).zip(&self.reached);
        nodes.filter_map(|(node, reached)| (!reached).then_some(node)).collect()
    }
}

/// Links every node that cannot be reached from the nearest node that can and has room, of those that a search finds. If
/// none has, the nearest gives up its farthest link that is not part of the tree by which other nodes are reached, so
/// nothing is lost by it. Returns the tree.
///
/// What is nearest is told by separations: by inner product it would be the few longest vectors for all nodes, and their
/// rows, which every search comes by, would be lost to thousands of links that no search wants.
pub(super) fn connect_unreachable(
    graph: &mut Graph,
    vectors: &dyn GraphVectors,
    separations: &Separations,
    cancel: &Cancel,
) -> Result<Tree> {
    let mut tree = Tree::new(graph.len());
    if graph.is_empty() {
        return Ok(tree);
    }
    tree.grow(graph, entry_point(graph)?, NO_NODE)?;
    let mut scratch = SearchScratch::new();
    let mut query = vectors.computer();
    for node in tree.unreached() {
        if tree.reaches(node) {
            continue;
        }
        cancel.check()?;
        let mut distances = SeparationComputer::new(separations, node, &mut *query);
        let searcher =
            GraphSearcher { graph: &*graph, distances: &mut distances, scratch: &mut scratch, cancel };
        let nearest = nearest(searcher)?;
        let has_room = |parent: &&Ordinal| free_slot(graph, **parent).is_some();
        // Somewhere there is room: a tree has fewer links than there are nodes, and a node has four words.
        let parent = nearest
            .iter()
            .filter(has_room)
            .chain(&nearest)
            .copied()
            .chain(0..graph.len() as u32)
            .filter(|&parent| tree.reaches(parent))
            .find_map(|parent| Some((parent, slot_for_child(graph, &tree, parent)?)));
        if let Some((parent, slot)) = parent {
            if let Some(slot) = graph.row_mut(0, parent).get_mut(slot) {
                *slot = node;
            }
            tree.grow(graph, node, parent)?;
        }
    }
    Ok(tree)
}

/// The nodes that a search finds, nearest first: being found, they can be reached.
fn nearest<D: DistanceComputer + ?Sized>(mut searcher: GraphSearcher<'_, Graph, D>) -> Result<Vec<Ordinal>> {
    let graph = searcher.graph;
    let top = NodeAt { level: graph.level_count().saturating_sub(1), position: 0 };
    let (nearest, _) = searcher.greedy_descent(top, 0)?;
    searcher.scratch.visited.reset(graph.len());
    searcher.scratch.queue.reset(graph.beam_width(), graph.beam_width());
    searcher.search_layer(0, &[nearest, entry_point(graph)?])?;
    Ok(searcher.scratch.queue.keys().map(Key::node).collect())
}

fn free_slot(graph: &Graph, node: Ordinal) -> Option<usize> {
    graph.row(0, node).iter().position(|&link| link == NO_NODE)
}

/// Where in the row of `parent` a link to a child can go.
fn slot_for_child(graph: &Graph, tree: &Tree, parent: Ordinal) -> Option<usize> {
    let spare = || graph.row(0, parent).iter().rposition(|&link| !tree.is_parent(parent, link));
    free_slot(graph, parent).or_else(spare)
}

/// The nodes in breadth-first order over level 0 from the entry point, the nearest links first; then those not reached, in
/// order: `order[new] = old`. Linked nodes stand near each other in it, so that the vectors a search compares share pages
/// and cache lines. Depends on the graph only.
pub fn bfs_order<G: GraphView + ?Sized>(graph: &G) -> Result<Vec<Ordinal>> {
    let len = graph.len();
    let mut order: Vec<Ordinal> = Vec::with_capacity(len);
    let mut visited = vec![false; len];
    let mut visit = |node: Ordinal, order: &mut Vec<Ordinal>| {
        if let Some(visited @ false) = visited.get_mut(node as usize) {
            *visited = true;
            order.push(node);
        }
    };
    let mut row = Vec::new();
    let root = if len == 0 { None } else { Some(entry_point(graph)?) };
    let mut next = 0;
    for root in root.into_iter().chain(0..len as u32) {
        visit(root, &mut order);
        while let Some(&node) = order.get(next) {
            next += 1;
            graph.neighbors(0, node, &mut row);
            for &link in &row {
                if link as usize >= len {
                    return Err(graph.corrupt(format!("level 0: node {node} is linked to {link}")));
                }
                visit(link, &mut order);
            }
        }
    }
    Ok(order)
}
