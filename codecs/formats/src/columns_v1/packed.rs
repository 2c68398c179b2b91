//! Numbers of one width: 0, 1, 2, 4 or 8 little-endian bytes each, read where they lie.

use byteorder::{ByteOrder, LittleEndian};

/// Bytes that numbers up to `greatest` take.
pub(super) fn width(greatest: u64) -> usize {
    match greatest {
        0 => 0,
        1..=0xFF => 1,
        0x100..=0xFFFF => 2,
        0x1_0000..=0xFFFF_FFFF => 4,
        _ => 8,
    }
}

/// Numbers of one width.
#[derive(Clone, Copy, Debug)]
pub(super) enum Packed<'a> {
    /// That many zeros, of no width.
    Zeros(usize),
    One(&'a [u8]),
    Two(&'a [[u8; 2]]),
    Four(&'a [[u8; 4]]),
    Eight(&'a [[u8; 8]]),
}

impl<'a> Packed<'a> {
    /// The numbers in `bytes`; `len` counts when they have no width.
    pub(super) fn new(bytes: &'a [u8], width: usize, len: usize) -> Self {
        match width {
            0 => Self::Zeros(len),
            1 => Self::One(bytes),
            2 => Self::Two(bytes.as_chunks().0),
            4 => Self::Four(bytes.as_chunks().0),
            _ => Self::Eight(bytes.as_chunks().0),
        }
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<u64> {
        match self {
            Self::Zeros(len) => (index < *len).then_some(0),
            Self::One(numbers) => numbers.get(index).map(|&byte| byte.into()),
            Self::Two(numbers) => numbers.get(index).map(|bytes| LittleEndian::read_u16(bytes).into()),
            Self::Four(numbers) => numbers.get(index).map(|bytes| LittleEndian::read_u32(bytes).into()),
            Self::Eight(numbers) => numbers.get(index).map(|bytes| LittleEndian::read_u64(bytes)),
        }
    }

    /// Calls `each` with `least` plus each of the numbers at `indexes`; false when one is beyond the last.
    #[inline]
    pub(super) fn each_at(&self, indexes: &[u32], least: i64, each: impl FnMut(i64)) -> bool {
        self.each(indexes.iter().map(|&at| at as usize), least, each)
    }

    /// Calls `each` with `least` plus each of the numbers whose bits are 1; false when one is beyond the last.
    #[inline]
    pub(super) fn each_in(&self, words: &[u64], least: i64, mut each: impl FnMut(i64)) -> bool {
        if let Self::One(numbers) = self {
            // A plain loop for the width of most.
            for (at, &word) in words.iter().enumerate() {
                let numbers = numbers.get(at * 64..).unwrap_or_default();
                let mut rest = word;
                while rest != 0 {
                    let Some(&number) = numbers.get(rest.trailing_zeros() as usize) else { return false };
                    rest &= rest - 1;
                    each(least.wrapping_add(number.into()));
                }
            }
            return true;
        }
        let bits = words.iter().enumerate().flat_map(|(at, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest.wrapping_sub(1);
                (bit < 64).then_some(at * 64 + bit)
            })
        });
        self.each(bits, least, each)
    }

    #[inline]
    fn each(&self, indexes: impl Iterator<Item = usize>, least: i64, each: impl FnMut(i64)) -> bool {
        let read = |number: u64| least.wrapping_add(number as i64);
        match self {
            Self::Zeros(len) => each_of(indexes, each, |at| (at < *len).then_some(least)),
            Self::One(numbers) => each_of(indexes, each, |at| numbers.get(at).map(|&byte| read(byte.into()))),
            Self::Two(numbers) => each_of(indexes, each, |at| {
                numbers.get(at).map(|two| read(LittleEndian::read_u16(two).into()))
            }),
            Self::Four(numbers) => each_of(indexes, each, |at| {
                numbers.get(at).map(|four| read(LittleEndian::read_u32(four).into()))
            }),
            Self::Eight(numbers) => {
                each_of(indexes, each, |at| numbers.get(at).map(|eight| read(LittleEndian::read_u64(eight))))
            }
        }
    }

    /// Replaces `out` by bits: bit `i` of word `j` is 1 where number `64 * j + i` is in `low..=high`. Both bounds fit the
    /// width; numbers that there is no room for are left out.
    pub(super) fn words_within(&self, low: u64, high: u64, out: &mut [u64]) {
        out.fill(0);
        match self {
            Self::Zeros(len) if low == 0 => set_first(*len, out),
            Self::Zeros(_) => {}
            Self::One(numbers) => within(numbers, 1, low, high, out),
            Self::Two(numbers) => within(numbers.as_flattened(), 2, low, high, out),
            Self::Four(numbers) => within(numbers.as_flattened(), 4, low, high, out),
            Self::Eight(numbers) => {
                for (numbers, out) in numbers.chunks(WORD).zip(out) {
                    let bit = |number| u64::from((low..=high).contains(&LittleEndian::read_u64(number)));
                    *out = numbers.iter().rev().fold(0, |word, number| word << 1 | bit(number));
                }
            }
        }
    }
}

/// Numbers that a word of bits is about.
const WORD: usize = u64::BITS as usize;

fn within(numbers: &[u8], width: usize, low: u64, high: u64, out: &mut [u64]) {
    let len = (numbers.len() / width).min(out.len() * WORD);
    let words = out.get_mut(..len.div_ceil(WORD)).unwrap_or_default();
    let numbers = numbers.get(..len * width).unwrap_or_default();
    if low <= high {
        lucerne_simd::within(numbers, width, low as u32, high as u32, words);
    }
}

/// Sets the first `len` bits.
fn set_first(len: usize, out: &mut [u64]) {
    for (first, word) in (0..len).step_by(WORD).zip(out) {
        *word = u64::MAX >> (WORD - (len - first).min(WORD));
    }
}

#[inline]
fn each_of(
    mut indexes: impl Iterator<Item = usize>,
    mut each: impl FnMut(i64),
    number: impl Fn(usize) -> Option<i64>,
) -> bool {
    indexes.all(|at| match number(at) {
        Some(number) => {
            each(number);
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucerne_codec::io::bytes::PutLe;

    #[test]
    fn words_have_a_bit_for_each_number_within() {
        for greatest in [0u64, 1, 255, 256, 65_535, 65_536, u32::MAX.into(), 1 << 32, u64::MAX] {
            let width = width(greatest);
            let numbers: Vec<u64> =
                (0..200u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 1) % greatest.max(1)).collect();
            let mut bytes = Vec::new();
            numbers.iter().for_each(|&number| bytes.put_uint(number, width));
            let packed = Packed::new(&bytes, width, numbers.len());
            assert!((0..).zip(&numbers).all(|(index, &number)| packed.get(index) == Some(number)));
            assert_eq!(packed.get(numbers.len()), None);
            let mut taken = Vec::new();
            assert!(packed.each_at(&[7, 199], -3, |number| taken.push(number)));
            assert!(!packed.each_at(&[200], 0, |_| ()));
            taken.clear();
            assert!(packed.each_in(&[1 << 7, 0, 0, 1 << 7], -3, |number| taken.push(number)));
            let expected = [7usize, 199].map(|index| (numbers[index] as i64).wrapping_sub(3));
            assert_eq!(taken, expected);
            for (low, high) in [(0, greatest), (greatest / 3, greatest / 2), (greatest, greatest), (0, 0)] {
                let mut found = [u64::MAX; 5];
                packed.words_within(low, high, &mut found);
                assert_eq!(found[4], 0);
                for (index, number) in numbers.iter().enumerate() {
                    let bit = found[index / 64] >> (index % 64) & 1 == 1;
                    assert_eq!(bit, (low..=high).contains(number), "{number} in {low}..={high}");
                }
                assert_eq!(found[3] >> 8, 0);
            }
        }
    }
}
