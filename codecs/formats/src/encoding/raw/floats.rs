//! Exact distances between a query and raw rows.
//!
//! A distance depends on the two vectors only: the same kernel family sums the products whatever the form
//! (one row, picked rows, a scan), and the rest is done here, in one place, in f64. So a vector has the
//! same distance in every segment and by every search strategy, and ties stay ties.
//!
//! Sums that overflow or vanish in f32 (components beyond about 1e18 or all below 1e-19) are computed
//! again in f64, where no sum of 4,096 squares of f32 can overflow. No distance is ever NaN or infinite.

use super::float_rows::FloatRows;
use crate::encoding::preprocess::{PRECISE, finite, norm};
use lucerne_codec::Similarity;
use lucerne_codec::io::bytes::f32s;

/// A query prepared for exact distances.
#[derive(Debug)]
pub struct FloatQuery {
    similarity: Similarity,
    rows: FloatRows,
    vector: Vec<f32>,
    /// Length of the query, for cosine.
    norm: f64,
}

impl FloatQuery {
    /// Prepares a query, little-endian f32, for rows of f32.
    pub fn new(similarity: Similarity, query: &[u8]) -> Self {
        Self::for_rows(FloatRows::F32, similarity, query)
    }

    /// Prepares a query, little-endian f32, for rows of either kind.
    pub fn for_rows(rows: FloatRows, similarity: Similarity, query: &[u8]) -> Self {
        Self { similarity, rows, vector: f32s(query).collect(), norm: norm(query) }
    }

    /// Distance to one row of the query's length.
    pub fn distance(&self, row: &[u8]) -> f32 {
        let value = match self.similarity {
            Similarity::Euclidean => self.rows.l2(&self.vector, row),
            _ => self.rows.dot(&self.vector, row),
        };
        self.finish(value, row)
    }

    /// Distances to rows that lie one after the other; `out` has a place for each.
    pub fn scan(&self, rows: &[u8], out: &mut [f32]) {
        match self.similarity {
            Similarity::Euclidean => self.rows.l2_scan(rows, &self.vector, out),
            _ => self.rows.dot_scan(rows, &self.vector, out),
        }
        let row_len = (self.vector.len() * self.rows.width()).max(1);
        for (value, row) in out.iter_mut().zip(rows.chunks_exact(row_len)) {
            *value = self.finish(*value, row);
        }
    }

    /// Distances to rows picked by their numbers from a matrix of rows.
    pub fn gather(&self, rows: &[u8], ids: &[u32], out: &mut [f32]) {
        match self.similarity {
            Similarity::Euclidean => self.rows.l2_many(rows, ids, &self.vector, out),
            _ => self.rows.dot_many(rows, ids, &self.vector, out),
        }
        let row_len = self.vector.len() * self.rows.width();
        for (value, &id) in out.iter_mut().zip(ids) {
            let start = id as usize * row_len;
            *value = self.finish(*value, rows.get(start..start + row_len).unwrap_or_default());
        }
    }

    /// The distance, from what the kernel computed.
    #[inline]
    fn finish(&self, value: f32, row: &[u8]) -> f32 {
        match self.similarity {
            Similarity::Euclidean if value.is_finite() => value,
            Similarity::Cosine => self.cosine(value, row),
            // Subtracted from zero and not negated: there is one zero.
            Similarity::DotProduct | Similarity::MaxInnerProduct if value.is_finite() => 0.0 - value,
            _ => self.slow(row),
        }
    }

    #[inline]
    fn cosine(&self, dot: f32, row: &[u8]) -> f32 {
        let norm2 = self.rows.norm2(row);
        if !dot.is_finite() || !PRECISE.contains(&norm2) || self.norm < 1e-15 {
            return self.slow(row);
        }
        let cosine = f64::from(dot) / (self.norm * f64::from(norm2).sqrt());
        (1.0 - cosine.clamp(-1.0, 1.0)) as f32
    }

    /// The same in f64 throughout, for extreme and zero vectors.
    #[cold]
    fn slow(&self, row: &[u8]) -> f32 {
        let mut components = Vec::with_capacity(self.vector.len());
        self.rows.append(row, &mut components);
        let pairs = || {
            let row = components.iter().map(|&y| f64::from(y));
            self.vector.iter().map(|&x| f64::from(x)).zip(row)
        };
        let dot = || pairs().map(|(x, y)| x * y).sum::<f64>();
        let distance = match self.similarity {
            Similarity::Euclidean => pairs().map(|(x, y)| (x - y) * (x - y)).sum(),
            Similarity::Cosine => {
                let norms = self.norm * self.rows.norm(row);
                let cosine = if norms > 0.0 { dot() / norms } else { 0.0 };
                1.0 - cosine.clamp(-1.0, 1.0)
            }
            _ => 0.0 - dot(),
        };
        finite(distance as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f32]) -> Vec<u8> {
        lucerne_codec::io::bytes::from_f32s(values)
    }

    fn distance(similarity: Similarity, query: &[f32], vector: &[f32]) -> f32 {
        let query = FloatQuery::new(similarity, &row(query));
        let one = query.distance(&row(vector));
        let mut many = [0.0; 2];
        query.scan(&[row(vector), row(vector)].concat(), &mut many);
        assert_eq!(many.map(f32::to_bits), [one.to_bits(); 2]);
        one
    }

    #[test]
    fn distances_to_halves_are_those_to_the_numbers_they_stand_for() {
        let vectors: [[f32; 3]; 6] = [
            [0.0, -0.0, 0.0],
            [65_504.0, -65_504.0, 65_504.0],
            [2f32.powi(-24), -(2f32.powi(-24)), 0.0],
            [1.0, 0.5, -0.25],
            [2f32.powi(-14), 1023.0 * 2f32.powi(-24), 0.0],
            [2048.0, 2f32.powi(-24), -1.0],
        ];
        let queries =
            vectors.iter().copied().chain([[3e38, -3e38, 1e38], [1e-40, 0.0, 1e-40], [0.1, 0.2, 0.3]]);
        for (query, similarity) in queries.flat_map(|query| Similarity::FLOAT.map(|it| (query, it))) {
            let halves = FloatQuery::for_rows(FloatRows::F16, similarity, &row(&query));
            let rows = vectors.map(|vector| lucerne_codec::io::bytes::f16s_from(&vector)).concat();
            let (mut scanned, mut gathered) = ([0.0; 6], [0.0; 2]);
            halves.scan(&rows, &mut scanned);
            halves.gather(&rows, &[5, 0], &mut gathered);
            for (at, vector) in vectors.iter().enumerate() {
                let expected = FloatQuery::new(similarity, &row(&query)).distance(&row(vector));
                let found = halves.distance(&rows[6 * at..6 * at + 6]);
                assert_eq!(found.to_bits(), expected.to_bits(), "{similarity} {query:?} {vector:?}");
                assert_eq!(scanned[at].to_bits(), expected.to_bits());
            }
            assert_eq!(gathered, [scanned[5], scanned[0]]);
        }
    }

    #[test]
    fn distances_follow_the_documented_table() {
        let (q, x) = ([1.0, 2.0, 3.0, 4.0], [1.5, 5.5, 6.7, 65.1]);
        assert!((distance(Similarity::Euclidean, &q, &x) - 3_759.4).abs() < 0.1);
        assert!((1.0 - distance(Similarity::Cosine, &q, &x) - 0.814323).abs() < 1e-6);
        assert_eq!(distance(Similarity::DotProduct, &[0.5, 2.0], &[2.0, 3.0]), -7.0);
        assert_eq!(distance(Similarity::MaxInnerProduct, &[0.0, 1.0], &[-1.0, 0.0]).to_bits(), 0);
    }

    #[test]
    fn extreme_vectors_have_finite_distances() {
        let (huge, tiny, zero) = ([3e38f32, -3e38], [1e-40f32, 1e-40], [0f32, 0.0]);
        assert_eq!(distance(Similarity::Cosine, &zero, &huge), 1.0);
        assert_eq!(distance(Similarity::Cosine, &huge, &zero), 1.0);
        assert!(distance(Similarity::Cosine, &huge, &huge).abs() < 1e-6);
        assert!(distance(Similarity::Cosine, &tiny, &tiny).abs() < 1e-6);
        assert!((distance(Similarity::Cosine, &tiny, &huge) - 1.0).abs() < 1e-6);
        assert_eq!(distance(Similarity::Euclidean, &huge, &[-3e38, 3e38]), f32::MAX);
        assert_eq!(distance(Similarity::MaxInnerProduct, &huge, &huge), f32::MIN);
        assert_eq!(finite(f32::NAN), f32::MAX);
    }
}
