//! Counting bits with AVX2: the ones of each half of a byte are looked up in a table of 16 (Muła, Kurz and
//! Lemire, "Faster population counts using AVX2 instructions", 2018), summed by byte, and then by row.
//!
//! Every function here needs AVX2 (and FMA, which this level has); a kernel that reads memory also needs `n`
//! bytes readable at the query and at each row.

use core::arch::x86_64::*;

use crate::wrappers::bits_functions;

/// Bytes in a vector register.
const B: usize = 32;

/// Registers whose counts, at most 8 a byte, are summed in bytes.
const IN_BYTES: usize = 31;

/// 16 zeros, then 16 ones: read at `r`, the last `r` bytes of half a register.
static LAST: [u8; B] = {
    let mut last = [0; B];
    let mut i = B / 2;
    while i < B {
        last[i] = 0xff;
        i += 1;
    }
    last
};

/// The `n` bytes at `p` with zeros in the other lanes. Which lanes these are depends on `n` only, so the rest of
/// a query and of a row fit each other.
///
/// # Safety
/// The CPU has the features; `n`, less than 32, bytes are readable at `p`.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn load_rest(p: *const u8, n: usize) -> __m256i {
    if n >= B / 2 {
        let rest = n - B / 2;
        // SAFETY: the first and the last 16 of n bytes are readable, and so are 16 of LAST from rest < 16.
        let (first, last, mask) = unsafe {
            (
                _mm_loadu_si128(p.cast()),
                _mm_loadu_si128(p.add(rest).cast()),
                _mm_loadu_si128(LAST.as_ptr().add(rest).cast()),
            )
        };
        _mm256_set_m128i(_mm_and_si128(last, mask), first)
    } else {
        let mut bytes = [0u8; B];
        // SAFETY: n < 32 bytes are readable at p and fit in `bytes`, which is 32 long.
        unsafe {
            core::ptr::copy_nonoverlapping(p, bytes.as_mut_ptr(), n);
            _mm256_loadu_si256(bytes.as_ptr().cast())
        }
    }
}

/// The ones of each byte.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn ones(v: __m256i) -> __m256i {
    let table = _mm256_setr_epi8(
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, //
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    );
    let half = _mm256_set1_epi8(15);
    let low = _mm256_and_si256(v, half);
    let high = _mm256_and_si256(_mm256_srli_epi16::<4>(v), half);
    _mm256_add_epi8(_mm256_shuffle_epi8(table, low), _mm256_shuffle_epi8(table, high))
}

/// Adds the counts of one register: of the differing bits, or of those in both and of those in either.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_counts<const OVERLAP: bool>(acc: [__m256i; 2], q: __m256i, x: __m256i) -> [__m256i; 2] {
    if OVERLAP {
        let (both, either) = (ones(_mm256_and_si256(q, x)), ones(_mm256_or_si256(q, x)));
        [_mm256_add_epi8(acc[0], both), _mm256_add_epi8(acc[1], either)]
    } else {
        [_mm256_add_epi8(acc[0], ones(_mm256_xor_si256(q, x))), acc[1]]
    }
}

/// The sum of the four 64-bit lanes of each row, which are less than 2^32.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn sum_lanes<const R: usize>(acc: [__m256i; R]) -> [u32; R] {
    let mut out = [0; R];
    let mut r = 0;
    // Four rows at once: their lanes side by side, then added.
    while R - r >= 4 {
        let a = _mm256_or_si256(acc[r], _mm256_slli_epi64::<32>(acc[r + 1]));
        let b = _mm256_or_si256(acc[r + 2], _mm256_slli_epi64::<32>(acc[r + 3]));
        let sums = _mm256_add_epi32(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
        let sums = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        out[r] = _mm_cvtsi128_si32(sums) as u32;
        out[r + 1] = _mm_extract_epi32::<1>(sums) as u32;
        out[r + 2] = _mm_extract_epi32::<2>(sums) as u32;
        out[r + 3] = _mm_extract_epi32::<3>(sums) as u32;
        r += 4;
    }
    while r < R {
        let half = _mm_add_epi64(_mm256_castsi256_si128(acc[r]), _mm256_extracti128_si256::<1>(acc[r]));
        out[r] = _mm_cvtsi128_si32(_mm_add_epi64(half, _mm_unpackhi_epi64(half, half))) as u32;
        r += 1;
    }
    out
}

/// `R` rows at once: the bits that differ from the query's and nothing, or (`OVERLAP`) those in both and those in
/// either.
///
/// # Safety
/// The CPU has the features; `q` and each of `rows` have `n` bytes.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn bits_kernel<const R: usize, const OVERLAP: bool>(
    q: *const u8,
    rows: [*const u8; R],
    n: usize,
) -> [[u32; R]; 2] {
    let zero = _mm256_setzero_si256();
    let mut sums = [[zero; R]; 2];
    let mut i = 0;
    while i < n {
        let stop = n.min(i + IN_BYTES * B);
        let mut bytes = [[zero; 2]; R];
        while stop - i >= B {
            // SAFETY: bytes i .. i + 32 are less than n.
            let qv = unsafe { _mm256_loadu_si256(q.add(i).cast()) };
            for r in 0..R {
                // SAFETY: as for the query.
                let x = unsafe { _mm256_loadu_si256(rows[r].add(i).cast()) };
                bytes[r] = add_counts::<OVERLAP>(bytes[r], qv, x);
            }
            i += B;
        }
        if i < stop {
            // SAFETY: bytes i .. stop, fewer than 32, are less than n.
            let qv = unsafe { load_rest(q.add(i), stop - i) };
            for r in 0..R {
                // SAFETY: as for the query.
                let x = unsafe { load_rest(rows[r].add(i), stop - i) };
                bytes[r] = add_counts::<OVERLAP>(bytes[r], qv, x);
            }
            i = stop;
        }
        for r in 0..R {
            sums[0][r] = _mm256_add_epi64(sums[0][r], _mm256_sad_epu8(bytes[r][0], zero));
            if OVERLAP {
                sums[1][r] = _mm256_add_epi64(sums[1][r], _mm256_sad_epu8(bytes[r][1], zero));
            }
        }
    }
    [sum_lanes(sums[0]), if OVERLAP { sum_lanes(sums[1]) } else { [0; R] }]
}

bits_functions!("avx2,fma", 4);
