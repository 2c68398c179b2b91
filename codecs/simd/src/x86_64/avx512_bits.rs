//! Counting bits with AVX-512 VPOPCNTDQ and selecting by bits with VBMI2, for CPUs of the AVX-512 level that have both.
//!
//! Every function here needs F, BW, VL, and VPOPCNTDQ or VBMI2; a kernel that reads memory also needs `n` bytes readable at
//! the query and at each row. Tails are read with masked loads, which do not touch what the mask leaves out.

use core::arch::x86_64::*;

use crate::panel::{BIT_PANEL, BitPanel, word};
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

/// The sum of the lanes of each register. Eight registers are summed side by side, until their sums are the lanes of one.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq")]
fn sums<const R: usize>(acc: [__m512i; R]) -> [u32; R] {
    let mut out = [0; R];
    let Some(&[a, b, c, d, e, f, g, h]) = acc.first_chunk::<8>() else {
        for r in 0..R {
            out[r] = _mm512_reduce_add_epi64(acc[r]) as u32;
        }
        return out;
    };
    // Each part of 128 bits has a sum of x and one of y.
    let pairs = |x, y| _mm512_add_epi64(_mm512_unpacklo_epi64(x, y), _mm512_unpackhi_epi64(x, y));
    // The sums of neighboring parts, those of x first.
    let parts =
        |x, y| _mm512_add_epi64(_mm512_shuffle_i64x2::<0x88>(x, y), _mm512_shuffle_i64x2::<0xdd>(x, y));
    let all = parts(parts(pairs(a, b), pairs(c, d)), parts(pairs(e, f), pairs(g, h)));
    if let Some(out) = out.first_chunk_mut::<8>() {
        // SAFETY: there is room for eight counts.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), _mm512_cvtepi64_epi32(all)) };
    }
    out
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
    [sums(acc.map(|acc| acc[0])), if OVERLAP { sums(acc.map(|acc| acc[1])) } else { [0; R] }]
}

bits_functions!("avx512f,avx512bw,avx512vl,avx512vpopcntdq", 8);

/// The bits in which `R` rows differ from each query of a panel, and which of these counts are below the panel's: a query's
/// count is a lane.
///
/// # Safety
/// The CPU has the features; each of `rows` has `n` bytes, the panel a register for each begun word of them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq")]
unsafe fn panel_kernel<const R: usize>(
    rows: [*const u8; R],
    panel: *const u64,
    n: usize,
    below: __m512i,
    out: &mut [u32],
    near: &mut [u8],
) {
    let mut acc = [_mm512_setzero_si512(); R];
    let words = n / 8;
    for i in 0..words {
        // SAFETY: the panel has more registers than i.
        let q = unsafe { _mm512_loadu_si512(panel.add(i * BIT_PANEL).cast()) };
        for r in 0..R {
            // SAFETY: word i of n / 8 is within the row.
            let x = unsafe { rows[r].add(8 * i).cast::<i64>().read_unaligned() };
            acc[r] = add_counts::<false>([acc[r], q], q, _mm512_set1_epi64(x))[0];
        }
    }
    if !n.is_multiple_of(8) {
        // SAFETY: the last register is of the begun word.
        let q = unsafe { _mm512_loadu_si512(panel.add(words * BIT_PANEL).cast()) };
        for r in 0..R {
            // SAFETY: n % 8 bytes of the row are left.
            let rest = unsafe { core::slice::from_raw_parts(rows[r].add(8 * words), n % 8) };
            acc[r] = add_counts::<false>([acc[r], q], q, _mm512_set1_epi64(word(rest) as i64))[0];
        }
    }
    for ((acc, out), near) in acc.into_iter().zip(out.as_chunks_mut::<BIT_PANEL>().0).zip(near) {
        *near = _mm512_cmplt_epu64_mask(acc, below);
        // SAFETY: there is room for a panel's counts.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), _mm512_cvtepi64_epi32(acc)) };
    }
}

/// Rows of a panel kernel: each word of the panel is loaded once for all of them.
const PANEL_ROWS: usize = 8;

/// # Safety
/// The CPU has the features; `rows` are whole rows, the panel has the words of [`BIT_PANEL`] queries, and there is room for the
/// results.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq")]
pub(super) unsafe fn hamming_panel(
    rows: &[u8],
    row_len: usize,
    panel: &BitPanel,
    out: &mut [u32],
    near: &mut [u8],
) {
    let row = |at: usize| rows.as_ptr().wrapping_add(at * row_len);
    // SAFETY: there are eight numbers of 32 bits.
    let below = unsafe { _mm512_cvtepu32_epi64(_mm256_loadu_si256(panel.below.as_ptr().cast())) };
    let words = panel.words.as_ptr();
    let (strips, rest) = out.as_chunks_mut::<{ PANEL_ROWS * BIT_PANEL }>();
    let (near, near_rest) = near.split_at_mut(strips.len() * PANEL_ROWS);
    let in_strips = near.len();
    for ((strip, out), near) in strips.iter_mut().enumerate().zip(near.chunks_exact_mut(PANEL_ROWS)) {
        let rows: [_; PANEL_ROWS] = core::array::from_fn(|r| row(strip * PANEL_ROWS + r));
        // SAFETY: by the contract of the table there are as many rows of row_len bytes as there is room for.
        unsafe { panel_kernel(rows, words, row_len, below, out, near) };
    }
    let rest = rest.as_chunks_mut::<BIT_PANEL>().0.iter_mut().zip(near_rest.chunks_mut(1));
    for (at, (out, near)) in rest.enumerate() {
        // SAFETY: as above.
        unsafe { panel_kernel([row(in_strips + at)], words, row_len, below, out, near) };
    }
}

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
