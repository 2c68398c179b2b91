//! SplitMix64 (Steele, Lea, Flood 2014): small, fast random numbers, the same for the same seed on every machine.

/// A sequence of random numbers.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

const INCREMENT: u64 = 0x9E37_79B9_7F4A_7C15;

impl SplitMix64 {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The number at position `index` of the sequence of `seed`.
    #[inline]
    pub fn nth(seed: u64, index: u64) -> u64 {
        mix(seed.wrapping_add(index.wrapping_mul(INCREMENT)))
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "a sequence without end needs no Option")]
    pub fn next(&mut self) -> u64 {
        let value = mix(self.0);
        self.0 = self.0.wrapping_add(INCREMENT);
        value
    }

    /// A number from `0..end`; 0 when that is empty.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }
}

/// The first number of the sequence of `seed`: its bits, well mixed.
#[inline]
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(INCREMENT);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_reference_implementation() {
        let mut random = SplitMix64::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        for (index, expected) in (0..).zip(expected) {
            assert_eq!(random.next(), expected);
            assert_eq!(SplitMix64::nth(1_234_567, index), expected);
        }
        assert_eq!((random.below(1), random.below(0)), (0, 0));
    }
}
