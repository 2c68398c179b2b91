//! The center of corrected hashes: the mean of the vectors, passed on while it still is near it.
//!
//! Hashes around the same center are copied in merges. A center is kept while the mean of the vectors lies within
//! a quarter of their spread (root mean square distance) of it: then at most 1/16 of what the bits have to
//! tell apart is a shift that all vectors share.

use crate::encoding::preprocess::dot;
use crate::encoding::rows::Rows;
use crate::encoding::sample::Sample;
use lucerne_codec::{Cancel, FieldInfo, Result};

/// (Distance of center and mean / spread)² that may be.
const NEAR: f64 = 1.0 / 16.0;

/// `inherited`, while it is near the mean of the vectors, else that mean; both from a sample.
pub(super) fn choose(
    field: &FieldInfo,
    rows: &dyn Rows,
    inherited: Option<&[f32]>,
    cancel: &Cancel,
) -> Result<Vec<f32>> {
    if let Some(center) = inherited {
        let around = Sample::new(rows, field.similarity, Some(center), cancel);
        let shift = around.mean(field.dimension as usize)?;
        let (mut sum, mut count) = (0f64, 0u64);
        around.for_each(|vector| {
            count += 1;
            sum += dot(vector, vector);
        })?;
        if dot(&shift, &shift) * count as f64 <= NEAR * sum {
            return Ok(center.to_vec());
        }
    }
    Sample::new(rows, field.similarity, None, cancel).mean(field.dimension as usize)
}
