//! The center that vectors are encoded around: the median of a sample, component by component, which one far vector in a
//! thousand does not move. Codes are comparable only with codes around the same center, so segments inherit it for as long as it
//! is a good one.

use super::frame::{normalized, subtract};
use crate::encoding::rows::{Rows, for_each_index};
use crate::encoding::sample::evenly;
use lucerne_codec::{Cancel, Result, Similarity};

/// Vectors that a center is found from, and two are compared by.
const SAMPLE: usize = 1_000;
/// A center serves while half of the vectors are, by their squares, not farther from it than this many times the distance from
/// their own.
const WORTH: f64 = 2.0;

/// Normalized vectors that centers are found from.
pub(super) struct CenterSample {
    vectors: Vec<Vec<f32>>,
    dimension: usize,
}

impl CenterSample {
    /// Evenly spread vectors of the rows.
    pub(super) fn new(
        similarity: Similarity,
        dimension: usize,
        rows: &dyn Rows,
        cancel: &Cancel,
    ) -> Result<Self> {
        let mut vectors = Vec::with_capacity(rows.len().min(SAMPLE));
        for_each_index(evenly(rows.len(), SAMPLE), cancel, |index| {
            let mut vector = Vec::new();
            normalized(similarity, &rows.vector(index)?, &mut vector);
            vectors.push(vector);
            Ok(())
        })?;
        Ok(Self { vectors, dimension })
    }

    /// The median of each component.
    pub(super) fn median(&self) -> Vec<f32> {
        let mut column = Vec::with_capacity(self.vectors.len());
        let median = |component: usize| {
            column.clear();
            column.extend(self.vectors.iter().filter_map(|vector| vector.get(component).copied()));
            middle(&mut column, f32::total_cmp)
        };
        (0..self.dimension).map(median).collect()
    }

    /// Whether `center` serves the vectors about as well as `own`, their median.
    pub(super) fn accepts(&self, center: &[f32], own: &[f32]) -> bool {
        self.squared_distance(center) <= WORTH * self.squared_distance(own)
    }

    /// The median of the squared distances from a center.
    fn squared_distance(&self, center: &[f32]) -> f64 {
        let mut vector = Vec::new();
        let squared = |from: &Vec<f32>| {
            vector.clone_from(from);
            subtract(&mut vector, center)
        };
        let mut all: Vec<f64> = self.vectors.iter().map(squared).collect();
        middle(&mut all, f64::total_cmp)
    }
}

/// The middle one of the values, the upper of two; 0 of none.
fn middle<T: Copy + Default>(values: &mut [T], order: fn(&T, &T) -> std::cmp::Ordering) -> T {
    if values.is_empty() {
        return T::default();
    }
    let half = values.len() / 2;
    *values.select_nth_unstable_by(half, order).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::rows::BufferedRows;
    use lucerne_codec::Component;
    use lucerne_codec::io::bytes::from_f32s;
    use lucerne_codec::testing::random_rows;

    #[test]
    fn a_center_is_where_the_vectors_are_and_serves_until_they_move() {
        let sample = |shift: f32, outlier: f32| {
            let mut rows = random_rows(500, 16, 4);
            rows.iter_mut().flatten().for_each(|value| *value += shift);
            rows[3][0] = outlier;
            let bytes = from_f32s(&rows.concat());
            let rows = BufferedRows::new(&bytes, Component::F32, 64);
            CenterSample::new(Similarity::Euclidean, 16, &rows, &Cancel::new()).unwrap()
        };
        let here = sample(100.0, -1e9);
        let center = here.median();
        assert!(center.iter().all(|value| (value - 100.0).abs() < 0.2), "{center:?}");
        let near = sample(100.2, 0.0);
        assert!(near.accepts(&center, &near.median()));
        let far = sample(102.0, 0.0);
        assert!(!far.accepts(&center, &far.median()));
        assert!(sample(0.0, 0.0).accepts(&[0.0; 16], &[0.0; 16]));
    }
}
