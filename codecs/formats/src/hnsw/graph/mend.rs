//! Every vector is found by a search for itself: proven for a finished graph, and mended where it is not so.
//!
//! That a node can be reached says little: a search goes where distances become smaller, and a node far from all others is
//! nobody's nearest neighbor, so that the rows of those around it have better use for their places than a link to it. So
//! suspects (`suspects`) are searched for as a query would be, and to a node that is missed a link is added from the
//! nearest node that was found instead. Rows without room give up the link to the node that most others are linked to.
//!
//! A block of nodes is searched for at a time, in the graph as it is; then links are added, in order of ordinal. So the
//! result is the same on any number of threads. What this costs on data of many shapes is in `docs/measurements/graph-reach.md`.

use super::batch::worth;
use super::connectivity::Tree;
use super::parallel::each;
use super::select::Link;
use super::self_search::{SelfSearch, search_self};
use super::suspects::{Cover, mutual_links, suspects};
use super::worker::Worker;
use super::{Graph, GraphView, NO_NODE};
use lucerne_codec::{Cancel, Ordinal, Result};
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Nodes that are searched for before links are added.
const BLOCK: usize = 256;

/// At most this many distances for each node and each candidate that an insertion keeps: about half of what insertions
/// cost.
const LIMIT: u64 = 10;

/// When the suspects that were missed are more than one in so many nodes, all nodes are searched for.
const RARELY_MISSED: usize = 512;

/// When more than one link for so many nodes was replaced, a cover is searched for again: some may have led to others.
const RARELY_REPLACED: usize = 1_000;

/// Links added to a node that the last sweep has missed and that is missed again, then to one still missed.
const MORE_LINKS: [usize; 2] = [2, 3];

/// Searches for the nodes of a graph, and adds links to those that are missed. `tree` are the links by which all nodes are
/// reached: these stay. `skip` tells of duplicates, which others stand for.
pub(super) fn mend(
    graph: &mut Graph,
    tree: &Tree,
    skip: impl Fn(Ordinal) -> bool,
    workers: &mut [Worker<'_>],
    cancel: &Cancel,
) -> Result<SelfSearch> {
    let mut incoming = vec![0u32; graph.len()];
    for node in 0..graph.len() as u32 {
        for &link in graph.links(0, node) {
            if let Some(count) = incoming.get_mut(link as usize) {
                *count += 1;
            }
        }
    }
    let limit = LIMIT * graph.beam_width() as u64 * graph.len() as u64;
    let mut mending = Mending {
        graph,
        tree,
        workers,
        cancel,
        incoming,
        added: HashSet::new(),
        replaced: Vec::new(),
        replaced_links: 0,
        spent: AtomicU64::new(0),
        limit,
        searched: AtomicU64::new(0),
    };
    mending.run(skip)
}

/// Nodes searched for.
struct Seen<F> {
    nodes: Vec<bool>,
    /// Tells of nodes that are never searched for.
    skip: F,
}

impl<F: Fn(Ordinal) -> bool> Seen<F> {
    fn new(len: usize, skip: F) -> Self {
        Self { nodes: vec![false; len], skip }
    }

    /// True the first time a node that may be searched for is added.
    fn add(&mut self, node: Ordinal) -> bool {
        match self.nodes.get_mut(node as usize) {
            Some(seen @ false) if !(self.skip)(node) => {
                *seen = true;
                true
            }
            _ => false,
        }
    }
}

/// A node that was missed, and what was found instead, nearest first.
type Missed = (Ordinal, Vec<(f32, Ordinal)>);

struct Mending<'a, 'w, 'v> {
    graph: &'a mut Graph,
    tree: &'a Tree,
    workers: &'w mut [Worker<'v>],
    cancel: &'a Cancel,
    /// How many nodes are linked to each.
    incoming: Vec<u32>,
    /// Links added, from and to.
    added: HashSet<(Ordinal, Ordinal)>,
    /// Nodes that have lost a link to them, since this was last emptied.
    replaced: Vec<Ordinal>,
    replaced_links: usize,
    /// Distances computed, and how many may be.
    spent: AtomicU64,
    limit: u64,
    searched: AtomicU64,
}

impl Mending<'_, '_, '_> {
    fn run(&mut self, skip: impl Fn(Ordinal) -> bool) -> Result<SelfSearch> {
        let len = self.graph.len();
        let mut seen = Seen::new(len, &skip);
        let mut first = suspects(&*self.graph, Cover::Coarse, &skip, self.cancel)?;
        for worker in &mut *self.workers {
            first.append(&mut worker.detoured);
        }
        let mut missed = self.sweep(first, &mut seen)?;
        let mut last = missed.clone();
        if missed.len() * RARELY_MISSED > len {
            last.extend(self.sweep((0..len as u32).collect(), &mut seen)?);
            missed.extend_from_slice(&last);
            if self.replaced_links * RARELY_REPLACED > len {
                let mut nodes = suspects(&*self.graph, Cover::Fine, &skip, self.cancel)?;
                nodes.extend_from_slice(&last);
                last = self.sweep(nodes, &mut Seen::new(len, &skip))?;
                missed.extend_from_slice(&last);
            }
        }
        for links in MORE_LINKS {
            last = self.search_and_link(&last, links)?;
        }
        let left = self.search(&last)?;
        missed.sort_unstable();
        missed.dedup();
        Ok(SelfSearch {
            searched: u32::try_from(self.searched.load(Relaxed)).unwrap_or(u32::MAX),
            missed: missed.len() as u32,
            mended: missed.len().saturating_sub(left.len()) as u32,
            complete: !self.is_spent(),
        })
    }

    fn is_spent(&self) -> bool {
        self.spent.load(Relaxed) > self.limit
    }

    /// Searches for those of `nodes` that were not seen, and for those around the ones missed. Returns all that were
    /// missed, with a link to each added.
    fn sweep(
        &mut self,
        nodes: Vec<Ordinal>,
        seen: &mut Seen<impl Fn(Ordinal) -> bool>,
    ) -> Result<Vec<Ordinal>> {
        let mut next = nodes;
        next.retain(|&node| seen.add(node));
        next.sort_unstable();
        let mut all_missed = Vec::new();
        while !next.is_empty() && !self.is_spent() {
            let missed = self.search_and_link(&next, 1)?;
            next.clear();
            for &node in &missed {
                let near = mutual_links(&*self.graph, node);
                next.extend(near.into_iter().filter(|&node| seen.add(node)));
            }
            self.replaced_links += self.replaced.len();
            next.extend(self.replaced.drain(..).filter(|&node| !(seen.skip)(node)));
            next.sort_unstable();
            next.dedup();
            all_missed.extend(missed);
        }
        all_missed.sort_unstable();
        all_missed.dedup();
        Ok(all_missed)
    }

    /// Searches for these nodes, and adds so many links to each that is missed. Returns those.
    fn search_and_link(&mut self, nodes: &[Ordinal], links: usize) -> Result<Vec<Ordinal>> {
        let mut all_missed = Vec::new();
        for block in nodes.chunks(BLOCK) {
            let mut changed = false;
            for (node, mut found) in self.search(block)? {
                // A link added since may lead to this one as well.
                if !changed || !self.search_one(node, &mut found)? {
                    self.link(node, &found, links);
                    all_missed.push(node);
                    changed = true;
                }
            }
        }
        Ok(all_missed)
    }

    /// Searches for these nodes on all threads. Returns those that are missed, ascending, with what was found instead.
    fn search(&mut self, nodes: &[Ordinal]) -> Result<Vec<Missed>> {
        let missed = Mutex::new(Vec::new());
        for block in nodes.chunks(BLOCK) {
            if self.is_spent() {
                break;
            }
            self.search_block(block, &missed)?;
        }
        let mut missed = missed.into_inner();
        missed.sort_unstable_by_key(|&(node, _)| node);
        Ok(missed)
    }

    fn search_block(&mut self, block: &[Ordinal], missed: &Mutex<Vec<Missed>>) -> Result<()> {
        let Self { graph, workers, cancel, spent, searched, .. } = self;
        let graph = &**graph;
        each(block, worth(workers, block.len()), cancel, None, |worker, &node| {
            let Worker { query, scratch, found, .. } = worker;
            let own = search_self(graph, node, &mut **query, scratch, found, cancel)?;
            searched.fetch_add(1, Relaxed);
            spent.fetch_add(own.visited, Relaxed);
            if !own.found {
                missed.lock().push((node, found.clone()));
            }
            Ok(())
        })
    }

    /// Searches for a node; true when it is found. Otherwise `found` is what was.
    fn search_one(&mut self, node: Ordinal, found: &mut Vec<(f32, Ordinal)>) -> Result<bool> {
        let Some(Worker { query, scratch, .. }) = self.workers.first_mut() else { return Ok(true) };
        let own = search_self(&*self.graph, node, &mut **query, scratch, found, self.cancel)?;
        self.spent.fetch_add(own.visited, Relaxed);
        Ok(own.found)
    }

    /// Adds so many links to `node`, each from another of the nodes `found`, the nearest first.
    fn link(&mut self, node: Ordinal, found: &[(f32, Ordinal)], links: usize) {
        let mut wanted = links;
        for &(_, from) in found {
            if wanted == 0 {
                break;
            }
            if from != node && self.link_from(from, node) {
                wanted -= 1;
            }
        }
    }

    /// Adds a link; false when there is one already, or no room for it.
    fn link_from(&mut self, from: Ordinal, to: Ordinal) -> bool {
        let row = self.graph.row(0, from);
        if row.contains(&to) {
            return false;
        }
        let free = row.iter().position(|&link| link == NO_NODE);
        let is_fixed = |link: u32| self.tree.is_parent(from, link) || self.added.contains(&(from, link));
        let incoming = |link: u32| self.incoming.get(link as usize).copied().unwrap_or(0);
        let replaceable =
            || (0..row.len()).filter(|&slot| row.get(slot).is_some_and(|&link| !is_fixed(link)));
        let most_linked = || replaceable().max_by_key(|&slot| row.get(slot).map(|&link| incoming(link)));
        let Some(slot) = free.or_else(most_linked) else { return false };
        let mut links: Vec<u32> = row.iter().copied().filter(|&link| link != NO_NODE).collect();
        match links.get_mut(slot) {
            Some(link) => {
                let lost = std::mem::replace(link, to);
                self.replaced.push(lost);
                if let Some(count) = self.incoming.get_mut(lost as usize) {
                    *count = count.saturating_sub(1);
                }
            }
            None => links.push(to),
        }
        if let Some(count) = self.incoming.get_mut(to as usize) {
            *count += 1;
        }
        self.added.insert((from, to));
        self.store(from, &links);
        true
    }

    /// Stores a row, nearest first.
    fn store(&mut self, from: Ordinal, links: &[u32]) {
        let Some(Worker { query, scratch, .. }) = self.workers.first_mut() else { return };
        query.set_query(from);
        let distances = scratch.scored.compute(&mut **query, links.iter().copied());
        let mut sorted: Vec<Link> =
            links.iter().zip(distances).map(|(&link, &distance)| Link::new(link, distance)).collect();
        sorted.sort_unstable_by_key(Link::key);
        self.spent.fetch_add(links.len() as u64, Relaxed);
        self.graph.set_row(0, from, sorted.iter().map(|link| link.position));
    }
}
