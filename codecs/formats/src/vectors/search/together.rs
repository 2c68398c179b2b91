//! Searches of many queries that compare the same vectors; here the exact ones, where each raw vector is read once for all of
//! them.

use super::collector::{MOST_KEPT, NearestWithTies};
use super::request::Search;
use super::scan::BLOCK;
use super::work::Work;
use super::{cost, ivf, together_bits, together_codes, together_lists};
use crate::encoding::EncodedVectors;
use crate::encoding::raw::RawVectors;
use crate::encoding::raw::panel::{QueryPanel, queries_together};
use crate::vectors::segment::{Index, VectorSegment};
use lucerne_codec::vector::{VectorHits, VectorSearch};
use lucerne_codec::{Component, Ordinal, Result, Similarity};
use lucerne_simd::PANEL;

/// Rows compared between two looks at the cancel flag: a few strips of a kernel, which stay in a cache.
const ROWS: usize = 48;

/// The same search for each query; `None` when they are better made one by one. That of the request does not count.
pub(in crate::vectors) fn search_together(
    segment: &VectorSegment,
    queries: &[&[u8]],
    request: &VectorSearch<'_>,
) -> Result<Option<Vec<VectorHits>>> {
    if segment.field.component() == Component::Bit {
        return search_bits(segment, queries, request);
    }
    let Some(raw) = scanned(segment, request) else {
        return together_codes::search(segment, queries, request);
    };
    let mut all = Vec::with_capacity(queries.len());
    for queries in queries.chunks(queries_together(segment.field.dimension as usize)) {
        let panel = QueryPanel::new(segment.field.component(), segment.field.similarity, queries);
        let Some(panel) = panel else { return Ok(None) };
        let Some(hits) = scan(segment, raw, panel, queries, request)? else { return Ok(None) };
        all.extend(hits);
    }
    Ok(Some(all))
}

/// The same for binary vectors.
fn search_bits(
    segment: &VectorSegment,
    queries: &[&[u8]],
    request: &VectorSearch<'_>,
) -> Result<Option<Vec<VectorHits>>> {
    let Some(raw) = &segment.raw else { return Ok(None) };
    let by_hamming = segment.field.similarity == Similarity::Hamming;
    if !by_hamming || segment.params.multiple || request.k == 0 || request.accept.count() == 0 {
        return Ok(None);
    }
    let work = Work::of(segment, request.k, request.effort);
    let search = Search::new(segment, request, work.unwrap_or_default());
    match (&segment.index, work) {
        (Index::Ivf(lists), Some(_)) if !ivf::compares_all(&search, lists) => {
            together_lists::probe(&search, lists, raw.bytes(), queries)
        }
        (Index::Hnsw(Some(_)), Some(_)) => Ok(None),
        _ if cost::gathering_is_cheaper(search.accepted, segment.len, raw.scan_cost()) => Ok(None),
        _ => together_bits::scan(&search, raw.bytes(), queries),
    }
}

/// The raw vectors that the search compares from front to back, if it does.
fn scanned<'a>(segment: &'a VectorSegment, request: &VectorSearch<'_>) -> Option<&'a RawVectors> {
    let is_exact = Work::of(segment, request.k, request.effort).is_none();
    let raw = segment.raw.as_ref()?;
    let accepted = cost::accepted_vectors(segment, &request.accept);
    let few = cost::gathering_is_cheaper(accepted, segment.len, raw.scan_cost());
    (is_exact && !few && !segment.params.multiple && request.k > 0).then_some(raw)
}

/// `None` when the search was stopped, or more vectors would have to be kept than is reasonable.
fn scan(
    segment: &VectorSegment,
    raw: &RawVectors,
    mut panel: QueryPanel,
    queries: &[&[u8]],
    request: &VectorSearch<'_>,
) -> Result<Option<Vec<VectorHits>>> {
    let search = Search::new(segment, request, Work::default());
    let mut nearest: Vec<NearestWithTies> = queries.iter().map(|_| NearestWithTies::new(request.k)).collect();
    // Queries that fill up the last panel find nothing.
    let mut thresholds = vec![f32::NEG_INFINITY; panel.lanes()];
    thresholds.iter_mut().zip(&nearest).for_each(|(threshold, nearest)| *threshold = nearest.threshold());
    let (mut odd, mut too_many): (Vec<Ordinal>, bool) = (Vec::new(), false);
    let row_len = segment.field.row_len();
    for (first, rows) in (0..).step_by(ROWS).zip(raw.bytes().chunks(ROWS * row_len)) {
        if too_many || request.cancel.check().is_err() {
            return Ok(None);
        }
        let add_odd = |row: usize| odd.push(first + row as Ordinal);
        panel.scan(rows, add_odd, |panel, row, query, least: &[f32; PANEL]| {
            let ordinal = first + row as Ordinal;
            let Some(thresholds) = thresholds.get_mut(query..query + PANEL) else { return };
            let near =
                least.iter().zip(&*thresholds).fold(false, |near, (least, most)| near | (least <= most));
            if !near || !search.accepts(ordinal) {
                return;
            }
            let of_panel = nearest.get_mut(query..).unwrap_or_default().iter_mut().zip(thresholds);
            for ((query, &least), (nearest, threshold)) in (query..).zip(least).zip(of_panel) {
                if least <= *threshold {
                    nearest.offer_between(least, least + panel.width(query, row), ordinal);
                    *threshold = nearest.threshold();
                    too_many |= nearest.kept() > MOST_KEPT;
                }
            }
        });
    }
    odd.retain(|&ordinal| search.accepts(ordinal));
    let mut all = Vec::with_capacity(queries.len());
    let mut distances = Vec::new();
    for (kept, query) in nearest.into_iter().zip(queries) {
        let query = raw.exact_query(query);
        let mut ids: Vec<Ordinal> = kept.into_sorted().into_iter().map(|(_, ordinal)| ordinal).collect();
        ids.extend_from_slice(&odd);
        let mut nearest = search.collector();
        for ids in ids.chunks(BLOCK) {
            if request.cancel.check().is_err() {
                return Ok(None);
            }
            distances.resize(ids.len(), 0.0);
            query.gather(raw.bytes(), ids, &mut distances);
            for (&ordinal, &distance) in ids.iter().zip(&distances) {
                nearest.offer(&segment.map, distance, ordinal)?;
            }
        }
        let neighbors = nearest.into_sorted(&segment.map)?;
        let (visited, strategy) = (segment.len as u64, raw.scan_name());
        all.push(VectorHits { neighbors, exact: true, visited, partial: false, strategy });
    }
    Ok(Some(all))
}
