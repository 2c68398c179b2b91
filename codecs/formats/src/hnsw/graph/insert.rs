//! Insertion of one node (algorithm 1 of the HNSW paper), and a graph from nothing.

use super::builder::GraphBuilder;
use super::connectivity::connect_unreachable;
use super::duplicates::Duplicates;
use super::memory::level_of;
use super::mend::mend;
use super::parallel::{Steps, each};
use super::scratch::SearchScratch;
use super::search::GraphSearcher;
use super::select::{KnownDistances, Link, LinkLimits};
use super::separation::Separations;
use super::worker::{Worker, workers};
use super::{BuildParams, Graph, GraphView, MAX_NODES, NodeAt};
use crate::distance::{DistanceComputer, GraphVectors};
use lucerne_codec::{Cancel, Error, Ordinal, Progress, Result};

/// Nearest candidates that are looked at for a duplicate of the new node.
const DUPLICATE_CHECKS: usize = 4;

/// An insertion that has expanded so many nodes in vain before it came nearer makes its node a suspect: a search that looks
/// for it with fewer candidates may end there (`docs/measurements/graph-reach.md`).
const LONG_DETOUR: usize = 12;

/// Nodes inserted by one thread before others start: nodes inserted at the same time do not see each
/// other, which only matters while they are a large part of the graph.
const FIRST_BY_ONE_THREAD: usize = 512;

/// Builds a graph over all vectors.
pub fn build(
    params: &BuildParams,
    vectors: &dyn GraphVectors,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<Graph> {
    check(params, vectors)?;
    let len = vectors.len();
    let highest: Vec<u8> = (0..len as u32).map(|node| level_of(params.seed, node, params.m) as u8).collect();
    let builder = GraphBuilder::new(&highest, params, Separations::new(vectors, cancel)?, None);
    let duplicates = Duplicates::new(len);
    let steps = Steps::new(progress, len);
    let mut workers = workers(params, vectors);
    let entry_point = builder.top();
    let entry_node = builder.graph().node(entry_point.level, entry_point.position);
    let order = insertion_order(&highest, entry_node);
    let inserter = Inserter {
        builder: &builder,
        duplicates: &duplicates,
        highest: &highest,
        entry_point,
        beam_width: params.beam_width,
        cancel,
    };
    inserter.insert_all(&order, &mut workers, &steps)?;
    finish(builder, vectors, &duplicates, &mut workers, cancel, &steps)
}

/// Refuses parameters no graph can be built with.
pub(super) fn check(params: &BuildParams, vectors: &dyn GraphVectors) -> Result<()> {
    if params.m < 2 || params.m > 4_096 || params.beam_width == 0 {
        return Err(Error::Invalid(format!(
            "m {} and beam width {}: expected 2 to 4096 and at least 1",
            params.m, params.beam_width
        )));
    }
    if vectors.len() > MAX_NODES {
        return Err(Error::Invalid(format!("{} vectors: too many for a graph", vectors.len())));
    }
    Ok(())
}

/// The nodes of high levels first, otherwise in order. So the entry point never changes, the upper levels are
/// complete before most nodes need them, and a level-0 graph of evenly spread nodes is there before the rest
/// arrives in what may be a very uneven order.
fn insertion_order(highest: &[u8], entry_node: Ordinal) -> Vec<Ordinal> {
    let mut order: Vec<Ordinal> = (0..highest.len() as u32).filter(|&node| node != entry_node).collect();
    order.sort_by_key(|&node| std::cmp::Reverse(highest.get(node as usize).copied()));
    order
}

/// Finishes the graph, adds the duplicates, and proves that every node can be reached and is found.
pub(super) fn finish(
    builder: GraphBuilder,
    vectors: &dyn GraphVectors,
    duplicates: &Duplicates,
    workers: &mut [Worker<'_>],
    cancel: &Cancel,
    steps: &Steps<'_>,
) -> Result<Graph> {
    let (mut graph, separations) = builder.finish();
    duplicates.attach(&mut graph);
    let tree = connect_unreachable(&mut graph, vectors, &separations, cancel)?;
    // By inner product a vector need not be its own nearest.
    if !vectors.are_inner_products() {
        let is_duplicate = |node| duplicates.is_duplicate(node);
        let self_search = mend(&mut graph, &tree, is_duplicate, workers, cancel)?;
        graph.set_self_search(self_search);
    }
    steps.finish();
    Ok(graph)
}

/// Where the search for a new node's neighbors starts.
#[derive(Clone, Copy)]
enum Start<'a> {
    /// At the entry point of the graph, with `beam_width` candidates.
    EntryPoint,
    /// At these positions of level 0, expanding `ef` candidates.
    Near { entry_points: &'a [u32], ef: usize },
}

/// What all insertions share.
pub(super) struct Inserter<'a> {
    pub(super) builder: &'a GraphBuilder,
    pub(super) duplicates: &'a Duplicates,
    /// Each node's highest level.
    pub(super) highest: &'a [u8],
    /// Where searches start.
    pub(super) entry_point: NodeAt,
    pub(super) beam_width: usize,
    pub(super) cancel: &'a Cancel,
}

impl Inserter<'_> {
    /// The highest level of a node.
    pub(super) fn highest(&self, node: Ordinal) -> usize {
        self.highest.get(node as usize).copied().unwrap_or(0).into()
    }

    /// Inserts nodes in this order.
    pub(super) fn insert_all(
        &self,
        order: &[Ordinal],
        workers: &mut [Worker<'_>],
        steps: &Steps<'_>,
    ) -> Result<()> {
        let insert = |worker: &mut Worker<'_>, &node: &Ordinal| self.insert(node, worker);
        let (first, rest) = order.split_at(order.len().min(FIRST_BY_ONE_THREAD));
        each(first, workers.get_mut(..1).unwrap_or_default(), self.cancel, Some(steps), insert)?;
        each(rest, workers, self.cancel, Some(steps), insert)
    }

    /// Inserts a node, searching for its neighbors from the entry point.
    pub(super) fn insert(&self, node: Ordinal, worker: &mut Worker<'_>) -> Result<()> {
        let top = self.highest(node).min(self.entry_point.level);
        self.insert_from(Start::EntryPoint, node, top, worker)
    }

    /// Inserts a node that belongs to level 0 only, searching for its neighbors near these nodes with `ef` candidates.
    pub(super) fn insert_near(
        &self,
        node: Ordinal,
        entry_points: &[Ordinal],
        ef: usize,
        worker: &mut Worker<'_>,
    ) -> Result<()> {
        self.insert_from(Start::Near { entry_points, ef }, node, 0, worker)
    }

    fn insert_from(
        &self,
        start: Start<'_>,
        node: Ordinal,
        top: usize,
        worker: &mut Worker<'_>,
    ) -> Result<()> {
        let Worker { query, scratch, candidates, .. } = &mut *worker;
        query.set_query(node);
        match query.traversal() {
            Some(distances) => {
                self.find_candidates(start, top, distances, scratch, candidates)?;
                self.rescore(&mut **query, scratch, candidates);
            }
            None => self.find_candidates(start, top, &mut **query, scratch, candidates)?,
        }
        if worker.scratch.longest_detour >= LONG_DETOUR {
            worker.detoured.push(node);
        }
        match self.find_duplicate(node, worker) {
            Some(representative) => self.duplicates.set(node, representative),
            None => self.link(node, top, worker),
        }
        Ok(())
    }

    /// Searches the levels from `top` down to 0 for `candidates`.
    fn find_candidates<D: DistanceComputer + ?Sized>(
        &self,
        start: Start<'_>,
        top: usize,
        distances: &mut D,
        scratch: &mut SearchScratch,
        candidates: &mut Vec<Vec<Link>>,
    ) -> Result<()> {
        let graph = self.builder.graph();
        let mut searcher = GraphSearcher { graph, distances, scratch, cancel: self.cancel };
        let (mut entry_points, ef) = match start {
            Start::EntryPoint => {
                let (nearest, _) = searcher.greedy_descent(self.entry_point, top)?;
                (vec![nearest], self.beam_width)
            }
            Start::Near { entry_points, ef } => (entry_points.to_vec(), ef),
        };
        candidates.resize_with(top + 1, Vec::new);
        for (level, candidates) in candidates.iter_mut().enumerate().rev() {
            if level == 0 {
                // Duplicates have no links yet.
                entry_points.iter_mut().for_each(|node| *node = self.duplicates.representative(*node));
            }
            searcher.scratch.visited.reset(graph.level_len(level));
            searcher.scratch.queue.reset(ef, self.beam_width);
            searcher.search_layer(level, &entry_points)?;
            candidates.clear();
            let found = searcher.scratch.queue.keys();
            candidates.extend(found.map(|key| Link::new(key.node(), key.distance())));
            if level > 0 {
                entry_points.clear();
                entry_points.extend(candidates.iter().map(|link| graph.below(level, link.position)));
            }
        }
        Ok(())
    }

    /// Replaces the distances of the candidates that a traversal has found by those of `query`.
    fn rescore(
        &self,
        query: &mut dyn DistanceComputer,
        scratch: &mut SearchScratch,
        candidates: &mut [Vec<Link>],
    ) {
        let SearchScratch { scored, known, .. } = scratch;
        for (level, links) in candidates.iter_mut().enumerate() {
            let nodes = links.iter().map(|link| self.builder.graph().node(level, link.position));
            let distances = scored.compute(query, nodes);
            for (link, &distance) in links.iter_mut().zip(distances) {
                link.distance = distance;
                if level == 0
                    && let Some(known) = known.get_mut(link.position as usize)
                {
                    *known = distance;
                }
            }
            links.sort_unstable_by_key(Link::key);
        }
    }

    /// The representative of a vector that no distance can tell from `node`: their distance is that of either to itself.
    /// (Distance 0 would not do: an inner product has no such thing, and a cosine misses it by rounding.)
    fn find_duplicate(&self, node: Ordinal, worker: &mut Worker<'_>) -> Option<Ordinal> {
        let Worker { query, candidates, selector, .. } = worker;
        let nearest = candidates.first()?;
        let mut own = [0.0];
        query.gather(&[node], &mut own);
        let [own] = own;
        nearest
            .iter()
            .take(DUPLICATE_CHECKS)
            .take_while(|link| link.distance <= own)
            .map(|link| link.position)
            .find(|&other| selector.self_distance(other) == own && other != node)
            .map(|other| self.duplicates.representative(other))
    }

    /// Links the node with neighbors selected among the candidates, and these with the node, on the levels up to `top`.
    fn link(&self, node: Ordinal, top: usize, worker: &mut Worker<'_>) {
        let Worker { query, scratch, selector, candidates, links, .. } = worker;
        let known = KnownDistances { visited: &scratch.visited, distances: &scratch.known };
        for (level, candidates) in candidates.iter_mut().enumerate().take(top + 1) {
            let Some(position) = self.builder.graph().position(level, node) else {
                continue;
            };
            candidates.retain(|link| link.position != position);
            let limits = LinkLimits::of(self.builder.graph().m(), level);
            let ordinal = |position| self.builder.graph().node(level, position);
            let separations = self.builder.separations();
            selector.select(node, candidates, limits, separations, ordinal, |selected, occluded| {
                if level == 0 {
                    self.builder.mark_occluded(node, selected, known, occluded);
                }
            });
            links.clear();
            links.extend_from_slice(selector.selected());
            self.builder.add_links(level, position, links, selector);
            for link in links.iter() {
                let back = Link::new(position, link.distance);
                match level {
                    0 => self.builder.add_backlink(link.position, back, selector, known, &mut **query),
                    _ => self.builder.add_links(level, link.position, &[back], selector),
                }
            }
        }
    }
}
