//! Searching a graph for its own nodes: does it find them?

use super::GraphView;
use super::scratch::SearchScratch;
use super::search::GraphSearcher;
use crate::distance::NodeDistances;
use lucerne_codec::{Cancel, Ordinal, Result};
use serde::{Deserialize, Serialize};

/// Candidates of a search for a node: half of what a search keeps by default, so that what is found here is found there with
/// a margin.
const EF: usize = 50;

/// What searches for nodes of a graph, each the query itself, have found when the graph was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfSearch {
    /// Searches made: for the nodes that might be missed, and for a sample that stands for all others.
    pub searched: u32,
    /// Nodes that a search has missed at first.
    pub missed: u32,
    /// Those of them that are found since links to them were added.
    pub mended: u32,
    /// False when it was given up because it cost too much: further nodes may be missed.
    pub complete: bool,
}

/// The result of one search for a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundSelf {
    /// Whether the node was found, or one at no greater distance than its own: the two cannot be told apart.
    pub(super) found: bool,
    /// Distances computed.
    pub(super) visited: u64,
}

/// Searches for `node`. What was found instead is then in `out`, nearest first.
pub(super) fn search_self<G: GraphView + ?Sized>(
    graph: &G,
    node: Ordinal,
    query: &mut dyn NodeDistances,
    scratch: &mut SearchScratch,
    out: &mut Vec<(f32, Ordinal)>,
    cancel: &Cancel,
) -> Result<FoundSelf> {
    query.set_query(node);
    let traversed = match query.traversal() {
        Some(distances) => {
            Some(GraphSearcher { graph, distances, scratch, cancel }.search_node(node, EF, out)?)
        }
        None => None,
    };
    let (rescore, stats) = match traversed {
        Some(stats) => (true, stats),
        None => (
            false,
            GraphSearcher { graph, distances: &mut *query, scratch, cancel }.search_node(node, EF, out)?,
        ),
    };
    let mut visited = stats.visited;
    let mut found = out.iter().any(|&(_, other)| other == node);
    if !found {
        let mut own = [0.0];
        query.gather(&[node], &mut own);
        visited += 1;
        if rescore {
            let distances = scratch.scored.compute(&mut *query, out.iter().map(|&(_, other)| other));
            out.iter_mut().zip(distances).for_each(|(hit, &distance)| hit.0 = distance);
            out.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
            visited += out.len() as u64;
        }
        found = out.first().is_some_and(|&(nearest, _)| nearest <= own[0]);
    }
    Ok(FoundSelf { found, visited })
}
