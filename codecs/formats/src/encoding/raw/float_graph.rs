//! Distances between raw vectors, for building and joining graphs without codes: the same as between codes
//! (`sq8::pairs` says why they are not always the metric's).

use super::metric::{finite, norm};
use super::rows::{Rows, components};
use crate::hnsw::graph::{PairScorer, Scorer};
use lucerne_codec::{Ordinal, Result, Similarity};
use lucerne_simd as simd;

/// The vectors of one segment being written. Memory: 0 or 4 bytes per vector.
#[derive(Debug)]
pub struct RawPairs<'a, R> {
    similarity: Similarity,
    rows: &'a R,
    /// Cosine: 1/|x|, 0 for a zero vector.
    scales: Vec<f32>,
    /// 1 for directions, 0 for inner products of vectors of any length.
    base: f32,
}

impl<'a, R: Rows> RawPairs<'a, R> {
    /// Prepares the vectors; reads each once for cosine.
    pub fn new(similarity: Similarity, rows: &'a R) -> Result<Self> {
        let scale = |index| -> Result<f32> {
            let norm = norm(rows.row(index)?);
            Ok(if norm > 0.0 { finite((1.0 / norm) as f32) } else { 0.0 })
        };
        let scales = match similarity {
            Similarity::Cosine => (0..rows.len()).map(scale).collect::<Result<_>>()?,
            _ => Vec::new(),
        };
        let base = if similarity == Similarity::MaxInnerProduct { 0.0 } else { 1.0 };
        Ok(Self { similarity, rows, scales, base })
    }

    fn scale(&self, ordinal: Ordinal) -> f32 {
        self.scales.get(ordinal as usize).copied().unwrap_or(1.0)
    }
}

/// One of the vectors as the query.
#[derive(Debug)]
pub struct RawPairQuery<'a, R> {
    pairs: &'a RawPairs<'a, R>,
    vector: Vec<f32>,
}

impl<R: Rows> PairScorer for RawPairs<'_, R> {
    type Query<'b>
        = RawPairQuery<'b, R>
    where
        Self: 'b;
    type Coarse<'b>
        = RawPairQuery<'b, R>
    where
        Self: 'b;

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn query(&self, ordinal: Ordinal) -> RawPairQuery<'_, R> {
        let scale = self.scale(ordinal);
        let row = self.rows.row(ordinal as usize).unwrap_or_default();
        let vector = components(row).map(|value| value * scale).collect();
        RawPairQuery { pairs: self, vector }
    }
}

/// Rows fetched ahead of the one being compared.
const AHEAD: usize = 4;

impl<R: Rows> Scorer for RawPairQuery<'_, R> {
    fn distances(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        let rows = self.pairs.rows;
        let row = |&ordinal: &Ordinal| rows.row(ordinal as usize).unwrap_or_default();
        for (at, (out, ordinal)) in out.iter_mut().zip(ordinals).enumerate() {
            if let Some(row) = ordinals.get(at + AHEAD).map(row) {
                simd::prefetch(row, 0, row.len());
            }
            let row = row(ordinal);
            let distance = match self.pairs.similarity {
                // A row that cannot be read is far from everything.
                _ if row.len() != self.vector.len() * 4 => f32::MAX,
                Similarity::Euclidean => simd::l2_f32(&self.vector, row),
                _ => self.pairs.base - simd::dot_f32(&self.vector, row) * self.pairs.scale(*ordinal),
            };
            *out = finite(distance);
        }
    }
}
