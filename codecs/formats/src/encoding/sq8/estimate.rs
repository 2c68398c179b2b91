//! From integer products to estimated distances, and from float vectors to integers.

use super::codes::CodeRows;
use crate::encoding::preprocess::finite;
use lucerne_codec::Similarity;

/// What turns an integer product into an estimated distance.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    pub(super) similarity: Similarity,
    /// Per quantizer version: what to add to, and to multiply, the integer product with.
    pub(super) decoders: Vec<(f32, f32)>,
    /// Inner product with the center, or the query's squared length.
    pub(super) constant: f32,
}

impl Estimate {
    #[inline]
    pub(super) fn distance(&self, codes: &CodeRows<'_>, index: usize, product: f32) -> f32 {
        let decoder = codes.of_version(&self.decoders, index);
        self.decoded(decoder, codes.correction(index), product)
    }

    /// Replaces `out` by the estimated distances of the vectors from `first` on.
    pub(super) fn distances(&self, codes: &CodeRows<'_>, first: usize, products: &[i64], out: &mut [f32]) {
        let (true, &[decoder]) = (codes.versions.is_empty(), self.decoders.as_slice()) else {
            for ((index, out), &product) in (first..).zip(out).zip(products) {
                *out = self.distance(codes, index, product as f32);
            }
            return;
        };
        let corrections = codes.corrections.get(first..).unwrap_or_default();
        for ((out, &product), correction) in out.iter_mut().zip(products).zip(corrections) {
            *out = self.decoded(decoder, f32::from_le_bytes(*correction), product as f32);
        }
    }

    #[inline]
    fn decoded(&self, (offset, step): (f32, f32), correction: f32, product: f32) -> f32 {
        let product = offset + step * product;
        let distance = match self.similarity {
            Similarity::Euclidean => (self.constant + correction - 2.0 * product).max(0.0),
            Similarity::Cosine => 1.0 - (self.constant + correction * product),
            _ => 0.0 - (self.constant + correction * product),
        };
        finite(distance)
    }
}

/// The greatest magnitude. Magnitudes order as their bits do, and integers are compared several at once: preparing
/// the query is most of a search among few vectors.
pub(super) fn greatest(vector: &[f32]) -> f32 {
    f32::from_bits(vector.iter().fold(0, |most, value| most.max(value.to_bits() & 0x7FFF_FFFF)))
}

/// The nearest integer of a magnitude of at most `largest`. Added to 1.5·2⁵² it stands in the lowest bits of the sum.
#[inline]
pub(super) fn rounded(value: f64, largest: i32) -> i32 {
    ((value + 6_755_399_441_055_744.0).to_bits() as i32).clamp(-largest, largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_and_magnitudes_are_those_of_floats() {
        for value in [0.0, -0.0, 0.4, -0.6, 1.5001, -1.4999, 32_638.7, -32_639.0, 40_000.0] {
            let expected = f64::round(value).clamp(-32_639.0, 32_639.0);
            assert_eq!(f64::from(rounded(value, 32_639)), expected, "{value}");
        }
        assert_eq!(greatest(&[0.5, -7.25, -0.0, 1e-40]), 7.25);
        assert_eq!(greatest(&[]), 0.0);
    }
}
