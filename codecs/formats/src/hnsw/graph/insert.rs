//! Insertion of one node.

use super::duplicates::Duplicates;
use super::heuristic::{Chooser, Link};
use super::memory::stride;
use super::scratch::SearchScratch;
use super::search::{Walk, descend};
use super::seen::Seen;
use super::working::Working;
use super::{GraphView, Ordinal, PairScorer, Scorer};
use lucerne_codec::{Cancel, Result};

/// Nearest results that are looked at for a duplicate of the new node.
const DUPLICATE_CHECKS: usize = 4;

/// What all insertions share.
pub(super) struct Inserter<'a, V> {
    pub(super) graph: &'a Working,
    pub(super) vectors: &'a V,
    pub(super) duplicates: &'a Duplicates,
    pub(super) beam_width: usize,
    pub(super) cancel: &'a Cancel,
}

/// One thread's memory for insertions.
#[derive(Debug, Default)]
pub(super) struct Worker {
    pub(super) scratch: SearchScratch,
    pub(super) chooser: Chooser,
    /// Candidates of each level, level 0 first.
    found: Vec<Vec<Link>>,
    pub(super) links: Vec<Link>,
}

impl<V: PairScorer> Inserter<'_, V> {
    /// Inserts a node by searches from the entry point (algorithm 1 of the HNSW paper).
    pub(super) fn insert(&self, node: Ordinal, highest: usize, worker: &mut Worker) -> Result<()> {
        let (top, _) = self.graph.entry();
        self.place(node, highest.min(top), None, worker)
    }

    /// Inserts a node that belongs to level 0 only by a search from `worker.scratch.starts`.
    pub(super) fn insert_near(&self, node: Ordinal, beam: usize, worker: &mut Worker) -> Result<()> {
        self.place(node, 0, Some(beam), worker)
    }

    fn place(&self, node: Ordinal, from: usize, near: Option<usize>, worker: &mut Worker) -> Result<()> {
        let mut query = self.vectors.query(node);
        match self.vectors.coarse(node) {
            Some(mut coarse) => {
                self.search(&mut coarse, from, near, worker)?;
                self.settle(&mut query, worker);
            }
            None => self.search(&mut query, from, near, worker)?,
        }
        self.link(node, from, &mut query, worker)
    }

    /// Searches with the whole beam from the entry point, or with a narrow one from `worker.scratch.starts`.
    fn search<S: Scorer>(
        &self,
        query: &mut S,
        from: usize,
        near: Option<usize>,
        worker: &mut Worker,
    ) -> Result<()> {
        if near.is_none() {
            descend(self.graph, query, self.graph.entry(), from, &mut worker.scratch, self.cancel)?;
        }
        self.find(query, from, near.unwrap_or(self.beam_width), worker)
    }

    /// Replaces the distances of what a coarse search has found by those of `query`.
    fn settle<S: Scorer>(&self, query: &mut S, worker: &mut Worker) {
        let Worker { scratch, found, .. } = worker;
        let SearchScratch { ordinals, distances, known, .. } = scratch;
        for (level, links) in found.iter_mut().enumerate() {
            ordinals.clear();
            ordinals.extend(links.iter().map(|link| self.graph.node(level, link.position)));
            distances.clear();
            distances.resize(ordinals.len(), 0.0);
            query.distances(ordinals, distances);
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
    fn find<S: Scorer>(&self, query: &mut S, from: usize, beam: usize, worker: &mut Worker) -> Result<()> {
        let Worker { scratch, found, .. } = worker;
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
    fn link<S: Scorer>(&self, node: Ordinal, from: usize, query: &mut S, worker: &mut Worker) -> Result<()> {
        if let Some(nearest) = worker.found.first()
            && let Some(twin) = self.twin(node, nearest, query)
        {
            self.duplicates.set(node, twin);
            return Ok(());
        }
        for level in 0..=from {
            let Some(position) = self.graph.position(level, node) else {
                continue;
            };
            let Worker { found, chooser, links, scratch } = worker;
            let Some(found) = found.get_mut(level) else {
                continue;
            };
            found.retain(|link| link.position != position);
            let limit = stride(self.graph.m(), level);
            let ordinal = |position| self.graph.node(level, position);
            let SearchScratch { visited, known, .. } = scratch;
            chooser.choose(found, limit, self.vectors, ordinal, |link, marked| {
                if level == 0 {
                    self.graph.mark_dominated(link, (visited, known), marked);
                }
            });
            links.clear();
            links.extend_from_slice(chooser.chosen());
            self.graph.add_links(level, position, links, self.vectors, chooser);
            for link in links.iter() {
                let back = Link::new(position, link.distance);
                if level > 0 {
                    self.graph.add_links(level, link.position, &[back], self.vectors, chooser);
                    continue;
                }
                let mut seen = Seen { visited, known, query: &mut *query };
                self.graph.add_back(link.position, back, self.vectors, chooser, &mut seen);
            }
        }
        Ok(())
    }

    /// A node that no scorer can tell from `node`: their distance is that of either to itself. (Distance 0
    /// would not do: an inner product has no such thing, and a cosine misses it by rounding.)
    fn twin<S: Scorer>(&self, node: Ordinal, nearest: &[Link], query: &mut S) -> Option<Ordinal> {
        let mut own = [0.0];
        query.distances(&[node], &mut own);
        let [own] = own;
        nearest
            .iter()
            .take(DUPLICATE_CHECKS)
            .take_while(|link| link.distance <= own)
            .map(|link| link.position)
            .find(|&other| {
                let mut its = [0.0];
                self.vectors.query(other).distances(&[other], &mut its);
                its == [own] && other != node
            })
            .map(|other| self.duplicates.of(other))
    }
}
