//! Copying a graph and repairing it around its deleted nodes.
//!
//! A link to a deleted node is replaced by links to where that node led, if neighbor selection wants them, as
//! FreshDiskANN consolidates deletes (arXiv 2105.09613); unlike there, links that stay are never given up
//! while there is room, so that many merges with few deletes each do not starve the rows (what happened in
//! apache/lucene#16552).

use super::batch::{AddedLinks, worth};
use super::builder::GraphBuilder;
use super::insert::Inserter;
use super::parallel::{Steps, each};
use super::select::{Link, LinkLimits, LinkStatus};
use super::worker::Worker;
use super::{GraphView, NO_NODE, NodeAt, SourceGraph};
use lucerne_codec::{Cancel, Ordinal, Result};
use parking_lot::Mutex;

/// Nodes repaired at a time.
const BATCH: usize = 512;

/// A source's graph being copied into a new one.
pub(super) struct Copy<'a> {
    pub(super) source: SourceGraph<'a>,
    pub(super) inserter: &'a Inserter<'a>,
}

/// Two nodes that no distance can tell apart.
type DuplicatePair = (Ordinal, Ordinal);

impl Copy<'_> {
    /// Copies all live nodes with their links, and repairs it around the others. Returns the live nodes that have no links
    /// on level 0 and must be inserted like new ones.
    pub(super) fn run(&self, workers: &mut [Worker<'_>], steps: &Steps<'_>) -> Result<Vec<Ordinal>> {
        let source = self.source.graph;
        let (damaged, pairs) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        for level in 0..source.level_count().min(self.builder().graph().level_count()) {
            let nodes: Vec<NodeAt> =
                (0..source.level_len(level) as u32).map(|position| NodeAt { level, position }).collect();
            let steps = (level == 0).then_some(steps);
            each(&nodes, workers, self.cancel(), steps, |worker, &node| {
                if self.copy_row(node, worker, &pairs)? {
                    damaged.lock().push(node);
                }
                Ok(())
            })?;
        }
        self.detach_duplicates(pairs.into_inner(), workers);
        let mut damaged = damaged.into_inner();
        damaged.sort_unstable();
        self.repair_all(&damaged, workers)?;
        let mut row = Vec::new();
        let live = self.source.ordinals.iter().copied();
        let orphans = live.filter(|&node| {
            node != NO_NODE && !self.inserter.duplicates.is_duplicate(node) && node != self.entry_node() && {
                self.builder().graph().neighbors(0, node, &mut row);
                row.is_empty()
            }
        });
        Ok(orphans.collect())
    }

    fn builder(&self) -> &GraphBuilder {
        self.inserter.builder
    }

    fn cancel(&self) -> &Cancel {
        self.inserter.cancel
    }

    fn entry_node(&self) -> Ordinal {
        let NodeAt { level, position } = self.inserter.entry_point;
        self.builder().graph().node(level, position)
    }

    /// The position in the new graph of a position in the source; [`NO_NODE`] for a deleted node.
    fn new_position(&self, level: usize, old: u32) -> Result<u32> {
        let source = self.source.graph;
        if old as usize >= source.level_len(level) {
            return Err(source.corrupt(format!("level {level}: no node {old}")));
        }
        Ok(match self.source.new_ordinal(source.node(level, old)) {
            NO_NODE => NO_NODE,
            new => self.builder().graph().position(level, new).unwrap_or(NO_NODE),
        })
    }

    /// Copies a row with its links to live nodes; true when there were others.
    fn copy_row(
        &self,
        old: NodeAt,
        worker: &mut Worker<'_>,
        pairs: &Mutex<Vec<DuplicatePair>>,
    ) -> Result<bool> {
        let level = old.level;
        let position = self.new_position(level, old.position)?;
        if position == NO_NODE {
            return Ok(false);
        }
        let mut row = Vec::new();
        self.source.graph.neighbors(level, old.position, &mut row);
        let mut live = Vec::with_capacity(row.len() + 1);
        // The first is the node itself.
        live.push(position);
        for &link in &row {
            let link = self.new_position(level, link)?;
            if link != NO_NODE && !live.contains(&link) {
                live.push(link);
            }
        }
        let damaged = live.len() <= row.len();
        self.score(NodeAt { level, position }, &live, worker);
        let Worker { links, selector, .. } = worker;
        let own = links.first().map_or(0.0, |link| link.distance);
        if level == 0 {
            for link in links.iter().skip(1).filter(|link| link.distance == own) {
                if selector.self_distance(link.position) == own {
                    pairs.lock().push((position, link.position));
                }
            }
        }
        let others = links.get(1..).unwrap_or_default();
        self.builder().add_links(level, position, others, selector);
        Ok(damaged)
    }

    /// Makes `worker.links` the links from a node to `positions`, in their order.
    fn score(&self, from: NodeAt, positions: &[u32], worker: &mut Worker<'_>) {
        let node = |position: u32| self.builder().graph().node(from.level, position);
        let Worker { query, scratch, links, .. } = worker;
        query.set_query(node(from.position));
        let distances =
            scratch.scored.compute(&mut **query, positions.iter().map(|&position| node(position)));
        links.clear();
        let scored = positions.iter().zip(distances);
        links.extend(scored.map(|(&position, &distance)| Link::new(position, distance)));
    }

    /// Undoes the trees of duplicates that the source's graph holds: they are attached anew at the end.
    fn detach_duplicates(&self, mut pairs: Vec<DuplicatePair>, workers: &mut [Worker<'_>]) {
        let Some(worker) = workers.first_mut().filter(|_| !pairs.is_empty()) else {
            return;
        };
        pairs.sort_unstable();
        let duplicates = self.inserter.duplicates;
        let rank =
            |node: Ordinal| (node != self.entry_node(), std::cmp::Reverse(self.inserter.highest(node)), node);
        for (left, right) in pairs {
            let (left, right) = (duplicates.representative(left), duplicates.representative(right));
            if rank(left) < rank(right) {
                duplicates.set(right, left);
            } else {
                duplicates.set(left, right);
            }
        }
        let Worker { links, selector, .. } = worker;
        for &node in self.source.ordinals.iter().filter(|&&node| node != NO_NODE) {
            self.builder().links(0, node, links);
            let representative = duplicates.representative(node);
            if representative == node && !links.iter().any(|link| duplicates.is_duplicate(link.position)) {
                continue;
            }
            for link in links.iter_mut() {
                link.status = LinkStatus::Unchecked;
                link.position = duplicates.representative(link.position);
            }
            links.retain(|link| link.position != representative);
            self.builder().clear_links(0, node);
            self.builder().add_links(0, representative, links, selector);
        }
    }

    /// Repairs these nodes, a batch at a time.
    fn repair_all(&self, damaged: &[NodeAt], workers: &mut [Worker<'_>]) -> Result<()> {
        let repairs: Vec<Mutex<Vec<Link>>> =
            (0..BATCH.min(damaged.len())).map(|_| Mutex::default()).collect();
        let mut added = AddedLinks::default();
        for batch in damaged.chunks(BATCH) {
            let work: Vec<(&NodeAt, &Mutex<Vec<Link>>)> = batch.iter().zip(&repairs).collect();
            each(&work, worth(workers, work.len()), self.cancel(), None, |worker, &(&node, links)| {
                self.find_links(node, worker, &mut links.lock())
            })?;
            for (&NodeAt { level, position: old }, links) in work {
                let position = self.new_position(level, old)?;
                for link in links.lock().iter() {
                    added.push(NodeAt { level, position }, *link, None);
                    let back = Link::new(position, link.distance);
                    added.push(NodeAt { level, position: link.position }, back, None);
                }
            }
            added.apply(self.builder(), workers, self.cancel())?;
        }
        Ok(())
    }

    /// Finds links of a node, among what deleted nodes are linked to, in place of those to them.
    fn find_links(&self, old: NodeAt, worker: &mut Worker<'_>, found: &mut Vec<Link>) -> Result<()> {
        found.clear();
        let level = old.level;
        let position = self.new_position(level, old.position)?;
        let duplicates = self.inserter.duplicates;
        if position == NO_NODE || level == 0 && duplicates.is_duplicate(position) {
            return Ok(());
        }
        let (source, graph) = (self.source.graph, self.builder().graph());
        let (mut candidates, mut row, mut links_of_deleted) = (Vec::new(), Vec::new(), Vec::new());
        graph.neighbors(level, position, &mut candidates);
        let kept = candidates.len();
        source.neighbors(level, old.position, &mut row);
        for &deleted in &row {
            if self.new_position(level, deleted)? != NO_NODE {
                continue;
            }
            source.neighbors(level, deleted, &mut links_of_deleted);
            for &link in &links_of_deleted {
                let mut link = self.new_position(level, link)?;
                if level == 0 && link != NO_NODE {
                    link = duplicates.representative(link);
                }
                if link != NO_NODE && link != position && !candidates.contains(&link) {
                    candidates.push(link);
                }
            }
        }
        if candidates.len() == kept {
            return Ok(());
        }
        self.score(NodeAt { level, position }, &candidates, worker);
        let Worker { links, selector, .. } = worker;
        links.sort_unstable_by_key(Link::key);
        let limits = LinkLimits::of(graph.m(), level);
        let node = |position| graph.node(level, position);
        selector.select(node(position), links, limits, self.builder().separations(), node, |_, _| {});
        let kept = candidates.get(..kept).unwrap_or_default();
        let new = selector.selected().iter().filter(|link| !kept.contains(&link.position));
        found.extend(new.map(|link| Link::new(link.position, link.distance)));
        Ok(())
    }
}
