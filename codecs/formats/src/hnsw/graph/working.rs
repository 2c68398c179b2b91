//! A graph that several threads change at once.
//!
//! Rows are arrays of relaxed atomics: searches read them without locks, writers hold the node's one-byte
//! lock. A reader may see a row in the middle of a change, some links of before and some of after: all of
//! them are nodes, and a link seen twice is skipped by the visited set.

use super::heuristic::{Chooser, Link, Standing};
use super::levels::{level_lists, position_in};
use super::memory::{Level, lookup, stride};
use super::scratch::Visited;
use super::seen::Seen;
use super::{Graph, GraphView, NO_NODE};
use lucerne_codec::{Error, Ordinal};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[derive(Debug, Default)]
struct WorkingLevel {
    nodes: Vec<Ordinal>,
    below: Vec<u32>,
    /// Links: those that the heuristic chose, then spare ones, then those not compared yet.
    ids: Vec<AtomicU32>,
    /// The links' distances as bits.
    distances: Vec<AtomicU32>,
    /// For each row how many links are chosen, and in the upper half how many are spare.
    standings: Vec<AtomicU32>,
}

/// A graph under construction. All levels have their nodes from the start; an unfinished node has no links.
#[derive(Debug)]
pub(super) struct Working {
    len: usize,
    m: usize,
    levels: Vec<WorkingLevel>,
    locks: Vec<Mutex<()>>,
    /// Where searches start: a level and a position in it.
    entry: (usize, u32),
}

impl Working {
    /// A graph without links over nodes of these highest levels.
    pub(super) fn new(highest: &[u8], m: usize, entry: Option<Ordinal>) -> Self {
        let mut levels: Vec<WorkingLevel> = vec![WorkingLevel::default()];
        for nodes in level_lists(highest, entry) {
            let below = match levels.len() {
                1 => nodes.clone(),
                _ => {
                    let lower = levels.last().map_or(&[][..], |level| &level.nodes);
                    let below = nodes.iter().map(|&node| position_in(lower, node));
                    below.map(|position| position.unwrap_or(NO_NODE)).collect()
                }
            };
            levels.push(WorkingLevel { nodes, below, ..WorkingLevel::default() });
        }
        for (number, level) in levels.iter_mut().enumerate() {
            let nodes = if number == 0 { highest.len() } else { level.nodes.len() };
            let words = nodes * stride(m, number);
            level.ids = (0..words).map(|_| AtomicU32::new(NO_NODE)).collect();
            level.standings = (0..nodes).map(|_| AtomicU32::new(0)).collect();
            level.distances = (0..words).map(|_| AtomicU32::new(0)).collect();
        }
        Self {
            len: highest.len(),
            m,
            locks: (0..highest.len()).map(|_| Mutex::new(())).collect(),
            entry: (levels.len() - 1, 0),
            levels,
        }
    }

    pub(super) fn entry(&self) -> (usize, u32) {
        self.entry
    }

    pub(super) fn set_entry(&mut self, entry: (usize, u32)) {
        self.entry = entry;
    }

    /// Position of a node on a level; `None` when it does not belong to it.
    pub(super) fn position(&self, level: usize, node: Ordinal) -> Option<u32> {
        match level {
            0 => Some(node),
            _ => position_in(&self.levels.get(level)?.nodes, node),
        }
    }

    fn range(&self, level: usize, position: u32) -> std::ops::Range<usize> {
        let stride = stride(self.m, level);
        let start = position as usize * stride;
        start..start + stride
    }

    fn ids(&self, level: usize, position: u32) -> &[AtomicU32] {
        let range = self.range(level, position);
        let level = self.levels.get(level);
        level.and_then(|level| level.ids.get(range)).unwrap_or_default()
    }

    fn distances(&self, level: usize, position: u32) -> &[AtomicU32] {
        let range = self.range(level, position);
        let level = self.levels.get(level);
        level.and_then(|level| level.distances.get(range)).unwrap_or_default()
    }

    fn standings(&self, level: usize, position: u32) -> Option<&AtomicU32> {
        self.levels.get(level)?.standings.get(position as usize)
    }

    /// The links of a node with their distances.
    pub(super) fn links(&self, level: usize, position: u32, into: &mut Vec<Link>) {
        into.clear();
        let counts = self.standings(level, position).map_or(0, |counts| counts.load(Relaxed));
        let (chosen, spare) = (counts & 0xFFFF, counts >> 16);
        let words = self.ids(level, position).iter().zip(self.distances(level, position));
        into.extend(
            words
                .zip(0u32..)
                .map(|((id, distance), index)| Link {
                    position: id.load(Relaxed),
                    distance: f32::from_bits(distance.load(Relaxed)),
                    standing: match index {
                        _ if index < chosen => Standing::Chosen,
                        _ if index < chosen + spare => Standing::Spare,
                        _ => Standing::Unknown,
                    },
                })
                .take_while(|link| link.position != NO_NODE),
        );
    }

    /// Replaces a row, sorted by standing.
    fn store(&self, level: usize, position: u32, links: &[Link]) {
        let empty = Link::new(NO_NODE, 0.0);
        let count = |standing| links.iter().filter(|link| link.standing == standing).count() as u32;
        if let Some(slot) = self.standings(level, position) {
            slot.store(count(Standing::Chosen) | count(Standing::Spare) << 16, Relaxed);
        }
        let links = links.iter().chain(std::iter::repeat(&empty));
        let words = self.ids(level, position).iter().zip(self.distances(level, position));
        for ((id, distance), link) in words.zip(links) {
            id.store(link.position, Relaxed);
            distance.store(link.distance.to_bits(), Relaxed);
        }
    }

    fn lock(&self, level: usize, position: u32) -> Option<parking_lot::MutexGuard<'_, ()>> {
        let node = self.node(level, position);
        self.locks.get(node as usize).map(Mutex::lock)
    }

    /// Removes a node's links.
    pub(super) fn clear_links(&self, level: usize, position: u32) {
        let _guard = self.lock(level, position);
        self.store(level, position, &[]);
    }

    /// Adds links to a node. When they do not all fit, the heuristic chooses among old and new.
    pub(super) fn add_links(&self, level: usize, position: u32, added: &[Link], chooser: &mut Chooser<'_>) {
        let capacity = stride(self.m, level);
        let _guard = self.lock(level, position);
        let mut row = std::mem::take(&mut chooser.row);
        self.links(level, position, &mut row);
        let before = row.len();
        for link in added {
            if link.position != position && row.iter().all(|known| known.position != link.position) {
                let standing = if before == 0 { link.standing } else { Standing::Unknown };
                row.push(Link { standing, ..*link });
            }
        }
        if row.len() > capacity {
            row.sort_unstable_by_key(Link::key);
            let node = |position| self.node(level, position);
            chooser.choose(&row, capacity, node, |_, _| {});
            self.store(level, position, chooser.chosen());
        } else if row.len() > before {
            self.store(level, position, &row);
        }
        chooser.row = row;
    }

    /// Adds on level 0 the link back to a node just searched for, which the search has seen the distances of
    /// most others from. They decide at once where it stands, so that a full row is pruned without computing.
    pub(super) fn add_back(&self, position: u32, back: Link, chooser: &mut Chooser<'_>, seen: &mut Seen<'_>) {
        let guard = self.lock(0, position);
        self.links(0, position, &mut chooser.row);
        if chooser.row.iter().any(|link| link.standing == Standing::Unknown) {
            drop(guard);
            return self.add_links(0, position, &[back], chooser);
        }
        let Chooser { row, missing, between, .. } = chooser;
        if back.position == position || row.iter().any(|known| known.position == back.position) {
            return;
        }
        let standing = seen.compare(&back, row, missing, between);
        row.push(Link { standing, ..back });
        let capacity = stride(self.m, 0);
        if row.len() > capacity {
            row.retain(|link| link.standing == Standing::Chosen);
            row.sort_unstable_by_key(Link::key);
            row.truncate(capacity);
        } else {
            row.sort_by_key(|link| link.standing == Standing::Spare);
        }
        self.store(0, position, row);
    }

    /// Of the nodes a search has visited at `known` distances, marks those that a link chosen by the node
    /// searched for dominates, as far as the row of that link on level 0 tells.
    pub(super) fn mark_dominated(
        &self,
        chosen: &Link,
        (visited, known): (&Visited, &[f32]),
        marked: &mut Visited,
    ) {
        let ids = self.ids(0, chosen.position).iter();
        let words = ids.zip(self.distances(0, chosen.position));
        let words = words.map(|(id, distance)| (id.load(Relaxed), distance));
        for (id, between) in words.take_while(|(id, _)| *id != NO_NODE) {
            if visited.contains(id)
                && let Some(&own) = known.get(id as usize)
                && f32::from_bits(between.load(Relaxed)) < Link::new(id, own).bound()
            {
                marked.insert(id);
            }
        }
    }

    /// The finished graph, rows nearest first. The entry point's level is the highest.
    pub(super) fn freeze(self, beam_width: usize) -> Graph {
        let mut row = Vec::new();
        for level in 0..self.levels.len() {
            for position in 0..self.level_len(level) as u32 {
                self.links(level, position, &mut row);
                row.sort_unstable_by_key(Link::key);
                self.store(level, position, &row);
            }
        }
        let words = |words: Vec<AtomicU32>| words.into_iter().map(AtomicU32::into_inner).collect();
        let levels = self.levels.into_iter().map(|level| Level {
            nodes: level.nodes,
            below: level.below,
            rows: words(level.ids),
        });
        Graph::new(self.len, self.m, beam_width, levels.collect())
    }
}

impl GraphView for Working {
    fn len(&self) -> usize {
        self.len
    }

    fn m(&self) -> usize {
        self.m
    }

    fn levels(&self) -> usize {
        self.levels.len()
    }

    fn level_len(&self, level: usize) -> usize {
        match level {
            0 => self.len,
            _ => self.levels.get(level).map_or(0, |level| level.nodes.len()),
        }
    }

    fn node(&self, level: usize, position: u32) -> Ordinal {
        match level {
            0 => position,
            _ => self.levels.get(level).map_or(NO_NODE, |level| lookup(&level.nodes, position)),
        }
    }

    fn below(&self, level: usize, position: u32) -> u32 {
        self.levels.get(level).map_or(NO_NODE, |level| lookup(&level.below, position))
    }

    fn neighbors(&self, level: usize, position: u32, row: &mut Vec<u32>) {
        row.clear();
        let ids = self.ids(level, position).iter();
        row.extend(ids.map(|id| id.load(Relaxed)).take_while(|&id| id != NO_NODE));
    }

    #[inline]
    fn prefetch(&self, position: u32) {
        if let Some(level) = self.levels.first() {
            let stride = stride(self.m, 0);
            lucerne_simd::prefetch(&level.ids, (position as usize).saturating_mul(stride), stride);
        }
    }

    fn corrupt(&self, problem: String) -> Error {
        Error::Invalid(format!("graph being built: {problem}"))
    }
}
