//! Exact distances between a binary query and rows of bits.
//!
//! Counts of bits are whole numbers and a Jaccard distance is one division of two of them, correctly rounded: so a
//! distance is the same in every segment, on every CPU and by every search strategy, and ties stay ties.

use lucerne_codec::Similarity;
use lucerne_simd as simd;

/// Rows counted between two conversions: counts stay in the first-level cache.
const BLOCK: usize = 256;

/// A binary query prepared for exact distances.
#[derive(Clone, Debug)]
pub struct BitQuery {
    jaccard: bool,
    row: Vec<u8>,
}

impl BitQuery {
    /// Prepares a query row.
    pub fn new(similarity: Similarity, row: &[u8]) -> Self {
        Self { jaccard: similarity == Similarity::Jaccard, row: row.to_vec() }
    }

    /// Takes another row as the query.
    pub fn set_row(&mut self, row: &[u8]) {
        self.row.clear();
        self.row.extend_from_slice(row);
    }

    /// Distance to one row of the query's length.
    #[inline]
    pub fn distance(&self, row: &[u8]) -> f32 {
        if self.jaccard {
            jaccard(simd::overlap(&self.row, row))
        } else {
            simd::hamming(&self.row, row) as f32
        }
    }

    /// Distances to rows that lie one after the other; `out` has a place for each.
    pub fn scan(&self, rows: &[u8], out: &mut [f32]) {
        let blocks = rows.chunks(self.row.len().max(1) * BLOCK).zip(out.chunks_mut(BLOCK));
        for (rows, out) in blocks {
            self.block(
                out,
                |counts| simd::hamming_scan(rows, &self.row, counts),
                |counts| simd::overlap_scan(rows, &self.row, counts),
            );
        }
    }

    /// Distances to the gather rows of a matrix of rows.
    pub fn gather(&self, rows: &[u8], ids: &[u32], out: &mut [f32]) {
        let len = self.row.len();
        for (ids, out) in ids.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
            self.block(
                out,
                |counts| simd::hamming_many(rows, len, ids, &self.row, counts),
                |counts| simd::overlap_many(rows, len, ids, &self.row, counts),
            );
        }
    }

    /// Counts the bits of at most `BLOCK` rows and makes distances of the counts.
    #[inline]
    fn block(
        &self,
        out: &mut [f32],
        hamming: impl FnOnce(&mut [u32]),
        overlap: impl FnOnce(&mut [[u32; 2]]),
    ) {
        if self.jaccard {
            let mut counts = [[0; 2]; BLOCK];
            let counts = counts.get_mut(..out.len()).unwrap_or_default();
            overlap(counts);
            out.iter_mut().zip(counts).for_each(|(out, count)| *out = jaccard(*count));
        } else {
            let mut counts = [0; BLOCK];
            let counts = counts.get_mut(..out.len()).unwrap_or_default();
            hamming(counts);
            out.iter_mut().zip(counts).for_each(|(out, count)| *out = *count as f32);
        }
    }
}

/// The share of the bits set in either that are not set in both; 0 where none is set. Counts of at most 65,536 bits
/// are exact in f32.
#[inline]
fn jaccard([both, either]: [u32; 2]) -> f32 {
    either.saturating_sub(both) as f32 / either.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row of a text of zeros and ones.
    fn row(bits: &str) -> Vec<u8> {
        let byte = |bits: &[u8]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | (bit - b'0'));
        bits.as_bytes().chunks(8).map(byte).collect()
    }

    fn distance(similarity: Similarity, query: &str, vector: &str) -> f32 {
        let query = BitQuery::new(similarity, &row(query));
        let one = query.distance(&row(vector));
        let rows = row(vector).repeat(600);
        let mut out = vec![-1.0; 600];
        query.scan(&rows, &mut out);
        assert_eq!(out, vec![one; 600]);
        let mut out = vec![-1.0; 300];
        query.gather(&rows, &[7; 300], &mut out);
        assert_eq!(out, vec![one; 300]);
        one
    }

    #[test]
    fn distances_are_those_of_the_published_examples() {
        let (first, second) = ("1001101101010100", "0101010011001101");
        assert_eq!(row(first), [0xd9, 0x2a]);
        assert_eq!(distance(Similarity::Hamming, first, second), 10.0);
        assert!((distance(Similarity::Jaccard, first, second) - 0.769231).abs() < 1e-6);
        assert_eq!(distance(Similarity::Hamming, first, first), 0.0);
        assert_eq!(distance(Similarity::Jaccard, first, first), 0.0);
        let third = "1001101101001101";
        assert_eq!(distance(Similarity::Hamming, third, second), 7.0);
        assert!((distance(Similarity::Jaccard, third, second) - 0.583333).abs() < 1e-6);
    }

    #[test]
    fn vectors_without_a_bit_are_equal_and_far_from_all_others() {
        let (none, one) = ("00000000", "00000001");
        assert_eq!(distance(Similarity::Jaccard, none, none), 0.0);
        assert_eq!(distance(Similarity::Jaccard, none, one), 1.0);
        assert_eq!(distance(Similarity::Hamming, none, one), 1.0);
    }
}
