//! What graph searches with more and more candidates find, told by one search.

use super::cost;
use super::graph::{nearest_of, rescore_found};
use super::query::Query;
use super::request::{Scratch, Search};
use super::strategy::{room, rows_needed};
use super::work::Work;
use crate::hnsw::graph::{GraphSearcher, SearchParams};
use crate::vectors::recall::curve::RESCORED;
use crate::vectors::segment::VectorSegment;
use lucerne_codec::vector::{Effort, VectorSearch};
use lucerne_codec::{Accept, Cancel, DocId, Error, Neighbor, OnStop, Ordinal, Result};

/// Searches for the nearest `k` with several numbers of candidates.
pub(in crate::vectors) struct Trace {
    pub(in crate::vectors) k: usize,
    /// Ascending.
    pub(in crate::vectors) candidates: Vec<usize>,
    /// As many of the best as are ordered by raw vectors in any search.
    pub(in crate::vectors) rows: usize,
}

/// A query of all searches.
pub(in crate::vectors) struct TracedQuery<'a> {
    pub(in crate::vectors) row: &'a [u8],
    /// A vector that the searches do not see.
    pub(in crate::vectors) hidden: Ordinal,
    /// Distances that the widest search may compute, about.
    pub(in crate::vectors) budget: u64,
}

impl Trace {
    /// Searches with these candidates, ascending, as far as a graph search is better than a scan. `None` where none is, or
    /// where a search is more than one of a graph.
    pub(in crate::vectors) fn new(
        segment: &VectorSegment,
        k: usize,
        candidates: impl Iterator<Item = usize>,
    ) -> Option<Self> {
        let encoded = &*segment.encoded;
        segment.graph().filter(|_| !segment.params.multiple && !encoded.ties_often())?;
        let rows = if segment.raw.is_some() { rows_needed(encoded.rescore_at_least(), k) } else { 0 };
        let mut trace = Self { k, candidates: Vec::new(), rows };
        let by_graph = |&candidates: &usize| {
            let costs = cost::whole(trace.ef(candidates), segment.len, encoded.scan_cost());
            costs.graph < costs.scan
        };
        let candidates: Vec<usize> = candidates.take_while(by_graph).collect();
        trace.candidates = candidates;
        (!trace.candidates.is_empty()).then_some(trace)
    }

    /// The nodes that a search with so many candidates keeps.
    fn ef(&self, candidates: usize) -> usize {
        candidates.max(room(self.rows)).max(self.k)
    }

    /// As many of the best as are ordered by raw vectors when the best are rescored.
    pub(in crate::vectors) fn rescored(&self) -> usize {
        self.rows.max(RESCORED * self.k)
    }

    /// Searches for the first `steps` numbers of candidates, until `visit` returns false or the budget is spent. It is called
    /// for each search, those with fewer candidates first, with the best [`Trace::rescored`] by distances of the encoding,
    /// nearest first, and the distances computed. Returns the best that are found when the hidden vector's links are followed
    /// too.
    pub(in crate::vectors) fn run(
        &self,
        steps: usize,
        segment: &VectorSegment,
        TracedQuery { row, hidden, budget }: TracedQuery<'_>,
        cancel: &Cancel,
        scratch: &mut Scratch,
        mut visit: impl FnMut(&[Neighbor], u64) -> Result<bool>,
    ) -> Result<Vec<Neighbor>> {
        let Some(graph) = segment.graph() else { return Ok(Vec::new()) };
        let request = VectorSearch {
            query: row,
            k: self.rescored(),
            effort: Effort::Exact,
            accept: Accept::all(segment.max_doc),
            ties: &|left: DocId, right: DocId| left.cmp(&right),
            cancel,
            on_stop: OnStop::Fail,
        };
        let work = Work { watched: Some(self.k), ..Work::default() };
        let search = Search::new(segment, &request, work);
        let mut query = Query::new(&*segment.encoded, row);
        let (distances, mut whole) = query.computers();
        let Scratch { graph: memory, found, ordinals, distances: rescored } = scratch;
        let efs: Vec<usize> =
            self.candidates.iter().take(steps).map(|&candidates| self.ef(candidates)).collect();
        let ef = efs.last().copied().unwrap_or(0);
        let params = SearchParams { ef, budget, hidden: Some(hidden) };
        let mut searcher = GraphSearcher { graph, distances, scratch: memory, cancel };
        let mut nearest = |nodes: &[(f32, Ordinal)]| {
            found.clear();
            found.extend_from_slice(nodes);
            let more = match &mut whole {
                Some(whole) => rescore_found(&search, &mut **whole, found, ordinals, rescored),
                None => 0,
            };
            Ok::<_, Error>((nearest_of(&search, found)?, more))
        };
        searcher.trace(self.k, params, &efs, |nodes, visited| {
            let (found, more) = nearest(nodes)?;
            visit(&found, visited + more)
        })?;
        let mut nodes = Vec::new();
        searcher.go_on_around(hidden, self.k, ef, &mut nodes)?;
        Ok(nearest(&nodes)?.0)
    }
}
