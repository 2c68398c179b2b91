//! One thread's memory.

use super::BuildParams;
use super::scratch::SearchScratch;
use super::select::{Link, NeighborSelector};
use crate::distance::{GraphVectors, NodeDistances};
use lucerne_codec::Ordinal;

/// One thread's memory for insertions and searches.
pub(super) struct Worker<'v> {
    /// The node at hand as the query.
    pub(super) query: Box<dyn NodeDistances + 'v>,
    pub(super) scratch: SearchScratch,
    pub(super) selector: NeighborSelector<'v>,
    /// What a search has found on each level, level 0 first.
    pub(super) candidates: Vec<Vec<Link>>,
    pub(super) links: Vec<Link>,
    /// Nodes whose neighbors were found after a long detour only: a search for them may end before.
    pub(super) detoured: Vec<Ordinal>,
    /// What a search for a node has found.
    pub(super) found: Vec<(f32, Ordinal)>,
}

impl<'v> Worker<'v> {
    pub(super) fn new(vectors: &'v dyn GraphVectors) -> Self {
        Self {
            query: vectors.computer(),
            scratch: SearchScratch::new(),
            selector: NeighborSelector::new(vectors),
            candidates: Vec::new(),
            links: Vec::new(),
            detoured: Vec::new(),
            found: Vec::new(),
        }
    }
}

/// A worker for each thread.
pub(super) fn workers<'v>(params: &BuildParams<'_>, vectors: &'v dyn GraphVectors) -> Vec<Worker<'v>> {
    (0..params.threads.max(1)).map(|_| Worker::new(vectors)).collect()
}
