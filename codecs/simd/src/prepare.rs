//! What is done to a query once, before it is compared, written so that a compiler makes vector code of it for any level.
//!
//! Sums are exact, or made in a fixed order: every level gives the same bits.

/// Sums at a time of [`dot`].
const LANES: usize = 16;

/// The least step, so that it can be divided by: a vector of zeros has integers of 0.
const LEAST_STEP: f64 = 1e-300;

/// A vector as integers: its components are about `step` times these.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounded {
    /// Length of one unit of an integer.
    pub step: f64,
    /// Sum of the integers.
    pub sum: i64,
    /// Sum of their squares.
    pub squares: i64,
}

/// The dot product in double precision of two vectors that are as long.
#[inline(always)]
pub(crate) fn dot(x: &[f32], y: &[f32]) -> f64 {
    let mut lanes = [0f64; LANES];
    let mut add = |x: &[f32], y: &[f32]| {
        for ((lane, &x), &y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += f64::from(x) * f64::from(y);
        }
    };
    let ((x, x_tail), (y, y_tail)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    x.iter().zip(y).for_each(|(x, y)| add(x, y));
    add(x_tail, y_tail);
    lanes.iter().sum()
}

/// Replaces `out` by the values as integers, the greatest of a magnitude of `largest`.
#[inline(always)]
pub(crate) fn round(values: &[f32], largest: i16, out: &mut [i16]) -> Rounded {
    let largest = i32::from(largest);
    let step = (f64::from(greatest(values)) / f64::from(largest)).max(LEAST_STEP);
    let per_step = 1.0 / step;
    let (mut sum, mut squares) = (0, 0);
    for (out, &value) in out.iter_mut().zip(values) {
        let integer = nearest(f64::from(value) * per_step).clamp(-largest, largest);
        *out = integer as i16;
        sum += i64::from(integer);
        squares += i64::from(integer) * i64::from(integer);
    }
    Rounded { step, sum, squares }
}

/// The greatest magnitude. Magnitudes order as their bits do, and integers are compared several at once.
#[inline(always)]
fn greatest(values: &[f32]) -> f32 {
    f32::from_bits(values.iter().fold(0, |most, value| most.max(value.to_bits() & 0x7FFF_FFFF)))
}

/// The nearest integer. Added to 1.5·2⁵² it stands in the lowest bits of the sum.
#[inline(always)]
fn nearest(value: f64) -> i32 {
    (value + 6_755_399_441_055_744.0).to_bits() as i32
}

#[cfg(test)]
mod tests {
    use super::{greatest, nearest};

    #[test]
    fn rounding_and_magnitudes_are_those_of_floats() {
        for value in [0.0, -0.0, 0.4, -0.6, 1.5001, -1.4999, 32_638.7, -32_639.0, 40_000.0] {
            assert_eq!(f64::from(nearest(value)), f64::round(value), "{value}");
        }
        assert_eq!(greatest(&[0.5, -7.25, -0.0, 1e-40]), 7.25);
        assert_eq!(greatest(&[]), 0.0);
    }
}
