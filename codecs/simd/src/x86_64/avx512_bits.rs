//! Counting bits with AVX-512 VPOPCNTDQ and selecting by bits with VBMI2, for CPUs of the AVX-512 level that have both.
//!
//! Every function here needs F, BW, VL, and VPOPCNTDQ or VBMI2; a kernel that reads memory also needs `n` bytes readable at
//! the query and at each row. Tails are read with masked loads, which do not touch what the mask leaves out.

use core::arch::x86_64::*;

use crate::wrappers::bits_functions;

/// Bytes in a vector register.
const B: usize = 64;

/// Adds the counts of one register: of the differing bits, or of those in both and of those in either.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq")]
fn add_counts<const OVERLAP: bool>(acc: [__m512i; 2], q: __m512i, x: __m512i) -> [__m512i; 2] {
    if OVERLAP {
        let both = _mm512_popcnt_epi64(_mm512_and_si512(q, x));
        let either = _mm512_popcnt_epi64(_mm512_or_si512(q, x));
        [_mm512_add_epi64(acc[0], both), _mm512_add_epi64(acc[1], either)]
    } else {
        [_mm512_add_epi64(acc[0], _mm512_popcnt_epi64(_mm512_xor_si512(q, x))), acc[1]]
    }
}

/// `R` rows at once: the bits that differ from the query's and nothing, or (`OVERLAP`) those in both and those in
/// either.
///
/// # Safety
/// The CPU has the features; `q` and each of `rows` have `n` bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq")]
unsafe fn bits_kernel<const R: usize, const OVERLAP: bool>(
    q: *const u8,
    rows: [*const u8; R],
    n: usize,
) -> [[u32; R]; 2] {
    let mut acc = [[_mm512_setzero_si512(); 2]; R];
    let mut i = 0;
    while n - i >= B {
        // SAFETY: bytes i .. i + 64 are less than n.
        let qv = unsafe { _mm512_loadu_si512(q.add(i).cast()) };
        for r in 0..R {
            // SAFETY: as for the query.
            let x = unsafe { _mm512_loadu_si512(rows[r].add(i).cast()) };
            acc[r] = add_counts::<OVERLAP>(acc[r], qv, x);
        }
        i += B;
    }
    if i < n {
        let mask = u64::MAX >> (B - (n - i));
        // SAFETY: the mask leaves out what is not less than n.
        let qv = unsafe { _mm512_maskz_loadu_epi8(mask, q.add(i).cast()) };
        for r in 0..R {
            // SAFETY: as for the query.
            let x = unsafe { _mm512_maskz_loadu_epi8(mask, rows[r].add(i).cast()) };
            acc[r] = add_counts::<OVERLAP>(acc[r], qv, x);
        }
    }
    let mut out = [[0; R]; 2];
    for r in 0..R {
        out[0][r] = _mm512_reduce_add_epi64(acc[r][0]) as u32;
        if OVERLAP {
            out[1][r] = _mm512_reduce_add_epi64(acc[r][1]) as u32;
        }
    }
    out
}

bits_functions!("avx512f,avx512bw,avx512vl,avx512vpopcntdq");

/// # Safety
/// The CPU has the features; there are at most 64 bytes a word, and `out` has room for 64 a word.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
pub(super) unsafe fn select_bytes(words: &[u64], bytes: &[u8], out: &mut [u8]) -> usize {
    let mut len = 0;
    for (&word, chunk) in words.iter().zip(bytes.chunks(B)) {
        let mask = u64::MAX >> (B - chunk.len());
        // SAFETY: the mask leaves out what is beyond the chunk, which is not empty.
        let x = unsafe { _mm512_maskz_loadu_epi8(mask, chunk.as_ptr().cast()) };
        // SAFETY: at most 64 bytes were written for each word before: there is room for as many of this one.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().add(len).cast(), _mm512_maskz_compress_epi8(word, x)) };
        len += (word & mask).count_ones() as usize;
    }
    len
}
