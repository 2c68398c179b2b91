//! Counting bits with NEON: its instruction counts the ones of each byte; they are summed by byte, then by row.
//!
//! Every function here needs NEON; a kernel that reads memory also needs `n` bytes readable at the query and at
//! each row.

use core::arch::aarch64::*;

use super::load::load_first;
use crate::wrappers::bits_functions;

/// Bytes in a vector register.
const B: usize = 16;

/// Registers whose counts, at most 8 a byte, are summed in bytes.
const IN_BYTES: usize = 31;

/// Adds the counts of one register: of the differing bits, or of those in both and of those in either.
#[inline]
#[target_feature(enable = "neon")]
fn add_counts<const OVERLAP: bool>(acc: [uint8x16_t; 2], q: uint8x16_t, x: uint8x16_t) -> [uint8x16_t; 2] {
    if OVERLAP {
        let (both, either) = (vcntq_u8(vandq_u8(q, x)), vcntq_u8(vorrq_u8(q, x)));
        [vaddq_u8(acc[0], both), vaddq_u8(acc[1], either)]
    } else {
        [vaddq_u8(acc[0], vcntq_u8(veorq_u8(q, x))), acc[1]]
    }
}

/// `R` rows at once: the bits that differ from the query's and nothing, or (`OVERLAP`) those in both and those in
/// either.
///
/// # Safety
/// The CPU has NEON; `q` and each of `rows` have `n` bytes.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn bits_kernel<const R: usize, const OVERLAP: bool>(
    q: *const u8,
    rows: [*const u8; R],
    n: usize,
) -> [[u32; R]; 2] {
    let mut sums = [[vdupq_n_u32(0); R]; 2];
    let mut i = 0;
    while i < n {
        let stop = n.min(i + IN_BYTES * B);
        let mut bytes = [[vdupq_n_u8(0); 2]; R];
        while stop - i >= B {
            // SAFETY: bytes i .. i + 16 are less than n.
            let qv = unsafe { vld1q_u8(q.add(i)) };
            for r in 0..R {
                // SAFETY: as for the query.
                let x = unsafe { vld1q_u8(rows[r].add(i)) };
                bytes[r] = add_counts::<OVERLAP>(bytes[r], qv, x);
            }
            i += B;
        }
        if i < stop {
            // SAFETY: bytes i .. stop, fewer than 16, are less than n.
            let qv = unsafe { load_first(q.add(i), stop - i) };
            for r in 0..R {
                // SAFETY: as for the query.
                let x = unsafe { load_first(rows[r].add(i), stop - i) };
                bytes[r] = add_counts::<OVERLAP>(bytes[r], qv, x);
            }
            i = stop;
        }
        for r in 0..R {
            sums[0][r] = vpadalq_u16(sums[0][r], vpaddlq_u8(bytes[r][0]));
            if OVERLAP {
                sums[1][r] = vpadalq_u16(sums[1][r], vpaddlq_u8(bytes[r][1]));
            }
        }
    }
    let mut out = [[0; R]; 2];
    for r in 0..R {
        out[0][r] = vaddvq_u32(sums[0][r]);
        if OVERLAP {
            out[1][r] = vaddvq_u32(sums[1][r]);
        }
    }
    out
}

bits_functions!("neon", 4);
