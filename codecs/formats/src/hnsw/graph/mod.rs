//! Proximity graphs: pure algorithms over "score these ordinals", no vectors and no I/O.
//!
//! The structure is the hierarchical navigable small world graph of Malkov and Yashunin
//! (arXiv 1603.09320): every vector is a node of level 0, one in `m` of them also of level 1, and so on;
//! a search walks greedily down the levels and then keeps a list of candidates on level 0.
//!
//! | file | idea |
//! |---|---|
//! | `levels` | which levels a node belongs to |
//! | `memory` | a finished graph in memory |
//! | `working` | a graph that several threads change at once |
//! | `scratch` | reusable memory of one search: visited set, candidate lists |
//! | `search` | descent and beam search |
//! | `filtered` | the beam search that keeps to accepted nodes |
//! | `heuristic` | which candidates become links |
//! | `seen` | where a link back stands, from distances known already |
//! | `insert`, `build` | one insertion; a graph from nothing |
//! | `join`, `repair` | a graph from graphs: copying, healing around deletes, local insertion |
//! | `duplicates` | vectors the scorer cannot tell apart |
//! | `connect` | reachability, proven and enforced |
//! | `order` | an order of the nodes with neighbours close together |

mod build;
mod connect;
mod duplicates;
mod filtered;
mod heuristic;
mod insert;
mod join;
mod levels;
mod memory;
mod order;
mod parallel;
mod repair;
mod scratch;
mod search;
mod seen;
mod working;

pub use build::build;
pub use connect::unreachable;
pub use filtered::{Filtered, Walked, search_filtered};
pub use join::{JoinSource, join};
pub use memory::{Graph, Level};
pub use order::locality_order;
pub use scratch::SearchScratch;
pub use search::{search, search_all, search_within};

use lucerne_codec::{Error, Ordinal};

/// Fills the unused end of a row of links.
pub const NO_NODE: u32 = u32::MAX;

/// The most nodes of a graph: a node fits into 31 bits.
pub const MAX_NODES: usize = 1 << 31;

/// How a graph is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildParams {
    /// Links of a node on an upper level; on level 0 it has up to twice as many.
    pub m: usize,
    /// Candidates kept while looking for a new node's neighbours (efConstruction).
    pub beam_width: usize,
    /// Seed of the levels.
    pub seed: u64,
    /// Threads to use, the calling one included. With one the result depends on the input only.
    pub threads: usize,
}

impl Default for BuildParams {
    /// The published defaults of the major implementations: 16 and 100.
    fn default() -> Self {
        Self { m: 16, beam_width: 100, seed: 42, threads: 1 }
    }
}

/// Read access to a graph, in memory or in a file.
///
/// Nodes of a level are numbered by their *position* in it; on level 0 the position is the ordinal. The
/// entry point is position 0 of the highest level. What is returned are raw words: in a damaged file a
/// position or an ordinal may be anything, and the algorithms check it before they use it.
pub trait GraphView: Send + Sync {
    /// Number of nodes.
    fn len(&self) -> usize;

    /// True when there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Links of a node on an upper level; on level 0 it has up to twice as many.
    fn m(&self) -> usize;

    /// Number of levels; at least 1, level 0 being the lowest.
    fn levels(&self) -> usize;

    /// Number of nodes of a level.
    fn level_len(&self, level: usize) -> usize;

    /// The ordinal of the node at `position` of `level`.
    fn node(&self, level: usize, position: u32) -> Ordinal;

    /// The position in the level below of the node at `position` of `level`; `level` is at least 1.
    fn below(&self, level: usize, position: u32) -> u32;

    /// Puts the linked positions of the node at `position` into `row` (which is cleared first).
    fn neighbors(&self, level: usize, position: u32, row: &mut Vec<u32>);

    /// Hints that the links of a node of level 0 will be wanted.
    #[inline]
    fn prefetch(&self, _position: u32) {}

    /// The error for a word that cannot be right.
    fn corrupt(&self, problem: String) -> Error;
}
