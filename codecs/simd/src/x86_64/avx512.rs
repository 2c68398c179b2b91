//! AVX-512 kernels: F, BW, VL and VNNI.
//!
//! Every function here needs these features; a kernel that reads memory also needs `len`
//! components readable at the query and at each row. Tails are read with masked loads, which do
//! not touch what the mask leaves out.

use core::arch::x86_64::*;

use super::avx2_bits::{hamming, hamming_rows, overlap, overlap_rows};
use super::nibble_panel::avx512 as dot_u4_i8_panel;
use super::{avx512_bits, avx512_within};
use crate::kernels::{Kernels, Level, table};
use crate::panel::PANEL;
use crate::rows::{Rows, fill};
use crate::wide::WideQuery;
use crate::wrappers::{float_functions, nibbles_functions, panel_functions, portable_functions};

pub(super) static KERNELS: Kernels = Kernels { within: avx512_within::within, ..PORTABLE };

const PORTABLE: Kernels = table!(Level::Avx512);

/// The kernels where the CPU also has VPOPCNTDQ and VBMI2, as all do since both came.
pub(super) static KERNELS_BITS: Kernels = Kernels {
    hamming: avx512_bits::hamming,
    overlap: avx512_bits::overlap,
    hamming_rows: avx512_bits::hamming_rows,
    overlap_rows: avx512_bits::overlap_rows,
    select_bytes: avx512_bits::select_bytes,
    hamming_panel: avx512_bits::hamming_panel,
    ..KERNELS
};

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
const F: usize = 16;

// ---- f32 and f16 ----

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn add_term_f32<const TERM: u8>(acc: __m512, q: __m512, x: __m512) -> __m512 {
    match TERM {
        L2 => {
            let d = _mm512_sub_ps(q, x);
            _mm512_fmadd_ps(d, d, acc)
        }
        SQUARE => _mm512_fmadd_ps(x, x, acc),
        _ => _mm512_fmadd_ps(q, x, acc),
    }
}

/// The sum of the lanes, always in the same order.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn sum_f32(v: __m512) -> f32 {
    let high = _mm512_castpd_ps(_mm512_castpd256_pd512(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(v))));
    let v = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_castps512_ps256(high));
    let v = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
    let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
    let v = _mm_add_ss(v, _mm_movehdup_ps(v));
    _mm_cvtss_f32(v)
}

/// The components `i .. i + 16` of a row.
///
/// # Safety
/// The CPU has the features; the row has these components.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn load<const ROW: u8>(row: *const u8, i: usize) -> __m512 {
    // SAFETY: components i .. i + 16 are readable.
    unsafe {
        match ROW {
            F16 => _mm512_cvtph_ps(_mm256_loadu_si256(row.add(2 * i).cast())),
            _ => _mm512_loadu_ps(row.add(4 * i).cast()),
        }
    }
}

/// The components `i .. i + count` of a row, with zeros in the other lanes.
///
/// # Safety
/// The CPU has the features; the row has these components, at most 16.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn load_first<const ROW: u8>(row: *const u8, i: usize, count: usize) -> __m512 {
    let mask = (0xffff_u32 >> (F - count)) as __mmask16;
    // SAFETY: the mask leaves out what is not among the components.
    unsafe {
        match ROW {
            F16 => _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, row.add(2 * i).cast())),
            _ => _mm512_maskz_loadu_ps(mask, row.add(4 * i).cast()),
        }
    }
}

/// `R` rows at once. Component `i` of a row always goes to lane `i % 16` of its sum `i / 16 % 4`,
/// so a row's result does not depend on `R`, nor on how its components are stored.
///
/// # Safety
/// The CPU has the features; `q`, unless squares are summed, and each of `rows` have `n` components, at any alignment.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn float_kernel<const R: usize, const TERM: u8, const ROW: u8>(
    q: *const u8,
    rows: [*const u8; R],
    n: usize,
) -> [f32; R] {
    let mut acc = [[_mm512_setzero_ps(); 4]; R];
    let mut i = 0;
    while n - i >= 4 * F {
        for k in 0..4 {
            let at = i + k * F;
            let mut qv = _mm512_setzero_ps();
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
            let mut qv = _mm512_setzero_ps();
            if TERM != SQUARE {
                // SAFETY: components i .. i + count are less than n, and at most 16.
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
        let low = _mm512_add_ps(acc[r][0], acc[r][1]);
        let high = _mm512_add_ps(acc[r][2], acc[r][3]);
        out[r] = sum_f32(_mm512_add_ps(low, high));
    }
    out
}

float_functions!("avx512f,avx512bw,avx512vl,avx512vnni", 4);
portable_functions!("avx512f,avx512bw,avx512vl,avx512vnni");

// ---- codes ----

/// Adds the products of the query's codes with the row's less 128.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn add_products_less_128(acc: __m512i, q: __m512i, x: __m512i) -> __m512i {
    // Four products of unsigned by signed, added without saturation; x ^ 0x80 is x - 128 as a signed byte.
    _mm512_dpbusd_epi32(acc, q, _mm512_xor_si512(x, _mm512_set1_epi8(-128)))
}

/// `R` rows at once, `U` sums for each. Sums wrap modulo 2^32.
///
/// # Safety
/// The CPU has the features; `q` and each of `rows` have `n` bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn u8_kernel<const R: usize, const U: usize>(
    q: *const u8,
    rows: [*const u8; R],
    n: usize,
) -> [u32; R] {
    let mut acc = [[_mm512_setzero_si512(); U]; R];
    let mut i = 0;
    while n - i >= 64 * U {
        for k in 0..U {
            let at = i + 64 * k;
            // SAFETY: bytes at .. at + 64 are less than n.
            let qv = unsafe { _mm512_loadu_si512(q.add(at).cast()) };
            for r in 0..R {
                // SAFETY: as for the query.
                let x = unsafe { _mm512_loadu_si512(rows[r].add(at).cast()) };
                acc[r][k] = add_products_less_128(acc[r][k], qv, x);
            }
        }
        i += 64 * U;
    }
    while i < n {
        let mask = u64::MAX >> (64 - (n - i).min(64));
        // SAFETY: the mask leaves out what is not less than n; i is less than n.
        let qv = unsafe { _mm512_maskz_loadu_epi8(mask, q.add(i).cast()) };
        for r in 0..R {
            // SAFETY: as for the query.
            let x = unsafe { _mm512_maskz_loadu_epi8(mask, rows[r].add(i).cast()) };
            acc[r][0] = add_products_less_128(acc[r][0], qv, x);
        }
        i += (n - i).min(64);
    }
    let mut out = [0; R];
    for r in 0..R {
        let mut sum = acc[r][0];
        for k in 1..U {
            sum = _mm512_add_epi32(sum, acc[r][k]);
        }
        out[r] = _mm512_reduce_add_epi32(sum) as u32;
    }
    out
}

/// `Σ qᵢ·xᵢ = Σ qᵢ·(xᵢ − 128) + 128 · Σ qᵢ`; modulo 2^32, where the true sum fits.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn dot_u8_u8(a: &[u8], b: &[u8]) -> u32 {
    // SAFETY: by the contract of the table, both are as long.
    let (sum, dot) = unsafe { (sum_u8(b), u8_kernel::<1, 4>(b.as_ptr(), [a.as_ptr()], b.len())[0]) };
    dot.wrapping_add(sum << 7)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn sum_u8(a: &[u8]) -> u32 {
    let zero = _mm512_setzero_si512();
    let mut acc = [zero; 4];
    let (blocks, rest) = a.as_chunks::<256>();
    for block in blocks {
        for k in 0..4 {
            // SAFETY: a block is 256 bytes.
            let x = unsafe { _mm512_loadu_si512(block.as_ptr().add(64 * k).cast()) };
            acc[k] = _mm512_add_epi64(acc[k], _mm512_sad_epu8(x, zero));
        }
    }
    for part in rest.chunks(64) {
        let mask = u64::MAX >> (64 - part.len());
        // SAFETY: the mask leaves out what is not in the part, which has 1 to 64 bytes.
        let x = unsafe { _mm512_maskz_loadu_epi8(mask, part.as_ptr().cast()) };
        acc[0] = _mm512_add_epi64(acc[0], _mm512_sad_epu8(x, zero));
    }
    let low = _mm512_add_epi64(acc[0], acc[1]);
    let high = _mm512_add_epi64(acc[2], acc[3]);
    _mm512_reduce_add_epi64(_mm512_add_epi64(low, high)) as u32
}

/// `R` rows at once against the two planes of a query, each row loaded once.
///
/// # Safety
/// The CPU has the features; `high`, `low` and each of `rows` have `n` bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn planes_kernel<const R: usize>(
    high: *const u8,
    low: *const u8,
    rows: [*const u8; R],
    n: usize,
) -> [i64; R] {
    let mut acc = [[_mm512_setzero_si512(); 2]; R];
    let mut i = 0;
    while i < n {
        let mask = u64::MAX >> (64 - (n - i).min(64));
        // SAFETY: the mask leaves out what is not less than n; i is less than n.
        let (h, l) = unsafe {
            (
                _mm512_maskz_loadu_epi8(mask, high.add(i).cast()),
                _mm512_maskz_loadu_epi8(mask, low.add(i).cast()),
            )
        };
        for r in 0..R {
            // SAFETY: as for the query.
            let x = unsafe { _mm512_maskz_loadu_epi8(mask, rows[r].add(i).cast()) };
            acc[r] = [_mm512_dpbusd_epi32(acc[r][0], x, h), _mm512_dpbusd_epi32(acc[r][1], x, l)];
        }
        i += (n - i).min(64);
    }
    acc.map(|[h, l]| 256 * i64::from(_mm512_reduce_add_epi32(h)) + i64::from(_mm512_reduce_add_epi32(l)))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn dot_u8_i16_rows(rows: Rows<'_>, query: &WideQuery, out: &mut [i64]) {
    let ((high, low), n) = (query.planes(), query.len());
    let (high, low) = (high.as_ptr().cast(), low.as_ptr().cast());
    // SAFETY: by the contract of the table, every row has n bytes; the planes are as long as the query.
    fill!(rows, out, 4, |p, R| unsafe { planes_kernel::<R>(high, low, p, n) });
}

/// `R` rows of 4-bit codes at once, two blocks of 32 bytes at a time.
///
/// # Safety
/// The CPU has the features; `q` has `n` bytes, a multiple of 64, and each of `rows` half as many.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn nibbles_kernel<const R: usize>(q: *const i8, rows: [*const u8; R], n: usize) -> [i32; R] {
    let mask = _mm512_set1_epi8(15);
    let mut acc = [[_mm512_setzero_si512(); 2]; R];
    let mut i = 0;
    while i < n {
        // Behind the last block of an odd number there is none.
        let (of_query, of_row) = if n - i >= 128 { (u64::MAX, u64::MAX) } else { (0, u64::MAX >> 32) };
        // SAFETY: bytes i .. i + 64 of the query are less than n; the mask leaves out what is not.
        let (a, b) = unsafe {
            let second = q.wrapping_add(i + 64).cast();
            (_mm512_loadu_si512(q.add(i).cast()), _mm512_maskz_loadu_epi8(of_query, second))
        };
        let low = _mm512_shuffle_i64x2::<0b01_00_01_00>(a, b);
        let high = _mm512_shuffle_i64x2::<0b11_10_11_10>(a, b);
        for r in 0..R {
            // SAFETY: the mask leaves out what is not among the n / 2 bytes of the row.
            let x = unsafe { _mm512_maskz_loadu_epi8(of_row, rows[r].add(i / 2).cast()) };
            let upper = _mm512_and_si512(_mm512_srli_epi16::<4>(x), mask);
            acc[r] = [
                _mm512_dpbusd_epi32(acc[r][0], _mm512_and_si512(x, mask), low),
                _mm512_dpbusd_epi32(acc[r][1], upper, high),
            ];
        }
        i += 128;
    }
    let mut sums = [_mm256_setzero_si256(); R];
    for r in 0..R {
        let v = _mm512_add_epi32(acc[r][0], acc[r][1]);
        sums[r] = _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64::<1>(v));
    }
    let mut out = [0; R];
    if R == 4 {
        // Sums of four rows side by side.
        let (a, b) = (_mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3]));
        let v = _mm256_hadd_epi32(a, b);
        let v = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
        // SAFETY: there is room for four results.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), v) };
        return out;
    }
    for r in 0..R {
        let v = _mm_add_epi32(_mm256_castsi256_si128(sums[r]), _mm256_extracti128_si256::<1>(sums[r]));
        let v = _mm_add_epi32(v, _mm_shuffle_epi32::<0b01_00_11_10>(v));
        out[r] = _mm_cvtsi128_si32(_mm_add_epi32(v, _mm_shuffle_epi32::<0b10_11_00_01>(v)));
    }
    out
}

nibbles_functions!("avx512f,avx512bw,avx512vl,avx512vnni");

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn dot_u8_u8_rows(rows: Rows<'_>, query: &[u8], out: &mut [u32]) {
    let (q, n) = (query.as_ptr(), query.len());
    // SAFETY: the CPU has the features.
    let sum = unsafe { sum_u8(query) } << 7;
    fill!(rows, out, 4, |p, R| {
        // SAFETY: by the contract of the table, every row has n bytes.
        unsafe { u8_kernel::<R, 2>(q, p, n) }.map(|v| v.wrapping_add(sum))
    });
}

/// Rows of a panel kernel: 24 of 32 registers hold sums.
const PANEL_ROWS: usize = 12;

/// Dot products of `R` rows with a panel.
///
/// # Safety
/// The CPU has the features; each of `rows` has `n` components, the panel `n` times [`PANEL`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn panel_kernel<const R: usize>(rows: [*const f32; R], panel: *const f32, n: usize, out: &mut [f32]) {
    let mut acc = [[_mm512_setzero_ps(); 2]; R];
    for i in 0..n {
        // SAFETY: i is less than n.
        let q = unsafe { [_mm512_loadu_ps(panel.add(i * PANEL)), _mm512_loadu_ps(panel.add(i * PANEL + F))] };
        for r in 0..R {
            // SAFETY: i is less than n.
            let x = _mm512_set1_ps(unsafe { *rows[r].add(i) });
            acc[r] = [_mm512_fmadd_ps(x, q[0], acc[r][0]), _mm512_fmadd_ps(x, q[1], acc[r][1])];
        }
    }
    for (sums, out) in acc.iter().zip(out.as_chunks_mut::<PANEL>().0) {
        let (low, high) = out.split_at_mut(F);
        // SAFETY: each half has room for F components.
        unsafe {
            _mm512_storeu_ps(low.as_mut_ptr(), sums[0]);
            _mm512_storeu_ps(high.as_mut_ptr(), sums[1]);
        }
    }
}

panel_functions!("avx512f,avx512bw,avx512vl,avx512vnni");
