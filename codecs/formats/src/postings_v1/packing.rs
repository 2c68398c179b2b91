//! Runs of 128 numbers in as many bits each as the largest needs.

use bitpacking::{BitPacker, BitPacker4x};
use lucerne_codec::postings::BLOCK_LEN;

/// A run's numbers.
pub(super) type Run = [u32; BLOCK_LEN];

/// Bytes of a run per bit of its width.
const BYTES_PER_BIT: usize = BLOCK_LEN / 8;
/// Widest a number can be.
const MAX_BITS: u8 = 32;

/// Appends the gaps between ascending documents, the first counted from `before`; returns the width.
pub(super) fn pack_docs(before: Option<u32>, docs: &Run, into: &mut Vec<u8>) -> u8 {
    let packer = BitPacker4x::new();
    let bits = packer.num_bits_strictly_sorted(before, docs);
    let mut bytes = [0; 4 * BLOCK_LEN];
    let len = packer.compress_strictly_sorted(before, docs, &mut bytes, bits);
    into.extend_from_slice(bytes.get(..len).unwrap_or_default());
    bits
}

/// Appends numbers in at least `least` bits each; returns the width.
pub(super) fn pack(values: &Run, least: u8, into: &mut Vec<u8>) -> u8 {
    let packer = BitPacker4x::new();
    let bits = packer.num_bits(values).max(least);
    let mut bytes = [0; 4 * BLOCK_LEN];
    let len = packer.compress(values, &mut bytes, bits);
    into.extend_from_slice(bytes.get(..len).unwrap_or_default());
    bits
}

/// Takes documents off the front of `bytes`; `None` when there are too few bytes or the last document is not
/// `last` (which is below 2³¹).
#[inline]
pub(super) fn take_docs(
    before: Option<u32>,
    last: u32,
    bits: u8,
    bytes: &mut &[u8],
    into: &mut Run,
) -> Option<()> {
    let packed = take_packed(bits, bytes)?;
    BitPacker4x::new().decompress_strictly_sorted(before, packed, into, bits);
    // 128 gaps of 24 bits cannot take a sum from below 2³¹ past 2³². Wider ones are looked at.
    let ascending = match bits {
        0..=24 => before.is_none_or(|before| before < last),
        _ => before.is_none_or(|before| Some(&before) < into.first()) && into.is_sorted_by(|a, b| a < b),
    };
    (ascending && into.last() == Some(&last)).then_some(())
}

/// What follows packed documents; `None` when there are too few bytes.
#[inline]
pub(super) fn skip_docs(bits: u8, mut bytes: &[u8]) -> Option<&[u8]> {
    take_packed(bits, &mut bytes)?;
    Some(bytes)
}

/// Takes numbers off the front of `bytes`; `None` when there are too few.
#[inline]
pub(super) fn take_values(bits: u8, bytes: &mut &[u8], into: &mut Run) -> Option<()> {
    let packed = take_packed(bits, bytes)?;
    BitPacker4x::new().decompress(packed, into, bits);
    Some(())
}

/// One of the packed numbers at the front of `bytes`; `None` when there are too few.
#[inline]
pub(super) fn value_at(bits: u8, mut bytes: &[u8], index: usize) -> Option<u32> {
    let packed = take_packed(bits, &mut bytes)?;
    let (lane, bit) = (index % 4, index / 4 * usize::from(bits));
    let word = |at: usize| Some(u64::from(u32::from_le_bytes(*packed.as_chunks().0.get(at * 4 + lane)?)));
    let (low, shift) = (word(bit / 32)?, bit % 32);
    let both = if shift + usize::from(bits) > 32 { low | word(bit / 32 + 1)? << 32 } else { low };
    Some((both >> shift & ((1 << bits) - 1)) as u32)
}

#[inline]
fn take_packed<'a>(bits: u8, bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    if bits > MAX_BITS {
        return None;
    }
    let (packed, rest) = bytes.split_at_checked(usize::from(bits) * BYTES_PER_BIT)?;
    *bytes = rest;
    Some(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layout is the format's, not the crate's: value `4 i + lane` is bits `w i` to `w (i + 1) - 1` of
    /// its lane, and the lanes' 32-bit words alternate.
    #[test]
    fn the_layout_never_changes() {
        for width in 1..=32u32 {
            let values: Run = std::array::from_fn(|i| {
                let value = (i as u32).wrapping_mul(2_654_435_761) >> (32 - width);
                if i == 5 { u32::MAX >> (32 - width) } else { value }
            });
            let mut packed = Vec::new();
            assert_eq!(u32::from(pack(&values, 0, &mut packed)), width);
            let mut lanes = [[0u32; 32]; 4];
            for (i, value) in values.iter().enumerate() {
                let (lane, bit) = (i % 4, (i / 4) as u32 * width);
                let (word, shift) = ((bit / 32) as usize, bit % 32);
                lanes[lane][word] |= value << shift;
                if shift + width > 32 {
                    lanes[lane][word + 1] |= value >> (32 - shift);
                }
            }
            let words = (0..width as usize).flat_map(|word| (0..4).map(move |lane| (lane, word)));
            let expected: Vec<u8> = words.flat_map(|(lane, word)| lanes[lane][word].to_le_bytes()).collect();
            assert_eq!(packed, expected, "width {width}");
            let mut back = [0; BLOCK_LEN];
            take_values(width as u8, &mut &packed[..], &mut back).unwrap();
            assert_eq!(back, values);
            let one_by_one: Vec<_> = (0..BLOCK_LEN).map(|at| value_at(width as u8, &packed, at)).collect();
            assert_eq!(one_by_one, values.map(Some));
            assert_eq!(value_at(width as u8, &packed[1..], 0), None);
            assert_eq!(value_at(width as u8, &packed, BLOCK_LEN), None);
        }
    }

    #[test]
    fn documents_are_packed_as_gaps_less_one() {
        let docs: Run = std::array::from_fn(|i| (3 * i + i % 2) as u32);
        for before in [None, Some(7u32)] {
            let base = before.map_or(0, |before| before + 1);
            let docs = docs.map(|doc| doc + base);
            let mut next = base;
            let gaps = docs.map(|doc| {
                let gap = doc - next;
                next = doc + 1;
                gap
            });
            let (mut packed, mut expected) = (Vec::new(), Vec::new());
            assert_eq!(pack_docs(before, &docs, &mut packed), pack(&gaps, 0, &mut expected));
            assert_eq!(packed, expected);
            let mut back = [0; BLOCK_LEN];
            let bits = (packed.len() / BYTES_PER_BIT) as u8;
            take_docs(before, docs[127], bits, &mut &packed[..], &mut back).unwrap();
            assert_eq!(back, docs);
            assert!(take_docs(before, docs[127] + 1, bits, &mut &packed[..], &mut back).is_none());
            assert!(take_docs(before, docs[127], 33, &mut &[0; 999][..], &mut back).is_none());
            assert!(take_docs(before, docs[127], bits, &mut &packed[1..], &mut back).is_none());
        }
    }
}
