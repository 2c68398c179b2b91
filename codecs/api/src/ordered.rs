//! Floating-point numbers as integers of the same order: the order of `total_cmp`, in which −0 is below 0.

/// An integer that orders as `value` does.
#[inline]
pub fn from_f32(value: f32) -> u32 {
    let bits = value.to_bits();
    bits ^ (((bits as i32 >> 31) as u32) | 0x8000_0000)
}

/// The number of an integer that [`from_f32`] returned.
#[inline]
pub fn to_f32(ordered: u32) -> f32 {
    f32::from_bits(ordered ^ (((!ordered as i32 >> 31) as u32) | 0x8000_0000))
}

/// An integer that orders as `value` does; 0 is 0.
#[inline]
pub fn from_f64(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

/// The number of an integer that [`from_f64`] returned.
#[inline]
pub fn to_f64(ordered: i64) -> f64 {
    f64::from_bits((ordered ^ ((ordered >> 63) as u64 >> 1) as i64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_order_as_their_numbers_do_and_lead_back_to_them() {
        let numbers = [
            f32::NEG_INFINITY,
            f32::MIN,
            -2.5,
            -1e-30,
            -1e-40,
            -0.0,
            0.0,
            1e-40,
            1.0,
            3.5,
            f32::MAX,
            f32::INFINITY,
        ];
        assert!(numbers.windows(2).all(|pair| from_f32(pair[0]) < from_f32(pair[1])));
        assert!(numbers.windows(2).all(|pair| from_f64(pair[0].into()) < from_f64(pair[1].into())));
        for number in numbers {
            assert_eq!(to_f32(from_f32(number)).to_bits(), number.to_bits());
            assert_eq!(to_f64(from_f64(number.into())).to_bits(), f64::from(number).to_bits());
        }
        assert_eq!(from_f64(0.0), 0);
    }
}
