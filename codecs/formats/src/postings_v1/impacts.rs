//! The pairs of frequency and length that no other pair of a block beats.

use byteorder::{ByteOrder, LittleEndian};
use lucerne_codec::DocId;
use lucerne_codec::io::bytes::PutLe;
use lucerne_codec::postings::Impact;

/// Bytes of a block's pairs: a code of the frequency and one of the length each.
pub(super) const PAIRS_LEN: usize = Impact::PAIRS * 4;

/// Pairs none of which has both a higher frequency and a shorter length than another; ascending in both.
#[derive(Debug, Default)]
pub(super) struct Frontier(Vec<(u32, u32)>);

impl Frontier {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn add(&mut self, freq: u32, length: u32) {
        let at = self.0.partition_point(|pair| pair.0 < freq);
        if self.0.get(at).is_some_and(|pair| pair.1 <= length) {
            return;
        }
        // The one at `at` may have the same frequency and be longer; those before, be longer.
        let end = at + usize::from(self.0.get(at).is_some_and(|pair| pair.0 == freq));
        let start = self.0.get(..at).unwrap_or_default().partition_point(|pair| pair.1 < length);
        self.0.splice(start..end, [(freq, length)]);
    }

    pub(super) fn extend(&mut self, other: &Frontier) {
        other.0.iter().for_each(|&(freq, length)| self.add(freq, length));
    }

    /// Bounds of at most [`Impact::PAIRS`] pairs: neighbors are replaced by the higher frequency of the two
    /// with the shorter length, first those where that raises a score least.
    pub(super) fn impact(&self, last_doc: DocId, average_length: f32) -> Impact {
        let mut pairs = self.0.clone();
        let score = |(freq, length): (u32, u32)| {
            let freq = freq as f32;
            freq / (freq + 1.2 * (0.25 + 0.75 * length as f32 / average_length.max(1.0)))
        };
        while pairs.len() > Impact::PAIRS {
            let losses = pairs.windows(2).map(|two| match two {
                [low, high] => score((high.0, low.1)) - score(*low).max(score(*high)),
                _ => f32::INFINITY,
            });
            let least = losses.enumerate().min_by(|left, right| left.1.total_cmp(&right.1));
            let at = least.map_or(0, |(at, _)| at);
            let length = pairs.get(at).map_or(0, |pair| pair.1);
            pairs.remove(at);
            if let Some(merged) = pairs.get_mut(at) {
                merged.1 = length;
            }
        }
        let mut impact = Impact { last_doc, pairs: [(0, 0); Impact::PAIRS], len: pairs.len() as u8 };
        impact.pairs.iter_mut().zip(pairs).for_each(|(to, pair)| *to = pair);
        impact
    }
}

/// Appends a block's pairs; those that are not used are zero.
pub(super) fn put(impact: &Impact, into: &mut Vec<u8>) {
    let mut pairs = [(0, 0); Impact::PAIRS];
    pairs.iter_mut().zip(impact.pairs()).for_each(|(to, pair)| *to = *pair);
    for (freq, length) in pairs {
        into.put_u16(code_at_least(freq));
        into.put_u16(code_at_most(length));
    }
}

/// Reads a block's pairs.
pub(super) fn get(bytes: &[u8], last_doc: DocId) -> Impact {
    let mut impact = Impact { last_doc, pairs: [(0, 0); Impact::PAIRS], len: 0 };
    for (to, pair) in impact.pairs.iter_mut().zip(bytes.as_chunks::<4>().0) {
        let (freq, length) = pair.split_at(2);
        let freq = decode(LittleEndian::read_u16(freq));
        if freq == 0 {
            break;
        }
        *to = (freq, decode(LittleEndian::read_u16(length)));
        impact.len += 1;
    }
    impact
}

/// Up to 2¹⁵ − 1 a number is its own code; above, 5 bits of exponent and 10 of mantissa.
fn code_at_most(value: u32) -> u16 {
    match value.checked_ilog2() {
        Some(exponent @ 15..) => {
            let mantissa = (value >> (exponent - 10)) & 0x3FF;
            (0x8000 | (exponent - 15) << 10 | mantissa) as u16
        }
        _ => value as u16,
    }
}

fn code_at_least(value: u32) -> u16 {
    let code = code_at_most(value);
    code + u16::from(decode(code) < value)
}

fn decode(code: u16) -> u32 {
    let value = u32::from(code);
    if value < 0x8000 {
        return value;
    }
    let (exponent, mantissa) = (15 + ((value & 0x7FFF) >> 10), value & 0x3FF);
    match exponent {
        15..32 => 1 << exponent | mantissa << (exponent - 10),
        _ => u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_bound_from_their_side() {
        let powers = (0..32).flat_map(|bit| [(1u32 << bit) - 1, 1 << bit, (1 << bit) | (1 << (bit / 2)) | 1]);
        for value in powers.chain([u32::MAX, 0xFFE0_0000, 0xFFE0_0001]) {
            let (most, least) = (decode(code_at_most(value)), decode(code_at_least(value)));
            assert!(most <= value && value - most <= value >> 10, "{value}: {most}");
            assert!(least >= value && least - value <= value >> 9, "{value}: {least}");
        }
        assert!((0..0x8000).all(|value| decode(code_at_least(value)) == value));
        (0..=u16::MAX).for_each(|code| assert!(decode(code) < u32::MAX || code >= 0xC400));
    }

    #[test]
    fn every_pair_added_is_bounded() {
        let mut state = 5u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 33) % below) as u32
        };
        for count in [1usize, 2, 5, 128] {
            let mut frontier = Frontier::default();
            let pairs: Vec<(u32, u32)> = (0..count).map(|_| (1 + next(40), next(300))).collect();
            pairs.iter().for_each(|&(freq, length)| frontier.add(freq, length));
            assert!(frontier.0.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1), "{frontier:?}");
            let impact = frontier.impact(9, 100.0);
            let mut bytes = Vec::new();
            put(&impact, &mut bytes);
            assert_eq!((bytes.len(), get(&bytes, 9)), (PAIRS_LEN, impact));
            for (freq, length) in pairs {
                assert!(frontier.0.iter().any(|pair| pair.0 >= freq && pair.1 <= length));
                assert!(impact.pairs().iter().any(|pair| pair.0 >= freq && pair.1 <= length));
            }
        }
    }
}
