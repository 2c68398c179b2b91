//! What is kept of a vector besides its codes; the text of `sq8` says what for.

/// What is kept of a vector besides its codes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Corrections {
    /// What the estimate adds, times a factor of the query.
    pub(super) term: f32,
    /// What the product of query and 8-bit codes is multiplied with.
    pub(super) scale: f32,
    /// What the product of query and 4-bit codes is multiplied with; 0 in segments that keep none.
    pub(super) scale4: f32,
}

/// Term and scale of a vector's 4-bit codes, as graph search reads them and a file has them: two little-endian bfloat16, so
/// that those of a million vectors stay in a cache. What rounding adds is little beside what four bits lose
/// (`docs/measurements/quantization.md`).
pub(super) type ShortCorrections = [u8; 4];

pub(super) fn shorten(term: f32, scale: f32) -> ShortCorrections {
    (u32::from(rounded(term)) | u32::from(rounded(scale)) << 16).to_le_bytes()
}

/// Term and scale.
#[inline]
pub(super) fn lengthen(short: ShortCorrections) -> (f32, f32) {
    let both = u32::from_le_bytes(short);
    (f32::from_bits(both << 16), f32::from_bits(both & 0xFFFF_0000))
}

/// The upper half of the nearest number that has no lower half; a finite number stays finite.
fn rounded(value: f32) -> u16 {
    let bits = value.to_bits();
    let up = bits.saturating_add(0x7FFF + (bits >> 16 & 1));
    let nearest = if f32::from_bits(up).is_finite() { up } else { bits };
    (nearest >> 16) as u16
}

impl Corrections {
    /// Bytes in a file: two or three little-endian f32.
    pub(super) fn len(sq4: bool) -> usize {
        if sq4 { 12 } else { 8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_corrections_are_within_four_thousandths_and_finite() {
        for value in [0.0, 1.0, -1.0, 0.3333, -7.77e-20, 3.1e30, f32::MAX, f32::MIN, 1.003_9] {
            let (term, scale) = lengthen(shorten(value, -value));
            assert_eq!(term, -scale);
            assert!(term.is_finite() && (term - value).abs() <= value.abs() / 256.0, "{value}: {term}");
        }
    }
}
