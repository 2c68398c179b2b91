//! Probing inverted lists for many binary queries: centroids are compared with a panel of queries at a time, then each list
//! with all queries that probe it.

use super::ivf::{self, NearestLists};
use super::request::Search;
use super::together_bits::{Counts, Found, ROWS, lanes};
use crate::ivf::ListFile;
use lucerne_codec::vector::VectorHits;
use lucerne_codec::{Ordinal, Result};
use lucerne_simd::{self as simd, BIT_PANEL, BitPanel};
use std::collections::BinaryHeap;

/// Queries of a list from which on a panel, however empty, is faster than a query at a time.
const LEAST_OF_PANEL: usize = 3;

/// `None` when the search was stopped, too many vectors are as near, or it depends on the vectors of a list, of which only
/// some are accepted, whether the next is probed.
pub(super) fn probe(
    search: &Search<'_>,
    lists: &ListFile,
    rows: &[u8],
    queries: &[&[u8]],
) -> Result<Option<Vec<VectorHits>>> {
    if search.request.accept.docs().is_some() {
        return Ok(None);
    }
    let row_len = search.segment.field.row_len();
    let Probes { pairs, visited } = probes(search, lists, queries)?;
    let (mut found, mut numbers) = (Found::new(search, queries.len()), Vec::new());
    for pairs in pairs.chunk_by(|left, right| left.0 == right.0) {
        let Some(&(list, _)) = pairs.first() else { continue };
        let range = lists.range(list as usize)?;
        let blocks = || range.clone().step_by(ROWS).map(|first| first..range.end.min(first + ROWS));
        numbers.clear();
        numbers.extend(pairs.iter().map(|pair| pair.1 as usize));
        for numbers in numbers.chunks(BIT_PANEL) {
            let mut panel = (numbers.len() >= LEAST_OF_PANEL).then(|| found.panel(queries, numbers));
            for block in blocks() {
                if search.request.cancel.check().is_err() || found.is_too_much() {
                    return Ok(None);
                }
                let rows = rows.get(block.start * row_len..block.end * row_len).unwrap_or_default();
                let first = block.start as Ordinal;
                match &mut panel {
                    Some(panel) => found.compare(panel, numbers, first, rows),
                    None => numbers.iter().for_each(|&number| {
                        let query = queries.get(number).copied().unwrap_or_default();
                        found.compare_one(query, number, first, rows);
                    }),
                }
            }
        }
    }
    found.into_hits(&visited, ivf::STRATEGY).map(Some)
}

/// Which lists are probed.
struct Probes {
    /// Lists and numbers of queries, in this order.
    pairs: Vec<(u32, u32)>,
    /// By query, the vectors compared, centroids included.
    visited: Vec<usize>,
}

/// The lists of each query: as many as it was told, and as many as hold the vectors wanted.
fn probes(search: &Search<'_>, lists: &ListFile, queries: &[&[u8]]) -> Result<Probes> {
    let wanted = ivf::Wanted::of(search);
    let mut centroids = Centroids::of(lists, wanted.lists_at_first(lists, search.segment.len));
    let (mut pairs, mut visited) = (Vec::new(), Vec::with_capacity(queries.len()));
    for (first, queries) in (0..).step_by(BIT_PANEL).zip(queries.chunks(BIT_PANEL)) {
        let nearest = centroids.nearest(queries);
        for ((lane, number), nearest) in (0..queries.len()).zip(first..).zip(nearest) {
            let taken = nearest.len();
            let nearest = nearest.into_sorted_vec().into_iter().map(|next| next as u32);
            let rest = || {
                // They hold fewer vectors than most.
                let distances = centroids.distances(lane);
                NearestLists::new(&distances, 4 * taken).skip(taken).collect::<Vec<u32>>()
            };
            let (mut probed, mut vectors) = (0, 0);
            let mut nearest = nearest.chain(std::iter::once_with(rest).flatten());
            while wanted.goes_on(probed, vectors)
                && let Some(list) = nearest.next()
            {
                pairs.push((list, number));
                probed += 1;
                vectors += lists.range(list as usize)?.len();
            }
            visited.push(lists.count() + vectors);
        }
    }
    pairs.sort_unstable();
    Ok(Probes { pairs, visited })
}

/// Compares centroids with panels of queries.
struct Centroids<'a> {
    rows: &'a [u8],
    /// How many of the nearest are wanted.
    take: usize,
    /// Of the last panel.
    counts: Vec<Counts>,
    near: Vec<u8>,
}

impl<'a> Centroids<'a> {
    fn of(lists: &'a ListFile, take: usize) -> Self {
        let (rows, count) = (lists.centroids(), lists.count());
        Self { rows, take: take.clamp(1, count), counts: vec![[0; BIT_PANEL]; count], near: vec![0; count] }
    }

    /// The nearest lists of each query of a panel: the count, and below it the number.
    fn nearest(&mut self, queries: &[&[u8]]) -> Vec<BinaryHeap<u64>> {
        let mut panel = BitPanel::new(queries);
        let mut nearest: Vec<BinaryHeap<u64>> =
            queries.iter().map(|_| BinaryHeap::with_capacity(self.take)).collect();
        panel.below.iter_mut().zip(queries).for_each(|(below, _)| *below = u32::MAX);
        let blocks = self.rows.chunks(ROWS * panel.row_len().max(1));
        let results = self.counts.chunks_mut(ROWS).zip(self.near.chunks_mut(ROWS));
        for (first, (rows, (counts, near))) in (0u64..).step_by(ROWS).zip(blocks.zip(results)) {
            simd::hamming_panel(rows, &panel, counts.as_flattened_mut(), near);
            for (list, (counts, &near)) in (first..).zip(counts.iter().zip(&*near)) {
                for lane in lanes(near) {
                    let of_lane = (nearest.get_mut(lane), counts.get(lane), panel.below.get_mut(lane));
                    let (Some(nearest), Some(&count), Some(below)) = of_lane else { continue };
                    // Of lists at the same distance the first are probed first.
                    if count >= *below {
                        continue;
                    }
                    let next = u64::from(count) << 32 | list;
                    if nearest.len() < self.take {
                        nearest.push(next);
                    } else if let Some(mut last) = nearest.peek_mut() {
                        *last = next;
                    }
                    if let Some(last) = nearest.peek().filter(|_| nearest.len() == self.take) {
                        *below = (last >> 32) as u32;
                    }
                }
            }
        }
        nearest
    }

    /// The distances of all from one query of the last panel.
    fn distances(&self, lane: usize) -> Vec<f32> {
        self.counts.iter().filter_map(|counts| counts.get(lane)).map(|&count| count as f32).collect()
    }
}
