//! A fixed rotation that spreads every component over all of them.
//!
//! Signs and Walsh–Hadamard transforms (Ailon and Chazelle, 2009; RaBitQ and others use it before quantizing). The
//! transform takes a power of two of components: one takes the first 2^⌊log₂ d⌋ of them, the next as many of the last. Two rounds
//! make each component of a rotated unit vector about normally distributed with variance 1/d, whatever the vector was.

use lucerne_codec::random::SplitMix64;
use lucerne_simd as simd;

/// Rounds of signs and transforms.
const ROUNDS: usize = 2;
/// Seed of the signs; part of the format.
const SEED: u64 = 0x006c_7563_6572_6e65;

/// The rotation of vectors of one dimension.
#[derive(Clone, Debug)]
pub(super) struct Rotation {
    dimension: usize,
    /// Components of a transform.
    length: usize,
    /// For each transform its signs, divided by √length so that lengths stay.
    signs: Vec<Vec<f32>>,
}

impl Rotation {
    /// The rotation for vectors of `dimension` components, which is the same everywhere.
    pub(super) fn new(dimension: usize) -> Self {
        let length = if dimension == 0 { 0 } else { 1 << dimension.ilog2() };
        let transforms = if length == dimension { ROUNDS } else { 2 * ROUNDS };
        let scale = 1.0 / (length.max(1) as f32).sqrt();
        let mut random = SplitMix64::new(SEED);
        let mut sign = || if random.next() >> 63 == 0 { scale } else { -scale };
        let signs = (0..transforms).map(|_| (0..length).map(|_| sign()).collect()).collect();
        Self { dimension, length, signs }
    }

    /// Rotates a vector of length about 1. `scratch` is memory.
    pub(super) fn apply(&self, vector: &mut [f32], scratch: &mut Vec<f32>) {
        if self.length == 0 {
            return;
        }
        scratch.resize(self.length, 0.0);
        for (number, signs) in self.signs.iter().enumerate() {
            let start = if number % 2 == 0 { 0 } else { self.dimension - self.length };
            let Some(part) = vector.get_mut(start..start + self.length) else { return };
            part.iter_mut().zip(signs).for_each(|(value, sign)| *value *= sign);
            simd::hadamard(part, scratch);
        }
    }

    /// Turns a rotated vector back.
    pub(super) fn undo(&self, vector: &mut [f32], scratch: &mut Vec<f32>) {
        if self.length == 0 {
            return;
        }
        scratch.resize(self.length, 0.0);
        for (number, signs) in self.signs.iter().enumerate().rev() {
            let start = if number % 2 == 0 { 0 } else { self.dimension - self.length };
            let Some(part) = vector.get_mut(start..start + self.length) else { return };
            simd::hadamard(part, scratch);
            simd::restore_order(part, scratch);
            part.iter_mut().zip(signs).for_each(|(value, sign)| *value *= sign);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucerne_codec::testing::random_rows;

    #[test]
    fn distances_stay_and_single_components_spread() {
        for dimension in [1, 2, 9, 48, 64, 100, 384] {
            let rotation = Rotation::new(dimension);
            let mut scratch = Vec::new();
            let mut rows = random_rows(2, dimension, 3);
            let distance = |rows: &[Vec<f32>]| -> f32 {
                rows[0].iter().zip(&rows[1]).map(|(x, y)| (x - y).powi(2)).sum()
            };
            let before = distance(&rows);
            rows.iter_mut().for_each(|row| rotation.apply(row, &mut scratch));
            assert!((distance(&rows) - before).abs() < 1e-4 * before, "{dimension}");
            let mut back = rows[0].clone();
            rotation.undo(&mut back, &mut scratch);
            let original = &random_rows(2, dimension, 3)[0];
            assert!(back.iter().zip(original).all(|(x, y)| (x - y).abs() < 1e-4), "{dimension}");
            for at in [0, dimension / 2, dimension - 1] {
                let mut row = vec![0.0; dimension];
                row[at] = 1.0;
                rotation.apply(&mut row, &mut scratch);
                let most = row.iter().fold(0f32, |most, value| most.max(value.abs()));
                assert!(
                    dimension < 48 || most < 6.0 / (dimension as f32).sqrt(),
                    "{dimension}, {at}: {most}"
                );
            }
        }
    }
}
