//! Insertion (algorithm 1 of the HNSW paper).

use super::batch::{AddedLinks, batch_len, worth};
use super::builder::{BacklinkCheck, GraphBuilder};
use super::duplicates::Duplicates;
use super::parallel::{Steps, each};
use super::scratch::SearchScratch;
use super::search::GraphSearcher;
use super::select::{KnownDistances, Link, LinkLimits};
use super::worker::Worker;
use super::{GraphView, NO_NODE, NodeAt, Word};
use crate::distance::DistanceComputer;
use lucerne_codec::{Cancel, Ordinal, Result};
use parking_lot::Mutex;

/// Nearest candidates that are looked at for a duplicate of the new node.
const DUPLICATE_CHECKS: usize = 4;

/// An insertion that has expanded so many nodes in vain before it came nearer makes its node a suspect: a search that looks
/// for it with fewer candidates may end there (`docs/measurements/graph-reach.md`).
pub(super) const LONG_DETOUR: usize = 12;

/// Where the search for a new node's neighbors starts.
pub(super) enum Start {
    /// At the entry point of the graph, with `beam_width` candidates.
    EntryPoint,
    /// At these nodes of level 0, expanding `ef` candidates: for nodes that belong to level 0 only.
    Near { entry_points: Vec<Ordinal>, ef: usize },
}

/// The node an insertion is about, and what it has found.
#[derive(Debug, Default)]
pub(super) struct Insertion {
    pub(super) node: Ordinal,
    /// A node that no distance can tell from it: it is not linked then.
    pub(super) duplicate_of: Option<Ordinal>,
    /// Links of each level, level 0 first.
    pub(super) links: Vec<Vec<Link>>,
    /// What is known of the links back from those of level 0.
    pub(super) checks: Vec<Option<BacklinkCheck>>,
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

    /// Whether a node has its place in the graph.
    pub(super) fn is_inserted(&self, node: Ordinal) -> bool {
        let first_link = self.builder.graph().row(0, node).first();
        first_link.is_some_and(|link| link.get() != NO_NODE) || self.duplicates.is_duplicate(node)
    }

    /// Inserts nodes in this order into a graph that has `inserted` nodes, which it counts on. `start` says where to search
    /// for the neighbors of a node, given its place in the order.
    pub(super) fn insert_all(
        &self,
        order: &[Ordinal],
        inserted: &mut usize,
        start: impl Fn(usize, &mut Worker<'_>) -> Start + Sync,
        workers: &mut [Worker<'_>],
        steps: &Steps<'_>,
    ) -> Result<()> {
        let mut insertions: Vec<Mutex<Insertion>> = Vec::new();
        let mut added = AddedLinks::default();
        let mut first = 0;
        while let Some(rest) = order.get(first..).filter(|rest| !rest.is_empty()) {
            let (batch, _) = rest.split_at(batch_len(*inserted).min(rest.len()));
            insertions.resize_with(insertions.len().max(batch.len()), Mutex::default);
            let work: Vec<(usize, &Mutex<Insertion>)> =
                insertions.iter().enumerate().take(batch.len()).collect();
            each(
                &work,
                worth(workers, batch.len()),
                self.cancel,
                Some(steps),
                |worker, &(index, insertion)| {
                    let (before, node) = batch.split_at(index);
                    let Some(&node) = node.first() else { return Ok(()) };
                    let start = start(first + index, worker);
                    self.find_links(start, node, before, worker, &mut insertion.lock())
                },
            )?;
            let new = insertions.iter_mut().take(batch.len()).map(Mutex::get_mut);
            self.link_all(new, &mut added, workers)?;
            first += batch.len();
            *inserted += batch.len();
        }
        Ok(())
    }

    /// Finds the links of a node in the graph as it is, and among the nodes `before` it in the batch.
    fn find_links(
        &self,
        start: Start,
        node: Ordinal,
        before: &[Ordinal],
        worker: &mut Worker<'_>,
        insertion: &mut Insertion,
    ) -> Result<()> {
        let top = self.highest(node).min(self.entry_point.level);
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
        self.add_candidates(before, top, worker);
        insertion.node = node;
        insertion.duplicate_of = self.find_duplicate(node, worker);
        if insertion.duplicate_of.is_none() {
            self.select_links(top, worker, insertion);
        }
        Ok(())
    }

    /// Adds nodes to the candidates of the levels that both belong to, as if a search had found them.
    fn add_candidates(&self, nodes: &[Ordinal], top: usize, worker: &mut Worker<'_>) {
        let Worker { query, scratch, candidates, .. } = worker;
        let SearchScratch { scored, visited, known, .. } = scratch;
        let graph = self.builder.graph();
        let distances = scored.compute(&mut **query, nodes.iter().copied());
        for (&node, &distance) in nodes.iter().zip(distances) {
            visited.insert(node);
            if let Some(known) = known.get_mut(node as usize) {
                *known = distance;
            }
            for (level, candidates) in candidates.iter_mut().enumerate().take(top.min(self.highest(node)) + 1)
            {
                if let Some(position) = graph.position(level, node) {
                    let link = Link::new(position, distance);
                    let at = candidates.partition_point(|other| other.key() < link.key());
                    if at < self.beam_width {
                        candidates.truncate(self.beam_width - 1);
                        candidates.insert(at, link);
                    }
                }
            }
        }
    }

    /// Searches the levels from `top` down to 0 for `candidates`.
    pub(super) fn find_candidates<D: DistanceComputer + ?Sized>(
        &self,
        start: Start,
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
            Start::Near { entry_points, ef } => (entry_points, ef),
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
    pub(super) fn rescore(
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

    /// Selects the links of a node among the candidates of the levels up to `top`, and checks the links back.
    pub(super) fn select_links(&self, top: usize, worker: &mut Worker<'_>, insertion: &mut Insertion) {
        let Worker { query, scratch, selector, candidates, .. } = worker;
        let Insertion { node, links, checks, .. } = insertion;
        let node = *node;
        let graph = self.builder.graph();
        let known = KnownDistances { visited: &scratch.visited, distances: &scratch.known };
        links.resize_with(top + 1, Vec::new);
        for (level, (candidates, links)) in candidates.iter_mut().zip(links.iter_mut()).enumerate() {
            links.clear();
            let Some(position) = graph.position(level, node) else { continue };
            candidates.retain(|link| link.position != position);
            let limits = LinkLimits::of(graph.m(), level);
            let ordinal = |position| graph.node(level, position);
            let separations = self.builder.separations();
            selector.select(node, candidates, limits, separations, ordinal, |selected, occluded| {
                if level == 0 {
                    self.builder.mark_occluded(node, selected, known, occluded);
                }
            });
            links.extend_from_slice(selector.selected());
        }
        checks.clear();
        checks.extend(links.first().into_iter().flatten().map(|link| {
            let back = Link::new(node, link.distance);
            self.builder.check_backlink(link.position, back, selector, known, &mut **query)
        }));
    }

    /// Links the nodes of a batch, and others with them.
    fn link_all<'i>(
        &self,
        insertions: impl ExactSizeIterator<Item = &'i mut Insertion>,
        added: &mut AddedLinks,
        workers: &mut [Worker<'_>],
    ) -> Result<()> {
        let graph = self.builder.graph();
        let insertions: Vec<&mut Insertion> = insertions.collect();
        for insertion in &insertions {
            if let Some(other) = insertion.duplicate_of {
                self.duplicates.set(insertion.node, other);
            }
        }
        let Some(Worker { selector, .. }) = workers.first_mut() else { return Ok(()) };
        for Insertion { node, links, checks, .. } in
            insertions.into_iter().filter(|insertion| insertion.duplicate_of.is_none())
        {
            for (level, links) in links.iter_mut().enumerate() {
                let Some(position) = graph.position(level, *node) else { continue };
                self.replace_duplicates(level, position, links);
                self.builder.add_links(level, position, links, selector);
                for (index, link) in links.iter().enumerate() {
                    let to = NodeAt { level, position: link.position };
                    let check = if level == 0 { checks.get(index).copied().flatten() } else { None };
                    added.push(to, Link::new(position, link.distance), check);
                }
            }
        }
        added.apply(self.builder, workers, self.cancel)
    }

    /// Replaces links to nodes of the batch that have turned out to be duplicates.
    fn replace_duplicates(&self, level: usize, position: u32, links: &mut Vec<Link>) {
        let graph = self.builder.graph();
        let is_duplicate = |link: &Link| self.duplicates.is_duplicate(graph.node(level, link.position));
        if !links.iter().any(is_duplicate) {
            return;
        }
        for index in (0..links.len()).rev() {
            let Some(link) = links.get(index).filter(|link| is_duplicate(link)) else { continue };
            let representative = self.duplicates.representative(graph.node(level, link.position));
            let instead = graph.position(level, representative);
            let is_new = |&other: &u32| other != position && links.iter().all(|link| link.position != other);
            match (instead.filter(is_new), links.get_mut(index)) {
                (Some(instead), Some(link)) => link.position = instead,
                _ => drop(links.remove(index)),
            }
        }
    }
}
