//! Copying a graph and healing it around its deleted nodes.
//!
//! A link to a deleted node is replaced by links to where that node led, if the heuristic wants them, as
//! FreshDiskANN consolidates deletes (arXiv 2105.09613); unlike there, links that stay are never given up
//! while there is room, so that many merges with few deletes each do not starve the rows (what happened in
//! apache/lucene#16552).

use super::duplicates::Duplicates;
use super::heuristic::{Link, Standing};
use super::insert::Worker;
use super::join::JoinSource;
use super::parallel::{Steps, each};
use super::working::Working;
use super::{GraphView, NO_NODE, Ordinal};
use crate::distance::NodeDistances;
use lucerne_codec::{Cancel, Result};
use parking_lot::Mutex;

/// A source's graph being copied into a new one.
pub(super) struct Base<'a> {
    pub(super) source: JoinSource<'a>,
    pub(super) graph: &'a Working,
    pub(super) duplicates: &'a Duplicates,
    pub(super) highest: &'a [u8],
    pub(super) cancel: &'a Cancel,
}

/// A node to copy: its level and its position there in the source.
type Place = (usize, u32);

impl Base<'_> {
    /// Copies all live nodes and heals around the others. Returns the live nodes that have no links on level 0
    /// and must be inserted like new ones.
    pub(super) fn copy(&self, workers: &mut [Worker<'_>], steps: &Steps<'_>) -> Result<Vec<Ordinal>> {
        let source = self.source.graph;
        let (lost, twins) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        for level in 0..source.levels().min(self.graph.levels()) {
            let places: Vec<Place> =
                (0..source.level_len(level) as u32).map(|position| (level, position)).collect();
            let steps = (level == 0).then_some(steps);
            each(&places, workers, self.cancel, steps, |worker, &place| {
                if self.copy_row(place, worker, &twins)? {
                    lost.lock().push(place);
                }
                Ok(())
            })?;
        }
        self.fold_twins(twins.into_inner(), workers);
        let mut lost = lost.into_inner();
        lost.sort_unstable();
        each(&lost, workers, self.cancel, None, |worker, &place| self.heal(place, worker))?;
        let mut row = Vec::new();
        let live = self.source.ordinals.iter().copied();
        let orphans = live.filter(|&node| {
            node != NO_NODE && !self.duplicates.is_duplicate(node) && node != self.entry() && {
                self.graph.neighbors(0, node, &mut row);
                row.is_empty()
            }
        });
        Ok(orphans.collect())
    }

    fn entry(&self) -> Ordinal {
        let (level, position) = self.graph.entry();
        self.graph.node(level, position)
    }

    /// The position in the new graph of a position in the source; [`NO_NODE`] for a deleted node.
    fn moved(&self, level: usize, old: u32) -> Result<u32> {
        let source = self.source.graph;
        if old as usize >= source.level_len(level) {
            return Err(source.corrupt(format!("level {level}: no node {old}")));
        }
        let node = source.node(level, old);
        let new = self.source.ordinals.get(node as usize).copied();
        Ok(new
            .filter(|&new| new != NO_NODE)
            .and_then(|new| self.graph.position(level, new))
            .unwrap_or(NO_NODE))
    }

    /// Copies a row with its links to live nodes; true when there were others.
    fn copy_row(
        &self,
        (level, old): Place,
        worker: &mut Worker<'_>,
        twins: &Mutex<Vec<(Ordinal, Ordinal)>>,
    ) -> Result<bool> {
        let position = self.moved(level, old)?;
        if position == NO_NODE {
            return Ok(false);
        }
        let Worker { query, scratch, links, chooser, .. } = worker;
        self.source.graph.neighbors(level, old, &mut scratch.row);
        scratch.fresh.clear();
        scratch.fresh.push(position);
        for &link in &scratch.row {
            let link = self.moved(level, link)?;
            if link != NO_NODE && !scratch.fresh.contains(&link) {
                scratch.fresh.push(link);
            }
        }
        let lost = scratch.fresh.len() <= scratch.row.len();
        self.score(level, position, &mut **query, scratch, links);
        // The first is the node itself.
        let own = links.first().map_or(0.0, |link| link.distance);
        if level == 0 {
            for link in links.iter().skip(1).filter(|link| link.distance == own) {
                if chooser.own_distance(link.position) == own {
                    twins.lock().push((position, link.position));
                }
            }
        }
        let others = links.get(1..).unwrap_or_default();
        self.graph.add_links(level, position, others, chooser);
        Ok(lost)
    }

    /// Links to `scratch.fresh`, in its order.
    fn score(
        &self,
        level: usize,
        position: u32,
        query: &mut dyn NodeDistances,
        scratch: &mut super::SearchScratch,
        links: &mut Vec<Link>,
    ) {
        let node = |position: &u32| self.graph.node(level, *position);
        scratch.ordinals.clear();
        scratch.ordinals.extend(scratch.fresh.iter().map(node));
        scratch.distances.clear();
        scratch.distances.resize(scratch.fresh.len(), 0.0);
        query.set_query(node(&position));
        query.gather(&scratch.ordinals, &mut scratch.distances);
        links.clear();
        let scored = scratch.fresh.iter().zip(&scratch.distances);
        links.extend(scored.map(|(&position, &distance)| Link::new(position, distance)));
    }

    /// Undoes the trees of duplicates that the source's graph holds: they are hung anew at the end.
    fn fold_twins(&self, mut twins: Vec<(Ordinal, Ordinal)>, workers: &mut [Worker<'_>]) {
        let Some(worker) = workers.first_mut().filter(|_| !twins.is_empty()) else {
            return;
        };
        twins.sort_unstable();
        let rank = |node: Ordinal| {
            let highest = self.highest.get(node as usize).copied().unwrap_or(0);
            (node != self.entry(), std::cmp::Reverse(highest), node)
        };
        for (left, right) in twins {
            let (left, right) = (self.duplicates.of(left), self.duplicates.of(right));
            if rank(left) < rank(right) {
                self.duplicates.set(right, left);
            } else {
                self.duplicates.set(left, right);
            }
        }
        let Worker { links, chooser, .. } = worker;
        for &node in self.source.ordinals.iter().filter(|&&node| node != NO_NODE) {
            self.graph.links(0, node, links);
            let own = self.duplicates.of(node);
            if own == node && !links.iter().any(|link| self.duplicates.is_duplicate(link.position)) {
                continue;
            }
            for link in links.iter_mut() {
                link.standing = Standing::Unknown;
                link.position = self.duplicates.of(link.position);
            }
            links.retain(|link| link.position != own);
            self.graph.clear_links(0, node);
            self.graph.add_links(0, own, links, chooser);
        }
    }

    /// Replaces the links to deleted nodes by links to what those were linked to.
    fn heal(&self, (level, old): Place, worker: &mut Worker<'_>) -> Result<()> {
        let position = self.moved(level, old)?;
        if position == NO_NODE || level == 0 && self.duplicates.is_duplicate(position) {
            return Ok(());
        }
        let Worker { query, scratch, links, chooser, .. } = worker;
        let source = self.source.graph;
        self.graph.neighbors(level, position, &mut scratch.fresh);
        let kept = scratch.fresh.len();
        source.neighbors(level, old, &mut scratch.row);
        for &deleted in &scratch.row {
            if self.moved(level, deleted)? != NO_NODE {
                continue;
            }
            source.neighbors(level, deleted, &mut scratch.starts);
            for &link in &scratch.starts {
                let mut link = self.moved(level, link)?;
                if level == 0 && link != NO_NODE {
                    link = self.duplicates.of(link);
                }
                if link != NO_NODE && link != position && !scratch.fresh.contains(&link) {
                    scratch.fresh.push(link);
                }
            }
        }
        if scratch.fresh.len() == kept {
            return Ok(());
        }
        self.score(level, position, &mut **query, scratch, links);
        links.sort_unstable_by_key(Link::key);
        let limit = super::memory::stride(self.graph.m(), level);
        let node = |position| self.graph.node(level, position);
        chooser.choose(links, limit, node, |_, _| {});
        let known = scratch.fresh.get(..kept).unwrap_or_default();
        links.clear();
        links.extend(chooser.chosen().iter().filter(|link| !known.contains(&link.position)));
        self.graph.add_links(level, position, links, chooser);
        for link in links.iter() {
            let back = Link::new(position, link.distance);
            self.graph.add_links(level, link.position, &[back], chooser);
        }
        Ok(())
    }
}
