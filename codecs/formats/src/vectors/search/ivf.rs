//! Probing inverted lists.
//!
//! A search probes the lists whose centroids are nearest to the query, nearest first: as many as it was told, or until
//! they held a number of vectors in proportion to the candidates wanted. What a filter refuses does not count, and
//! there is no end before `k` were found. Where that would be all vectors, a scan does it without the detour.

use super::collector::Collector;
use super::query::Query;
use super::request::{Scratch, Search};
use super::scan::{BLOCK, GROUP, offer_accepted, scan};
use crate::encoding::raw::ExactQuery;
use crate::ivf::ListFile;
use lucerne_codec::vector::VectorHits;
use lucerne_codec::{Ordinal, Result};
use std::collections::BinaryHeap;

/// Vectors compared for each candidate wanted. With 32 and 100 candidates nine in ten of the nearest and more were
/// found (`docs/measurements/binary-vectors.md`).
const PER_CANDIDATE: usize = 32;

/// Lists found at once, at least.
const FEW_LISTS: usize = 4;

/// What a search that probes lists is called.
pub(super) const STRATEGY: &str = "lists";

/// How much a search is to have compared before it ends.
pub(super) struct Wanted {
    /// Lists probed.
    lists: usize,
    /// Accepted vectors in them.
    vectors: usize,
}

impl Wanted {
    pub(super) fn of(search: &Search<'_>) -> Self {
        match search.work.lists {
            Some(lists) => Self { lists, vectors: search.wanted() },
            None => Self { lists: 0, vectors: vectors_wanted(search).max(search.wanted()) },
        }
    }

    pub(super) fn goes_on(&self, lists: usize, vectors: usize) -> bool {
        lists < self.lists || vectors < self.vectors
    }

    /// About how many of the lists that will be, if they hold as many of the `len` vectors as each other: some hold less.
    pub(super) fn lists_at_first(&self, lists: &ListFile, len: usize) -> usize {
        self.lists.max(lists.count().saturating_mul(self.vectors) / len.max(1) + FEW_LISTS)
    }
}

/// Whether all vectors are to be compared, or as many as there are.
pub(super) fn compares_all(search: &Search<'_>, lists: &ListFile) -> bool {
    match search.work.lists {
        Some(probes) => probes >= lists.count(),
        None => vectors_wanted(search) as f64 >= search.accepted,
    }
}

/// How many vectors lists are to have held where it is not said how many lists.
fn vectors_wanted(search: &Search<'_>) -> usize {
    search.work.candidates.max(search.request.k).saturating_mul(PER_CANDIDATE)
}

/// Finds the accepted vectors nearest to the query in the lists nearest to it.
pub(super) fn probe(
    search: &Search<'_>,
    lists: &ListFile,
    query: &mut Query<'_>,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    if compares_all(search, lists) {
        return scan(search, query, scratch);
    }
    let request = search.request;
    let wanted = Wanted::of(search);
    let mut distances = vec![0.0; lists.count()];
    ExactQuery::new(search.segment.field.similarity, request.query).scan(lists.centroids(), &mut distances);
    let mut nearest_lists = NearestLists::new(&distances, wanted.lists_at_first(lists, search.segment.len));
    let mut nearest = search.collector();
    let (mut probed, mut visited, mut accepted) = (0, lists.count(), 0);
    let mut partial = false;
    'lists: while wanted.goes_on(probed, accepted) {
        let Some(list) = nearest_lists.next() else { break };
        let range = lists.range(list as usize)?;
        probed += 1;
        for first in range.clone().step_by(BLOCK) {
            partial = !request.goes_on()?;
            if partial {
                break 'lists;
            }
            visited += BLOCK.min(range.end - first);
            scratch.distances.resize(BLOCK.min(range.end - first), 0.0);
            query.scan(first, &mut scratch.distances);
            accepted += offer(search, first as Ordinal, &scratch.distances, &mut nearest)?;
        }
    }
    Ok(VectorHits {
        neighbors: nearest.into_sorted(&search.segment.map)?,
        exact: query.is_exact(),
        visited: visited as u64,
        partial,
        strategy: STRATEGY,
    })
}

/// Offers the vectors from ordinal `first`; returns how many of them are accepted.
fn offer(
    search: &Search<'_>,
    first: Ordinal,
    distances: &[f32],
    nearest: &mut Collector<'_>,
) -> Result<usize> {
    offer_accepted(search, first, distances, nearest)?;
    if search.request.accept.docs().is_none() {
        return Ok(distances.len());
    }
    let ordinals = first..first.saturating_add(distances.len() as Ordinal);
    Ok(ordinals.filter(|&ordinal| search.accepts(ordinal)).count())
}

/// The lists by their centroids' distances, nearest first, of several at the same distance the lowest. Mostly a few of many
/// are asked for: those are picked and sorted, and more of them only when these are not enough.
pub(super) struct NearestLists<'a> {
    distances: &'a [f32],
    /// The nearest, in order: a distance, which is not negative, has the order of its bits; the list is below them.
    found: Vec<u64>,
    /// How many of them were returned.
    at: usize,
    /// How many are picked next.
    take: usize,
}

impl<'a> NearestLists<'a> {
    /// The lists of centroids at these distances, of which about so many will be asked for.
    pub(super) fn new(distances: &'a [f32], take: usize) -> Self {
        Self { distances, found: Vec::new(), at: 0, take }
    }

    /// Picks the nearest `take`.
    fn pick(&mut self) {
        let take = self.take.clamp(1, self.distances.len().max(1));
        let mut nearest: BinaryHeap<u64> = BinaryHeap::with_capacity(take);
        let mut threshold = f32::INFINITY;
        for (first, distances) in (0u64..).step_by(GROUP).zip(self.distances.chunks(GROUP)) {
            if !distances.iter().fold(false, |near, &distance| near | (distance < threshold)) {
                continue;
            }
            for (list, &distance) in (first..).zip(distances) {
                if distance >= threshold {
                    continue;
                }
                let next = u64::from(distance.to_bits()) << 32 | list;
                if nearest.len() < take {
                    nearest.push(next);
                } else if let Some(mut last) = nearest.peek_mut() {
                    *last = next;
                }
                if let Some(last) = nearest.peek().filter(|_| nearest.len() == take) {
                    threshold = f32::from_bits((last >> 32) as u32);
                }
            }
        }
        self.found = nearest.into_sorted_vec();
        self.take = take.saturating_mul(4);
    }
}

impl Iterator for NearestLists<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.at == self.found.len() && self.at < self.distances.len() {
            self.pick();
        }
        let next = self.found.get(self.at)?;
        self.at += 1;
        Some(*next as u32)
    }
}
