//! From a vector to its code and correction.

use super::Quantiles;
use crate::encoding::preprocess::finite;
use lucerne_codec::Similarity;

/// Encodes preprocessed vectors with one pair of quantiles.
#[derive(Clone, Copy, Debug)]
pub struct Quantizer {
    similarity: Similarity,
    quantiles: Quantiles,
    per_step: f32,
}

impl Quantizer {
    /// A quantizer for valid quantiles.
    pub fn new(similarity: Similarity, quantiles: Quantiles) -> Self {
        Self { similarity, quantiles, per_step: 1.0 / quantiles.step() }
    }

    /// The code of one value: the nearest of 256, the outermost for values outside the quantiles.
    #[inline]
    fn code(&self, value: f32) -> u8 {
        // The cast clamps, and takes the whole part: half a step more makes that the nearest.
        ((value - self.quantiles.lower) * self.per_step + 0.5) as u8
    }

    /// The value of a code.
    #[inline]
    fn value(&self, code: u8) -> f32 {
        self.quantiles.lower + self.quantiles.step() * f32::from(code)
    }

    /// Writes the vector's codes to `codes` and returns its correction; see the [module text](super).
    pub fn encode(&self, vector: &[f32], codes: &mut [u8]) -> f32 {
        for (code, &value) in codes.iter_mut().zip(vector) {
            *code = self.code(value);
        }
        self.correction(vector, codes)
    }

    /// The correction of a vector with these codes.
    pub fn correction(&self, vector: &[f32], codes: &[u8]) -> f32 {
        let (mut xx, mut xy, mut yy) = (0f64, 0f64, 0f64);
        for (&value, &code) in vector.iter().zip(codes) {
            let (x, y) = (f64::from(value), f64::from(self.value(code)));
            xx += x * x;
            xy += x * y;
            yy += y * y;
        }
        let correction = match self.similarity {
            Similarity::Euclidean => 2.0 * xy - xx,
            _ if xx == 0.0 => 0.0,
            // Codes that do not point the vector's way cannot be stretched into it.
            _ if xy <= 0.25 * (xx * yy).sqrt() => 1.0,
            _ => xx / xy,
        };
        finite(correction as f32)
    }

    /// Sum of squared differences between the values and what their codes stand for.
    pub fn squared_error(&self, vector: &[f32]) -> f64 {
        vector.iter().map(|&value| f64::from(value - self.value(self.code(value))).powi(2)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_nearest_of_256_values() {
        let quantizer = Quantizer::new(Similarity::DotProduct, Quantiles::new(-1.0, 1.0));
        let mut codes = [0; 6];
        let vector = [-5.0, -1.0, -0.997, 0.001, 0.999, 7.0];
        quantizer.encode(&vector, &mut codes);
        assert_eq!(codes, [0, 0, 0, 128, 255, 255]);
        for value in (-100..=100).map(|i| i as f32 / 100.0) {
            let back = quantizer.value(quantizer.code(value));
            assert!((back - value).abs() <= 1.001 / 255.0, "{value} {back}");
        }
    }

    #[test]
    fn extreme_vectors_have_finite_corrections() {
        for similarity in Similarity::FLOAT {
            for quantiles in [Quantiles::new(-1e-6, 1e-6), Quantiles::new(-f32::MAX, f32::MAX)] {
                let quantizer = Quantizer::new(similarity, quantiles);
                for vector in [[0.0f32; 4], [f32::MAX; 4], [1e-45; 4], [-f32::MAX, 0.0, 1.0, f32::MAX]] {
                    let mut codes = [0; 4];
                    assert!(quantizer.encode(&vector, &mut codes).is_finite());
                }
            }
        }
    }
}
