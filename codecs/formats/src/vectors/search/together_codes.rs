//! Searches of many queries that compare the codes of all accepted vectors, as behind a filter that accepts few: a block of
//! codes stays in a cache for all queries.

use super::query::Query;
use super::request::{Scratch, Search};
use super::rescore::{Rescored, rescore_candidates};
use super::strategy::{for_candidates, least_candidates, rescored_rows};
use super::work::Work;
use super::{graph, scan};
use crate::encoding::Precision;
use crate::vectors::segment::{Index, VectorSegment};
use lucerne_codec::Result;
use lucerne_codec::vector::{VectorHits, VectorSearch};

/// Queries compared with a block of vectors: what is known of them stays in a cache beside it.
const TOGETHER: usize = 32;

/// The same search for each query; `None` where searches are exact, or of a graph or lists, or are better made alone.
pub(super) fn search(
    segment: &VectorSegment,
    queries: &[&[u8]],
    request: &VectorSearch<'_>,
) -> Result<Option<Vec<VectorHits>>> {
    let Some(work) = Work::of(segment, request.k, request.effort) else { return Ok(None) };
    let search = Search::new(segment, request, work);
    let nothing = request.k == 0 || request.accept.count() == 0;
    if nothing || search.documents || matches!(segment.index, Index::Ivf(_)) {
        return Ok(None);
    }
    let mut scratch = Scratch::default();
    let mut all = Vec::with_capacity(queries.len());
    for queries in queries.chunks(TOGETHER) {
        match scan(&search, queries, &mut scratch) {
            Ok(Some(hits)) if hits.iter().all(|hits| !hits.partial) => all.extend(hits),
            Err(error) if !error.is_stop() => return Err(error),
            _ => return Ok(None),
        }
    }
    Ok(Some(all))
}

fn scan(search: &Search<'_>, rows: &[&[u8]], scratch: &mut Scratch) -> Result<Option<Vec<VectorHits>>> {
    let Search { segment, request, work, .. } = *search;
    let mut queries: Vec<Query<'_>> = rows.iter().map(|row| Query::new(&*segment.encoded, row)).collect();
    let Some(first) = queries.first() else { return Ok(None) };
    let rescored = match first.precision {
        Precision::CandidatesOnly => return Ok(None),
        Precision::Estimate => rescored_rows(search, first),
        Precision::Exact => 0,
    };
    let is_rescored = rescored > request.k;
    let for_rescoring;
    let (by_codes, candidates) = if is_rescored {
        for_rescoring = for_candidates(request, rescored);
        let candidates = rescored.max(work.candidates).max(least_candidates(first, rescored));
        (search.for_candidates(&for_rescoring), candidates)
    } else {
        (*search, work.candidates)
    };
    let takes_graph = segment.graph().is_some() && graph::is_tried(&by_codes, candidates, first.cost);
    if takes_graph || is_rescored && rescored as f64 >= search.accepted {
        return Ok(None);
    }
    let found = scan::scan_each(&by_codes, &mut queries, scratch)?;
    if !is_rescored {
        return Ok(Some(found));
    }
    let rescore = |(found, row): (VectorHits, &&[u8])| {
        let raw = segment.raw()?.exact_query(row);
        let Rescored { neighbors, compared, partial } =
            rescore_candidates(search, &raw, &found.neighbors, Precision::Estimate)?;
        let visited = found.visited + compared as u64;
        Ok(VectorHits { neighbors, exact: true, visited, partial, ..found })
    };
    found.into_iter().zip(rows).map(rescore).collect::<Result<_>>().map(Some)
}
