//! Numbers in a range with AVX-512: comparisons give masks.
//!
//! Every function here needs F and BW.

use core::arch::x86_64::*;

use crate::within::{WORD, within as portable};

/// # Safety
/// The CPU has the features; there is room for a bit of each number.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn within(numbers: &[u8], width: usize, low: u32, span: u32, out: &mut [u64]) {
    let whole = numbers.len() / (WORD * width);
    let (numbers, rest) = numbers.split_at(whole * WORD * width);
    let (out, out_rest) = out.split_at_mut(whole);
    for (numbers, out) in numbers.chunks_exact(WORD * width).zip(out) {
        let mut word = 0;
        for (at, numbers) in numbers.chunks_exact(WORD).enumerate() {
            // SAFETY: a chunk is of 64 bytes.
            let x = unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) };
            word |= mask(x, width, low, span) << (at * (WORD / width));
        }
        *out = word;
    }
    portable(rest, width, low, span, out_rest);
}

/// A bit for each number of a register.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn mask(x: __m512i, width: usize, low: u32, span: u32) -> u64 {
    match width {
        1 => {
            let x = _mm512_sub_epi8(x, _mm512_set1_epi8(low as i8));
            _mm512_cmple_epu8_mask(x, _mm512_set1_epi8(span as i8))
        }
        2 => {
            let x = _mm512_sub_epi16(x, _mm512_set1_epi16(low as i16));
            _mm512_cmple_epu16_mask(x, _mm512_set1_epi16(span as i16)).into()
        }
        _ => {
            let x = _mm512_sub_epi32(x, _mm512_set1_epi32(low as i32));
            _mm512_cmple_epu32_mask(x, _mm512_set1_epi32(span as i32)).into()
        }
    }
}
