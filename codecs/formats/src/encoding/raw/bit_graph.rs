//! Distances between rows of bits, for building and joining graphs: those of a query, all metrics being symmetric.

use super::BitQuery;
use crate::flat_f32::Rows;
use crate::hnsw::graph::{PairScorer, Scorer};
use lucerne_codec::{Ordinal, Similarity};
use lucerne_simd as simd;

/// Rows fetched ahead of the one being compared.
const AHEAD: usize = 4;

/// The vectors of one segment being written.
#[derive(Debug)]
pub struct BitPairs<'a, R> {
    similarity: Similarity,
    rows: &'a R,
    row_len: usize,
}

impl<'a, R: Rows> BitPairs<'a, R> {
    /// Rows of `row_len` bytes.
    pub fn new(similarity: Similarity, rows: &'a R, row_len: usize) -> Self {
        Self { similarity, rows, row_len }
    }

    /// A row; nothing when it cannot be read.
    fn row(&self, ordinal: Ordinal) -> &[u8] {
        self.rows.row(ordinal as usize).unwrap_or_default()
    }
}

/// One of the vectors as the query.
#[derive(Debug)]
pub struct BitPairQuery<'a, R> {
    pairs: &'a BitPairs<'a, R>,
    query: BitQuery,
    row_len: usize,
}

impl<R: Rows> PairScorer for BitPairs<'_, R> {
    type Query<'b>
        = BitPairQuery<'b, R>
    where
        Self: 'b;
    type Coarse<'b>
        = BitPairQuery<'b, R>
    where
        Self: 'b;

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn query(&self, ordinal: Ordinal) -> BitPairQuery<'_, R> {
        let row = self.row(ordinal);
        BitPairQuery { pairs: self, query: BitQuery::new(self.similarity, row), row_len: row.len() }
    }
}

impl<R: Rows> Scorer for BitPairQuery<'_, R> {
    fn distances(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        for (at, (out, ordinal)) in out.iter_mut().zip(ordinals).enumerate() {
            if let Some(&next) = ordinals.get(at + AHEAD) {
                simd::prefetch(self.pairs.row(next), 0, self.pairs.row_len);
            }
            let row = self.pairs.row(*ordinal);
            // A row that cannot be read is far from everything.
            *out = if row.len() == self.row_len { self.query.distance(row) } else { f32::MAX };
        }
    }
}
