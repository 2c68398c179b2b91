//! Searches of many binary queries by Hamming distance: rows are compared with a panel of queries at a time, eight counts in
//! one register, and a block of rows stays in a cache for all panels.
//!
//! What is found is what each search finds alone: counts of bits are exact, and ties are decided at the end.

use super::collector::{Collector, MOST_KEPT, NearestWithTies};
use super::request::Search;
use super::scan::GROUP;
use lucerne_codec::vector::VectorHits;
use lucerne_codec::{Ordinal, Result};
use lucerne_simd::{self as simd, BIT_PANEL, BitPanel};

/// Rows compared with one panel after the other, and between two looks at the cancel flag.
pub(super) const ROWS: usize = 64;

/// The counts of a row, one for each query of a panel.
pub(super) type Counts = [u32; BIT_PANEL];

/// Compares all rows. `None` when the search was stopped, or too many vectors are as near.
pub(super) fn scan(search: &Search<'_>, rows: &[u8], queries: &[&[u8]]) -> Result<Option<Vec<VectorHits>>> {
    let mut found = Found::new(search, queries.len());
    let numbers: Vec<usize> = (0..queries.len()).collect();
    let numbers = numbers.chunks(BIT_PANEL);
    let mut panels: Vec<(BitPanel, &[usize])> =
        numbers.map(|numbers| (found.panel(queries, numbers), numbers)).collect();
    for (first, rows) in (0..).step_by(ROWS).zip(rows.chunks(ROWS * search.segment.field.row_len())) {
        if search.request.cancel.check().is_err() || found.is_too_much() {
            return Ok(None);
        }
        for (panel, numbers) in &mut panels {
            found.compare(panel, numbers, first, rows);
        }
    }
    let visited = vec![search.segment.len; queries.len()];
    found.into_hits(&visited, search.segment.best().scan_name()).map(Some)
}

/// What each of some queries has found.
pub(super) struct Found<'a> {
    search: &'a Search<'a>,
    nearest: Vec<NearestWithTies>,
    /// True once more vectors are kept for a query than is reasonable.
    too_much: bool,
    /// Of the rows compared last.
    counts: Vec<Counts>,
    near: Vec<u8>,
}

impl<'a> Found<'a> {
    pub(super) fn new(search: &'a Search<'a>, queries: usize) -> Self {
        let nearest = (0..queries).map(|_| NearestWithTies::new(search.request.k)).collect();
        Self { search, nearest, too_much: false, counts: vec![[0; BIT_PANEL]; ROWS], near: vec![0; ROWS] }
    }

    pub(super) fn is_too_much(&self) -> bool {
        self.too_much
    }

    /// The queries of these numbers, at most as many as fit.
    pub(super) fn panel(&self, queries: &[&[u8]], numbers: &[usize]) -> BitPanel {
        let of_numbers: Vec<&[u8]> = numbers.iter().filter_map(|&at| queries.get(at).copied()).collect();
        let mut panel = BitPanel::new(&of_numbers);
        let nearest = numbers.iter().filter_map(|&number| self.nearest.get(number));
        panel.below.iter_mut().zip(nearest).for_each(|(below, nearest)| *below = beyond(nearest));
        panel
    }

    /// Compares at most [`ROWS`] rows from ordinal `first` with the queries of these numbers, which are in the panel.
    pub(super) fn compare(&mut self, panel: &mut BitPanel, numbers: &[usize], first: Ordinal, rows: &[u8]) {
        let Self { search, nearest, too_much, counts, near } = self;
        let count = rows.len() / panel.row_len().max(1);
        let (Some(counts), Some(near)) = (counts.get_mut(..count), near.get_mut(..count)) else { return };
        simd::hamming_panel(rows, panel, counts.as_flattened_mut(), near);
        for (ordinal, (counts, &near)) in (first..).zip(counts.iter().zip(&*near)) {
            if near == 0 || !search.accepts(ordinal) {
                continue;
            }
            for lane in lanes(near) {
                let of_lane = (numbers.get(lane), counts.get(lane), panel.below.get_mut(lane));
                let (Some(&number), Some(&count), Some(below)) = of_lane else { continue };
                if let Some(nearest) = nearest.get_mut(number).filter(|_| count < *below) {
                    nearest.offer(count as f32, ordinal);
                    *too_much |= nearest.kept() > MOST_KEPT;
                    *below = beyond(nearest);
                }
            }
        }
    }

    /// The same for one query.
    pub(super) fn compare_one(&mut self, query: &[u8], number: usize, first: Ordinal, rows: &[u8]) {
        let Self { search, nearest, too_much, counts, .. } = self;
        let counts = counts.as_flattened_mut().get_mut(..rows.len() / query.len().max(1));
        let (Some(counts), Some(nearest)) = (counts, nearest.get_mut(number)) else { return };
        simd::hamming_scan(rows, query, counts);
        let mut below = beyond(nearest);
        for (first, counts) in (first..).step_by(GROUP).zip(counts.chunks(GROUP)) {
            if !counts.iter().fold(false, |near, &count| near | (count < below)) {
                continue;
            }
            for (ordinal, &count) in (first..).zip(counts) {
                if count < below && search.accepts(ordinal) {
                    nearest.offer(count as f32, ordinal);
                    *too_much |= nearest.kept() > MOST_KEPT;
                    below = beyond(nearest);
                }
            }
        }
    }

    /// What was found by each query, which has visited so many vectors.
    pub(super) fn into_hits(self, visited: &[usize], strategy: &'static str) -> Result<Vec<VectorHits>> {
        let Search { request, segment, .. } = self.search;
        let of_query = |(nearest, &visited): (NearestWithTies, &usize)| {
            let neighbors = Collector::Vectors(nearest, request.ties).into_sorted(&segment.map)?;
            Ok(VectorHits { neighbors, exact: true, visited: visited as u64, partial: false, strategy })
        };
        self.nearest.into_iter().zip(visited).map(of_query).collect()
    }
}

/// The count from which on a vector is not kept.
fn beyond(nearest: &NearestWithTies) -> u32 {
    (nearest.threshold() as u32).saturating_add(1)
}

/// The places of bits that are set.
pub(super) fn lanes(mut bits: u8) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (lane < BIT_PANEL).then_some(lane)
    })
}
