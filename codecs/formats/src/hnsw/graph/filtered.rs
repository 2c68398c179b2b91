//! A walk that goes from accepted node to accepted node: only they are scored and kept.
//!
//! The links of an accepted node that lead to others are not scored but looked through: what they link to counts
//! as linked, until a node has as many accepted links as the graph would give it (the idea of ACORN-1,
//! arXiv 2403.04871). Where most nodes near the query are accepted this is the plain walk without the others'
//! distances; where few are, it costs reading links instead of computing distances.

use super::GraphView;
use super::scratch::{Key, SearchScratch};
use super::search::{descend, out_of_range};
use crate::distance::DistanceComputer;
use lucerne_codec::{Cancel, Ordinal, Result};

/// Cost of looking through a node, in distances: its links are rarely in a cache.
const LOOK: u64 = 4;

/// What a walk did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Distances computed.
    pub scored: u64,
    /// Nodes whose links were read without scoring them.
    pub through: u64,
    /// False when it was given up because it became too expensive.
    pub complete: bool,
}

/// How a filtered walk goes.
#[derive(Clone, Copy, Debug)]
pub struct Filtered<'a> {
    /// Nodes kept.
    pub candidates: usize,
    /// Accepted nodes to start from, beside the place where the levels above lead to: without them an accepted
    /// region that is far from the query might not be found.
    pub seeds: &'a [Ordinal],
    /// Gives up when this many distances could have been computed instead.
    pub budget: u64,
}

/// Finds the accepted nodes nearest to the scorer's query and puts them into `out` (cleared first), nearest first,
/// ties by ordinal.
pub fn search_filtered<G: GraphView + ?Sized, S: DistanceComputer + ?Sized>(
    graph: &G,
    scorer: &mut S,
    walk: Filtered<'_>,
    accept: impl Fn(Ordinal) -> bool,
    scratch: &mut SearchScratch,
    cancel: &Cancel,
    out: &mut Vec<(f32, Ordinal)>,
) -> Result<Walked> {
    out.clear();
    let mut walked = Walked { complete: true, ..Walked::default() };
    if graph.is_empty() || walk.candidates == 0 {
        return Ok(walked);
    }
    walked.scored = descend(graph, scorer, (graph.levels().saturating_sub(1), 0), 0, scratch, cancel)?;
    scratch.visited.reset(graph.len());
    scratch.heaps.reset(walk.candidates);
    std::mem::swap(&mut scratch.row, &mut scratch.starts);
    scratch.row.extend_from_slice(walk.seeds);
    // Where the descent ended is looked at all around.
    let mut target = usize::MAX;
    loop {
        walked.through += gather(graph, target, &accept, scratch)?;
        cancel.check()?;
        scratch.distances.clear();
        scratch.distances.resize(scratch.fresh.len(), 0.0);
        scorer.gather(&scratch.fresh, &mut scratch.distances);
        walked.scored += scratch.fresh.len() as u64;
        for (&node, &distance) in scratch.fresh.iter().zip(&scratch.distances) {
            scratch.heaps.offer(Key::new(distance, node), true);
        }
        let Some(key) = scratch.heaps.next() else {
            break;
        };
        if walked.scored + LOOK * walked.through > walk.budget {
            walked.complete = false;
            break;
        }
        graph.neighbors(0, key.node(), &mut scratch.row);
        target = graph.m();
    }
    scratch.heaps.drain_sorted(out);
    Ok(walked)
}

/// Puts the accepted nodes of `scratch.row` that are new into `scratch.fresh`; while there are fewer than `target`
/// accepted, also those that the others of the row are linked to. Returns how many were looked through.
fn gather<G: GraphView + ?Sized>(
    graph: &G,
    target: usize,
    accept: &impl Fn(Ordinal) -> bool,
    scratch: &mut SearchScratch,
) -> Result<u64> {
    let SearchScratch { visited, row, fresh, ordinals: others, links, .. } = scratch;
    let mut accepted = 0;
    fresh.clear();
    others.clear();
    for &node in row.iter() {
        check(graph, node)?;
        if accept(node) {
            accepted += 1;
            if visited.insert(node) {
                fresh.push(node);
            }
        } else if !visited.contains(node) {
            others.push(node);
        }
    }
    let mut through = 0;
    for &other in others.iter() {
        if accepted >= target {
            break;
        }
        // Visited, for a node that is not accepted: looked through.
        visited.insert(other);
        through += 1;
        graph.neighbors(0, other, links);
        for &node in links.iter() {
            check(graph, node)?;
            if !visited.contains(node) && accept(node) {
                visited.insert(node);
                fresh.push(node);
                accepted += 1;
            }
        }
    }
    Ok(through)
}

fn check<G: GraphView + ?Sized>(graph: &G, node: Ordinal) -> Result<()> {
    match (node as usize) < graph.len() {
        true => Ok(()),
        false => Err(out_of_range(graph, 0, node)),
    }
}
