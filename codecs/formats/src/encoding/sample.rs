//! An even sample of vectors.

use super::preprocess::preprocess;
use super::rows::{Rows, for_each_index};
use lucerne_codec::{Cancel, Result, Similarity};

/// Vectors of a sample.
pub const SAMPLE: usize = 25_000;

/// At most `limit` of `count` indices, evenly spread.
pub fn evenly(count: usize, limit: usize) -> impl Iterator<Item = usize> + Clone {
    let taken = count.min(limit);
    (0..taken).map(move |i| (i as u64 * count as u64 / taken as u64) as usize)
}

/// At most [`SAMPLE`] vectors, evenly spread, preprocessed around a center.
#[derive(Clone, Copy)]
pub struct Sample<'a> {
    rows: &'a dyn Rows,
    similarity: Similarity,
    center: Option<&'a [f32]>,
    cancel: &'a Cancel,
}

impl<'a> Sample<'a> {
    /// A sample of `rows` around `center`.
    pub fn new(
        rows: &'a dyn Rows,
        similarity: Similarity,
        center: Option<&'a [f32]>,
        cancel: &'a Cancel,
    ) -> Self {
        Self { rows, similarity, center, cancel }
    }

    /// Calls `visit` with each vector.
    pub fn for_each(&self, mut visit: impl FnMut(&[f32])) -> Result<()> {
        let mut vector = Vec::new();
        for_each_index(evenly(self.rows.len(), SAMPLE), self.cancel, |index| {
            preprocess(self.similarity, self.center, &self.rows.vector(index)?, &mut vector);
            visit(&vector);
            Ok(())
        })
    }

    /// The mean of the vectors.
    pub fn mean(&self, dimension: usize) -> Result<Vec<f32>> {
        let mut sums = vec![0f64; dimension];
        let mut count = 0u64;
        self.for_each(|vector| {
            count += 1;
            for (sum, &value) in sums.iter_mut().zip(vector) {
                *sum += f64::from(value);
            }
        })?;
        Ok(sums.iter().map(|sum| (sum / count.max(1) as f64) as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_evenly() {
        assert!(evenly(3, 10).eq([0, 1, 2]));
        assert!(evenly(100, 4).eq([0, 25, 50, 75]));
        assert_eq!(evenly(0, 4).count(), 0);
    }
}
