//! Searches for neighbors that one call makes together: exact ones, so that each vector is read once for many queries, and
//! those of inverted lists, so that each centroid is.

use super::effort::{Asked, asked};
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
type Kind<'a> = (&'a str, usize, Wish);

/// How much a search is to do, as it is given: exact or not, lists, candidates, recall.
type Wish = (bool, Option<usize>, Option<usize>, Option<u32>);

/// How much the search of a query is to do.
fn wish(knn: &Knn) -> Wish {
    (knn.exact, knn.nprobe, knn.candidates, knn.recall.map(f32::to_bits))
}

/// Numbers of searches that run one after the other on one thread: those made together, or one.
pub(super) fn groups(snapshot: &Snapshot, searches: &[Search], threads: usize) -> Vec<Vec<usize>> {
    let mut kinds: HashMap<Kind<'_>, Vec<usize>> = HashMap::new();
    for (number, search) in searches.iter().enumerate() {
        if let Some(knn) = plain(snapshot, search) {
            kinds.entry((&knn.field, k_of(search, knn), wish(knn))).or_default().push(number);
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

/// The kNN query of a search that compares all vectors, or probes inverted lists, and has no filter.
fn plain<'a>(snapshot: &Snapshot, search: &'a Search) -> Option<&'a Knn> {
    let Query::Knn(knn) = &search.query else { return None };
    let field = snapshot.schema.vector_field_named(&knn.field).ok()?;
    let is_raw = field.options().quantization() == Some(Quantization::None) && knn.rescore.is_none();
    let is_fit = is_raw && matches!(field.options().index(), Some(VectorIndex::Flat | VectorIndex::Ivf));
    let is_plain =
        (knn.exact || is_fit) && knn.filter.is_none() && search.filter.is_none() && knn.scale.is_none();
    (is_plain && k_of(search, knn) <= MOST_K).then_some(knn)
}

/// How many neighbors it looks for first.
fn k_of(search: &Search, knn: &Knn) -> usize {
    let page = search.offset.saturating_add(search.limit);
    knn.k.unwrap_or(if knn.exact { page } else { search.limit })
}

/// What searches find that were made together. Made for one snapshot.
pub(super) struct Together {
    field: u32,
    k: usize,
    asked: Asked,
    /// By search: its vector's bytes, and what is found in each segment.
    found: Vec<(Vec<u8>, Vec<Option<VectorHits>>)>,
}

/// What one of the searches made together has found.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    together: &'a Together,
    search: usize,
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
        let (k, asked) = (k_of(search, first), asked(snapshot, first, false, 1)?);
        // A flat field of raw vectors is searched like that in any case.
        let is_flat = field.options().index() == Some(VectorIndex::Flat);
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
                    effort: if is_flat { Effort::Exact } else { asked.in_segment(k, &*vectors.reader) },
                    accept: segment.accept(),
                    ties: &ties,
                    cancel,
                    on_stop: OnStop::Fail,
                },
            )?;
            let Some(hits) = hits else { return Ok(None) };
            by_query.iter_mut().zip(hits).for_each(|(found, hits)| found.push(Some(hits)));
        }
        Ok(Some(Self { field: field.number(), k, asked, found: rows.into_iter().zip(by_query).collect() }))
    }

    /// What the search of this number has found.
    pub(super) fn known(&self, search: usize) -> Known<'_> {
        Known { together: self, search }
    }
}

impl Known<'_> {
    /// What the search for `k` neighbors of a vector has found in a segment, if that is the one.
    pub(super) fn hits(
        &self,
        (field, k, asked): (u32, usize, Asked),
        row: &[u8],
        segment: usize,
    ) -> Option<VectorHits> {
        let Together { field: its_field, k: its_k, asked: its_asked, found } = self.together;
        let (its_row, hits) = found.get(self.search)?;
        let is_same = (*its_field, *its_k, *its_asked, &its_row[..]) == (field, k, asked, row);
        hits.get(segment).filter(|_| is_same)?.clone()
    }
}
