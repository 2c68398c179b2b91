//! The levels, and what a table of kernels is.

use std::fmt;

use crate::near::Near;
use crate::nibble_panel::NibblePanel;
use crate::panel::{BitPanel, Lanes};
use crate::prepare::Rounded;
use crate::rows::Rows;
use crate::wide::WideQuery;

/// A set of CPU features that kernels are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Plain Rust: the reference, on every CPU.
    Scalar,
    /// x86-64 with AVX2, FMA and F16C.
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
/// - the two vectors have the same number of components (`row` is `4 * a.len()` bytes for `f32`,
///   `2 * a.len()` for `f16`), at most [`MAX_U8_DIMS`](crate::MAX_U8_DIMS) codes or bytes of bits;
/// - for `Rows`, the rows are as long as the query, and `out.len()` is `rows.count()`.
///
/// The methods see to the second and third; the first holds because [`Kernels::for_level`] gives
/// no other table away.
pub struct Kernels {
    pub(crate) level: Level,
    pub(crate) dot_f32: unsafe fn(a: &[f32], row: &[u8]) -> f32,
    pub(crate) l2_f32: unsafe fn(a: &[f32], row: &[u8]) -> f32,
    pub(crate) norm2_f32: unsafe fn(row: &[u8]) -> f32,
    pub(crate) dot_f16: unsafe fn(a: &[f32], row: &[u8]) -> f32,
    pub(crate) l2_f16: unsafe fn(a: &[f32], row: &[u8]) -> f32,
    pub(crate) norm2_f16: unsafe fn(row: &[u8]) -> f32,
    pub(crate) dot_u8_u8: unsafe fn(a: &[u8], b: &[u8]) -> u32,
    pub(crate) sum_u8: unsafe fn(a: &[u8]) -> u32,
    pub(crate) hamming: unsafe fn(a: &[u8], b: &[u8]) -> u32,
    pub(crate) overlap: unsafe fn(a: &[u8], b: &[u8]) -> [u32; 2],
    /// A power of two of values, and scratch as long.
    pub(crate) hadamard: unsafe fn(values: &mut [f32], scratch: &mut [f32]),
    /// Vectors that are as long.
    pub(crate) dot_f64: unsafe fn(x: &[f32], y: &[f32]) -> f64,
    /// Room for as many integers as there are values.
    pub(crate) round_i16: unsafe fn(values: &[f32], largest: i16, out: &mut [i16]) -> Rounded,
    /// At most 64 bytes a word, and room for 64 a word.
    pub(crate) select_bytes: unsafe fn(words: &[u64], bytes: &[u8], out: &mut [u8]) -> usize,
    /// Numbers of 1, 2 or 4 bytes, and room for a bit of each.
    pub(crate) within: unsafe fn(numbers: &[u8], width: usize, low: u32, span: u32, out: &mut [u64]),
    /// A panel of queries of `row_len` bytes; whole rows, and room for their results.
    pub(crate) hamming_panel:
        unsafe fn(rows: &[u8], row_len: usize, panel: &BitPanel, out: &mut [u32], near: &mut [u8]),
    /// As many rows as distances, and room for their bits.
    pub(crate) near_lanes:
        unsafe fn(distances: &[Lanes], of_lanes: &Lanes, of_rows: &[f32], out: &mut [Near]),
    /// Whole panels of queries; rows and results of whole rows.
    pub(crate) dot_f32_panel: unsafe fn(rows: &[f32], panel: &[f32], out: &mut [f32]),
    pub(crate) dot_f32_rows: unsafe fn(rows: Rows<'_>, query: &[f32], out: &mut [f32]),
    pub(crate) l2_f32_rows: unsafe fn(rows: Rows<'_>, query: &[f32], out: &mut [f32]),
    pub(crate) dot_f16_rows: unsafe fn(rows: Rows<'_>, query: &[f32], out: &mut [f32]),
    pub(crate) l2_f16_rows: unsafe fn(rows: Rows<'_>, query: &[f32], out: &mut [f32]),
    pub(crate) dot_u8_i16_rows: unsafe fn(rows: Rows<'_>, query: &WideQuery, out: &mut [i64]),
    /// Rows are half as long as the query, whose length is a multiple of [`NIBBLES`](crate::NIBBLES).
    pub(crate) dot_u4_i8_rows: unsafe fn(rows: Rows<'_>, query: &[i8], out: &mut [i32]),
    /// Rows are half as long as the queries, and there is room for a panel of results each.
    pub(crate) dot_u4_i8_panel: unsafe fn(rows: Rows<'_>, panel: &NibblePanel, out: &mut [i32]),
    pub(crate) dot_u8_u8_rows: unsafe fn(rows: Rows<'_>, query: &[u8], out: &mut [u32]),
    pub(crate) hamming_rows: unsafe fn(rows: Rows<'_>, query: &[u8], out: &mut [u32]),
    pub(crate) overlap_rows: unsafe fn(rows: Rows<'_>, query: &[u8], out: &mut [[u32; 2]]),
}

impl fmt::Debug for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernels").field("level", &self.level).finish_non_exhaustive()
    }
}

impl Kernels {
    /// The level of these kernels.
    pub fn level(&self) -> Level {
        self.level
    }
}

/// The table of a level from the functions of these names in the module that says so.
macro_rules! table {
    ($level:expr) => {
        $crate::kernels::Kernels {
            level: $level,
            dot_f32,
            l2_f32,
            norm2_f32,
            dot_f16,
            l2_f16,
            norm2_f16,
            dot_u8_u8,
            sum_u8,
            hamming,
            overlap,
            hadamard,
            dot_f64,
            round_i16,
            select_bytes,
            within,
            hamming_panel,
            near_lanes,
            dot_f32_panel,
            dot_f32_rows,
            l2_f32_rows,
            dot_f16_rows,
            l2_f16_rows,
            dot_u8_i16_rows,
            dot_u4_i8_rows,
            dot_u4_i8_panel,
            dot_u8_u8_rows,
            hamming_rows,
            overlap_rows,
        }
    };
}
pub(crate) use table;
