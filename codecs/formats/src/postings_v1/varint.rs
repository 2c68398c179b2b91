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

/// Takes what follows the first byte of a value.
fn take_rest(first: u8, bytes: &mut &[u8]) -> Option<u64> {
    let mut value = u64::from(first & 0x7F);
    // Up to three bytes are frequent.
    if let Some(&[second, third]) = bytes.first_chunk() {
        value |= u64::from(second & 0x7F) << 7;
        if second < 0x80 {
            *bytes = bytes.get(1..)?;
            return Some(value);
        }
        value |= u64::from(third & 0x7F) << 14;
        if third < 0x80 {
            *bytes = bytes.get(2..)?;
            return Some(value);
        }
        value = u64::from(first & 0x7F);
    }
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
            assert_eq!(take(&mut &bytes[..bytes.len() - 2]), None);
        }
        assert_eq!(take(&mut &[0xFF; 9][..]), None);
        assert_eq!(take(&mut &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02][..]), None);
        assert_eq!(take(&mut &[0x80; 11][..]), None);
    }
}
