//! Queries side by side, so that one row is compared with all of them at once.

/// Queries in a panel.
pub const PANEL: usize = 32;

/// A number for each query of a panel.
pub(crate) type Lanes = [f32; PANEL];

/// The dot products of each row with each query of a panel, row after row. Plain Rust that a compiler makes vector code of.
#[inline(always)]
pub(crate) fn dot(rows: &[f32], panel: &[f32], out: &mut [f32]) {
    let (queries, _) = panel.as_chunks::<PANEL>();
    let (out, _) = out.as_chunks_mut::<PANEL>();
    for (row, out) in rows.chunks_exact(queries.len().max(1)).zip(out) {
        let mut sums = [0f32; PANEL];
        for (queries, &x) in queries.iter().zip(row) {
            for (sum, &q) in sums.iter_mut().zip(queries) {
                *sum += q * x;
            }
        }
        *out = sums;
    }
}

/// Queries in a panel of bits.
pub const BIT_PANEL: usize = 8;

/// Up to [`BIT_PANEL`] queries side by side, as [`hamming_panel`](crate::hamming_panel) takes them: word `i` of all of them,
/// then word `i + 1`.
#[derive(Debug, Clone)]
pub struct BitPanel {
    row_len: usize,
    pub(crate) words: Vec<u64>,
    /// By query, the count from which on a row is not near; 0 for those that fill up the panel.
    pub below: [u32; BIT_PANEL],
}

impl BitPanel {
    /// Queries of as many bytes each. No row is near to any before [`BitPanel::below`] is set.
    ///
    /// # Panics
    /// When a query has another length than the first, or there are more than [`BIT_PANEL`].
    pub fn new(queries: &[&[u8]]) -> Self {
        let row_len = queries.first().map_or(0, |query| query.len());
        assert!(queries.len() <= BIT_PANEL, "{} queries, more than {BIT_PANEL}", queries.len());
        let mut words = vec![0; row_len.div_ceil(8) * BIT_PANEL];
        for (lane, query) in queries.iter().enumerate() {
            assert!(query.len() == row_len, "queries of {row_len} and {} bytes", query.len());
            let places = words.iter_mut().skip(lane).step_by(BIT_PANEL);
            places.zip(query.chunks(8)).for_each(|(place, bytes)| *place = word(bytes));
        }
        Self { row_len, words, below: [0; BIT_PANEL] }
    }

    /// Bytes of a query.
    pub fn row_len(&self) -> usize {
        self.row_len
    }
}

/// At most eight bytes as a word, filled up with zeros.
#[inline(always)]
pub(crate) fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// The number of bits in which each row differs from each query of a panel, row after row, and which of them are near.
#[inline(always)]
pub(crate) fn hamming(rows: &[u8], row_len: usize, panel: &BitPanel, out: &mut [u32], near: &mut [u8]) {
    let (queries, _) = panel.words.as_chunks::<BIT_PANEL>();
    for (at, (out, near)) in out.as_chunks_mut::<BIT_PANEL>().0.iter_mut().zip(near).enumerate() {
        let words = rows[at * row_len..(at + 1) * row_len].chunks(8).map(word);
        let mut sums = [0u64; BIT_PANEL];
        for (queries, word) in queries.iter().zip(words) {
            for (sum, query) in sums.iter_mut().zip(queries) {
                *sum += u64::from((query ^ word).count_ones());
            }
        }
        *out = sums.map(|sum| sum as u32);
        let below = out.iter().zip(&panel.below).map(|(count, below)| u8::from(count < below));
        *near = below.enumerate().fold(0, |near, (lane, below)| near | below << lane);
    }
}
