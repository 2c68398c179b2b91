//! kNN queries: the nearest neighbors over all segments of a snapshot.

use super::effort::{Asked, asked, wanted};
use super::hits::SegmentSearch;
use super::matching::accepted;
use super::node::Node;
use super::part::Part;
use super::ranking::{DocAddress, MatchedVector, Ranking, ScoredDoc, by_key, key_order};
use super::resolve::Resolver;
use super::sorted_runs::{first, merged};
use super::total::Total;
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::query::Knn;
use crate::reader::Snapshot;
use crate::schema::VectorField;
use lucerne_codec::estimates::EstimateErrors;
use lucerne_codec::vector::VectorSearch;
use lucerne_codec::{Accept, Neighbor};
use std::cmp::Ordering;
use std::collections::HashSet;

/// Neighbors rescored between two looks at the cancel flag: each may be a page to read from a disk.
const RESCORED_TOGETHER: usize = 128;

/// A neighbor and the position of its segment in the snapshot.
#[derive(Clone, Copy, Debug)]
struct SegmentNeighbor {
    segment: usize,
    neighbor: Neighbor,
}

/// The neighbors found in some segments.
struct Neighbors {
    found: Vec<SegmentNeighbor>,
    exact: bool,
    segments: Vec<SegmentSearch>,
}

/// The nearest of the documents that match the query's filter and the resolver's. With
/// [`Knn::post_filter`] the nearest of all documents, filtered afterwards.
pub(super) fn search(resolver: &Resolver<'_>, query: &Knn) -> Result<Ranking> {
    refuse_raw(query, resolver.snapshot.schema.vector_field_named(&query.field)?)?;
    search_known(resolver, query)
}

/// The same where an exact search is by codes if the field keeps nothing else.
pub(super) fn search_known(resolver: &Resolver<'_>, query: &Knn) -> Result<Ranking> {
    let snapshot = resolver.snapshot;
    let field = snapshot.schema.vector_field_named(&query.field)?;
    check(query, field)?;
    let filtered = query.filter.is_some() || resolver.filter.is_some();
    let asked = asked(snapshot, query, filtered, resolver.shards)?;
    let row = crate::document::check_query(field, &query.vector)?;
    let own = query.filter.as_deref();
    let own = own.map(|filter| resolver.unfiltered().resolve(filter)).transpose()?;
    let filters: Vec<&Node> = own.iter().chain(resolver.filter).collect();
    let pre_filters: &[&Node] = if query.post_filter { &[] } else { &filters };
    let Neighbors { found, exact, segments } = nearest(resolver, query, asked, field, &row, pre_filters)?;
    let similarity = field.info().similarity;
    let docs = found.into_iter().map(|SegmentNeighbor { segment, neighbor }| ScoredDoc {
        address: DocAddress { segment, doc: neighbor.doc },
        score: similarity.score(neighbor.distance),
        vector: Some(MatchedVector {
            field: field.number(),
            neighbor: Neighbor { distance: similarity.in_range(neighbor.distance), ..neighbor },
        }),
    });
    let mut docs: Vec<ScoredDoc> = docs.collect();
    if let Some(least) = query.min_score {
        docs.retain(|doc| doc.score >= least);
    }
    if query.post_filter && !filters.is_empty() {
        post_filter(resolver, &filters, &mut docs)?;
    }
    let total = Total::Exactly(docs.len() as u64);
    Ok(Ranking { docs, exact, segments, total })
}

/// The first `end` neighbors of a query whose `k` is not set, for pages of `limit` each.
///
/// An approximate search for more neighbors may also find nearer ones, so that pages cut from searches of different
/// sizes would repeat some documents and never show others. All pages are therefore cut from one list: the neighbors
/// of a search for `limit`, then those that a search for twice as many finds besides, and so on.
pub(super) fn pages(resolver: &Resolver<'_>, query: &Knn, limit: usize, end: usize) -> Result<Ranking> {
    if end > MAX_K {
        let problem = format!("offset + limit is {end}; nearest neighbors end at {MAX_K}");
        return Err(Error::WrongQuery { field: Some(query.field.clone()), problem });
    }
    let mut k = if query.exact { end } else { limit };
    let mut pages = search(resolver, &Knn { k: Some(k), ..query.clone() })?;
    let mut found = pages.docs.len();
    // Fewer than were asked for are all there are.
    while k < end && (found == k || query.post_filter) {
        k = k.saturating_mul(2).min(MAX_K);
        let more = search(resolver, &Knn { k: Some(k), ..query.clone() })?;
        found = more.docs.len();
        let known: HashSet<DocAddress> = pages.docs.iter().map(|doc| doc.address).collect();
        let (exact, new) = (more.exact && pages.exact, more.docs.into_iter());
        pages.docs.extend(new.filter(|doc| !known.contains(&doc.address)));
        (pages.exact, pages.segments) = (exact, more.segments);
    }
    pages.docs.truncate(end);
    let len = pages.docs.len() as u64;
    pages.total = if found >= k { Total::AtLeast(len) } else { Total::Exactly(len) };
    Ok(pages)
}

fn post_filter(resolver: &Resolver<'_>, filters: &[&Node], docs: &mut Vec<ScoredDoc>) -> Result<()> {
    let passing = resolver.whole().each_segment(|part| accepted(filters, part).map(Some))?;
    docs.retain(|doc| {
        let passing = passing.get(doc.address.segment).and_then(Option::as_ref);
        passing.is_some_and(|passing| passing.contains(doc.address.doc))
    });
    Ok(())
}

/// Searches every segment, merges what they find, and rescores it when the query says so.
fn nearest(
    resolver: &Resolver<'_>,
    query: &Knn,
    asked: Asked,
    field: VectorField<'_>,
    row: &[u8],
    filters: &[&Node],
) -> Result<Neighbors> {
    let (snapshot, wanted, number) = (resolver.snapshot, wanted(query), field.number());
    let in_segment = |part| nearest_in_segment(resolver, part, asked, number, row, wanted, filters);
    let (mut lists, mut exact, mut estimated, mut segments) = (Vec::new(), true, true, Vec::new());
    for of_segment in resolver.each_segment(in_segment)? {
        exact &= of_segment.exact;
        estimated &= !of_segment.exact;
        lists.push(of_segment.found);
        segments.extend(of_segment.segments);
    }
    let (stop, order) = (resolver.stop, nearest_first(snapshot));
    let mut found = stop.part(merged(lists, wanted, order, &stop.rest()))?.unwrap_or_default();
    if query.rescore.is_some() && !exact {
        // Of a document the nearest vector counts; and where some distances are exact, errors tell nothing of the others.
        let is_bounded = estimated && !field.options().is_multiple();
        let all = if is_bounded { query.k_or_default() } else { found.len() };
        rescore(resolver, row, number, all, &mut found)?;
        exact = true;
        found = stop.part(first(found, query.k_or_default(), order, &stop.rest()))?.unwrap_or_default();
    }
    found.truncate(query.k_or_default());
    Ok(Neighbors { found, exact, segments })
}

/// What one segment has.
fn nearest_in_segment(
    resolver: &Resolver<'_>,
    part: Part<'_>,
    asked: Asked,
    number: u32,
    row: &[u8],
    wanted: usize,
    filters: &[&Node],
) -> Result<Option<Neighbors>> {
    let (stop, Part { index, segment, cancel }) = (resolver.stop, part);
    let Some(vectors) = segment.reader.vector_field(number) else { return Ok(None) };
    let known = resolver.known;
    let own;
    let filtered = match known.and_then(|known| known.accepted(index)) {
        Some(accepted) => Some(accepted),
        None => {
            let Some(accepted) = stop.part(accepted(filters, part))? else { return Ok(None) };
            own = accepted;
            own.as_ref()
        }
    };
    let accept = filtered.map_or_else(|| segment.accept(), Accept::only);
    let ties = key_order(segment);
    let hits = match known.and_then(|known| known.hits((number, wanted, asked), row, index)) {
        Some(hits) => Ok(hits),
        None => vectors.reader.search(&VectorSearch {
            query: row,
            k: wanted,
            effort: asked.in_segment(wanted, &*vectors.reader),
            accept,
            ties: &ties,
            cancel,
            on_stop: stop.on_stop(),
        }),
    };
    let Some(hits) = stop.part(hits.map_err(Error::from))? else { return Ok(None) };
    if hits.partial {
        stop.part(stop.check())?;
    }
    let found = hits.neighbors.iter().map(|&neighbor| SegmentNeighbor { segment: index, neighbor });
    let searched = SegmentSearch {
        segment: segment.reader.name().to_owned(),
        strategy: hits.strategy,
        visited: hits.visited,
        accepted: accept.count(),
    };
    Ok(Some(Neighbors { found: found.collect(), exact: hits.exact, segments: vec![searched] }))
}

/// The nearest of a document's vectors with its exact distance; `None` when the document has none.
pub(super) fn nearest_vector(
    snapshot: &Snapshot,
    field: u32,
    row: &[u8],
    DocAddress { segment, doc }: DocAddress,
) -> Result<Option<Neighbor>> {
    let segment = snapshot.segments.get(segment);
    let Some(vectors) = segment.and_then(|segment| segment.reader.vector_field(field)) else {
        return Ok(None);
    };
    let mut ordinals = Vec::new();
    vectors.reader.ordinals(doc, &mut ordinals)?;
    let neighbors = ordinals.into_iter().map(|ordinal| Neighbor { distance: f32::INFINITY, ordinal, doc });
    let mut neighbors: Vec<Neighbor> = neighbors.collect();
    vectors.reader.rescore(row, &mut neighbors)?;
    Ok(neighbors.into_iter().min_by(|left, right| left.distance.total_cmp(&right.distance)))
}

/// Refuses what takes raw vectors where there are none.
fn refuse_raw(query: &Knn, field: VectorField<'_>) -> Result<()> {
    let asked = match query {
        _ if field.options().keeps_raw() => return Ok(()),
        Knn { exact: true, .. } => "an exact search",
        Knn { rescore: Some(_), .. } => "rescoring",
        Knn { recall: Some(1.0..), .. } => "a recall of 1",
        _ => return Ok(()),
    };
    let problem = format!("{asked} takes them; ask for a recall below 1, or for candidates");
    Err(Error::NoRawVectors { field: query.field.clone(), problem })
}

fn check(query: &Knn, field: VectorField<'_>) -> Result<()> {
    let wrong = |problem: String| Err(Error::WrongQuery { field: Some(query.field.clone()), problem });
    if !field.is_indexed() {
        return Err(Error::NotIndexed { field: query.field.clone() });
    }
    let k = query.k_or_default();
    if k == 0 || k > MAX_K {
        return wrong(format!("k is {k}, expected 1 to {MAX_K}"));
    }
    if query.min_score.is_some_and(f32::is_nan) {
        return wrong("min_score is not a number".to_owned());
    }
    match query.rescore {
        Some(factor) if !(1.0..=1000.0).contains(&factor) => {
            wrong(format!("rescore is {factor}, expected a factor from 1 to 1000"))
        }
        _ => Ok(()),
    }
}

/// Orders neighbors by distance, ties by the keys of their documents.
fn nearest_first(snapshot: &Snapshot) -> impl Fn(&SegmentNeighbor, &SegmentNeighbor) -> Ordering + Copy + '_ {
    let address = |found: &SegmentNeighbor| DocAddress { segment: found.segment, doc: found.neighbor.doc };
    move |left, right| {
        let by_distance = left.neighbor.distance.total_cmp(&right.neighbor.distance);
        by_distance.then_with(|| by_key(snapshot, address(left), address(right)))
    }
}

/// Replaces the distances of neighbors, which are sorted, by exact ones, and leaves out those whose estimates are too far for them to
/// be among the `k` nearest. Of a search that was stopped those are left that it came to.
fn rescore(
    resolver: &Resolver<'_>,
    row: &[u8],
    number: u32,
    k: usize,
    found: &mut Vec<SegmentNeighbor>,
) -> Result<()> {
    let rest_of_stop = resolver.stop.rest();
    let resolver = &Resolver { stop: resolver.stop.with(&rest_of_stop), ..*resolver };
    let first = k.max(EstimateErrors::LEAST).min(found.len());
    let (first, rest) = found.split_at_mut(first);
    let estimates: Vec<f32> = first.iter().map(|found| found.neighbor.distance).collect();
    let mut done = exact_distances(resolver, row, number, first)?;
    if done == first.len() && !rest.is_empty() {
        let mut errors = EstimateErrors::default();
        let mut exact: Vec<f32> = first.iter().map(|found| found.neighbor.distance).collect();
        exact.iter().zip(&estimates).for_each(|(&exact, &estimate)| errors.add(estimate, exact));
        let (_, &mut farthest, _) = exact.select_nth_unstable_by(k.saturating_sub(1), f32::total_cmp);
        let near = errors.within(farthest, rest.iter().map(|found| found.neighbor.distance));
        let near = rest.get_mut(..near).unwrap_or_default();
        done += exact_distances(resolver, row, number, near)?;
    }
    found.truncate(done);
    Ok(())
}

/// Replaces the distances of neighbors by exact ones. Returns how many it came to before the search was stopped.
fn exact_distances(
    resolver: &Resolver<'_>,
    row: &[u8],
    number: u32,
    found: &mut [SegmentNeighbor],
) -> Result<usize> {
    let (stop, mut done) = (resolver.stop, 0);
    for together in found.chunks_mut(RESCORED_TOGETHER) {
        if stop.part(stop.check())?.is_none() {
            break;
        }
        for (index, segment) in resolver.snapshot.segments.iter().enumerate() {
            let mut own: Vec<&mut Neighbor> = together
                .iter_mut()
                .filter(|found| found.segment == index)
                .map(|found| &mut found.neighbor)
                .collect();
            let Some(vectors) = segment.reader.vector_field(number).filter(|_| !own.is_empty()) else {
                continue;
            };
            let mut neighbors: Vec<Neighbor> = own.iter().map(|neighbor| **neighbor).collect();
            vectors.reader.rescore(row, &mut neighbors)?;
            own.iter_mut().zip(neighbors).for_each(|(old, new)| **old = new);
        }
        done += together.len();
    }
    Ok(done)
}
