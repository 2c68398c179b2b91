//! Bits in bytes: how binary vectors are packed, and the text forms they have.
//!
//! In an index bit i of a vector is in byte i / 8, at position i mod 8 counted from the least significant: the first of
//! eight bits has the value 1. Other systems begin with the most significant; [`pack`] and [`unpack`] do both, and
//! [`reverse`] turns one into the other.
//!
//! ```
//! use lucerne::bits::{BitOrder, pack, unpack};
//!
//! let bits = [1, 0, 0, 1, 1, 0, 1, 1].map(|bit| bit == 1);
//! assert_eq!(pack(bits, BitOrder::LsbFirst), [0xd9]);
//! assert_eq!(pack(bits, BitOrder::MsbFirst), [0x9b]);
//! assert_eq!(unpack(&[0xd9], BitOrder::LsbFirst), bits);
//! ```

/// Which of eight bits comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BitOrder {
    /// The least significant, of value 1: the order of an index.
    #[default]
    LsbFirst,
    /// The most significant, of value 128.
    MsbFirst,
}

/// Eight bits a byte; the last byte is filled up with zeros.
pub fn pack(bits: impl IntoIterator<Item = bool>, order: BitOrder) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, bit) in bits.into_iter().enumerate() {
        if at % 8 == 0 {
            bytes.push(0);
        }
        if let Some(byte) = bytes.last_mut() {
            *byte |= u8::from(bit) << (at % 8);
        }
    }
    if order == BitOrder::MsbFirst {
        reverse(&mut bytes);
    }
    bytes
}

/// The bits of all bytes, eight for each.
pub fn unpack(bytes: &[u8], order: BitOrder) -> Vec<bool> {
    let byte_bits = |&byte: &u8| {
        let byte = if order == BitOrder::MsbFirst { byte.reverse_bits() } else { byte };
        (0..8).map(move |at| byte >> at & 1 == 1)
    };
    bytes.iter().flat_map(byte_bits).collect()
}

/// Reverses the bits of each byte: from one order to the other.
pub fn reverse(bytes: &mut [u8]) {
    bytes.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
}

/// The bytes in hexadecimal, first byte first: two digits each.
pub fn to_hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes of a text in hexadecimal; `None` when it is no such text.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// The bits of a text of zeros and ones, packed, least significant first; `None` when it is no such text.
pub fn from_text(text: &str) -> Option<Vec<u8>> {
    let bit = |char| match char {
        '0' => Some(false),
        '1' => Some(true),
        _ => None,
    };
    let bits: Option<Vec<bool>> = text.chars().map(bit).collect();
    bits.map(|bits| pack(bits, BitOrder::LsbFirst))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "1001101101010100";

    #[test]
    fn bits_are_packed_in_either_order_and_back() {
        let bits: Vec<bool> = TEXT.chars().map(|char| char == '1').collect();
        for (order, bytes) in [(BitOrder::LsbFirst, [0xd9, 0x2a]), (BitOrder::MsbFirst, [0x9b, 0x54])] {
            assert_eq!(pack(bits.iter().copied(), order), bytes);
            assert_eq!(unpack(&bytes, order), bits);
        }
        let mut bytes = [0xd9, 0x2a];
        reverse(&mut bytes);
        assert_eq!(bytes, [0x9b, 0x54]);
        assert_eq!(pack([true; 9], BitOrder::MsbFirst), [0xff, 0x80]);
    }

    #[test]
    fn texts_are_read_and_written() {
        assert_eq!(from_text(TEXT), Some(vec![0xd9, 0x2a]));
        assert_eq!(to_hex(&[0xd9, 0x2a]), "d92a");
        assert_eq!(from_hex("D92a"), Some(vec![0xd9, 0x2a]));
        assert_eq!((from_hex("d92"), from_hex("d92g"), from_text("102")), (None, None, None));
    }
}
