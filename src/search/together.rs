//! Exact searches for neighbors that one call makes together, so that each vector is read once for many queries.

use super::ranking::key_order;
use crate::error::Result;
use crate::query::{Knn, Query, Search};
use crate::reader::Snapshot;
use crate::schema::{Quantization, VectorIndex};
use lucerne_codec::vector::{Effort, VectorHits, VectorSearch};
use lucerne_codec::{Cancel, OnStop};
use std::collections::HashMap;

/// Searches made together at least: fewer are as fast one by one.
const LEAST: usize = 4;
/// At most: what they compare with stays in a cache, and those that come first do not wait for all.
const MOST: usize = 256;
/// Neighbors looked for at most: what is found for all of a group is in memory at once.
const MOST_K: usize = 1_000;

/// What a search looks for: searches of one kind differ in their vectors.
type Kind<'a> = (&'a str, usize);

/// Numbers of searches that run one after the other on one thread: those made together, or one.
pub(super) fn groups(snapshot: &Snapshot, searches: &[Search], threads: usize) -> Vec<Vec<usize>> {
    let mut kinds: HashMap<Kind<'_>, Vec<usize>> = HashMap::new();
    for (number, search) in searches.iter().enumerate() {
        if let Some(knn) = plain(snapshot, search) {
            kinds.entry((&knn.field, k_of(search, knn))).or_default().push(number);
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

/// The kNN query of a search that compares all vectors and has no filter.
fn plain<'a>(snapshot: &Snapshot, search: &'a Search) -> Option<&'a Knn> {
    let Query::Knn(knn) = &search.query else { return None };
    let field = snapshot.schema.vector_field_named(&knn.field).ok()?;
    let options = field.options();
    let kept = (options.index(), options.quantization());
    let is_flat = kept == (Some(VectorIndex::Flat), Some(Quantization::None)) && knn.rescore.is_none();
    let is_plain = (knn.exact || is_flat) && knn.filter.is_none() && search.filter.is_none();
    (is_plain && k_of(search, knn) <= MOST_K).then_some(knn)
}

/// How many neighbors it looks for first.
fn k_of(search: &Search, knn: &Knn) -> usize {
    let page = search.offset.saturating_add(search.limit);
    knn.k.unwrap_or(if knn.exact { page } else { search.limit })
}

/// What searches find that were made together, by segment. Made for one snapshot.
pub(super) struct Together {
    field: u32,
    k: usize,
    /// By the bytes of their vectors: what is found in each segment.
    found: HashMap<Vec<u8>, Vec<Option<VectorHits>>>,
}

impl Together {
    /// Makes the searches of a group. Nothing where one of them is wrong, or the format has no use for it, or they were
    /// stopped: each finds out by itself.
    pub(super) fn search(snapshot: &Snapshot, searches: &[&Search], cancel: &Cancel) -> Result<Option<Self>> {
        if searches.len() < LEAST {
            return Ok(None);
        }
        let knns: Vec<&Knn> = searches.iter().filter_map(|search| plain(snapshot, search)).collect();
        let (Some(first), Some(search)) = (knns.first(), searches.first()) else { return Ok(None) };
        let field = snapshot.schema.vector_field_named(&first.field)?;
        let k = k_of(search, first);
        let rows: Result<Vec<_>> =
            knns.iter().map(|knn| crate::document::check_query(field, &knn.vector)).collect();
        let Ok(rows) = rows else { return Ok(None) };
        let queries: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
        let mut by_query: Vec<Vec<Option<VectorHits>>> = rows.iter().map(|_| Vec::new()).collect();
        for segment in &snapshot.segments {
            let Some(vectors) = segment.reader.vector_field(field.number()) else {
                by_query.iter_mut().for_each(|found| found.push(None));
                continue;
            };
            let ties = key_order(segment);
            let hits = vectors.reader.search_together(
                &queries,
                &VectorSearch {
                    query: &[],
                    k,
                    // A flat field of raw vectors is searched like that in any case.
                    effort: Effort::Exact,
                    accept: segment.accept(),
                    ties: &ties,
                    cancel,
                    on_stop: OnStop::Fail,
                },
            )?;
            let Some(hits) = hits else { return Ok(None) };
            by_query.iter_mut().zip(hits).for_each(|(found, hits)| found.push(Some(hits)));
        }
        Ok(Some(Self { field: field.number(), k, found: rows.into_iter().zip(by_query).collect() }))
    }

    /// What the search for `k` neighbors of a vector has found in a segment.
    pub(super) fn hits(&self, field: u32, row: &[u8], k: usize, segment: usize) -> Option<VectorHits> {
        let of_query = self.found.get(row).filter(|_| self.field == field && self.k == k)?;
        of_query.get(segment)?.clone()
    }
}
