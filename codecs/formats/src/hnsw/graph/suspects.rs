//! Nodes that a search for themselves may miss, told by their links alone.
//!
//! A search that comes near a node finds it if what is nearest to it links to it; so nodes whose nearest links do not link
//! back are suspects. And it finds all of a group whose nodes link to each other, or none: so of nodes linked both ways
//! one is searched for in the place of the others, a *cover* of the graph.

use super::GraphView;
use lucerne_codec::{Cancel, Ordinal, Result};

/// Of a node's nearest links, so many are looked at, and so many of them must link back: the nearest, and one more.
const NEAREST: usize = 4;
const NEAREST_BACK: usize = 2;

/// How far from a node others are covered by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    /// Nodes linked both ways with it, and nodes linked both ways with these.
    Coarse,
    /// Nodes linked both ways with it.
    Fine,
}

/// Reads links both ways.
struct MutualLinks<'a, G: ?Sized> {
    graph: &'a G,
    row: Vec<u32>,
    other: Vec<u32>,
}

impl<G: GraphView + ?Sized> MutualLinks<'_, G> {
    /// Puts the nearest links of `node`, `most` at most, that link back to it into `into` (which is cleared first). Links out
    /// of range are left out.
    fn read(&mut self, node: Ordinal, most: usize, into: &mut Vec<u32>) {
        into.clear();
        self.graph.neighbors(0, node, &mut self.row);
        for &link in self.row.iter().take(most) {
            self.graph.neighbors(0, link, &mut self.other);
            if self.other.contains(&node) {
                into.push(link);
            }
        }
    }

    /// Whether the nearest links of `node` do not link back to it.
    fn is_weak(&mut self, node: Ordinal, mutual: &mut Vec<u32>) -> bool {
        self.read(node, NEAREST, mutual);
        mutual.len() < NEAREST_BACK.min(self.row.len()) || mutual.first() != self.row.first()
    }
}

/// The nodes linked both ways with `node`.
pub(super) fn mutual_links<G: GraphView + ?Sized>(graph: &G, node: Ordinal) -> Vec<Ordinal> {
    let mut mutual = Vec::new();
    MutualLinks { graph, row: Vec::new(), other: Vec::new() }.read(node, usize::MAX, &mut mutual);
    mutual
}

/// Nodes that a search for themselves may miss, and others that stand for the rest, ascending.
pub fn self_search_suspects<G: GraphView + ?Sized>(graph: &G, cancel: &Cancel) -> Result<Vec<Ordinal>> {
    suspects(graph, Cover::Fine, |_| false, cancel)
}

/// The suspects among the nodes that `skip` does not tell to leave out, ascending.
pub(super) fn suspects<G: GraphView + ?Sized>(
    graph: &G,
    cover: Cover,
    skip: impl Fn(Ordinal) -> bool,
    cancel: &Cancel,
) -> Result<Vec<Ordinal>> {
    let mut links = MutualLinks { graph, row: Vec::new(), other: Vec::new() };
    let (mut mutual, mut next) = (Vec::new(), Vec::new());
    let mut covered = vec![false; graph.len()];
    let mut suspects = Vec::new();
    for node in 0..graph.len() as u32 {
        cancel.check_every(1_024, node as usize)?;
        if skip(node) {
            continue;
        }
        let is_covered = covered.get(node as usize).copied().unwrap_or(true);
        if !is_covered {
            links.read(node, usize::MAX, &mut mutual);
            for &near in &mutual {
                set(&mut covered, near);
                if cover == Cover::Coarse {
                    links.read(near, usize::MAX, &mut next);
                    next.iter().for_each(|&far| set(&mut covered, far));
                }
            }
        }
        if !is_covered || links.is_weak(node, &mut mutual) {
            suspects.push(node);
        }
    }
    Ok(suspects)
}

fn set(flags: &mut [bool], node: Ordinal) {
    if let Some(flag) = flags.get_mut(node as usize) {
        *flag = true;
    }
}
