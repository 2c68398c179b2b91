//! Which of many numbers are in a range, as bits.

/// Numbers that a word of bits is about.
pub(crate) const WORD: usize = u64::BITS as usize;

/// Bit `i` of `out[j]` says whether number `64 * j + i` is at least `low` and at most `span` more. Numbers are little-endian,
/// `width` bytes each: 1, 2 or 4.
#[inline(always)]
pub(crate) fn within(numbers: &[u8], width: usize, low: u32, span: u32, out: &mut [u64]) {
    // One comparison tells: a number below `low` wraps around to a great one.
    match width {
        1 => words(numbers, |&number: &u8| number.wrapping_sub(low as u8) <= span as u8, out),
        2 => words(
            numbers.as_chunks::<2>().0,
            |&number| u16::from_le_bytes(number).wrapping_sub(low as u16) <= span as u16,
            out,
        ),
        _ => words(
            numbers.as_chunks::<4>().0,
            |&number| u32::from_le_bytes(number).wrapping_sub(low) <= span,
            out,
        ),
    }
}

#[inline(always)]
fn words<T>(numbers: &[T], within: impl Fn(&T) -> bool, out: &mut [u64]) {
    for (numbers, out) in numbers.chunks(WORD).zip(out) {
        *out = match numbers.first_chunk::<WORD>() {
            Some(numbers) => word(numbers, &within),
            None => numbers.iter().rev().fold(0, |word, number| word << 1 | u64::from(within(number))),
        };
    }
}

/// Comparisons first, one byte each, which the compiler vectorises; then eight of them at once become bits.
#[inline(always)]
fn word<T>(numbers: &[T; WORD], within: impl Fn(&T) -> bool) -> u64 {
    let mut flags = [0u8; WORD];
    for (flag, number) in flags.iter_mut().zip(numbers) {
        *flag = within(number).into();
    }
    let eights = flags.as_chunks::<8>().0.iter().rev();
    eights.fold(0, |word, eight| {
        word << 8 | u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}
