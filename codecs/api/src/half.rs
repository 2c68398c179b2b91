//! Numbers in half precision (IEEE 754 binary16): 11 significant bits, up to 65,504, in steps of 2⁻²⁴ below 2⁻¹⁴.

/// The least magnitude that no half is nearest to: halfway between 65,504, the largest, and what would follow it.
pub const TOO_LARGE: f32 = 65_520.0;

/// The largest half.
pub const MAX: f32 = 65_504.0;

/// The bits of the half nearest to a number, of two equally near the even one: an infinity from [`TOO_LARGE`] on. NaN
/// stays NaN.
#[inline]
pub fn from_f32(number: f32) -> u16 {
    let sign = ((number.to_bits() >> 16) & 0x8000) as u16;
    let magnitude = number.abs();
    let half = if magnitude.is_nan() {
        0x7e00
    } else if magnitude >= TOO_LARGE {
        0x7c00
    } else if magnitude < 6.103_515_6e-5 {
        // Below 2⁻¹⁴: next to 0.5 the steps of f32 are those of halves, so the sum is rounded to them.
        ((magnitude + 0.5).to_bits() - 0.5f32.to_bits()) as u16
    } else {
        // Exponents differ by 112; of 23 bits of mantissa 10 are left, rounded half to even.
        let bits = magnitude.to_bits();
        ((bits - (112 << 23) + 0x0fff + ((bits >> 13) & 1)) >> 13) as u16
    };
    sign | half
}

/// The number that the bits of a half stand for.
#[inline]
pub fn to_f32(half: u16) -> f32 {
    let (sign, magnitude) = (u32::from(half & 0x8000) << 16, u32::from(half & 0x7fff));
    // Both are computed, so that a row is converted without branches.
    let steps = (magnitude as f32 / 16_777_216.0).to_bits();
    let infinite = if magnitude >= 0x7c00 { 0x7f80_0000 } else { 0 };
    let moved = ((magnitude << 13) + (112 << 23)) | infinite;
    f32::from_bits(sign | if magnitude < 0x0400 { steps } else { moved })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_what_it_stands_for_and_comes_back() {
        for half in 0..=u16::MAX {
            let (exponent, mantissa) = (i32::from(half >> 10 & 31), f64::from(half & 0x3ff));
            let magnitude = match exponent {
                0 => mantissa * 2f64.powi(-24),
                31 if mantissa == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1024.0 + mantissa) * 2f64.powi(exponent - 25),
            };
            let number = to_f32(half);
            assert_eq!(number.is_sign_negative(), half & 0x8000 != 0);
            if magnitude.is_nan() {
                assert!(number.is_nan() && to_f32(from_f32(number)).is_nan());
            } else {
                assert_eq!(f64::from(number.abs()), magnitude, "{half:#06x}");
                assert_eq!(from_f32(number), half);
            }
        }
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest_half_and_ties_to_the_even_one() {
        for half in 0..0x7bff_u16 {
            let (low, high) = (to_f32(half), to_f32(half + 1));
            let middle = (low + high) / 2.0;
            let even = half + (half & 1);
            for (number, expected) in [
                (middle, even),
                (middle.next_down(), half),
                (middle.next_up(), half + 1),
                (low.next_up(), half),
                (high.next_down(), half + 1),
            ] {
                assert_eq!(from_f32(number), expected, "{number:e}");
                assert_eq!(from_f32(-number), expected | 0x8000, "{number:e}");
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_are_where_they_are_said_to_be() {
        assert_eq!((from_f32(MAX), to_f32(0x7bff)), (0x7bff, 65_504.0));
        assert_eq!(from_f32(TOO_LARGE.next_down()), 0x7bff);
        assert_eq!(from_f32(TOO_LARGE), 0x7c00);
        assert_eq!(from_f32(-f32::MAX), 0xfc00);
        assert_eq!(from_f32(f32::INFINITY), 0x7c00);
        assert!(to_f32(from_f32(f32::NAN)).is_nan());
        assert_eq!(from_f32(6e-8), 1);
        assert_eq!(from_f32(2f32.powi(-25)), 0, "a tie with zero, which is even");
        assert_eq!(from_f32(2f32.powi(-25).next_up()), 1);
        assert_eq!((from_f32(-0.0), to_f32(0x8000).to_bits()), (0x8000, (-0.0f32).to_bits()));
        assert_eq!(from_f32(f32::from_bits(1)), 0);
    }
}
