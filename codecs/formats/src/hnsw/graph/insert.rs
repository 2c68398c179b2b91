//! Insertion of one node.

use super::duplicates::Duplicates;
use super::heuristic::{Chooser, Link};
use super::memory::stride;
use super::scratch::SearchScratch;
use super::search::{Walk, descend};
use super::seen::Seen;
use super::working::Working;
use super::{GraphView, Ordinal};
use crate::distance::{DistanceComputer, GraphVectors, NodeDistances};
use lucerne_codec::{Cancel, Result};

/// Nearest results that are looked at for a duplicate of the new node.
const DUPLICATE_CHECKS: usize = 4;

/// What all insertions share.
pub(super) struct Inserter<'a> {
    pub(super) graph: &'a Working,
    pub(super) duplicates: &'a Duplicates,
    pub(super) beam_width: usize,
    pub(super) cancel: &'a Cancel,
}

/// One thread's memory for insertions.
pub(super) struct Worker<'v> {
    /// The node at hand as the query.
    pub(super) query: Box<dyn NodeDistances + 'v>,
    pub(super) scratch: SearchScratch,
    pub(super) chooser: Chooser<'v>,
    /// Candidates of each level, level 0 first.
    found: Vec<Vec<Link>>,
    pub(super) links: Vec<Link>,
}

impl<'v> Worker<'v> {
    pub(super) fn new(vectors: &'v dyn GraphVectors) -> Self {
        Self {
            query: vectors.computer(),
            scratch: SearchScratch::new(),
            chooser: Chooser::new(vectors),
            found: Vec::new(),
            links: Vec::new(),
        }
    }
}

impl Inserter<'_> {
    /// Inserts a node by searches from the entry point (algorithm 1 of the HNSW paper).
    pub(super) fn insert(&self, node: Ordinal, highest: usize, worker: &mut Worker<'_>) -> Result<()> {
        let (top, _) = self.graph.entry();
        self.place(node, highest.min(top), None, worker)
    }

    /// Inserts a node that belongs to level 0 only by a search from `worker.scratch.starts`.
    pub(super) fn insert_near(&self, node: Ordinal, beam: usize, worker: &mut Worker<'_>) -> Result<()> {
        self.place(node, 0, Some(beam), worker)
    }

    fn place(&self, node: Ordinal, from: usize, near: Option<usize>, worker: &mut Worker<'_>) -> Result<()> {
        let Worker { query, scratch, found, .. } = &mut *worker;
        query.set_query(node);
        match query.traversal() {
            Some(coarse) => {
                self.search(coarse, from, near, scratch, found)?;
                self.settle(&mut **query, scratch, found);
            }
            None => self.search(&mut **query, from, near, scratch, found)?,
        }
        self.link(node, from, worker)
    }

    /// Searches with the whole beam from the entry point, or with a narrow one from `scratch.starts`.
    fn search<S: DistanceComputer + ?Sized>(
        &self,
        query: &mut S,
        from: usize,
        near: Option<usize>,
        scratch: &mut SearchScratch,
        found: &mut Vec<Vec<Link>>,
    ) -> Result<()> {
        if near.is_none() {
            descend(self.graph, query, self.graph.entry(), from, scratch, self.cancel)?;
        }
        self.find(query, from, near.unwrap_or(self.beam_width), scratch, found)
    }

    /// Replaces the distances of what a coarse search has found by those of `query`.
    fn settle(&self, query: &mut dyn DistanceComputer, scratch: &mut SearchScratch, found: &mut [Vec<Link>]) {
        let SearchScratch { ordinals, distances, known, .. } = scratch;
        for (level, links) in found.iter_mut().enumerate() {
            ordinals.clear();
            ordinals.extend(links.iter().map(|link| self.graph.node(level, link.position)));
            distances.clear();
            distances.resize(ordinals.len(), 0.0);
            query.gather(ordinals, distances);
            for (link, &distance) in links.iter_mut().zip(distances.iter()) {
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

    /// Searches the levels from `from` down to 0, starting from `worker.scratch.starts`.
    fn find<S: DistanceComputer + ?Sized>(
        &self,
        query: &mut S,
        from: usize,
        beam: usize,
        scratch: &mut SearchScratch,
        found: &mut Vec<Vec<Link>>,
    ) -> Result<()> {
        found.resize_with(from + 1, Vec::new);
        for level in (0..=from).rev() {
            if level == 0 {
                // Duplicates have no links yet.
                for start in &mut scratch.starts {
                    *start = self.duplicates.of(*start);
                }
            }
            scratch.visited.reset(self.graph.level_len(level));
            scratch.pool.reset(beam, self.beam_width);
            let mut walk = Walk { graph: self.graph, level, scorer: query, cancel: self.cancel };
            walk.pool(scratch)?;
            let keys = scratch.pool.keys();
            if let Some(links) = found.get_mut(level) {
                links.clear();
                links.extend(keys.map(|key| Link::new(key.node(), key.distance())));
                if level > 0 {
                    scratch.starts.clear();
                    let below = links.iter().map(|link| self.graph.below(level, link.position));
                    scratch.starts.extend(below);
                }
            }
        }
        Ok(())
    }

    /// Links the node on the levels up to `from` with what was found there.
    fn link(&self, node: Ordinal, from: usize, worker: &mut Worker<'_>) -> Result<()> {
        if let Some(twin) = self.twin(node, worker) {
            self.duplicates.set(node, twin);
            return Ok(());
        }
        for level in 0..=from {
            let Some(position) = self.graph.position(level, node) else {
                continue;
            };
            let Worker { query, found, chooser, links, scratch } = &mut *worker;
            let Some(found) = found.get_mut(level) else {
                continue;
            };
            found.retain(|link| link.position != position);
            let limit = stride(self.graph.m(), level);
            let ordinal = |position| self.graph.node(level, position);
            let SearchScratch { visited, known, .. } = scratch;
            chooser.choose(found, limit, ordinal, |link, marked| {
                if level == 0 {
                    self.graph.mark_dominated(link, (visited, known), marked);
                }
            });
            links.clear();
            links.extend_from_slice(chooser.chosen());
            self.graph.add_links(level, position, links, chooser);
            for link in links.iter() {
                let back = Link::new(position, link.distance);
                if level > 0 {
                    self.graph.add_links(level, link.position, &[back], chooser);
                    continue;
                }
                let mut seen = Seen { visited, known, query: &mut **query };
                self.graph.add_back(link.position, back, chooser, &mut seen);
            }
        }
        Ok(())
    }

    /// A node that no scorer can tell from `node`: their distance is that of either to itself. (Distance 0
    /// would not do: an inner product has no such thing, and a cosine misses it by rounding.)
    fn twin(&self, node: Ordinal, worker: &mut Worker<'_>) -> Option<Ordinal> {
        let Worker { query, found, chooser, .. } = worker;
        let nearest = found.first()?;
        let mut own = [0.0];
        query.gather(&[node], &mut own);
        let [own] = own;
        nearest
            .iter()
            .take(DUPLICATE_CHECKS)
            .take_while(|link| link.distance <= own)
            .map(|link| link.position)
            .find(|&other| chooser.own_distance(other) == own && other != node)
            .map(|other| self.duplicates.of(other))
    }
}
