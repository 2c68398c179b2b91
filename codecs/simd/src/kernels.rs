//! The levels, what a table of kernels is, and the checks in front of every kernel.

use std::fmt;

use crate::rows::Rows;
use crate::wide::WideQuery;

/// The most components that the functions over `u8` codes take: their sums fit in 32 bits.
pub const MAX_U8_DIMS: usize = 65_536;

/// Codes of 4 bits in a block of 32 bytes: the low half of byte `j` is code `j`, the high half code `32 + j`.
pub const NIBBLES: usize = 64;

/// A set of CPU features that kernels are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Plain Rust: the reference, on every CPU.
    Scalar,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F, BW, VL and VNNI.
    Avx512,
    /// AArch64 with NEON.
    Neon,
}

impl Level {
    /// The level's name in lower case: `scalar`, `avx2`, `avx512` or `neon`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Scalar => "scalar",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
            Level::Neon => "neon",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kernels of one level, with every function of the crate as a method.
///
/// The pointers may be called only when
/// - the CPU has the features of `level`;
/// - the two vectors have the same number of components (`row` is `4 * a.len()` bytes for `f32`),
///   at most [`MAX_U8_DIMS`] codes or bytes of bits;
/// - for `Rows`, the rows are as long as the query, and `out.len()` is `rows.count()`.
///
/// The methods see to the second and third; the first holds because [`Kernels::for_level`] gives
/// no other table away.
pub struct Kernels {
    pub(crate) level: Level,
    pub(crate) dot_f32: unsafe fn(a: &[f32], row: &[u8]) -> f32,
    pub(crate) l2_f32: unsafe fn(a: &[f32], row: &[u8]) -> f32,
    pub(crate) norm2_f32: unsafe fn(row: &[u8]) -> f32,
    pub(crate) dot_u8_u8: unsafe fn(a: &[u8], b: &[u8]) -> u32,
    pub(crate) l2_u8: unsafe fn(a: &[u8], b: &[u8]) -> u32,
    pub(crate) sum_u8: unsafe fn(a: &[u8]) -> u32,
    pub(crate) hamming: unsafe fn(a: &[u8], b: &[u8]) -> u32,
    pub(crate) overlap: unsafe fn(a: &[u8], b: &[u8]) -> [u32; 2],
    pub(crate) dot_f32_rows: unsafe fn(rows: Rows<'_>, query: &[f32], out: &mut [f32]),
    pub(crate) l2_f32_rows: unsafe fn(rows: Rows<'_>, query: &[f32], out: &mut [f32]),
    pub(crate) dot_u8_i16_rows: unsafe fn(rows: Rows<'_>, query: &WideQuery, out: &mut [i64]),
    /// Rows are half as long as the query, whose length is a multiple of [`NIBBLES`].
    pub(crate) dot_u4_i8_rows: unsafe fn(rows: Rows<'_>, query: &[i8], out: &mut [i32]),
    pub(crate) dot_u8_u8_rows: unsafe fn(rows: Rows<'_>, query: &[u8], out: &mut [u32]),
    pub(crate) hamming_rows: unsafe fn(rows: Rows<'_>, query: &[u8], out: &mut [u32]),
    pub(crate) overlap_rows: unsafe fn(rows: Rows<'_>, query: &[u8], out: &mut [[u32; 2]]),
}

impl fmt::Debug for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernels").field("level", &self.level).finish_non_exhaustive()
    }
}

#[inline]
#[track_caller]
fn check_f32(a: &[f32], row: &[u8]) {
    assert!(size_of_val(a) == row.len(), "{} components, row of {} bytes", a.len(), row.len());
}

#[inline]
#[track_caller]
fn check_u8(a: usize, b: usize) {
    assert!(a == b, "rows of {a} and {b} codes");
    assert!(a <= MAX_U8_DIMS, "{a} codes, more than {MAX_U8_DIMS}");
}

#[inline]
#[track_caller]
fn check_out(ids: usize, out: usize) {
    assert!(ids == out, "{ids} ids, room for {out} results");
}

impl Kernels {
    /// The level of these kernels.
    pub fn level(&self) -> Level {
        self.level
    }

    /// See [`dot_f32`](crate::dot_f32).
    #[inline]
    pub fn dot_f32(&self, a: &[f32], row: &[u8]) -> f32 {
        check_f32(a, row);
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.dot_f32)(a, row) }
    }

    /// See [`l2_f32`](crate::l2_f32).
    #[inline]
    pub fn l2_f32(&self, a: &[f32], row: &[u8]) -> f32 {
        check_f32(a, row);
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.l2_f32)(a, row) }
    }

    /// See [`norm2_f32`](crate::norm2_f32).
    #[inline]
    pub fn norm2_f32(&self, row: &[u8]) -> f32 {
        assert!(row.len().is_multiple_of(4), "{} bytes are not f32 components", row.len());
        // SAFETY: the CPU has the level; the row is whole components.
        unsafe { (self.norm2_f32)(row) }
    }

    /// See [`dot_u8_u8`](crate::dot_u8_u8).
    #[inline]
    pub fn dot_u8_u8(&self, a: &[u8], b: &[u8]) -> u32 {
        check_u8(a.len(), b.len());
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.dot_u8_u8)(a, b) }
    }

    /// See [`l2_u8`](crate::l2_u8).
    #[inline]
    pub fn l2_u8(&self, a: &[u8], b: &[u8]) -> u32 {
        check_u8(a.len(), b.len());
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.l2_u8)(a, b) }
    }

    /// See [`sum_u8`](crate::sum_u8).
    #[inline]
    pub fn sum_u8(&self, a: &[u8]) -> u32 {
        check_u8(a.len(), a.len());
        // SAFETY: the CPU has the level.
        unsafe { (self.sum_u8)(a) }
    }

    /// See [`hamming`](crate::hamming).
    #[inline]
    pub fn hamming(&self, a: &[u8], b: &[u8]) -> u32 {
        check_u8(a.len(), b.len());
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.hamming)(a, b) }
    }

    /// See [`overlap`](crate::overlap).
    #[inline]
    pub fn overlap(&self, a: &[u8], b: &[u8]) -> [u32; 2] {
        check_u8(a.len(), b.len());
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.overlap)(a, b) }
    }

    /// See [`dot_u8_i16_many`](crate::dot_u8_i16_many).
    pub fn dot_u8_i16_many(
        &self,
        rows: &[u8],
        row_len: usize,
        ids: &[u32],
        query: &WideQuery,
        out: &mut [i64],
    ) {
        check_out(ids.len(), out.len());
        let rows = Rows::picked(rows, row_len, query.len(), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.dot_u8_i16_rows)(rows, query, out) }
    }

    /// See [`dot_u4_i8_many`](crate::dot_u4_i8_many).
    pub fn dot_u4_i8_many(&self, rows: &[u8], ids: &[u32], query: &[i8], out: &mut [i32]) {
        check_out(ids.len(), out.len());
        check_u8(query.len(), query.len());
        assert!(query.len().is_multiple_of(NIBBLES), "{} components are not whole blocks", query.len());
        let rows = Rows::picked(rows, query.len() / 2, query.len() / 2, ids);
        // SAFETY: the CPU has the level; the rows are half as long as the query, one per result.
        unsafe { (self.dot_u4_i8_rows)(rows, query, out) }
    }

    /// See [`dot_u8_u8_many`](crate::dot_u8_u8_many).
    pub fn dot_u8_u8_many(&self, rows: &[u8], row_len: usize, ids: &[u32], query: &[u8], out: &mut [u32]) {
        check_out(ids.len(), out.len());
        check_u8(query.len(), query.len());
        let rows = Rows::picked(rows, row_len, query.len(), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.dot_u8_u8_rows)(rows, query, out) }
    }

    /// See [`hamming_many`](crate::hamming_many).
    pub fn hamming_many(&self, rows: &[u8], row_len: usize, ids: &[u32], query: &[u8], out: &mut [u32]) {
        check_out(ids.len(), out.len());
        check_u8(query.len(), query.len());
        let rows = Rows::picked(rows, row_len, query.len(), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.hamming_rows)(rows, query, out) }
    }

    /// See [`overlap_many`](crate::overlap_many).
    pub fn overlap_many(&self, rows: &[u8], row_len: usize, ids: &[u32], query: &[u8], out: &mut [[u32; 2]]) {
        check_out(ids.len(), out.len());
        check_u8(query.len(), query.len());
        let rows = Rows::picked(rows, row_len, query.len(), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.overlap_rows)(rows, query, out) }
    }

    /// See [`dot_f32_many`](crate::dot_f32_many).
    pub fn dot_f32_many(&self, rows: &[u8], ids: &[u32], query: &[f32], out: &mut [f32]) {
        check_out(ids.len(), out.len());
        let rows = Rows::picked(rows, size_of_val(query), size_of_val(query), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.dot_f32_rows)(rows, query, out) }
    }

    /// See [`l2_f32_many`](crate::l2_f32_many).
    pub fn l2_f32_many(&self, rows: &[u8], ids: &[u32], query: &[f32], out: &mut [f32]) {
        check_out(ids.len(), out.len());
        let rows = Rows::picked(rows, size_of_val(query), size_of_val(query), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.l2_f32_rows)(rows, query, out) }
    }

    /// See [`dot_u8_i16_scan`](crate::dot_u8_i16_scan).
    pub fn dot_u8_i16_scan(&self, rows: &[u8], query: &WideQuery, out: &mut [i64]) {
        let rows = Rows::all(rows, query.len(), out.len());
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.dot_u8_i16_rows)(rows, query, out) }
    }

    /// See [`hamming_scan`](crate::hamming_scan).
    pub fn hamming_scan(&self, rows: &[u8], query: &[u8], out: &mut [u32]) {
        check_u8(query.len(), query.len());
        let rows = Rows::all(rows, query.len(), out.len());
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.hamming_rows)(rows, query, out) }
    }

    /// See [`overlap_scan`](crate::overlap_scan).
    pub fn overlap_scan(&self, rows: &[u8], query: &[u8], out: &mut [[u32; 2]]) {
        check_u8(query.len(), query.len());
        let rows = Rows::all(rows, query.len(), out.len());
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.overlap_rows)(rows, query, out) }
    }

    /// See [`dot_f32_scan`](crate::dot_f32_scan).
    pub fn dot_f32_scan(&self, rows: &[u8], query: &[f32], out: &mut [f32]) {
        let rows = Rows::all(rows, size_of_val(query), out.len());
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.dot_f32_rows)(rows, query, out) }
    }

    /// See [`l2_f32_scan`](crate::l2_f32_scan).
    pub fn l2_f32_scan(&self, rows: &[u8], query: &[f32], out: &mut [f32]) {
        let rows = Rows::all(rows, size_of_val(query), out.len());
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.l2_f32_rows)(rows, query, out) }
    }
}
