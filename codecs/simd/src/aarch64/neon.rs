//! NEON kernels.
//!
//! Every function here needs NEON; a kernel that reads memory also needs `len` components
//! readable at the query and at each row. Tails are copied to zeroed registers. The target is
//! little-endian, so bytes reinterpreted as `f32` are the components.

use core::arch::aarch64::*;

use super::load::load_first;
use super::neon_bits::{hamming, hamming_rows, overlap, overlap_rows};
use super::nibble_panel::neon as dot_u4_i8_panel;
use crate::kernels::{Kernels, Level, table};
use crate::rows::{Rows, fill};
use crate::wide::WideQuery;
use crate::wrappers::{float_functions, nibbles_functions, portable_functions};

pub(super) static KERNELS: Kernels = table!(Level::Neon);

/// The term that a kernel sums: a product (for codes, with an unsigned query).
const DOT: u8 = 0;
/// The square of a difference.
const L2: u8 = 1;
/// The product of an unsigned code with a signed query.
const DOT_SIGNED: u8 = 2;
/// The square of a component, whatever the query.
const SQUARE: u8 = 3;

/// A row of `f32`.
const F32: u8 = 0;
/// A row of `f16`.
const F16: u8 = 1;

/// `f32` components in a vector register.
const F: usize = 4;

/// Bytes in a vector register.
const B: usize = 16;

// ---- f32 and f16 ----

#[inline]
#[target_feature(enable = "neon")]
fn add_term_f32<const TERM: u8>(acc: float32x4_t, q: float32x4_t, x: float32x4_t) -> float32x4_t {
    match TERM {
        L2 => {
            let d = vsubq_f32(q, x);
            vfmaq_f32(acc, d, d)
        }
        SQUARE => vfmaq_f32(acc, x, x),
        _ => vfmaq_f32(acc, q, x),
    }
}

/// The sum of the lanes, always in the same order.
#[inline]
#[target_feature(enable = "neon")]
fn sum_f32(v: float32x4_t) -> f32 {
    let v = vadd_f32(vget_low_f32(v), vget_high_f32(v));
    vget_lane_f32::<0>(v) + vget_lane_f32::<1>(v)
}

/// The numbers that the first four halves stand for, as the scalar version computes them: the instruction that converts
/// them is not to be had in stable Rust.
#[inline]
#[target_feature(enable = "neon")]
fn widen(halves: uint8x16_t) -> float32x4_t {
    let half = vmovl_u16(vreinterpret_u16_u8(vget_low_u8(halves)));
    let sign = vshlq_n_u32::<16>(vandq_u32(half, vdupq_n_u32(0x8000)));
    let magnitude = vandq_u32(half, vdupq_n_u32(0x7fff));
    // Below 2^-14 in steps of 2^-24.
    let steps = vmulq_n_f32(vcvtq_f32_u32(magnitude), 1.0 / 16_777_216.0);
    // Exponents are those of f32 less 112, but for infinities and NaN.
    let moved = vaddq_u32(vshlq_n_u32::<13>(magnitude), vdupq_n_u32(112 << 23));
    let infinite = vandq_u32(vcgeq_u32(magnitude, vdupq_n_u32(0x7c00)), vdupq_n_u32(0x7f80_0000));
    let is_small = vcltq_u32(magnitude, vdupq_n_u32(0x0400));
    let bits = vbslq_u32(is_small, vreinterpretq_u32_f32(steps), vorrq_u32(moved, infinite));
    vreinterpretq_f32_u32(vorrq_u32(bits, sign))
}

/// The components `i .. i + count` of a row, with zeros in the other lanes.
///
/// # Safety
/// The CPU has NEON; the row has these components, at most 4.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn load<const ROW: u8>(row: *const u8, i: usize, count: usize) -> float32x4_t {
    // SAFETY: the components are readable, and at most 16 bytes.
    unsafe {
        match (ROW, count) {
            (F16, F) => widen(vcombine_u8(vld1_u8(row.add(2 * i)), vdup_n_u8(0))),
            (F16, _) => widen(load_first(row.add(2 * i), 2 * count)),
            (_, F) => vreinterpretq_f32_u8(vld1q_u8(row.add(4 * i))),
            _ => vreinterpretq_f32_u8(load_first(row.add(4 * i), 4 * count)),
        }
    }
}

/// `R` rows at once. Component `i` of a row always goes to lane `i % 4` of its sum `i / 4 % 4`,
/// so a row's result does not depend on `R`, nor on how its components are stored.
///
/// # Safety
/// The CPU has NEON; `q`, unless squares are summed, and each of `rows` have `n` components, at any alignment.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn float_kernel<const R: usize, const TERM: u8, const ROW: u8>(
    q: *const u8,
    rows: [*const u8; R],
    n: usize,
) -> [f32; R] {
    let mut acc = [[vdupq_n_f32(0.0); 4]; R];
    let mut i = 0;
    while n - i >= 4 * F {
        for k in 0..4 {
            let at = i + k * F;
            let mut qv = vdupq_n_f32(0.0);
            if TERM != SQUARE {
                // SAFETY: components at .. at + F are less than n.
                qv = unsafe { load::<F32>(q, at, F) };
            }
            for r in 0..R {
                // SAFETY: as for the query.
                let x = unsafe { load::<ROW>(rows[r], at, F) };
                acc[r][k] = add_term_f32::<TERM>(acc[r][k], qv, x);
            }
        }
        i += 4 * F;
    }
    for k in 0..4 {
        if i < n {
            let count = F.min(n - i);
            let mut qv = vdupq_n_f32(0.0);
            if TERM != SQUARE {
                // SAFETY: components i .. i + count are less than n, and at most 4.
                qv = unsafe { load::<F32>(q, i, count) };
            }
            for r in 0..R {
                // SAFETY: as for the query.
                let x = unsafe { load::<ROW>(rows[r], i, count) };
                acc[r][k] = add_term_f32::<TERM>(acc[r][k], qv, x);
            }
            i += count;
        }
    }
    let mut out = [0.0; R];
    for r in 0..R {
        let low = vaddq_f32(acc[r][0], acc[r][1]);
        let high = vaddq_f32(acc[r][2], acc[r][3]);
        out[r] = sum_f32(vaddq_f32(low, high));
    }
    out
}

float_functions!("neon", 4);
portable_functions!("neon");

#[target_feature(enable = "neon")]
fn dot_f32_panel(rows: &[f32], panel: &[f32], out: &mut [f32]) {
    crate::panel::dot(rows, panel, out);
}

// ---- codes ----

#[inline]
#[target_feature(enable = "neon")]
fn add_term_u8<const TERM: u8>(acc: uint32x4_t, q: uint8x16_t, x: uint8x16_t) -> uint32x4_t {
    if TERM == DOT_SIGNED {
        // A product of unsigned by signed needs 17 bits: widen, and multiply into 32.
        let q = vreinterpretq_s8_u8(q);
        let (q_low, q_high) = (vmovl_s8(vget_low_s8(q)), vmovl_high_s8(q));
        let x_low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(x)));
        let x_high = vreinterpretq_s16_u16(vmovl_high_u8(x));
        let mut acc = vreinterpretq_s32_u32(acc);
        acc = vmlal_s16(acc, vget_low_s16(q_low), vget_low_s16(x_low));
        acc = vmlal_high_s16(acc, q_low, x_low);
        acc = vmlal_s16(acc, vget_low_s16(q_high), vget_low_s16(x_high));
        acc = vmlal_high_s16(acc, q_high, x_high);
        return vreinterpretq_u32_s32(acc);
    }
    let (low, high) = (vmull_u8(vget_low_u8(q), vget_low_u8(x)), vmull_high_u8(q, x));
    // Products of two unsigned bytes fit in 16 bits; they are added in pairs to 32.
    vpadalq_u16(vpadalq_u16(acc, low), high)
}

/// `R` rows at once, `U` sums for each. Sums wrap modulo 2^32.
///
/// # Safety
/// The CPU has NEON; `q` and each of `rows` have `n` bytes.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn u8_kernel<const R: usize, const U: usize, const TERM: u8>(
    q: *const u8,
    rows: [*const u8; R],
    n: usize,
) -> [u32; R] {
    let mut acc = [[vdupq_n_u32(0); U]; R];
    let mut i = 0;
    while n - i >= B * U {
        for k in 0..U {
            let at = i + B * k;
            // SAFETY: bytes at .. at + 16 are less than n.
            let qv = unsafe { vld1q_u8(q.add(at)) };
            for r in 0..R {
                // SAFETY: as for the query.
                let x = unsafe { vld1q_u8(rows[r].add(at)) };
                acc[r][k] = add_term_u8::<TERM>(acc[r][k], qv, x);
            }
        }
        i += B * U;
    }
    while i < n {
        let step = B.min(n - i);
        // SAFETY: bytes i .. i + step are less than n, and step is at most 16.
        let qv = unsafe { load_first(q.add(i), step) };
        for r in 0..R {
            // SAFETY: as for the query.
            let x = unsafe { load_first(rows[r].add(i), step) };
            acc[r][0] = add_term_u8::<TERM>(acc[r][0], qv, x);
        }
        i += step;
    }
    let mut out = [0; R];
    for r in 0..R {
        let mut sum = acc[r][0];
        for k in 1..U {
            sum = vaddq_u32(sum, acc[r][k]);
        }
        out[r] = vaddvq_u32(sum);
    }
    out
}

#[target_feature(enable = "neon")]
unsafe fn dot_u8_u8(a: &[u8], b: &[u8]) -> u32 {
    // SAFETY: by the contract of the table, both are as long.
    unsafe { u8_kernel::<1, 4, DOT>(b.as_ptr(), [a.as_ptr()], b.len())[0] }
}

#[target_feature(enable = "neon")]
unsafe fn sum_u8(a: &[u8]) -> u32 {
    let mut acc = vdupq_n_u32(0);
    let (blocks, tail) = a.as_chunks::<B>();
    for block in blocks {
        // SAFETY: a block is 16 bytes.
        let x = unsafe { vld1q_u8(block.as_ptr()) };
        acc = vpadalq_u16(acc, vpaddlq_u8(x));
    }
    vaddvq_u32(acc) + tail.iter().map(|&x| u32::from(x)).sum::<u32>()
}

/// The two planes of a query one after the other.
#[target_feature(enable = "neon")]
unsafe fn dot_u8_i16_rows(rows: Rows<'_>, query: &WideQuery, out: &mut [i64]) {
    let ((high, low), n) = (query.planes(), query.len());
    let (high, low) = (high.as_ptr().cast(), low.as_ptr().cast());
    fill!(rows, out, 4, |p, R| {
        // SAFETY: by the contract of the table, every row has n bytes; the planes are as long as the query.
        let (h, l) =
            unsafe { (u8_kernel::<R, 2, DOT_SIGNED>(high, p, n), u8_kernel::<R, 2, DOT_SIGNED>(low, p, n)) };
        core::array::from_fn::<i64, R, _>(|r| 256 * i64::from(h[r] as i32) + i64::from(l[r] as i32))
    });
}

/// `R` rows of 4-bit codes at once. A product is at most 15 · 128, so that the two of a 16-bit lane fit.
///
/// # Safety
/// The CPU has the features; `q` has `n` bytes, a multiple of 64, and each of `rows` half as many.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn nibbles_kernel<const R: usize>(q: *const i8, rows: [*const u8; R], n: usize) -> [i32; R] {
    let mut acc = [vdupq_n_s32(0); R];
    let mut i = 0;
    while i < n {
        for part in [0, B] {
            // SAFETY: bytes i + part .. + 16 and 32 after them are less than n: part is 0 or 16, and n a multiple of 64.
            let (low, high) = unsafe { (vld1q_s8(q.add(i + part)), vld1q_s8(q.add(i + part + 32))) };
            for r in 0..R {
                // SAFETY: bytes i / 2 + part .. + 16 of the row are less than n / 2.
                let x = unsafe { vld1q_u8(rows[r].add(i / 2 + part)) };
                let a = vreinterpretq_s8_u8(vandq_u8(x, vdupq_n_u8(15)));
                let b = vreinterpretq_s8_u8(vshrq_n_u8::<4>(x));
                let first =
                    vmlal_s8(vmull_s8(vget_low_s8(a), vget_low_s8(low)), vget_low_s8(b), vget_low_s8(high));
                let second = vmlal_high_s8(vmull_high_s8(a, low), b, high);
                acc[r] = vpadalq_s16(vpadalq_s16(acc[r], first), second);
            }
        }
        i += 64;
    }
    acc.map(|v| vaddvq_s32(v))
}

nibbles_functions!("neon");

#[target_feature(enable = "neon")]
unsafe fn dot_u8_u8_rows(rows: Rows<'_>, query: &[u8], out: &mut [u32]) {
    let (q, n) = (query.as_ptr(), query.len());
    // SAFETY: by the contract of the table, every row has n bytes.
    fill!(rows, out, 4, |p, R| unsafe { u8_kernel::<R, 2, DOT>(q, p, n) });
}
