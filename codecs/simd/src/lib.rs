//! Vector distance kernels with run-time dispatch.
//!
//! This crate is the fence: the functions here are safe, check their arguments and never read
//! outside the slices they are given; behind them are kernels written with CPU intrinsics, which
//! hold the only arithmetic `unsafe` of the project. The kernels in `scalar.rs` are plain Rust and are the
//! specification; every other [`Level`] is tested against them.
//!
//! # Levels
//! The best level the CPU can run is detected once, at run time. The free functions of this
//! module use it; [`Kernels::for_level`] picks another one, for tests and benches. One binary runs
//! on every CPU of its architecture.
//!
//! # Rows are bytes
//! Stored vectors come straight from a file or a buffer, so a row of `f32` is passed as
//! little-endian bytes, four per component, at any alignment. A row of int8 codes is one unsigned
//! byte per component, a row of bits eight components in a byte: in which order does not matter here.
//!
//! # What the results promise
//! - The integer functions are exact, and equal at every level.
//! - The `f32` functions are deterministic for one level, and the one-to-one, `many` and `scan`
//!   forms give the same bits for the same row. Between levels they differ by the order of
//!   summation: with `u = 2^-24` and `n` components, a result is within
//!   `(n + 3) · u · Σ|tᵢ| + n · 2^-149` of the exact sum of the terms `tᵢ` (`aᵢbᵢ`, `(aᵢ−bᵢ)²` or
//!   `bᵢ²`), while `(n + 3) · u` is much less than one and no partial sum overflows. Infinities
//!   and NaN propagate as in any sum.
//! - Vectors without components give 0.

#![deny(clippy::undocumented_unsafe_blocks, unsafe_op_in_unsafe_fn)]

mod dispatch;
mod kernels;
mod prefetch;
mod rows;
mod scalar;
mod wide;

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub use dispatch::{available_levels, level};
pub use kernels::{Kernels, Level, MAX_U8_DIMS, NIBBLES};
pub use wide::{MAX_WIDE, MAX_WIDE_DIMS, WideQuery};

/// Dot product of `a` with the `f32` row in `row`.
///
/// `row` is `4 * a.len()` little-endian bytes, at any alignment. Precision: see the crate text.
///
/// # Panics
/// When `row.len() != 4 * a.len()`.
#[inline]
pub fn dot_f32(a: &[f32], row: &[u8]) -> f32 {
    Kernels::best().dot_f32(a, row)
}

/// Squared Euclidean distance between `a` and the `f32` row in `row`.
///
/// `row` is `4 * a.len()` little-endian bytes, at any alignment. Precision: see the crate text.
/// Never negative.
///
/// # Panics
/// When `row.len() != 4 * a.len()`.
#[inline]
pub fn l2_f32(a: &[f32], row: &[u8]) -> f32 {
    Kernels::best().l2_f32(a, row)
}

/// Sum of the squares of the `f32` components in `row` (the squared length of the vector).
///
/// Gives the bits that [`dot_f32`] gives for the row with itself.
///
/// # Panics
/// When `row.len()` is not a multiple of 4.
#[inline]
pub fn norm2_f32(row: &[u8]) -> f32 {
    Kernels::best().norm2_f32(row)
}

/// Exact dot product of two rows of unsigned codes.
///
/// # Panics
/// When the lengths differ or exceed [`MAX_U8_DIMS`].
#[inline]
pub fn dot_u8_u8(a: &[u8], b: &[u8]) -> u32 {
    Kernels::best().dot_u8_u8(a, b)
}

/// Exact squared Euclidean distance between two rows of unsigned codes.
///
/// # Panics
/// When the lengths differ or exceed [`MAX_U8_DIMS`].
#[inline]
pub fn l2_u8(a: &[u8], b: &[u8]) -> u32 {
    Kernels::best().l2_u8(a, b)
}

/// Exact sum of a row of unsigned codes.
///
/// # Panics
/// When `a` is longer than [`MAX_U8_DIMS`].
#[inline]
pub fn sum_u8(a: &[u8]) -> u32 {
    Kernels::best().sum_u8(a)
}

/// Number of bits in which `a` and `b` differ (Hamming distance).
///
/// # Panics
/// When the lengths differ or exceed [`MAX_U8_DIMS`] bytes.
#[inline]
pub fn hamming(a: &[u8], b: &[u8]) -> u32 {
    Kernels::best().hamming(a, b)
}

/// Number of bits set in both of `a` and `b`, and number of bits set in either: `[|a ∧ b|, |a ∨ b|]`, the two
/// parts of the Jaccard index.
///
/// # Panics
/// When the lengths differ or exceed [`MAX_U8_DIMS`] bytes.
#[inline]
pub fn overlap(a: &[u8], b: &[u8]) -> [u32; 2] {
    Kernels::best().overlap(a, b)
}

/// Exact dot products of `query` with the rows of unsigned codes that `ids` picks: `out[j]` is the result for `ids[j]`.
///
/// `rows` is a matrix whose row `i` starts at byte `i * row_len`. The codes of a row are its first
/// `query.len()` bytes; the rest of the row, if any, is not read. Ids may come in any order and
/// repeat. Several rows are computed together and the rows of the following ids are prefetched,
/// so one call with all the neighbours of a graph node is faster than a call for each.
///
/// # Panics
/// When `out.len() != ids.len()`, when `row_len < query.len()`, or when an id is not less than the
/// number of whole rows in `rows`.
#[inline]
pub fn dot_u8_i16_many(rows: &[u8], row_len: usize, ids: &[u32], query: &WideQuery, out: &mut [i64]) {
    Kernels::best().dot_u8_i16_many(rows, row_len, ids, query, out);
}

/// Exact dot products of `query` with the rows of 4-bit codes that `ids` picks: `out[j]` is the result for `ids[j]`.
///
/// The query is whole blocks of [`NIBBLES`] components, a row as many of 32 bytes, without gaps between rows. Codes
/// that fill up the last block meet components of 0.
///
/// # Panics
/// When `out.len() != ids.len()`, when the query is not whole blocks or longer than [`MAX_U8_DIMS`], or when an id is not
/// less than the number of whole rows in `rows`.
#[inline]
pub fn dot_u4_i8_many(rows: &[u8], ids: &[u32], query: &[i8], out: &mut [i32]) {
    Kernels::best().dot_u4_i8_many(rows, ids, query, out);
}

/// [`dot_u8_u8`] of `query` with the rows that `ids` picks: `out[j]` is the result for `ids[j]`.
///
/// Shapes as for [`dot_u8_i16_many`].
///
/// # Panics
/// When `out.len() != ids.len()`, when `row_len < query.len()`, when an id is not less than the
/// number of whole rows in `rows`, or when the query is longer than [`MAX_U8_DIMS`].
#[inline]
pub fn dot_u8_u8_many(rows: &[u8], row_len: usize, ids: &[u32], query: &[u8], out: &mut [u32]) {
    Kernels::best().dot_u8_u8_many(rows, row_len, ids, query, out);
}

/// [`hamming`] of `query` with the rows that `ids` picks: `out[j]` is the result for `ids[j]`.
///
/// Shapes as for [`dot_u8_u8_many`].
///
/// # Panics
/// When `out.len() != ids.len()`, when `row_len < query.len()`, when an id is not less than the
/// number of whole rows in `rows`, or when the query is longer than [`MAX_U8_DIMS`].
#[inline]
pub fn hamming_many(rows: &[u8], row_len: usize, ids: &[u32], query: &[u8], out: &mut [u32]) {
    Kernels::best().hamming_many(rows, row_len, ids, query, out);
}

/// [`overlap`] of `query` with the rows that `ids` picks: `out[j]` is the result for `ids[j]`.
///
/// Shapes as for [`dot_u8_u8_many`].
///
/// # Panics
/// When `out.len() != ids.len()`, when `row_len < query.len()`, when an id is not less than the
/// number of whole rows in `rows`, or when the query is longer than [`MAX_U8_DIMS`].
#[inline]
pub fn overlap_many(rows: &[u8], row_len: usize, ids: &[u32], query: &[u8], out: &mut [[u32; 2]]) {
    Kernels::best().overlap_many(rows, row_len, ids, query, out);
}

/// [`dot_f32`] of `query` with the rows that `ids` picks: `out[j]` is the result for `ids[j]`,
/// with the same bits as the one-to-one form.
///
/// `rows` is a matrix whose row `i` starts at byte `i * 4 * query.len()`.
///
/// # Panics
/// When `out.len() != ids.len()`, or when an id is not less than the number of whole rows in
/// `rows`.
#[inline]
pub fn dot_f32_many(rows: &[u8], ids: &[u32], query: &[f32], out: &mut [f32]) {
    Kernels::best().dot_f32_many(rows, ids, query, out);
}

/// [`l2_f32`] of `query` with the rows that `ids` picks: `out[j]` is the result for `ids[j]`,
/// with the same bits as the one-to-one form.
///
/// `rows` is a matrix whose row `i` starts at byte `i * 4 * query.len()`.
///
/// # Panics
/// When `out.len() != ids.len()`, or when an id is not less than the number of whole rows in
/// `rows`.
#[inline]
pub fn l2_f32_many(rows: &[u8], ids: &[u32], query: &[f32], out: &mut [f32]) {
    Kernels::best().l2_f32_many(rows, ids, query, out);
}

/// Exact dot products of `query` with every row of `rows`, for scans: `out[i]` is the result for
/// row `i`. Rows are `query.len()` unsigned codes each, without gaps.
///
/// # Panics
/// When `rows.len() != out.len() * query.len()`.
#[inline]
pub fn dot_u8_i16_scan(rows: &[u8], query: &WideQuery, out: &mut [i64]) {
    Kernels::best().dot_u8_i16_scan(rows, query, out);
}

/// [`hamming`] of `query` with every row of `rows`, for exact scans: `out[i]` is the result for
/// row `i`. Rows are `query.len()` bytes each, without gaps.
///
/// # Panics
/// When `rows.len() != out.len() * query.len()`, or when the query is longer than
/// [`MAX_U8_DIMS`].
#[inline]
pub fn hamming_scan(rows: &[u8], query: &[u8], out: &mut [u32]) {
    Kernels::best().hamming_scan(rows, query, out);
}

/// [`overlap`] of `query` with every row of `rows`, for exact scans: `out[i]` is the result for
/// row `i`. Rows are `query.len()` bytes each, without gaps.
///
/// # Panics
/// When `rows.len() != out.len() * query.len()`, or when the query is longer than
/// [`MAX_U8_DIMS`].
#[inline]
pub fn overlap_scan(rows: &[u8], query: &[u8], out: &mut [[u32; 2]]) {
    Kernels::best().overlap_scan(rows, query, out);
}

/// [`dot_f32`] of `query` with every row of `rows`, for exact scans: `out[i]` is the result for
/// row `i`, with the same bits as the one-to-one form. Rows are `4 * query.len()` bytes each,
/// without gaps.
///
/// # Panics
/// When `rows.len() != out.len() * 4 * query.len()`.
#[inline]
pub fn dot_f32_scan(rows: &[u8], query: &[f32], out: &mut [f32]) {
    Kernels::best().dot_f32_scan(rows, query, out);
}

/// [`l2_f32`] of `query` with every row of `rows`, for exact scans: `out[i]` is the result for
/// row `i`, with the same bits as the one-to-one form. Rows are `4 * query.len()` bytes each,
/// without gaps.
///
/// # Panics
/// When `rows.len() != out.len() * 4 * query.len()`.
#[inline]
pub fn l2_f32_scan(rows: &[u8], query: &[f32], out: &mut [f32]) {
    Kernels::best().l2_f32_scan(rows, query, out);
}

/// Hints the CPU to load the cache lines of `items[start..start + len]`.
///
/// The range is clamped to `items`; a range outside has no effect. Reads nothing, never panics,
/// and has no effect on results.
#[inline]
pub fn prefetch<T>(items: &[T], start: usize, len: usize) {
    if start < items.len() {
        let len = len.min(items.len() - start);
        rows::prefetch_lines(items.as_ptr().wrapping_add(start).cast(), len * size_of::<T>());
    }
}
