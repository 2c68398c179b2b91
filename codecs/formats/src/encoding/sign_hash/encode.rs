//! From vectors to hashes, growing while a segment is written, borrowed while it is read.

use super::meta::Estimator;
use crate::encoding::preprocess::{dot, finite, preprocess};
use crate::encoding::rows::{Rows, for_each_index};
use byteorder::{ByteOrder, LittleEndian};
use lucerne_codec::io::bytes::f32s;
use lucerne_codec::{Cancel, FieldInfo, Result, Similarity};

/// Bytes of a hash.
pub fn hash_len(dimension: usize) -> usize {
    dimension.div_ceil(8)
}

/// Borrowed hashes of a segment.
#[derive(Clone, Copy, Debug)]
pub struct HashRows<'a> {
    /// Hashes of [`hash_len`] bytes, one after the other.
    pub bits: &'a [u8],
    /// Two little-endian f32 per vector: what is added, and what is multiplied. Empty for plain.
    pub corrections: &'a [[u8; 8]],
}

impl HashRows<'_> {
    /// What is added to a vector's estimate, and what the query's part is multiplied with.
    #[inline]
    pub fn correction(&self, index: usize) -> (f32, f32) {
        self.corrections.get(index).map_or((0.0, 0.0), |pair| {
            let (add, multiply) = pair.split_at(4);
            (LittleEndian::read_f32(add), LittleEndian::read_f32(multiply))
        })
    }
}

/// Hashes being collected. Memory: ⌈dimension / 8⌉ bytes per vector, 8 more when corrected.
#[derive(Debug)]
pub struct Hashes {
    /// How they are compared.
    pub estimator: Estimator,
    /// Subtracted before the signs are taken; `None` for plain.
    pub center: Option<Vec<f32>>,
    hash_len: usize,
    similarity: Similarity,
    bits: Vec<u8>,
    corrections: Vec<[u8; 8]>,
    vector: Vec<f32>,
}

impl Hashes {
    /// No hashes yet; room for `count`.
    pub fn new(field: &FieldInfo, estimator: Estimator, center: Option<Vec<f32>>, count: usize) -> Self {
        let hash_len = hash_len(field.dimension as usize);
        Self {
            estimator,
            center,
            hash_len,
            similarity: field.similarity,
            bits: Vec::with_capacity(count.saturating_mul(hash_len)),
            corrections: Vec::with_capacity(if estimator == Estimator::Plain { 0 } else { count }),
            vector: Vec::new(),
        }
    }

    /// Hashes every vector.
    pub fn all(
        field: &FieldInfo,
        estimator: Estimator,
        center: Option<Vec<f32>>,
        rows: &dyn Rows,
        cancel: &Cancel,
    ) -> Result<Self> {
        let mut hashes = Self::new(field, estimator, center, rows.len());
        for_each_index(0..rows.len(), cancel, |index| {
            hashes.encode(&rows.vector(index)?);
            Ok(())
        })?;
        Ok(hashes)
    }

    /// Forgets all hashes.
    pub fn clear(&mut self) {
        self.bits.clear();
        self.corrections.clear();
    }

    /// Hashes a vector, little-endian f32.
    pub fn encode(&mut self, row: &[u8]) {
        match self.estimator {
            Estimator::Plain => {
                self.vector.clear();
                self.vector.extend(f32s(row));
            }
            Estimator::Corrected => {
                preprocess(self.similarity, self.center.as_deref(), row, &mut self.vector);
                let center = self.center.as_deref().unwrap_or_default();
                self.corrections.push(correction(self.similarity, &self.vector, center));
            }
        }
        let end = self.bits.len() + self.hash_len;
        self.bits.extend(signs(&self.vector));
        self.bits.resize(end, 0);
    }

    /// Copies a hash as it is.
    pub fn copy(&mut self, from: &HashRows<'_>, index: usize) {
        let start = index * self.hash_len;
        self.bits.extend_from_slice(from.bits.get(start..start + self.hash_len).unwrap_or_default());
        if self.estimator == Estimator::Corrected {
            self.corrections.push(from.corrections.get(index).copied().unwrap_or_default());
        }
    }

    /// The hashes as a reader has them.
    pub fn rows(&self) -> HashRows<'_> {
        HashRows { bits: &self.bits, corrections: &self.corrections }
    }
}

/// The signs of components, eight per byte, the least significant bit first: 1 for what is greater than 0.
pub fn signs(vector: &[f32]) -> impl Iterator<Item = u8> + '_ {
    let byte = |eight: &[f32]| (0..).zip(eight).map(|(bit, &value)| u8::from(value > 0.0) << bit).sum();
    vector.chunks(8).map(byte)
}

/// What the file has for a vector less its center; see the [module text](super).
fn correction(similarity: Similarity, t: &[f32], center: &[f32]) -> [u8; 8] {
    let magnitudes: f64 = t.iter().map(|&value| f64::from(value).abs()).sum();
    let (squares, with_center) = (dot(t, t), dot(t, center));
    let m = if magnitudes > 0.0 { squares / magnitudes } else { 0.0 };
    let (add, multiply) = match similarity {
        Similarity::Euclidean => (squares, -2.0 * m),
        _ => (-with_center, -m),
    };
    let mut pair = [0; 8];
    LittleEndian::write_f32_into(&[finite(add as f32), finite(multiply as f32)], &mut pair);
    pair
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_is_set_for_what_is_greater_than_zero() {
        let vector = [1.0, 0.0, -0.0, f32::MIN_POSITIVE, -1.0, 1e-45, 0.0, -1e-45, 2.0];
        assert_eq!(signs(&vector).collect::<Vec<_>>(), [0b0010_1001, 1]);
    }
}
