//! Rows of 4-bit codes and panels of queries: four codes of a row, in every lane of a register, meet four components of a query
//! each.

use core::arch::x86_64::*;

use crate::codes::NIBBLES;
use crate::nibble_panel::{GROUP, GROUPS, NibblePanel};
use crate::panel::PANEL;
use crate::rows::{Rows, fill};

/// Bytes of a group of all queries.
const STEP: usize = PANEL * GROUP;

/// The products of `R` rows with the first `16 * S` queries.
///
/// # Safety
/// The CPU has the features; `lanes` are those of a panel of `n` components, a multiple of 64, each of `rows` has half as many
/// bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn avx512_kernel<const R: usize, const S: usize>(
    rows: [*const u8; R],
    lanes: *const i8,
    n: usize,
) -> [[i32; PANEL]; R] {
    let mask = _mm512_set1_epi8(15);
    let mut acc = [[_mm512_setzero_si512(); S]; R];
    for block in 0..n / NIBBLES {
        for word in 0..GROUPS {
            let at = (2 * GROUPS * block + word) * STEP;
            // SAFETY: groups 2 · GROUPS · block + word and GROUPS after it are those of a block of the panel.
            let queries: [[__m512i; 2]; S] = core::array::from_fn(|s| unsafe {
                [at, at + GROUPS * STEP].map(|at| _mm512_loadu_si512(lanes.add(at + 64 * s).cast()))
            });
            for r in 0..R {
                // SAFETY: the four bytes from NIBBLES / 2 · block + GROUP · word on are less than n / 2.
                let four =
                    unsafe { rows[r].add(NIBBLES / 2 * block + GROUP * word).cast::<i32>().read_unaligned() };
                let x = _mm512_set1_epi32(four);
                let (low, high) =
                    (_mm512_and_si512(x, mask), _mm512_and_si512(_mm512_srli_epi16::<4>(x), mask));
                for s in 0..S {
                    let sum = _mm512_dpbusd_epi32(acc[r][s], low, queries[s][0]);
                    acc[r][s] = _mm512_dpbusd_epi32(sum, high, queries[s][1]);
                }
            }
        }
    }
    let mut out = [[0; PANEL]; R];
    for (out, acc) in out.iter_mut().zip(acc) {
        for (sums, acc) in out.as_chunks_mut::<16>().0.iter_mut().zip(acc) {
            // SAFETY: there is room for 16 sums.
            unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), acc) };
        }
    }
    out
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn avx512(rows: Rows<'_>, panel: &NibblePanel, out: &mut [i32]) {
    let (lanes, n) = (panel.lanes.as_ptr(), panel.components());
    let out = out.as_chunks_mut::<PANEL>().0;
    if panel.queries() > PANEL / 2 {
        // SAFETY: by the contract of the table, rows are half as long as the queries of the panel.
        fill!(rows, out, 4, |p, R| unsafe { avx512_kernel::<R, 2>(p, lanes, n) });
    } else {
        // SAFETY: as above.
        fill!(rows, out, 4, |p, R| unsafe { avx512_kernel::<R, 1>(p, lanes, n) });
    }
}

/// Puts the products of `R` rows with 16 queries, those of `half` of a panel, into their places of `out`.
///
/// # Safety
/// The CPU has AVX2; `lanes` are those of a panel of `n` components, a multiple of 64, each of `rows` has half as many bytes, and
/// `half` is 0 or 1.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn avx2_kernel<const R: usize>(
    rows: [*const u8; R],
    lanes: *const i8,
    n: usize,
    half: usize,
    out: &mut [[i32; PANEL]; R],
) {
    /// Words whose products fit into 16 bits: each adds at most 2 · 2 · 15 · 128.
    const WORDS: usize = 4;
    let (mask, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
    let mut acc = [[_mm256_setzero_si256(); 2]; R];
    for words in 0..n / NIBBLES * GROUPS / WORDS {
        let mut sums = [[_mm256_setzero_si256(); 2]; R];
        for word in WORDS * words..WORDS * (words + 1) {
            let at = (word / GROUPS * (2 * GROUPS) + word % GROUPS) * STEP + STEP / 2 * half;
            for r in 0..R {
                // SAFETY: the four bytes from GROUP · word on are less than n / 2.
                let x =
                    _mm256_set1_epi32(unsafe { rows[r].add(GROUP * word).cast::<i32>().read_unaligned() });
                let (low, high) =
                    (_mm256_and_si256(x, mask), _mm256_and_si256(_mm256_srli_epi16::<4>(x), mask));
                for s in 0..2 {
                    // SAFETY: groups at and GROUPS after it are those of a block of the panel.
                    let [of_low, of_high] = unsafe {
                        [at, at + GROUPS * STEP].map(|at| _mm256_loadu_si256(lanes.add(at + 32 * s).cast()))
                    };
                    let both = _mm256_add_epi16(
                        _mm256_maddubs_epi16(low, of_low),
                        _mm256_maddubs_epi16(high, of_high),
                    );
                    sums[r][s] = _mm256_add_epi16(sums[r][s], both);
                }
            }
        }
        for r in 0..R {
            for s in 0..2 {
                acc[r][s] = _mm256_add_epi32(acc[r][s], _mm256_madd_epi16(sums[r][s], ones));
            }
        }
    }
    for (out, acc) in out.iter_mut().zip(acc) {
        for (sums, acc) in out.as_chunks_mut::<8>().0.iter_mut().skip(2 * half).zip(acc) {
            // SAFETY: there is room for eight sums.
            unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), acc) };
        }
    }
}

#[target_feature(enable = "avx2")]
pub(super) unsafe fn avx2(rows: Rows<'_>, panel: &NibblePanel, out: &mut [i32]) {
    let (lanes, n) = (panel.lanes.as_ptr(), panel.components());
    let halves = panel.queries().div_ceil(PANEL / 2);
    fill!(rows, out.as_chunks_mut::<PANEL>().0, 2, |p, R| {
        let mut of_rows = [[0; PANEL]; R];
        for half in 0..halves {
            // SAFETY: by the contract of the table, rows are half as long as the queries of the panel, of which there are at most
            // two halves.
            unsafe { avx2_kernel(p, lanes, n, half, &mut of_rows) };
        }
        of_rows
    });
}
