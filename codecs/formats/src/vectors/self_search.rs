//! Do searches for stored vectors find them? The thorough check asks the graph as it is stored, with the encoding that
//! searches use.

use super::segment::VectorSegment;
use crate::hnsw::graph::{GraphSearcher, SearchParams, SearchScratch, suspects};
use lucerne_codec::vector::SelfSearches;
use lucerne_codec::{Cancel, Result, Similarity};

/// Candidates of a search: those it keeps by default.
const EF: usize = 100;

/// Searches the graph for the stored vectors that it may miss.
pub(super) fn search_selves(segment: &VectorSegment, cancel: &Cancel) -> Result<Option<SelfSearches>> {
    let Some(graph) = segment.graph().filter(|_| segment.field.similarity != Similarity::MaxInnerProduct)
    else {
        return Ok(None);
    };
    let (mut scratch, mut hits) = (SearchScratch::new(), Vec::new());
    let (mut ordinals, mut distances) = (Vec::new(), Vec::new());
    let mut searches = SelfSearches::default();
    for node in suspects(graph, cancel)? {
        let mut query = segment.encoded.query(&segment.vector(node)?);
        let traversal = query.traversal.as_mut().unwrap_or(&mut query.distances);
        let params = SearchParams { ef: EF, budget: u64::MAX, hidden: None };
        let mut searcher =
            GraphSearcher { graph, distances: &mut **traversal, scratch: &mut scratch, cancel };
        searcher.search(1, params, &mut hits)?;
        searches.searched += 1;
        // Itself, or one that cannot be told from it.
        ordinals.clear();
        ordinals.push(node);
        ordinals.extend(hits.iter().map(|&(_, ordinal)| ordinal));
        distances.clear();
        distances.resize(ordinals.len(), 0.0);
        query.distances.gather(&ordinals, &mut distances);
        let found =
            distances.split_first().is_some_and(|(own, others)| others.iter().any(|other| other <= own));
        searches.found += u64::from(found);
    }
    Ok(Some(searches))
}
