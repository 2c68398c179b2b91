//! Distances between rows of bits, for building and merging graphs: those of a query, all metrics being symmetric.

use super::bits::BitQuery;
use crate::distance::{DistanceComputer, GraphVectors, NodeDistances};
use crate::encoding::rows::Rows;
use lucerne_codec::{Ordinal, Similarity};
use lucerne_simd as simd;

/// Rows fetched ahead of the one being compared.
const AHEAD: usize = 4;

/// The vectors of one segment being written.
pub struct GraphBits<'a> {
    similarity: Similarity,
    rows: &'a dyn Rows,
    row_len: usize,
}

impl<'a> GraphBits<'a> {
    /// Rows of `row_len` bytes.
    pub fn new(similarity: Similarity, rows: &'a dyn Rows, row_len: usize) -> Self {
        Self { similarity, rows, row_len }
    }

    /// A row; nothing when it cannot be read.
    fn row(&self, ordinal: Ordinal) -> &[u8] {
        self.rows.row(ordinal as usize).unwrap_or_default()
    }
}

impl GraphVectors for GraphBits<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn computer(&self) -> Box<dyn NodeDistances + '_> {
        Box::new(BitDistances { vectors: self, query: BitQuery::new(self.similarity, &[]), row_len: 0 })
    }
}

/// Distances from one of the vectors.
struct BitDistances<'a> {
    vectors: &'a GraphBits<'a>,
    query: BitQuery,
    /// Bytes of the query.
    row_len: usize,
}

impl NodeDistances for BitDistances<'_> {
    fn set_query(&mut self, node: Ordinal) {
        let row = self.vectors.row(node);
        self.query.set_row(row);
        self.row_len = row.len();
    }
}

impl DistanceComputer for BitDistances<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        for (at, (out, ordinal)) in out.iter_mut().zip(ordinals).enumerate() {
            if let Some(&next) = ordinals.get(at + AHEAD) {
                simd::prefetch(self.vectors.row(next), 0, self.vectors.row_len);
            }
            let row = self.vectors.row(*ordinal);
            // A row that cannot be read is far from everything.
            *out = if row.len() == self.row_len { self.query.distance(row) } else { f32::MAX };
        }
    }
}
