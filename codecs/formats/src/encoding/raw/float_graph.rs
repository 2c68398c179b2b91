//! Distances between raw vectors, for building and merging graphs without codes: the same as between codes
//! (`sq8/graph_vectors` says why they are not always the metric's).

use super::float_rows::FloatRows;
use crate::distance::{DistanceComputer, GraphVectors, NodeDistances};
use crate::encoding::preprocess::finite;
use crate::encoding::rows::Rows;
use lucerne_codec::{Ordinal, Result, Similarity};
use lucerne_simd as simd;

/// The vectors of one segment being written. Memory: 0 or 4 bytes per vector.
pub struct GraphFloats<'a> {
    similarity: Similarity,
    kind: FloatRows,
    rows: &'a dyn Rows,
    /// Cosine: 1/|x|, 0 for a zero vector.
    scales: Vec<f32>,
    /// 1 for directions, 0 for inner products of vectors of any length.
    base: f32,
}

impl<'a> GraphFloats<'a> {
    /// Prepares the vectors; reads each once for cosine.
    pub fn new(similarity: Similarity, kind: FloatRows, rows: &'a dyn Rows) -> Result<Self> {
        let scale = |index| -> Result<f32> {
            let norm = kind.norm(rows.row(index)?);
            Ok(if norm > 0.0 { finite((1.0 / norm) as f32) } else { 0.0 })
        };
        let scales = match similarity {
            Similarity::Cosine => (0..rows.len()).map(scale).collect::<Result<_>>()?,
            _ => Vec::new(),
        };
        let base = if similarity == Similarity::MaxInnerProduct { 0.0 } else { 1.0 };
        Ok(Self { similarity, kind, rows, scales, base })
    }

    fn scale(&self, ordinal: Ordinal) -> f32 {
        self.scales.get(ordinal as usize).copied().unwrap_or(1.0)
    }
}

impl GraphVectors for GraphFloats<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn are_inner_products(&self) -> bool {
        self.similarity == Similarity::MaxInnerProduct
    }

    fn computer(&self) -> Box<dyn NodeDistances + '_> {
        Box::new(FloatDistances { vectors: self, query: Vec::new() })
    }
}

/// Distances from one of the vectors.
struct FloatDistances<'a> {
    vectors: &'a GraphFloats<'a>,
    /// The vector; for cosine, of length 1.
    query: Vec<f32>,
}

impl NodeDistances for FloatDistances<'_> {
    fn set_query(&mut self, node: Ordinal) {
        let scale = self.vectors.scale(node);
        let row = self.vectors.rows.row(node as usize).unwrap_or_default();
        self.query.clear();
        self.vectors.kind.append(row, &mut self.query);
        self.query.iter_mut().for_each(|value| *value *= scale);
    }
}

/// Rows fetched ahead of the one being compared.
const AHEAD: usize = 4;

impl DistanceComputer for FloatDistances<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        let Self { vectors, query } = self;
        let row = |&ordinal: &Ordinal| vectors.rows.row(ordinal as usize).unwrap_or_default();
        for (at, (out, ordinal)) in out.iter_mut().zip(ordinals).enumerate() {
            if let Some(row) = ordinals.get(at + AHEAD).map(row) {
                simd::prefetch(row, 0, row.len());
            }
            let row = row(ordinal);
            let distance = match vectors.similarity {
                // A row that cannot be read is far from everything.
                _ if row.len() != query.len() * vectors.kind.width() => f32::MAX,
                Similarity::Euclidean => vectors.kind.l2(query, row),
                _ => vectors.base - vectors.kind.dot(query, row) * vectors.scale(*ordinal),
            };
            *out = finite(distance);
        }
    }
}
