//! Graph search: greedy descent through the upper levels, then a search of level 0.
//!
//! A filter is either applied to what a search returns ([`GraphSearcher::search_accepted`]) or to what it visits
//! ([`GraphSearcher::search_filtered`]). The latter goes from accepted node to accepted node. The links of an accepted
//! node that lead to rejected ones are bridged: what those link to counts as linked, until a node has as many accepted
//! links as the graph would give it (the idea of ACORN-1, arXiv 2403.04871). Where most nodes near the query are accepted
//! this is the plain search without the distances of the others; where few are, it reads links instead of computing
//! distances.

use super::scratch::{Key, NeighborQueue, Scored, SearchScratch, Visited};
use super::{GraphView, NO_NODE, NodeAt};
use crate::distance::DistanceComputer;
use lucerne_codec::{Cancel, Error, Ordinal, Result};

/// Candidates expanded at a time, their links scored in one call. A search waits for memory at the start of each call, and
/// the links of two nodes make half the calls (the beam search of DiskANN, NeurIPS 2019).
const EXPANDED_TOGETHER: usize = 2;

/// The same for searches that expand all `ef` candidates, as insertions do: what is expanded too early costs nothing there.
const EXPANDED_TOGETHER_BUILDING: usize = 4;

/// A search looks at its deadline, which means to read the clock, once in this number of steps.
const STEPS_PER_CHECK: usize = 4;

/// A search ends when it has expanded this share of `ef` candidates without finding one of the `k` nearest, and no fewer
/// than [`LEAST_PATIENCE`]: easy queries end early ("Patience in Proximity", Teofili and Lin, ECIR 2025).
const PATIENCE: (usize, usize) = (2, 5);
const LEAST_PATIENCE: usize = 8;

/// What bridging a node costs, in distances: its links are rarely in a cache.
const BRIDGE_COST: u64 = 4;

/// How far a search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchParams {
    /// Candidates kept (efSearch); as many are returned, if there are.
    pub ef: usize,
    /// The search gives up after about this many distances.
    pub budget: u64,
    /// A node that [`GraphSearcher::search`] does not see, so that a stored vector can be searched for as if it were
    /// not stored. It must not be on an upper level.
    pub hidden: Option<Ordinal>,
}

/// What a search did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchStats {
    /// Nodes visited: distances computed.
    pub visited: u64,
    /// Rejected nodes whose links were followed without computing their distances.
    pub bridged: u64,
    /// False when the search gave up because it had spent its budget.
    pub complete: bool,
}

impl SearchStats {
    /// A search that had nothing to do.
    const NONE: Self = Self { visited: 0, bridged: 0, complete: true };
}

/// A search of level 0 on its way, which may end before the nodes expanded next.
pub(super) struct Walk<'a> {
    pub(super) queue: &'a mut NeighborQueue,
    pub(super) seen: &'a Visited,
    /// Distances computed, the descent included.
    pub(super) visited: u64,
    /// Nodes expanded since one of the nearest that are watched was found.
    pub(super) fruitless: usize,
}

impl Walk<'_> {
    /// Whether the `ef` nearest candidates are all expanded.
    #[inline]
    pub(super) fn is_expanded(&mut self, ef: usize) -> bool {
        self.queue.next_rank() >= ef
    }

    /// Whether a search with `ef` candidates ends for want of progress.
    #[inline]
    pub(super) fn is_out_of_patience(&self, ef: usize) -> bool {
        self.fruitless > (ef * PATIENCE.0 / PATIENCE.1).max(LEAST_PATIENCE) && self.queue.len() >= ef
    }
}

/// Where a search of level 0 begins.
struct Start {
    /// The graph's entry point, on level 0.
    entry_point: Ordinal,
    /// Where the greedy descent ended.
    nearest: Ordinal,
    /// Distances computed on the way there.
    visited: u64,
}

/// A search of a graph, for one query.
///
/// Every search puts the nodes it finds into `out` (which is cleared first) with their distances, nearest first, ties by
/// ordinal.
#[derive(Debug)]
pub struct GraphSearcher<'a, G: ?Sized, D: ?Sized> {
    /// The graph.
    pub graph: &'a G,
    /// Distances from the query.
    pub distances: &'a mut D,
    /// Memory.
    pub scratch: &'a mut SearchScratch,
    /// Ends the search with an error.
    pub cancel: &'a Cancel,
}

impl<G: GraphView + ?Sized, D: DistanceComputer + ?Sized> GraphSearcher<'_, G, D> {
    /// Finds the nearest nodes (algorithm 5 of the HNSW paper). `k` of the `ef` candidates are what is wanted: the search
    /// ends early once no more of these are found.
    pub fn search(
        &mut self,
        k: usize,
        params: SearchParams,
        out: &mut Vec<(f32, Ordinal)>,
    ) -> Result<SearchStats> {
        let stats = self.walk(k, params, |at| Ok(at.is_out_of_patience(params.ef)))?;
        self.scratch.queue.nearest(params.ef, out);
        Ok(stats)
    }

    /// The same search for the nearest one with `ef` candidates, where the query is the vector of `node`: it ends as soon
    /// as `node` is visited, since nothing is nearer.
    pub(super) fn search_node(
        &mut self,
        node: Ordinal,
        ef: usize,
        out: &mut Vec<(f32, Ordinal)>,
    ) -> Result<SearchStats> {
        let params = SearchParams { ef, budget: u64::MAX, hidden: None };
        let stats = self.walk(1, params, |at| Ok(at.seen.contains(node) || at.is_out_of_patience(ef)))?;
        self.scratch.queue.nearest(params.ef, out);
        Ok(stats)
    }

    /// Searches, watching the `k` nearest, until `is_done` or all candidates are expanded. The candidates found are then in
    /// the queue.
    pub(super) fn walk(
        &mut self,
        k: usize,
        params: SearchParams,
        mut is_done: impl FnMut(&mut Walk<'_>) -> Result<bool>,
    ) -> Result<SearchStats> {
        let SearchParams { ef, budget, hidden } = params;
        if self.graph.is_empty() || ef == 0 {
            self.scratch.queue.reset(ef, ef);
            return Ok(SearchStats::NONE);
        }
        let Start { entry_point, nearest, visited } = self.start()?;
        self.scratch.queue.reset(ef, ef);
        if let Some(hidden) = hidden {
            self.scratch.visited.insert(hidden);
        }
        let mut stats = SearchStats { visited, ..SearchStats::NONE };
        // Every node can be reached from the entry point, not always from where the descent ended.
        for start in [nearest, entry_point] {
            let mut is_done = |at: &mut Walk<'_>| Ok(at.visited > budget || is_done(at)?);
            let done = self.search_from(&[start], k, &mut stats.visited, &mut is_done)?;
            if done || self.scratch.queue.is_full() {
                break;
            }
        }
        stats.complete = stats.visited <= budget;
        Ok(stats)
    }

    /// Finds the nearest accepted nodes. Others are visited like them and not returned.
    pub fn search_accepted(
        &mut self,
        params: SearchParams,
        accept: impl Fn(Ordinal) -> bool,
        out: &mut Vec<(f32, Ordinal)>,
    ) -> Result<SearchStats> {
        out.clear();
        if self.graph.is_empty() || params.ef == 0 {
            return Ok(SearchStats::NONE);
        }
        let start = self.start()?;
        self.scratch.heaps.reset(params.ef);
        let mut visited = start.visited + self.visit_all(start.nearest, &accept, params.budget)?;
        if visited <= params.budget && !self.scratch.heaps.is_full() {
            visited += self.visit_all(start.entry_point, &accept, params.budget)?;
        }
        self.scratch.heaps.drain_sorted(out);
        Ok(SearchStats { visited, bridged: 0, complete: visited <= params.budget })
    }

    /// Finds the nearest accepted nodes, and visits no others. `seeds` are accepted nodes to start from, beside where the
    /// greedy descent ends: without them an accepted region far from the query might not be found.
    pub fn search_filtered(
        &mut self,
        params: SearchParams,
        seeds: &[Ordinal],
        accept: impl Fn(Ordinal) -> bool,
        out: &mut Vec<(f32, Ordinal)>,
    ) -> Result<SearchStats> {
        out.clear();
        let mut stats = SearchStats::NONE;
        if self.graph.is_empty() || params.ef == 0 {
            return Ok(stats);
        }
        let start = self.start()?;
        stats.visited = start.visited;
        let (graph, scratch) = (self.graph, &mut *self.scratch);
        scratch.heaps.reset(params.ef);
        scratch.row.clear();
        scratch.row.push(start.nearest);
        scratch.row.extend_from_slice(seeds);
        // Around the node where the descent ended, all rejected ones are bridged.
        let mut wanted = usize::MAX;
        loop {
            stats.bridged += gather_accepted(graph, wanted, &accept, scratch)?;
            self.cancel.check()?;
            stats.visited += scratch.scored.compute_positions(&mut *self.distances);
            for (node, distance) in scratch.scored.iter() {
                scratch.heaps.insert(Key::new(distance, node), true);
            }
            let Some(key) = scratch.heaps.next() else {
                break;
            };
            if stats.visited + BRIDGE_COST * stats.bridged > params.budget {
                stats.complete = false;
                break;
            }
            graph.neighbors(0, key.node(), &mut scratch.row);
            wanted = graph.m();
        }
        scratch.heaps.drain_sorted(out);
        Ok(stats)
    }

    /// Descends to level 0 and empties the visited set.
    fn start(&mut self) -> Result<Start> {
        let entry_point = entry_point(self.graph)?;
        let top = NodeAt { level: self.graph.level_count().saturating_sub(1), position: 0 };
        let (nearest, visited) = self.greedy_descent(top, 0)?;
        self.scratch.visited.reset(self.graph.len());
        Ok(Start { entry_point, nearest, visited })
    }

    /// Goes down from `from` to level `to`, on each level to the nearest node that greedy search (`ef` = 1) finds.
    /// Returns the position reached, and the number of distances computed.
    pub(super) fn greedy_descent(&mut self, from: NodeAt, to: usize) -> Result<(u32, u64)> {
        let mut position = from.position;
        let mut visited = 0;
        for level in ((to + 1)..=from.level).rev() {
            self.scratch.visited.reset(self.graph.level_len(level));
            self.scratch.queue.reset(1, 1);
            visited += self.search_layer(level, &[position])?;
            let nearest = self.scratch.queue.keys().next().map_or(NO_NODE, Key::node);
            position = self.graph.below(level, nearest);
            if position as usize >= self.graph.level_len(level - 1) {
                return Err(out_of_range(self.graph, level - 1, position));
            }
        }
        Ok((position, visited))
    }

    /// Searches a level from its `entry_points` (algorithm 2 of the HNSW paper), with the visited set and the queue as
    /// they are: the candidates found are then in the queue, the distances of all visited nodes in `scratch.known`, and what
    /// it has expanded in `scratch.expanded`.
    /// Returns the number of distances computed.
    pub(super) fn search_layer(&mut self, level: usize, entry_points: &[u32]) -> Result<u64> {
        let graph = self.graph;
        let SearchScratch { visited, queue, known, row, links, scored, longest_detour, expanded, .. } =
            &mut *self.scratch;
        *longest_detour = 0;
        expanded.clear();
        let mut fruitless = 0;
        if known.len() < graph.level_len(level) {
            known.resize(graph.level_len(level), 0.0);
        }
        let mut positions = entry_points;
        let mut computed = 0;
        loop {
            self.cancel.check()?;
            computed += visit(graph, level, positions, &mut *self.distances, visited, scored)?;
            for (position, distance) in scored.iter() {
                if let Some(rank) = queue.insert(Key::new(distance, position)) {
                    if level == 0 {
                        graph.prefetch(position);
                    }
                    if rank == 0 {
                        *longest_detour = fruitless.max(*longest_detour);
                        fruitless = 0;
                    }
                }
                if let Some(known) = known.get_mut(position as usize) {
                    *known = distance;
                }
            }
            let note = |key| expanded.push(key);
            if !expand(graph, level, queue, EXPANDED_TOGETHER_BUILDING, row, links, note) {
                return Ok(computed);
            }
            fruitless += EXPANDED_TOGETHER_BUILDING;
            positions = row;
        }
    }

    /// Searches level 0 from `entry_points`, watching the `k` nearest, with the visited set and the queue as they are; the
    /// candidates found are then in the queue. True when `is_done` has ended it, false when all candidates are expanded.
    pub(super) fn search_from(
        &mut self,
        entry_points: &[Ordinal],
        k: usize,
        computed: &mut u64,
        is_done: &mut impl FnMut(&mut Walk<'_>) -> Result<bool>,
    ) -> Result<bool> {
        let graph = self.graph;
        let SearchScratch { visited, queue, row, links, scored, .. } = &mut *self.scratch;
        let mut fruitless = 0;
        let mut positions = entry_points;
        let mut steps = 0;
        loop {
            self.cancel.check_every(STEPS_PER_CHECK, steps)?;
            steps += 1;
            *computed += visit(graph, 0, positions, &mut *self.distances, visited, scored)?;
            fruitless += EXPANDED_TOGETHER;
            for (node, distance) in scored.iter() {
                if let Some(rank) = queue.insert(Key::new(distance, node)) {
                    graph.prefetch(node);
                    if rank < k {
                        fruitless = 0;
                    }
                }
            }
            if is_done(&mut Walk { queue, seen: visited, visited: *computed, fruitless })? {
                return Ok(true);
            }
            if !expand(graph, 0, queue, EXPANDED_TOGETHER, row, links, |_| {}) {
                return Ok(false);
            }
            positions = row;
        }
    }

    /// Searches level 0 from `entry_point`, accepted or not; stops after about `budget` distances. The accepted candidates
    /// found are then in the result heap.
    fn visit_all(
        &mut self,
        entry_point: Ordinal,
        accept: &impl Fn(Ordinal) -> bool,
        budget: u64,
    ) -> Result<u64> {
        let graph = self.graph;
        let SearchScratch { visited, heaps, row, scored, .. } = &mut *self.scratch;
        let mut positions: &[u32] = &[entry_point];
        let mut computed = 0;
        loop {
            self.cancel.check()?;
            computed += visit(graph, 0, positions, &mut *self.distances, visited, scored)?;
            for (node, distance) in scored.iter() {
                heaps.insert(Key::new(distance, node), accept(node));
            }
            let Some(key) = heaps.next().filter(|_| computed <= budget) else {
                return Ok(computed);
            };
            graph.neighbors(0, key.node(), row);
            positions = row;
        }
    }
}

/// Computes the distances of the nodes of `positions` that were not visited before, all in one call: they are then in
/// `scored`. Returns how many they are.
#[inline]
fn visit<G: GraphView + ?Sized, D: DistanceComputer + ?Sized>(
    graph: &G,
    level: usize,
    positions: &[u32],
    distances: &mut D,
    visited: &mut Visited,
    scored: &mut Scored,
) -> Result<u64> {
    visited.insert_all(positions, &mut scored.positions);
    let len = graph.level_len(level);
    // One test for all, without an early exit.
    if positions.iter().fold(false, |bad, &position| bad | (position as usize >= len)) {
        let bad = positions.iter().find(|&&position| position as usize >= len);
        return Err(out_of_range(graph, level, bad.copied().unwrap_or(NO_NODE)));
    }
    if level == 0 {
        return Ok(scored.compute_positions(distances));
    }
    scored.ordinals.clear();
    scored.ordinals.extend(scored.positions.iter().map(|&position| graph.node(level, position)));
    scored.ordinals.iter().try_for_each(|&node| check_node(graph, node))?;
    scored.compute_ordinals(distances);
    Ok(scored.positions.len() as u64)
}

/// Expands the nearest `together` candidates: puts their links into `row`, and calls `note` with each. False when there is
/// none left to expand.
fn expand<G: GraphView + ?Sized>(
    graph: &G,
    level: usize,
    queue: &mut NeighborQueue,
    together: usize,
    row: &mut Vec<u32>,
    links: &mut Vec<u32>,
    mut note: impl FnMut(Key),
) -> bool {
    let Some(key) = queue.next() else { return false };
    note(key);
    graph.neighbors(level, key.node(), row);
    for _ in 1..together {
        let Some(key) = queue.next() else { break };
        note(key);
        graph.neighbors(level, key.node(), links);
        row.extend_from_slice(links);
    }
    true
}

/// Puts the accepted nodes of `scratch.row` that were not visited before into `scratch.scored`; while there are fewer than
/// `wanted` accepted, also those that the rejected nodes of the row are linked to. Returns how many were bridged.
fn gather_accepted<G: GraphView + ?Sized>(
    graph: &G,
    wanted: usize,
    accept: &impl Fn(Ordinal) -> bool,
    scratch: &mut SearchScratch,
) -> Result<u64> {
    let SearchScratch { visited, row, scored: Scored { positions: fresh, .. }, rejected, links, .. } =
        scratch;
    let mut accepted = 0;
    fresh.clear();
    rejected.clear();
    for &node in row.iter() {
        check_node(graph, node)?;
        if accept(node) {
            accepted += 1;
            if visited.insert(node) {
                fresh.push(node);
            }
        } else if !visited.contains(node) {
            rejected.push(node);
        }
    }
    let mut bridged = 0;
    for &node in rejected.iter() {
        if accepted >= wanted {
            break;
        }
        // Of a rejected node visited means bridged.
        visited.insert(node);
        bridged += 1;
        graph.neighbors(0, node, links);
        for &link in links.iter() {
            check_node(graph, link)?;
            if !visited.contains(link) && accept(link) {
                visited.insert(link);
                fresh.push(link);
                accepted += 1;
            }
        }
    }
    Ok(bridged)
}

/// The level-0 position of the entry point.
pub(super) fn entry_point<G: GraphView + ?Sized>(graph: &G) -> Result<Ordinal> {
    let mut position = 0;
    for level in (1..graph.level_count()).rev() {
        position = graph.below(level, position);
        if position as usize >= graph.level_len(level - 1) {
            return Err(out_of_range(graph, level, position));
        }
    }
    Ok(position)
}

fn check_node<G: GraphView + ?Sized>(graph: &G, node: Ordinal) -> Result<()> {
    if (node as usize) < graph.len() { Ok(()) } else { Err(out_of_range(graph, 0, node)) }
}

fn out_of_range<G: GraphView + ?Sized>(graph: &G, level: usize, position: u32) -> Error {
    graph.corrupt(format!("level {level}: no node {position}"))
}
