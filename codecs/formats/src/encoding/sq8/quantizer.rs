//! From a vector in its frame to its code and corrections.

use super::corrections::Corrections;
use super::quantiles::Quantiles;
use crate::encoding::preprocess::finite;

/// Sums at once.
const LANES: usize = 16;
/// Codes that point elsewhere than their vector, by cosine, cannot be stretched into it.
const LEAST_COSINE: f64 = 0.1;

/// Encodes vectors with one pair of quantiles.
#[derive(Clone, Copy, Debug)]
pub struct Quantizer {
    quantiles: Quantiles,
    per_step: f32,
    stretches: bool,
}

impl Quantizer {
    /// A quantizer for valid quantiles. One that `stretches` encodes t·v instead of v where that is nearer in direction.
    pub fn new(quantiles: Quantiles, stretches: bool) -> Self {
        Self { quantiles, per_step: 1.0 / quantiles.step(), stretches }
    }

    /// Writes the codes of a vector to `codes`, which is as long, and returns what makes estimates of `length` times the
    /// vector of them. `other` is memory.
    pub fn encode(&self, vector: &[f32], length: f64, codes: &mut [u8], other: &mut Vec<u8>) -> Scales {
        self.encode_stretched(vector, 1.0, codes);
        let mut sums = self.sums(vector, codes);
        let stretch = if self.stretches { self.greatest_stretch(vector) } else { 1.0 };
        if stretch != 1.0 {
            other.resize(codes.len(), 0);
            self.encode_stretched(vector, stretch, other);
            let stretched = self.sums(vector, other);
            if stretched.cosine() > sums.cosine() {
                codes.copy_from_slice(other);
                sums = stretched;
            }
        }
        let upper_bits = Sums::of(vector, codes, |code| self.value4(code));
        Scales { scale: sums.scale(length), scale4: upper_bits.scale(length) }
    }

    fn encode_stretched(&self, vector: &[f32], stretch: f32, codes: &mut [u8]) {
        // The cast clamps, and takes the whole part: half a step more makes that the nearest.
        let (per_step, offset) = (stretch * self.per_step, 0.5 - self.quantiles.lower * self.per_step);
        for (code, &value) in codes.iter_mut().zip(vector) {
            *code = (value * per_step + offset) as u8;
        }
    }

    /// The greatest t with all components of t·v between the quantiles; 1 if there is none.
    fn greatest_stretch(&self, vector: &[f32]) -> f32 {
        let (mut least, mut most) = ([0f32; LANES], [0f32; LANES]);
        for part in vector.chunks(LANES) {
            for ((least, most), &value) in least.iter_mut().zip(&mut most).zip(part) {
                *least = if value < *least { value } else { *least };
                *most = if value > *most { value } else { *most };
            }
        }
        let least = least.into_iter().fold(0.0, f32::min);
        let most = most.into_iter().fold(0.0, f32::max);
        let stretch = (self.quantiles.upper / most).min(self.quantiles.lower / least);
        if stretch > 0.0 && stretch.is_finite() { stretch } else { 1.0 }
    }

    /// The value of a code.
    #[inline]
    fn value(&self, code: u8) -> f32 {
        self.quantiles.lower + self.quantiles.step() * f32::from(code)
    }

    /// The value of the upper four bits of a code: the middle of the codes that have them.
    #[inline]
    fn value4(&self, code: u8) -> f32 {
        self.quantiles.lower + self.quantiles.step() * (f32::from(code & 0xF0) + 7.5)
    }

    fn sums(&self, vector: &[f32], codes: &[u8]) -> Sums {
        Sums::of(vector, codes, |code| self.value(code))
    }
}

/// What codes are multiplied with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scales {
    /// g of the 8-bit codes.
    pub scale: f32,
    /// g of the 4-bit codes.
    pub scale4: f32,
}

impl Scales {
    /// All that is kept of a vector besides its codes.
    pub(super) fn with_term(self, term: f32) -> Corrections {
        Corrections { term, scale: self.scale, scale4: self.scale4 }
    }
}

/// |v|², ⟨x̂, v⟩ and |x̂|² of a vector and what its codes stand for.
#[derive(Clone, Copy, Debug)]
struct Sums {
    vector: f64,
    product: f64,
    decoded: f64,
}

impl Sums {
    #[inline(always)]
    fn of(vector: &[f32], codes: &[u8], value: impl Fn(u8) -> f32) -> Self {
        let mut lanes = [[0f32; LANES]; 3];
        let [vectors, products, decoded] = &mut lanes;
        for (vector, codes) in vector.chunks(LANES).zip(codes.chunks(LANES)) {
            for (i, (&v, &code)) in vector.iter().zip(codes).enumerate() {
                let x = value(code);
                if let (Some(a), Some(b), Some(c)) =
                    (vectors.get_mut(i), products.get_mut(i), decoded.get_mut(i))
                {
                    *a += v * v;
                    *b += v * x;
                    *c += x * x;
                }
            }
        }
        let [vector, product, decoded] = lanes.map(|lanes| lanes.into_iter().map(f64::from).sum());
        Self { vector, product, decoded }
    }

    fn cosine(&self) -> f64 {
        self.product / (self.vector * self.decoded).sqrt().max(f64::MIN_POSITIVE)
    }

    /// g = ρ·|v|²/⟨x̂, v⟩: then g·x̂ is ρ·v and something across it.
    fn scale(&self, length: f64) -> f32 {
        let scale = if self.vector == 0.0 || length == 0.0 {
            0.0
        } else if self.cosine() >= LEAST_COSINE {
            length * self.vector / self.product
        } else {
            length * (self.vector / self.decoded.max(f64::MIN_POSITIVE)).sqrt()
        };
        finite(scale as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucerne_codec::testing::random_rows;

    #[test]
    fn codes_are_the_nearest_of_256_values() {
        let quantizer = Quantizer::new(Quantiles::new(-1.0, 1.0), false);
        let mut codes = [0; 6];
        let vector = [-5.0, -1.0, -0.997, 0.001, 0.999, 7.0];
        quantizer.encode(&vector, 1.0, &mut codes, &mut Vec::new());
        assert_eq!(codes, [0, 0, 0, 128, 255, 255]);
        for value in (-100..=100).map(|i| i as f32 / 100.0) {
            let mut code = [0];
            quantizer.encode_stretched(&[value], 1.0, &mut code);
            let back = quantizer.value(code[0]);
            assert!((back - value).abs() <= 1.001 / 255.0, "{value} {back}");
        }
    }

    #[test]
    fn a_vector_is_as_long_by_its_codes_as_it_is() {
        // Whatever is cut off or rounded: along the vector the scales make it good.
        for stretches in [false, true] {
            let quantizer = Quantizer::new(Quantiles::new(-0.8, 0.9), stretches);
            for row in random_rows(20, 70, 9) {
                let mut codes = [0; 70];
                let scales = quantizer.encode(&row, 3.0, &mut codes, &mut Vec::new());
                let squared: f64 = row.iter().map(|&v| f64::from(v).powi(2)).sum();
                for (scale, bits) in [(scales.scale, 8), (scales.scale4, 4)] {
                    let value = |code| if bits == 8 { quantizer.value(code) } else { quantizer.value4(code) };
                    let product: f64 =
                        row.iter().zip(codes).map(|(&v, code)| f64::from(v * value(code))).sum();
                    let length = f64::from(scale) * product / squared;
                    assert!((length - 3.0).abs() < 1e-4, "{bits} bits: {length}");
                }
            }
        }
    }

    #[test]
    fn extreme_vectors_have_finite_scales() {
        for quantiles in [Quantiles::new(-1e-6, 1e-6), Quantiles::new(-1.0, -0.5), Quantiles::new(-0.3, 0.3)]
        {
            let quantizer = Quantizer::new(quantiles, true);
            for vector in [[0.0f32; 4], [1.0; 4], [1e-45; 4], [-1.0, 0.0, 1e-20, 1.0]] {
                for length in [0.0, 1e-30, 1e30] {
                    let scales = quantizer.encode(&vector, length, &mut [0; 4], &mut Vec::new());
                    assert!(scales.scale.is_finite() && scales.scale4.is_finite());
                }
            }
        }
    }
}
