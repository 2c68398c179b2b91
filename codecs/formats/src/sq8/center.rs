//! Whether to subtract a centre from all vectors before they are encoded, and which.
//!
//! The centre is the mean of the sample. It is used when the codes' mean squared error with it, on some of
//! the sample, is at most [`WORTH`] of the error without: it must pay for the restriction that codes are
//! comparable only with codes around the same centre. With fewer than [`LEAST`] vectors the question is
//! left open.

use super::Quantiles;
use super::quantiles::{self, SAMPLE, Values, evenly};
use super::quantizer::{Quantizer, transform};
use crate::flat_f32::Rows;
use crate::flat_f32::rows::components;
use lucerne_codec::{Cancel, Input, Result, Similarity};

/// Fewer vectors do not show where a field's centre is.
pub const LEAST: usize = 256;
/// Share of the error that may remain.
pub const WORTH: f64 = 0.5;
/// Vectors the two errors are measured on.
const MEASURED: usize = 4_000;

/// A centre as files have it.
pub fn to_bytes(center: &[f32]) -> Vec<u8> {
    center.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The centre of `len` bytes that a file has at `at`, checked against the CRC-32 that its facts give.
pub fn read(body: &Input, at: u64, len: u64, crc: u32) -> Result<Vec<f32>> {
    let bytes = body.slice(at, len)?;
    let found = crc32fast::hash(bytes);
    let center: Vec<f32> = components(bytes).collect();
    if found != crc || !center.iter().all(|value| value.is_finite()) {
        return Err(body.corrupt(at, format!("the centre's checksum is {found:08x}, expected {crc:08x}")));
    }
    Ok(center)
}

/// An even sample of vectors, as codes around `center` see them.
pub struct Sample<'a, R: Rows> {
    rows: &'a R,
    similarity: Similarity,
    center: Option<&'a [f32]>,
    cancel: &'a Cancel,
    limit: usize,
}

impl<'a, R: Rows> Sample<'a, R> {
    /// A sample of `rows` around `center`.
    pub fn new(rows: &'a R, similarity: Similarity, center: Option<&'a [f32]>, cancel: &'a Cancel) -> Self {
        Self { rows, similarity, center, cancel, limit: SAMPLE }
    }

    fn around(&self, center: Option<&'a [f32]>) -> Self {
        Self { center, ..*self }
    }

    /// The sample's quantiles.
    pub fn quantiles(&self, confidence: f64) -> Result<Quantiles> {
        quantiles::find(self, confidence)
    }

    /// The sample's mean.
    pub fn mean(&self, dimension: usize) -> Result<Vec<f32>> {
        let mut sums = vec![0f64; dimension];
        let mut count = 0u64;
        self.for_each(&mut |vector| {
            count += 1;
            for (sum, &value) in sums.iter_mut().zip(vector) {
                *sum += f64::from(value);
            }
        })?;
        Ok(sums.iter().map(|sum| (sum / count.max(1) as f64) as f32).collect())
    }

    fn error(&self, confidence: f64) -> Result<f64> {
        let quantizer = Quantizer::new(self.similarity, self.quantiles(confidence)?);
        let mut error = 0.0;
        self.limited(MEASURED).for_each(&mut |vector| error += quantizer.squared_error(vector))?;
        Ok(error)
    }

    fn limited(&self, limit: usize) -> Self {
        Self { limit, ..*self }
    }

    /// The mean, when subtracting it pays.
    pub fn worthwhile_center(&self, dimension: usize, confidence: f64) -> Result<Option<Vec<f32>>> {
        let bare = self.around(None);
        let center = bare.mean(dimension)?;
        let with = Sample::new(self.rows, self.similarity, Some(&center), self.cancel).error(confidence)?;
        let without = bare.error(confidence)?;
        Ok((with <= WORTH * without && without > 0.0).then_some(center))
    }
}

impl<R: Rows> Values for Sample<'_, R> {
    fn for_each(&self, visit: &mut dyn FnMut(&[f32])) -> Result<()> {
        let mut vector = Vec::new();
        for (done, index) in evenly(self.rows.len(), self.limit).enumerate() {
            if done % 1_024 == 0 {
                self.cancel.check()?;
            }
            transform(self.similarity, self.center, self.rows.row(index)?, &mut vector);
            visit(&vector);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Matrix(Vec<Vec<u8>>);

    impl Rows for Matrix {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn row(&self, index: usize) -> Result<&[u8]> {
            Ok(&self.0[index])
        }
    }

    /// Spread ±0.5 in each of 32 dimensions, the first around `offset`.
    fn matrix(offset: f32) -> Matrix {
        let mut state = 3u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / 16_777_216.0 - 0.5
        };
        let vector = |_| {
            let mut values: Vec<f32> = (0..32).map(|_| next()).collect();
            values[0] += offset;
            values.iter().flat_map(|value| value.to_le_bytes()).collect()
        };
        Matrix((0..500).map(vector).collect())
    }

    #[test]
    fn a_center_is_used_where_it_pays() {
        for (offset, pays) in [(0.0, false), (0.2, false), (5.0, true), (-40.0, true)] {
            let rows = matrix(offset);
            let cancel = Cancel::new();
            let sample = Sample::new(&rows, Similarity::MaxInnerProduct, None, &cancel);
            let center = sample.worthwhile_center(32, 1.0).unwrap();
            assert_eq!(center.is_some(), pays, "{offset}");
            if let Some(center) = center {
                assert!((center[0] - offset).abs() < 0.1 && center[1].abs() < 0.1);
            }
        }
    }
}
