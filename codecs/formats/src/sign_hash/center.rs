//! The centre of corrected hashes: the mean of the vectors, passed on while it still is near it.
//!
//! Hashes around the same centre are copied in merges. A centre is kept while the mean of the vectors lies within
//! a quarter of their spread (root mean square distance) of it: then at most 1/16 of what the bits have to
//! tell apart is a shift that all vectors share.

use crate::flat_f32::Rows;
use crate::sq8::center::Sample;
use crate::sq8::quantiles::Values as _;
use lucerne_codec::{Cancel, FieldInfo, Result};

/// (Distance of centre and mean / spread)² that may be.
const NEAR: f64 = 1.0 / 16.0;

/// `inherited`, while it is near the mean of the vectors, else that mean; both from a sample.
pub fn choose(
    field: &FieldInfo,
    rows: &impl Rows,
    inherited: Option<&[f32]>,
    cancel: &Cancel,
) -> Result<Vec<f32>> {
    if let Some(center) = inherited {
        let around = Sample::new(rows, field.similarity, Some(center), cancel);
        let shift = around.mean(field.dimension as usize)?;
        let (mut sum, mut count) = (0f64, 0u64);
        around.for_each(&mut |vector| {
            count += 1;
            sum += squared_length(vector);
        })?;
        if squared_length(&shift) * count as f64 <= NEAR * sum {
            return Ok(center.to_vec());
        }
    }
    Sample::new(rows, field.similarity, None, cancel).mean(field.dimension as usize)
}

fn squared_length(vector: &[f32]) -> f64 {
    vector.iter().map(|&value| f64::from(value) * f64::from(value)).sum()
}
