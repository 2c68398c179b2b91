//! Rows of 4-bit codes and panels of queries: four codes of a row, in every lane of a register, meet four components of a query
//! each.

use core::arch::aarch64::*;

use crate::codes::NIBBLES;
use crate::nibble_panel::{GROUP, GROUPS, NibblePanel};
use crate::panel::PANEL;
use crate::rows::{Rows, fill};

/// Bytes of a group of all queries.
const STEP: usize = PANEL * GROUP;

/// Queries whose groups are a register.
const QUAD: usize = 16 / GROUP;

// What a lane gets from the words of a block, two products each, fits into 16 bits.
const _: () = assert!(GROUPS * 2 * 15 * 128 <= i16::MAX as usize);

/// The products of `R` rows with the queries `QUAD * quad .. QUAD * (quad + Q)`.
///
/// # Safety
/// The CPU has NEON; there are that many queries in `lanes`, which are those of a panel of `n` components, a multiple of 64, and
/// each of `rows` has half as many bytes.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn kernel<const R: usize, const Q: usize>(
    rows: [*const u8; R],
    lanes: *const i8,
    n: usize,
    quad: usize,
    out: &mut [[i32; PANEL]; R],
) {
    let mut acc = [[[vdupq_n_s32(0); 2]; Q]; R];
    for block in 0..n / NIBBLES {
        let mut sums = [[[vdupq_n_s16(0); 2]; Q]; R];
        for word in 0..GROUPS {
            let at = (2 * GROUPS * block + word) * STEP + QUAD * GROUP * quad;
            // SAFETY: groups 2 · GROUPS · block + word and GROUPS after it are those of a block of the panel.
            let queries: [[int8x16_t; 2]; Q] = core::array::from_fn(|q| unsafe {
                [at, at + GROUPS * STEP].map(|at| vld1q_s8(lanes.add(at + QUAD * GROUP * q)))
            });
            for r in 0..R {
                // SAFETY: the four bytes from NIBBLES / 2 · block + GROUP · word on are less than n / 2.
                let four =
                    unsafe { rows[r].add(NIBBLES / 2 * block + GROUP * word).cast::<u32>().read_unaligned() };
                let x = vreinterpretq_u8_u32(vdupq_n_u32(four));
                let low = vreinterpretq_s8_u8(vandq_u8(x, vdupq_n_u8(15)));
                let high = vreinterpretq_s8_u8(vshrq_n_u8::<4>(x));
                for q in 0..Q {
                    let [of_low, of_high] = queries[q];
                    let [first, second] = sums[r][q];
                    let first = vmlal_s8(first, vget_low_s8(low), vget_low_s8(of_low));
                    let first = vmlal_s8(first, vget_low_s8(high), vget_low_s8(of_high));
                    let second = vmlal_high_s8(second, low, of_low);
                    sums[r][q] = [first, vmlal_high_s8(second, high, of_high)];
                }
            }
        }
        for r in 0..R {
            for q in 0..Q {
                for half in 0..2 {
                    acc[r][q][half] = vpadalq_s16(acc[r][q][half], sums[r][q][half]);
                }
            }
        }
    }
    for (out, acc) in out.iter_mut().zip(acc) {
        for (sums, [first, second]) in out.as_chunks_mut::<QUAD>().0.iter_mut().skip(quad).zip(acc) {
            // SAFETY: there is room for four sums.
            unsafe { vst1q_s32(sums.as_mut_ptr(), vpaddq_s32(first, second)) };
        }
    }
}

/// The products of `R` rows with all queries of the panel, eight at a time. A panel takes as many multiplications as its places one
/// by one, and some cores do one of these at a time, so that places without a query must be few.
///
/// # Safety
/// The CPU has NEON; each of `rows` has half as many bytes as the panel has components.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn all_queries<const R: usize>(rows: [*const u8; R], panel: &NibblePanel) -> [[i32; PANEL]; R] {
    let mut out = [[0; PANEL]; R];
    let (lanes, n) = (panel.lanes.as_ptr(), panel.components());
    let quads = panel.queries().div_ceil(QUAD);
    for quad in (0..quads).step_by(2) {
        // SAFETY: rows are as this function's; quad, and in the first case the one after it, begin with a query of the panel.
        unsafe {
            if quad + 1 < quads {
                kernel::<R, 2>(rows, lanes, n, quad, &mut out);
            } else {
                kernel::<R, 1>(rows, lanes, n, quad, &mut out);
            }
        }
    }
    out
}

#[target_feature(enable = "neon")]
pub(super) unsafe fn neon(rows: Rows<'_>, panel: &NibblePanel, out: &mut [i32]) {
    // SAFETY: by the contract of the table, rows are half as long as the queries of the panel.
    fill!(rows, out.as_chunks_mut::<PANEL>().0, 2, |p, R| unsafe { all_queries(p, panel) });
}
