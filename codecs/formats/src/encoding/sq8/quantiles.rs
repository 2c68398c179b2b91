//! Lower and upper value that codes span, and how they are found.

use crate::encoding::report::number;
use lucerne_codec::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The values that codes 0 and 255 stand for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantiles {
    /// Value of code 0.
    pub lower: f32,
    /// Value of code 255; greater than `lower`.
    pub upper: f32,
}

impl Quantiles {
    /// Ordered, finite quantiles nearest to those given: a range too narrow to be divided into 255 steps
    /// (constant and zero vectors) is widened around its middle.
    pub fn new(lower: f32, upper: f32) -> Self {
        let (lower, upper) = (f64::from(lower), f64::from(upper));
        let least = (lower.abs().max(upper.abs()) * 1e-5).max(1e-6);
        let middle = (lower + upper) / 2.0;
        let half = ((upper - lower) / 2.0).max(least / 2.0);
        let limit = f64::from(f32::MAX);
        Self { lower: (middle - half).max(-limit) as f32, upper: (middle + half).min(limit) as f32 }
    }

    /// True when a code can be given to every number.
    pub fn is_valid(self) -> bool {
        self.lower.is_finite() && self.upper.is_finite() && self.step() > 0.0
    }

    /// The difference between two neighboring codes' values.
    #[inline]
    pub fn step(self) -> f32 {
        (self.range() / 255.0) as f32
    }

    /// `upper − lower`, which may not fit into f32.
    pub fn range(self) -> f64 {
        f64::from(self.upper) - f64::from(self.lower)
    }

    /// How far these quantiles are from `merged`, as a share of the merged range.
    pub fn drift(self, merged: Quantiles) -> f64 {
        let lower = (f64::from(self.lower) - f64::from(merged.lower)).abs();
        let upper = (f64::from(self.upper) - f64::from(merged.upper)).abs();
        lower.max(upper) / merged.range()
    }

    /// As reports have them.
    pub(super) fn report(self) -> Value {
        json!([number(self.lower), number(self.upper)])
    }

    /// The weighted mean Σ wᵢ·qᵢ / Σ wᵢ; `None` when nothing has weight or the mean is not ordered.
    pub fn mean(weighted: impl Iterator<Item = (Quantiles, u64)>) -> Option<Self> {
        let (mut lower, mut upper, mut total) = (0.0, 0.0, 0.0);
        for (quantiles, weight) in weighted {
            let weight = weight as f64;
            lower += f64::from(quantiles.lower) * weight;
            upper += f64::from(quantiles.upper) * weight;
            total += weight;
        }
        let mean = Self { lower: (lower / total) as f32, upper: (upper / total) as f32 };
        mean.is_valid().then_some(mean)
    }
}

/// The confidence interval used when none is set: the wider the more dimensions.
pub fn default_confidence(dimension: u32) -> f64 {
    (1.0 - 1.0 / (f64::from(dimension) + 1.0)).max(0.9)
}

/// A way to go through all values of a sample, in any order, as often as needed.
pub trait Values {
    /// Calls `visit` with slices that make up all values.
    fn for_each(&self, visit: &mut dyn FnMut(&[f32])) -> Result<()>;
}

impl Values for &[f32] {
    fn for_each(&self, visit: &mut dyn FnMut(&[f32])) -> Result<()> {
        visit(self);
        Ok(())
    }
}

/// Cuts (1 − `confidence`)/2 of the values on each side; the least and the greatest of the rest are the
/// quantiles. Exact order statistics in three passes over the values and constant memory: numbers are
/// mapped to integers of the same order, counted by their upper 16 bits, then, within the two groups that
/// hold the ranks sought, by their lower 16 bits.
pub fn find(values: &impl Values, confidence: f64) -> Result<Quantiles> {
    let mut counts = vec![0u64; 1 << 16];
    let mut total = 0u64;
    values.for_each(&mut |slice| {
        total += slice.len() as u64;
        for &value in slice {
            count(&mut counts, sortable(value) >> 16);
        }
    })?;
    if total == 0 {
        return Ok(Quantiles::new(0.0, 0.0));
    }
    let cut = ((total as f64 * (1.0 - confidence) / 2.0 + 0.5).floor() as u64).min((total - 1) / 2);
    let lower = select(values, &mut counts, cut)?;
    let upper = select(values, &mut counts, total - 1 - cut)?;
    Ok(Quantiles::new(lower, upper))
}

/// The value of rank `rank`, given how many values there are with the same upper 16 bits.
fn select(values: &impl Values, counts: &mut [u64], rank: u64) -> Result<f32> {
    let (upper, rank) = nth(counts, rank);
    let mut lowers = vec![0u64; 1 << 16];
    values.for_each(&mut |slice| {
        for &value in slice {
            let key = sortable(value);
            if key >> 16 == upper {
                count(&mut lowers, key & 0xFFFF);
            }
        }
    })?;
    let (lower, _) = nth(&lowers, rank);
    Ok(unsortable(upper << 16 | lower))
}

#[inline]
fn count(counts: &mut [u64], key: u32) {
    if let Some(count) = counts.get_mut(key as usize) {
        *count += 1;
    }
}

/// The bucket that holds rank `rank`, and the rank inside it.
fn nth(counts: &[u64], mut rank: u64) -> (u32, u64) {
    for (key, &count) in counts.iter().enumerate() {
        if rank < count {
            return (key as u32, rank);
        }
        rank -= count;
    }
    (0, 0)
}

/// An integer that orders as the number does.
#[inline]
fn sortable(value: f32) -> u32 {
    let bits = value.to_bits();
    bits ^ (((bits as i32 >> 31) as u32) | 0x8000_0000)
}

fn unsortable(key: u32) -> f32 {
    f32::from_bits(key ^ (((!key as i32 >> 31) as u32) | 0x8000_0000))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Slice<'a>(&'a [f32]);

    impl Values for Slice<'_> {
        fn for_each(&self, visit: &mut dyn FnMut(&[f32])) -> Result<()> {
            self.0.chunks(7).for_each(visit);
            Ok(())
        }
    }

    #[test]
    fn quantiles_are_exact_order_statistics() {
        let mut state = 1u64;
        let values: Vec<f32> = (0..5_001)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                ((state >> 40) as f32 / 8_388_608.0 - 1.0).powi(3) * 7.0
            })
            .collect();
        let mut sorted = values.clone();
        sorted.sort_by(f32::total_cmp);
        for confidence in [0.9, 0.95, 0.997, 1.0] {
            let cut = (5_001.0 * (1.0 - confidence) / 2.0 + 0.5f64).floor() as usize;
            let found = find(&Slice(&values), confidence).unwrap();
            let close = |a: f32, b: f32| (a - b).abs() <= 1e-6 * b.abs();
            assert!(close(found.lower, sorted[cut]), "{confidence}");
            assert!(close(found.upper, sorted[5_000 - cut]), "{confidence}");
        }
    }

    #[test]
    fn degenerate_samples_give_ordered_finite_quantiles() {
        let extremes = [
            vec![],
            vec![0.0],
            vec![-0.0, 0.0],
            vec![5.0; 40],
            vec![-1e30; 3],
            vec![f32::MAX, -f32::MAX],
            vec![f32::MAX; 9],
            vec![1e-45; 9],
        ];
        for values in extremes {
            let found = find(&Slice(&values), 0.9).unwrap();
            assert!(found.is_valid(), "{values:?}: {found:?}");
        }
    }
}
