//! AVX2, FMA and F16C kernels.
//!
//! Every function here needs these features; a kernel that reads memory also needs `len`
//! components readable at the query and at each row. Codes are widened to 16 bits before they
//! are multiplied: the 8-bit multiplication of AVX2 saturates.

use core::arch::x86_64::*;

use super::avx2_bits::{hamming, hamming_rows, overlap, overlap_rows};
use super::nibble_panel::avx2 as dot_u4_i8_panel;
use crate::kernels::{Kernels, Level, table};
use crate::panel::PANEL;
use crate::rows::{Rows, fill};
use crate::wide::WideQuery;
use crate::wrappers::{float_functions, nibbles_functions, panel_functions, portable_functions};

pub(super) static KERNELS: Kernels = table!(Level::Avx2);

/// The term that a kernel of `f32` sums: a product.
const DOT: u8 = 0;
/// The square of a difference.
const L2: u8 = 1;
/// The square of a component, whatever the query.
const SQUARE: u8 = 2;

/// A row of `f32`.
const F32: u8 = 0;
/// A row of `f16`.
const F16: u8 = 1;

/// `f32` components in a vector register.
const F: usize = 8;

/// Bytes in a vector register.
const B: usize = 32;

// ---- f32 and f16 ----

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn add_term_f32<const TERM: u8>(acc: __m256, q: __m256, x: __m256) -> __m256 {
    match TERM {
        L2 => {
            let d = _mm256_sub_ps(q, x);
            _mm256_fmadd_ps(d, d, acc)
        }
        SQUARE => _mm256_fmadd_ps(x, x, acc),
        _ => _mm256_fmadd_ps(q, x, acc),
    }
}

/// The sum of the lanes, always in the same order.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn sum_f32(v: __m256) -> f32 {
    let v = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
    let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
    let v = _mm_add_ss(v, _mm_movehdup_ps(v));
    _mm_cvtss_f32(v)
}

/// The components `i .. i + 8` of a row.
///
/// # Safety
/// The CPU has the features; the row has these components.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn load<const ROW: u8>(row: *const u8, i: usize) -> __m256 {
    // SAFETY: components i .. i + 8 are readable.
    unsafe {
        match ROW {
            F16 => _mm256_cvtph_ps(_mm_loadu_si128(row.add(2 * i).cast())),
            _ => _mm256_loadu_ps(row.add(4 * i).cast()),
        }
    }
}

/// The components `i .. i + count` of a row, with zeros in the other lanes.
///
/// # Safety
/// The CPU has the features; the row has these components, at most 8.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn load_first<const ROW: u8>(row: *const u8, i: usize, count: usize) -> __m256 {
    if ROW == F16 {
        let mut bytes = [0u8; 2 * F];
        // SAFETY: the components are readable and fit in `bytes`, which is as long as a register of halves.
        unsafe {
            core::ptr::copy_nonoverlapping(row.add(2 * i), bytes.as_mut_ptr(), 2 * count);
            return _mm256_cvtph_ps(_mm_loadu_si128(bytes.as_ptr().cast()));
        }
    }
    // Lane l is read when l < count.
    let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    let mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), lanes);
    // SAFETY: the mask leaves out what is not among the components.
    unsafe { _mm256_maskload_ps(row.add(4 * i).cast(), mask) }
}

/// `R` rows at once. Component `i` of a row always goes to lane `i % 8` of its sum `i / 8 % 4`,
/// so a row's result does not depend on `R`, nor on how its components are stored.
///
/// # Safety
/// The CPU has the features; `q`, unless squares are summed, and each of `rows` have `n` components, at any alignment.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn float_kernel<const R: usize, const TERM: u8, const ROW: u8>(
    q: *const u8,
    rows: [*const u8; R],
    n: usize,
) -> [f32; R] {
    let mut acc = [[_mm256_setzero_ps(); 4]; R];
    let mut i = 0;
    while n - i >= 4 * F {
        for k in 0..4 {
            let at = i + k * F;
            let mut qv = _mm256_setzero_ps();
            if TERM != SQUARE {
                // SAFETY: components at .. at + F are less than n.
                qv = unsafe { load::<F32>(q, at) };
            }
            for r in 0..R {
                // SAFETY: as for the query.
                let x = unsafe { load::<ROW>(rows[r], at) };
                acc[r][k] = add_term_f32::<TERM>(acc[r][k], qv, x);
            }
        }
        i += 4 * F;
    }
    for k in 0..4 {
        if i < n {
            let count = F.min(n - i);
            let mut qv = _mm256_setzero_ps();
            if TERM != SQUARE {
                // SAFETY: components i .. i + count are less than n, and at most 8.
                qv = unsafe { load_first::<F32>(q, i, count) };
            }
            for r in 0..R {
                // SAFETY: as for the query.
                let x = unsafe { load_first::<ROW>(rows[r], i, count) };
                acc[r][k] = add_term_f32::<TERM>(acc[r][k], qv, x);
            }
            i += count;
        }
    }
    let mut out = [0.0; R];
    for r in 0..R {
        let low = _mm256_add_ps(acc[r][0], acc[r][1]);
        let high = _mm256_add_ps(acc[r][2], acc[r][3]);
        out[r] = sum_f32(_mm256_add_ps(low, high));
    }
    out
}

float_functions!("avx2,fma,f16c", 2);
portable_functions!("avx2,fma");

// ---- codes ----

/// 32 zeros, then 32 ones: read at `r`, the last `r` bytes of a register.
static LAST: [u8; 2 * B] = {
    let mut last = [0; 2 * B];
    let mut i = B;
    while i < 2 * B {
        last[i] = 0xff;
        i += 1;
    }
    last
};

/// The last `n % 32` of the `n` bytes at `p`, with zeros in the other lanes. Which lanes these are
/// depends on `n` only, so the tails of a query and of a row fit each other.
///
/// # Safety
/// The CPU has the features; `n` bytes are readable at `p`.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn load_tail(p: *const u8, n: usize) -> __m256i {
    let rest = n % B;
    if n >= B {
        // SAFETY: the last 32 of n bytes are readable, and so are 32 of LAST from rest < 32.
        unsafe {
            let mask = _mm256_loadu_si256(LAST.as_ptr().add(rest).cast());
            _mm256_and_si256(_mm256_loadu_si256(p.add(n - B).cast()), mask)
        }
    } else {
        let mut bytes = [0u8; B];
        // SAFETY: n < 32 bytes are readable at p and fit in `bytes`, which is 32 long.
        unsafe {
            core::ptr::copy_nonoverlapping(p, bytes.as_mut_ptr(), n);
            _mm256_loadu_si256(bytes.as_ptr().cast())
        }
    }
}

/// The bytes at even places, widened without sign.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn even(v: __m256i) -> __m256i {
    _mm256_and_si256(v, _mm256_set1_epi16(0xff))
}

/// The bytes at odd places, widened without sign.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn odd(v: __m256i) -> __m256i {
    _mm256_srli_epi16::<8>(v)
}

/// Adds the products of the bytes of two registers.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_products(acc: __m256i, q: __m256i, x: __m256i) -> __m256i {
    let products = _mm256_add_epi32(_mm256_madd_epi16(even(q), even(x)), _mm256_madd_epi16(odd(q), odd(x)));
    _mm256_add_epi32(acc, products)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn sum_u32(v: __m256i) -> u32 {
    let v = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
    let v = _mm_add_epi32(v, _mm_shuffle_epi32::<0b01_00_11_10>(v));
    let v = _mm_add_epi32(v, _mm_shuffle_epi32::<0b10_11_00_01>(v));
    _mm_cvtsi128_si32(v) as u32
}

/// `R` rows at once, `U` sums for each. Sums wrap modulo 2^32.
///
/// # Safety
/// The CPU has the features; `q` and each of `rows` have `n` bytes.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn u8_kernel<const R: usize, const U: usize>(
    q: *const u8,
    rows: [*const u8; R],
    n: usize,
) -> [u32; R] {
    let mut acc = [[_mm256_setzero_si256(); U]; R];
    let mut i = 0;
    while n - i >= B * U {
        for k in 0..U {
            let at = i + B * k;
            // SAFETY: bytes at .. at + 32 are less than n.
            let qv = unsafe { _mm256_loadu_si256(q.add(at).cast()) };
            for r in 0..R {
                // SAFETY: as for the query.
                let x = unsafe { _mm256_loadu_si256(rows[r].add(at).cast()) };
                acc[r][k] = add_products(acc[r][k], qv, x);
            }
        }
        i += B * U;
    }
    while n - i >= B {
        // SAFETY: bytes i .. i + 32 are less than n.
        let qv = unsafe { _mm256_loadu_si256(q.add(i).cast()) };
        for r in 0..R {
            // SAFETY: as for the query.
            let x = unsafe { _mm256_loadu_si256(rows[r].add(i).cast()) };
            acc[r][0] = add_products(acc[r][0], qv, x);
        }
        i += B;
    }
    if i < n {
        // SAFETY: n bytes are readable at the query.
        let qv = unsafe { load_tail(q, n) };
        for r in 0..R {
            // SAFETY: n bytes are readable at the row.
            let x = unsafe { load_tail(rows[r], n) };
            acc[r][0] = add_products(acc[r][0], qv, x);
        }
    }
    let mut out = [0; R];
    for r in 0..R {
        let mut sum = acc[r][0];
        for k in 1..U {
            sum = _mm256_add_epi32(sum, acc[r][k]);
        }
        out[r] = sum_u32(sum);
    }
    out
}

#[target_feature(enable = "avx2,fma")]
unsafe fn dot_u8_u8(a: &[u8], b: &[u8]) -> u32 {
    // SAFETY: by the contract of the table, both are as long.
    unsafe { u8_kernel::<1, 2>(b.as_ptr(), [a.as_ptr()], b.len())[0] }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn sum_u8(a: &[u8]) -> u32 {
    let (mut acc, zero) = (_mm256_setzero_si256(), _mm256_setzero_si256());
    let (blocks, tail) = a.as_chunks::<B>();
    for block in blocks {
        // SAFETY: a block is 32 bytes.
        let x = unsafe { _mm256_loadu_si256(block.as_ptr().cast()) };
        acc = _mm256_add_epi64(acc, _mm256_sad_epu8(x, zero));
    }
    // The sums are in the even 32-bit lanes, and the odd ones are 0: each is less than 2^32.
    sum_u32(acc) + tail.iter().map(|&x| u32::from(x)).sum::<u32>()
}

/// The sum of the 32-bit lanes of both, in 64 bits.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn sum_i64(a: __m256i, b: __m256i) -> i64 {
    let low = |v| _mm256_cvtepi32_epi64(_mm256_castsi256_si128(v));
    let high = |v| _mm256_cvtepi32_epi64(_mm256_extracti128_si256::<1>(v));
    let v = _mm256_add_epi64(_mm256_add_epi64(low(a), high(a)), _mm256_add_epi64(low(b), high(b)));
    let v = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
    _mm_cvtsi128_si64(_mm_add_epi64(v, _mm_unpackhi_epi64(v, v)))
}

/// Adds the products of one block of words with a block of codes, even places and odd ones apart.
///
/// # Safety
/// The CPU has the features; 32 words are readable at `q`.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn add_words([e, o]: [__m256i; 2], q: *const i16, x: __m256i) -> [__m256i; 2] {
    // SAFETY: 32 words are readable at q.
    let (qe, qo) = unsafe { (_mm256_loadu_si256(q.cast()), _mm256_loadu_si256(q.add(16).cast())) };
    [_mm256_add_epi32(e, _mm256_madd_epi16(qe, even(x))), _mm256_add_epi32(o, _mm256_madd_epi16(qo, odd(x)))]
}

/// `R` rows at once. A lane sums at most 128 pairs of products of 255 and 32,639 in 32 bits: they fit.
///
/// # Safety
/// The CPU has the features; each of `rows` has `n` bytes, at most 4,096; `q` has 32 words for each begun 32 of them.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn words_kernel<const R: usize>(q: *const i16, rows: [*const u8; R], n: usize) -> [i64; R] {
    let mut acc = [[_mm256_setzero_si256(); 2]; R];
    let mut i = 0;
    while n - i >= B {
        for r in 0..R {
            // SAFETY: bytes and words i .. i + 32 are less than n.
            acc[r] = unsafe { add_words(acc[r], q.add(i), _mm256_loadu_si256(rows[r].add(i).cast())) };
        }
        i += B;
    }
    if i < n {
        for r in 0..R {
            // SAFETY: n bytes are readable at the row; n is no multiple of 32, so there is one more block of words.
            acc[r] = unsafe { add_words(acc[r], q.add(i), load_tail(rows[r], n)) };
        }
    }
    acc.map(|[e, o]| sum_i64(e, o))
}

#[target_feature(enable = "avx2,fma")]
unsafe fn dot_u8_i16_rows(rows: Rows<'_>, query: &WideQuery, out: &mut [i64]) {
    let (q, n) = (query.words().as_ptr(), query.len());
    // SAFETY: by the contract of the table, every row has n bytes; the words of a query are as `WideQuery` says.
    fill!(rows, out, 4, |p, R| unsafe { words_kernel::<R>(q, p, n) });
}

/// `R` rows of 4-bit codes at once. A product is at most 15 · 128, so that the four of a 16-bit lane fit.
///
/// # Safety
/// The CPU has the features; `q` has `n` bytes, a multiple of 64, and each of `rows` half as many.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn nibbles_kernel<const R: usize>(q: *const i8, rows: [*const u8; R], n: usize) -> [i32; R] {
    let (mask, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
    let mut acc = [_mm256_setzero_si256(); R];
    let mut i = 0;
    while i < n {
        // SAFETY: bytes i .. i + 64 of the query are less than n.
        let (low, high) =
            unsafe { (_mm256_loadu_si256(q.add(i).cast()), _mm256_loadu_si256(q.add(i + B).cast())) };
        for r in 0..R {
            // SAFETY: bytes i / 2 .. i / 2 + 32 of the row are less than n / 2.
            let x = unsafe { _mm256_loadu_si256(rows[r].add(i / 2).cast()) };
            let sums = _mm256_add_epi16(
                _mm256_maddubs_epi16(_mm256_and_si256(x, mask), low),
                _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16::<4>(x), mask), high),
            );
            acc[r] = _mm256_add_epi32(acc[r], _mm256_madd_epi16(sums, ones));
        }
        i += 2 * B;
    }
    acc.map(|v| sum_u32(v) as i32)
}

nibbles_functions!("avx2,fma");

#[target_feature(enable = "avx2,fma")]
unsafe fn dot_u8_u8_rows(rows: Rows<'_>, query: &[u8], out: &mut [u32]) {
    let (q, n) = (query.as_ptr(), query.len());
    // SAFETY: by the contract of the table, every row has n bytes.
    fill!(rows, out, 4, |p, R| unsafe { u8_kernel::<R, 1>(q, p, n) });
}

/// Rows of a panel kernel: 12 of 16 registers hold sums of half a panel.
const PANEL_ROWS: usize = 6;

/// Dot products of `R` rows with a panel.
///
/// # Safety
/// The CPU has the features; each of `rows` has `n` components, the panel `n` times [`PANEL`].
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn panel_kernel<const R: usize>(rows: [*const f32; R], panel: *const f32, n: usize, out: &mut [f32]) {
    for half in [0, PANEL / 2] {
        let mut acc = [[_mm256_setzero_ps(); 2]; R];
        for i in 0..n {
            let at = i * PANEL + half;
            // SAFETY: i is less than n.
            let q = unsafe { [_mm256_loadu_ps(panel.add(at)), _mm256_loadu_ps(panel.add(at + F))] };
            for r in 0..R {
                // SAFETY: i is less than n.
                let x = _mm256_set1_ps(unsafe { *rows[r].add(i) });
                acc[r] = [_mm256_fmadd_ps(x, q[0], acc[r][0]), _mm256_fmadd_ps(x, q[1], acc[r][1])];
            }
        }
        for (sums, out) in acc.iter().zip(out.as_chunks_mut::<PANEL>().0) {
            let (low, high) = out.split_at_mut(half + F);
            // SAFETY: F components are left of each.
            unsafe {
                _mm256_storeu_ps(low.as_mut_ptr().add(half), sums[0]);
                _mm256_storeu_ps(high.as_mut_ptr(), sums[1]);
            }
        }
    }
}

panel_functions!("avx2,fma,f16c");
