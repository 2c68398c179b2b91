//! Integers of variable length: seven bits a byte, lowest first, the top bit set in all but the last.

/// Appends `value`.
pub(super) fn put(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// Takes a value off the front; `None` when the bytes end first or it has more than 64 bits.
#[inline(always)]
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    *bytes = rest;
    if first < 0x80 { Some(first.into()) } else { take_rest(first, bytes) }
}

/// Up to three values of up to four bytes each, of eight bytes together: without branches, because their lengths are not
/// foreseeable.
#[derive(Clone, Copy)]
pub(super) struct Short {
    rest: u64,
    bits: u32,
}

impl Short {
    /// The values at the beginning of `bytes`; `None` when there are too few bytes.
    #[inline(always)]
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        Some(Self { rest: u64::from_le_bytes(*bytes.first_chunk()?), bits: 0 })
    }

    /// The next value. It is of use if [`Short::len`] is known afterwards.
    #[inline(always)]
    pub(super) fn take(&mut self) -> u64 {
        let ends = !self.rest & 0x8080_8080;
        // Without an end in four bytes, beyond all.
        let len = if ends == 0 { 64 } else { ends.trailing_zeros() + 1 };
        let value = self.rest & (u64::MAX >> (64 - len));
        self.bits += len + u32::from(ends == 0);
        self.rest = self.rest.checked_shr(len).unwrap_or(0);
        value & 0x7F | value >> 1 & 0x3F80 | value >> 2 & 0x1F_C000 | value >> 3 & 0xFE0_0000
    }

    /// How many bytes the values had; `None` when one was too long.
    #[inline(always)]
    pub(super) fn len(self) -> Option<usize> {
        (self.bits <= 64).then_some(self.bits as usize / 8)
    }
}

/// Takes what follows the first byte of a value.
fn take_rest(first: u8, bytes: &mut &[u8]) -> Option<u64> {
    let mut value = u64::from(first & 0x7F);
    for shift in (7..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7F);
        if bits << shift >> shift != bits {
            return None;
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Takes a value of at most 32 bits off the front.
#[inline]
pub(super) fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    take(bytes).and_then(|value| u32::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_nothing_longer_is_read() {
        for value in (0..64).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit]).chain([u64::MAX]) {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            bytes.push(9);
            let mut rest = &bytes[..];
            assert_eq!((take(&mut rest), rest), (Some(value), &[9][..]));
            assert_eq!(take_u32(&mut &bytes[..]), u32::try_from(value).ok());
            for before in [1, 2, 3] {
                let mut several = Vec::new();
                (0..before).for_each(|_| put(&mut several, 300));
                put(&mut several, value);
                let len = several.len();
                several.resize(len.max(8), 0xFF);
                let mut short = Short::new(&several).unwrap();
                let taken: Vec<u64> = (0..=before).map(|_| short.take()).collect();
                assert_eq!(short.len().is_some(), len <= 8 && value < 1 << 28, "{value} behind {before}");
                assert!(short.len().is_none_or(|own| own == len && taken.last() == Some(&value)));
            }
            assert_eq!(take(&mut &bytes[..bytes.len() - 2]), None);
        }
        assert_eq!(take(&mut &[0xFF; 9][..]), None);
        assert_eq!(take(&mut &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02][..]), None);
        assert_eq!(take(&mut &[0x80; 11][..]), None);
    }
}
