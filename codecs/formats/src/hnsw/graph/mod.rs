//! Proximity graphs: algorithms over distances between ordinals ([`crate::distance`]), without vectors and without I/O.
//!
//! The structure is the hierarchical navigable small world graph (HNSW) of Malkov and Yashunin (arXiv 1603.09320): every
//! vector is a node of level 0, one in `m` of them also of level 1, and so on. A search descends greedily through the
//! upper levels and then keeps its best `ef` candidates on level 0.
//!
//! | file | idea | in the HNSW paper |
//! |---|---|---|
//! | `memory` | a graph in memory; which levels a node belongs to | section 4.1 |
//! | `scratch` | reusable memory of a search: visited set, queue, heaps | |
//! | `search` | greedy descent, search of a layer, filtered search | algorithms 2 and 5 |
//! | `trace` | one search that shows what searches with fewer candidates would have found | |
//! | `select` | neighbor selection: which candidates become links | algorithm 4 |
//! | `separation` | what neighbor selection compares: distances, or angles | |
//! | `builder` | a graph under construction | |
//! | `batch` | links for many nodes at once, the same on any number of threads | |
//! | `insert` | insertion | algorithm 1 |
//! | `build` | a graph from nothing | |
//! | `bulk` | level 0 all at once, from lists of near nodes | |
//! | `lists` | lists of numbers, each of any length | |
//! | `leaves`, `pairs`, `near_lists` | overlapping leaves; all pairs of a leaf compared; the nearest that each node has met | |
//! | `refine` | a second pass: the links of all nodes selected anew | |
//! | `repair` | copying a graph and repairing it around deleted nodes | |
//! | `merge` | a graph from graphs | |
//! | `duplicates` | vectors that no distance can tell apart | |
//! | `connectivity` | reachability, proven and enforced; nodes in breadth-first order | |
//! | `suspects` | nodes that a search for themselves may miss | |
//! | `self_search` | searching a graph for its own nodes | |
//! | `mend` | every vector is found by a search for itself: proven and enforced | |
//! | `worker` | one thread's memory | |
//! | `parallel` | the same work for many nodes, on several threads | |
//!
//! What its constants were chosen by is in `docs/measurements/graph-code.md`.

mod batch;
mod build;
mod builder;
mod bulk;
mod connectivity;
mod duplicates;
mod insert;
mod leaves;
mod lists;
mod memory;
mod mend;
mod merge;
mod near_lists;
mod pairs;
mod parallel;
mod refine;
mod renumber;
mod repair;
mod rows;
mod scratch;
mod search;
mod select;
mod self_search;
mod separation;
mod suspects;
mod trace;
mod worker;

pub use build::build;
pub use bulk::bulk_bytes;
pub use connectivity::{bfs_order, unreachable};
pub use memory::{Graph, Level, Word};
pub use merge::merge_graphs;
pub use renumber::RenumberedLevel;
pub use rows::Rows;
pub use scratch::SearchScratch;
pub use search::{GraphSearcher, SearchParams, SearchStats};
pub use self_search::SelfSearch;
pub use suspects::self_search_suspects as suspects;

use lucerne_codec::{Directory, Error, Ordinal};

/// Fills the unused end of a row of links.
pub const NO_NODE: u32 = u32::MAX;

/// The most nodes of a graph: a node fits into 31 bits.
pub const MAX_NODES: usize = 1 << 31;

/// How a graph is built.
#[derive(Clone, Copy, Debug)]
pub struct BuildParams<'a> {
    /// Links of a node on an upper level (M); on level 0 it has up to twice as many.
    pub m: usize,
    /// Candidates kept while looking for a new node's neighbors (efConstruction).
    pub beam_width: usize,
    /// Seed of the levels.
    pub seed: u64,
    /// 1: nodes are inserted; 2: and then the links of all of them are selected anew.
    pub passes: usize,
    /// Threads to use, the calling one included. The graph is the same for any number.
    pub threads: usize,
    /// Where links and their distances are while the graph is built: in files without a name of a directory, as far as it
    /// has them, instead of on the heap. The graph is the same.
    pub files: Option<&'a dyn Directory>,
}

impl Default for BuildParams<'_> {
    /// The published defaults of the major implementations: 16 and 100.
    fn default() -> Self {
        Self { m: 16, beam_width: 100, passes: 1, seed: 42, threads: 1, files: None }
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
    fn level_count(&self) -> usize;

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

/// A graph that is merged into another ([`merge_graphs`]).
#[derive(Clone, Copy)]
pub struct SourceGraph<'a> {
    /// The graph.
    pub graph: &'a dyn GraphView,
    /// The new ordinal of each of its nodes, [`NO_NODE`] for a deleted one.
    pub ordinals: &'a [u32],
}

impl SourceGraph<'_> {
    /// Number of nodes that are not deleted.
    fn live(&self) -> usize {
        self.ordinals.iter().filter(|&&new| new != NO_NODE).count()
    }

    /// The new ordinal of a node; [`NO_NODE`] for one that is deleted or that there is not.
    fn new_ordinal(&self, node: Ordinal) -> Ordinal {
        self.ordinals.get(node as usize).copied().unwrap_or(NO_NODE)
    }
}

/// Where a node is: a level and the node's position in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct NodeAt {
    level: usize,
    position: u32,
}

/// The most links of a node of `level`.
fn max_links(m: usize, level: usize) -> usize {
    if level == 0 { 2 * m } else { m }
}
