//! Searches of many queries that compare the codes of all accepted vectors, as behind a filter that accepts few: each row of 4-bit codes
//! is read once for a panel of queries; blocks of other codes stay in a cache for all of them.

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
use lucerne_simd::PANEL;

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
    // What is done follows from the encoding, before a query is prepared for it.
    let (encoded, mut candidates) = (&segment.encoded, work.candidates);
    let (for_ten, mut rows) = (encoded.rescore_at_least(), 0);
    match encoded.precision() {
        Precision::CandidatesOnly => return Ok(None),
        Precision::Estimate => rows = rescored_rows(&search, for_ten),
        Precision::Exact => {}
    }
    let for_rescoring = for_candidates(request, rows);
    let is_rescored = rows > request.k;
    let mut by_codes = search;
    if is_rescored {
        by_codes = search.for_candidates(&for_rescoring);
        candidates = candidates.max(least_candidates(for_ten, rows));
    }
    let takes_graph =
        segment.graph().is_some() && graph::is_tried(&by_codes, candidates, encoded.scan_cost());
    if takes_graph || is_rescored && rows as f64 >= search.accepted {
        return Ok(None);
    }
    let mut scratch = Scratch::default();
    let mut all = Vec::with_capacity(queries.len());
    // Parts of the same size: none of a few queries.
    let parts = queries.len().div_ceil(PANEL).max(1);
    for rows in queries.chunks(queries.len().div_ceil(parts).max(1)) {
        let found = scan(&by_codes, rows, &mut scratch);
        match if is_rescored { found.and_then(|found| rescored(&search, rows, found)) } else { found } {
            Ok(hits) if hits.iter().all(|hits| !hits.partial) => all.extend(hits),
            Err(error) if !error.is_stop() => return Err(error),
            _ => return Ok(None),
        }
    }
    Ok(Some(all))
}

fn scan(search: &Search<'_>, rows: &[&[u8]], scratch: &mut Scratch) -> Result<Vec<VectorHits>> {
    let encoded = &*search.segment.encoded;
    let (mut queries, panel) = match scan::takes_shortlist(search) {
        true => Query::panel(encoded, rows),
        false => (rows.iter().map(|row| Query::new(encoded, row)).collect(), None),
    };
    scan::scan_each(search, &mut queries, panel, scratch)
}

/// The nearest of what was found for each query, by their raw vectors.
fn rescored(search: &Search<'_>, rows: &[&[u8]], found: Vec<VectorHits>) -> Result<Vec<VectorHits>> {
    let rescore = |(found, row): (VectorHits, &&[u8])| {
        let raw = search.segment.raw()?.exact_query(row);
        let Rescored { neighbors, compared, partial } =
            rescore_candidates(search, &raw, &found.neighbors, Precision::Estimate)?;
        let (visited, partial) = (found.visited + compared as u64, found.partial || partial);
        Ok(VectorHits { neighbors, exact: true, visited, partial, ..found })
    };
    found.into_iter().zip(rows).map(rescore).collect()
}
