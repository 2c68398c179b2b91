//! Estimated distances between a float query and codes.

use super::quantizer::transform;
use super::{CodeRows, Quantiles};
use crate::flat_f32::metric::finite;
use crate::flat_f32::rows::components;
use lucerne_codec::{Ordinal, Similarity};
use lucerne_simd as simd;

/// Rows scanned with one kernel call.
pub const BLOCK: usize = 256;

/// 127·256 + 127, the largest number that two planes hold.
const LARGEST: i32 = 32_639;

/// A query against the codes of one segment. The query is split into two planes of signed bytes,
/// qᵢ ≈ s·(256·hᵢ + lᵢ): one plane of 7 bits loses more than the codes themselves when a few components
/// are much larger than the others.
#[derive(Debug)]
pub struct CodeQuery {
    similarity: Similarity,
    high: Vec<i8>,
    low: Vec<i8>,
    /// Per encoding: what to add to, and to multiply, the integer product with.
    decoders: Vec<(f32, f32)>,
    /// Inner product with the centre, or the query's squared length.
    constant: f32,
}

/// Room for one block of integer products.
#[derive(Debug, Default)]
pub struct QueryScratch {
    high: Vec<i32>,
    low: Vec<i32>,
}

impl CodeQuery {
    /// Prepares a query row for codes written with `encodings` around `center`.
    pub fn new(
        similarity: Similarity,
        center: Option<&[f32]>,
        encodings: impl Iterator<Item = Quantiles>,
        row: &[u8],
    ) -> Self {
        let mut vector = Vec::new();
        // The centre is part of the vectors. An inner product takes it apart, a difference cancels it.
        let subtract = center.filter(|_| similarity == Similarity::Euclidean);
        transform(similarity, subtract, row, &mut vector);
        let sum = |values: &mut dyn Iterator<Item = (f32, f32)>| -> f64 {
            values.map(|(x, y)| f64::from(x) * f64::from(y)).sum()
        };
        let constant = match similarity {
            Similarity::Euclidean => sum(&mut vector.iter().map(|&x| (x, x))),
            _ => center.map_or(0.0, |center| sum(&mut vector.iter().copied().zip(center.iter().copied()))),
        };
        let scale = (f64::from(greatest(&vector)) / f64::from(LARGEST)).max(1e-300);
        let whole: Vec<i32> = vector.iter().map(|&value| rounded(f64::from(value) / scale)).collect();
        let upper = |whole: i32| (whole + 128) >> 8;
        let high: Vec<i8> = whole.iter().map(|&whole| upper(whole) as i8).collect();
        let low: Vec<i8> = whole.iter().map(|&whole| (whole - 256 * upper(whole)) as i8).collect();
        // At most 4,096 components: no sum overflows.
        let total: i32 = whole.iter().sum();
        let decoders = encodings
            .map(|quantiles| {
                let offset = scale * f64::from(quantiles.lower) * f64::from(total);
                (offset as f32, (scale * quantiles.range() / 255.0) as f32)
            })
            .collect();
        Self { similarity, high, low, decoders, constant: finite(constant as f32) }
    }

    /// Estimated distances of the picked vectors.
    pub fn distances(
        &self,
        codes: &CodeRows<'_>,
        ordinals: &[Ordinal],
        scratch: &mut QueryScratch,
        out: &mut [f32],
    ) {
        let dimension = self.high.len();
        scratch.resize(ordinals.len());
        simd::dot_u8_i8_many(codes.codes, dimension, ordinals, &self.high, &mut scratch.high);
        simd::dot_u8_i8_many(codes.codes, dimension, ordinals, &self.low, &mut scratch.low);
        let products = scratch.high.iter().zip(&scratch.low);
        for ((out, &ordinal), product) in out.iter_mut().zip(ordinals).zip(products) {
            *out = self.estimate(codes, ordinal as usize, product);
        }
    }

    /// Estimated distances of the vectors from `first` on, as many as `out` has places and there are.
    pub fn scan(&self, codes: &CodeRows<'_>, first: usize, scratch: &mut QueryScratch, out: &mut [f32]) {
        let dimension = self.high.len();
        let range = first * dimension..(first + out.len()) * dimension;
        let Some(rows) = codes.codes.get(range) else {
            return out.fill(f32::MAX);
        };
        scratch.resize(out.len());
        simd::dot_u8_i8_scan(rows, &self.high, &mut scratch.high);
        simd::dot_u8_i8_scan(rows, &self.low, &mut scratch.low);
        let products = scratch.high.iter().zip(&scratch.low);
        for ((index, out), product) in out.iter_mut().enumerate().zip(products) {
            *out = self.estimate(codes, first + index, product);
        }
    }

    #[inline]
    fn estimate(&self, codes: &CodeRows<'_>, index: usize, (&high, &low): (&i32, &i32)) -> f32 {
        let (offset, step) = codes.of_encoding(&self.decoders, index);
        let product = offset + step * (high as f32 * 256.0 + low as f32);
        let correction = codes.correction(index);
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
fn greatest(vector: &[f32]) -> f32 {
    f32::from_bits(vector.iter().fold(0, |most, value| most.max(value.to_bits() & 0x7FFF_FFFF)))
}

/// The nearest integer, at most [`LARGEST`]. Added to 1.5·2⁵² it stands in the lowest bits of the sum.
fn rounded(value: f64) -> i32 {
    ((value + 6_755_399_441_055_744.0).to_bits() as i32).clamp(-LARGEST, LARGEST)
}

impl QueryScratch {
    fn resize(&mut self, len: usize) {
        self.high.resize(len, 0);
        self.low.resize(len, 0);
    }
}

/// A centre from its bytes.
pub fn read_center(bytes: &[u8]) -> Vec<f32> {
    components(bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_and_magnitudes_are_those_of_floats() {
        for value in [0.0, -0.0, 0.4, -0.6, 1.5001, -1.4999, 32_638.7, -32_639.0, 40_000.0] {
            let expected = f64::round(value).clamp(-32_639.0, 32_639.0);
            assert_eq!(f64::from(rounded(value)), expected, "{value}");
        }
        assert_eq!(greatest(&[0.5, -7.25, -0.0, 1e-40]), 7.25);
        assert_eq!(greatest(&[]), 0.0);
    }
}
