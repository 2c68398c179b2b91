//! Searches for neighbors that one call makes together: exact ones, so that each vector is read once for many queries, those
//! of inverted lists, so that each centroid is, and those with the same filter, which is then evaluated once.

use super::effort::{asked, wanted_for};
use super::known::{InSegment, Shared};
use super::matching::accepted;
use super::node::Node;
use super::ranking::key_order;
use super::resolve::Resolver;
use crate::error::Result;
use crate::query::{Knn, Query, Search};
use crate::reader::Snapshot;
use crate::schema::{Quantization, VectorField, VectorIndex};
use lucerne_codec::vector::{Effort, VectorSearch};
use lucerne_codec::{Accept, OnStop};
use std::collections::HashMap;

/// Searches made together at least: fewer are as fast one by one.
const LEAST: usize = 4;
/// At most: what they compare with stays in a cache, and those that come first do not wait for all.
const MOST: usize = 256;
/// Neighbors looked for at most: what is found for all of a group is in memory at once.
const MOST_K: usize = 1_000;

/// What a search looks for: searches of one kind differ in their vectors. A filter has a number, see [`Filters`].
type Kind<'a> = (&'a str, usize, Wish, usize);

/// How much a search is to do, as it is given: exact or not, lists, candidates, recall.
type Wish = (bool, Option<usize>, Option<usize>, Option<u32>);

/// How much the search of a query is to do.
fn wish(knn: &Knn) -> Wish {
    (knn.exact, knn.nprobe, knn.candidates, knn.recall.map(f32::to_bits))
}

/// Numbers of searches that run one after the other on one thread: those made together, or one.
pub(super) fn groups(snapshot: &Snapshot, searches: &[Search], threads: usize) -> Vec<Vec<usize>> {
    let mut kinds: HashMap<Kind<'_>, Vec<usize>> = HashMap::new();
    let (mut filter, mut last): (usize, Filters<'_>) = (0, [None, None]);
    for (number, search) in searches.iter().enumerate() {
        if let Some(knn) = plain(snapshot, search) {
            let own = filters(search, knn);
            // Only with those before it: to compare each filter with all others could take longer than the searches.
            if own != last {
                (filter, last) = (filter + 1, own);
            }
            kinds.entry((&knn.field, wanted_of(search, knn), wish(knn), filter)).or_default().push(number);
        }
    }
    kinds.retain(|_, numbers| numbers.len() >= LEAST);
    let mut alone = vec![true; searches.len()];
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for numbers in kinds.values() {
        for &number in numbers {
            if let Some(alone) = alone.get_mut(number) {
                *alone = false;
            }
        }
        let size = numbers.len().div_ceil(threads.max(1)).clamp(LEAST, MOST);
        groups.extend(numbers.chunks(size).map(<[usize]>::to_vec));
    }
    groups.extend(alone.iter().enumerate().filter(|(_, alone)| **alone).map(|(number, _)| vec![number]));
    groups
}

/// The filter of a kNN query and that of its search.
type Filters<'a> = [Option<&'a Query>; 2];

fn filters<'a>(search: &'a Search, knn: &'a Knn) -> Filters<'a> {
    [knn.filter.as_deref(), search.filter.as_ref()]
}

/// The kNN query of a search that compares all vectors, or probes inverted lists, or has a filter.
fn plain<'a>(snapshot: &Snapshot, search: &'a Search) -> Option<&'a Knn> {
    let Query::Knn(knn) = &search.query else { return None };
    let field = snapshot.schema.vector_field_named(&knn.field).ok()?;
    let is_fit =
        is_raw(field, knn) && matches!(field.options().index(), Some(VectorIndex::Flat | VectorIndex::Ivf));
    let is_filtered = filters(search, knn) != [None, None];
    let is_shared = knn.exact || is_fit || is_filtered;
    // Those look for more, or look again.
    let is_whole = search.rerank.is_none() && search.collapse.is_none() && search.sort.is_empty();
    let is_plain = is_shared && is_whole && !knn.post_filter && knn.scale.is_none();
    (is_plain && wanted_of(search, knn) <= MOST_K).then_some(knn)
}

/// Whether it compares raw vectors without a code.
fn is_raw(field: VectorField<'_>, knn: &Knn) -> bool {
    field.options().quantization() == Some(Quantization::None) && knn.rescore.is_none()
}

/// How many neighbors it looks for first in each segment.
fn wanted_of(search: &Search, knn: &Knn) -> usize {
    let page = search.offset.saturating_add(search.limit);
    let k = knn.k.unwrap_or(if knn.exact { page } else { search.limit });
    wanted_for(knn, k)
}

/// Makes the searches of a group. Nothing where one of them is wrong, or there is nothing to share, or they were stopped: each
/// finds out by itself.
pub(super) fn search(resolver: &Resolver<'_>, searches: &[&Search]) -> Result<Option<Shared>> {
    if searches.len() < LEAST {
        return Ok(None);
    }
    let snapshot = resolver.snapshot;
    let knns: Vec<&Knn> = searches.iter().filter_map(|search| plain(snapshot, search)).collect();
    let (Some(&first), Some(&search)) = (knns.first(), searches.first()) else { return Ok(None) };
    let field = snapshot.schema.vector_field_named(&first.field)?;
    let own = filters(search, first);
    let nodes = own.into_iter().flatten().map(|filter| resolver.resolve(filter));
    let nodes: Vec<Node> = nodes.collect::<Result<_>>()?;
    let nodes: Vec<&Node> = nodes.iter().collect();
    let wanted = wanted_of(search, first);
    let asked = asked(snapshot, first, !nodes.is_empty(), resolver.shards)?;
    // A flat field of raw vectors is searched like that in any case.
    let is_flat = is_raw(field, first) && field.options().index() == Some(VectorIndex::Flat);
    let rows: Result<Vec<_>> =
        knns.iter().map(|knn| crate::document::check_query(field, &knn.vector)).collect();
    let Ok(rows) = rows else { return Ok(None) };
    let queries: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
    let mut segments = Vec::with_capacity(snapshot.segments.len());
    for index in 0..snapshot.segments.len() {
        let Some(part) = resolver.part(index) else { return Ok(None) };
        let accepted = accepted(&nodes, part)?;
        let Some(vectors) = part.segment.reader.vector_field(field.number()) else {
            segments.push(InSegment { accepted, hits: None });
            continue;
        };
        let ties = key_order(part.segment);
        let hits = vectors.reader.search_together(
            &queries,
            &VectorSearch {
                query: &[],
                k: wanted,
                effort: if is_flat { Effort::Exact } else { asked.in_segment(wanted, &*vectors.reader) },
                accept: accepted.as_ref().map_or_else(|| part.segment.accept(), Accept::only),
                ties: &ties,
                cancel: part.cancel,
                on_stop: OnStop::Fail,
            },
        )?;
        if hits.is_none() && nodes.is_empty() {
            return Ok(None);
        }
        segments.push(InSegment { accepted, hits });
    }
    Ok(Some(Shared { looked: (field.number(), wanted, asked), rows, segments }))
}
