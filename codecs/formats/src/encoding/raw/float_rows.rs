//! What rows of numbers are made of, and the kernels for them: f32, or f16, which the kernels widen. Distances to a row of
//! f16 have the bits of those to the widened row.

use crate::encoding::preprocess::norm;
use lucerne_codec::Component;
use lucerne_codec::io::bytes::{f16s, f32s};
use lucerne_simd as simd;

/// Rows of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatRows {
    /// Four bytes a component.
    F32,
    /// Two bytes a component.
    F16,
}

impl FloatRows {
    /// The rows of a component that is not a bit.
    pub fn of(component: Component) -> Self {
        if component == Component::F16 { Self::F16 } else { Self::F32 }
    }

    /// Bytes of a component.
    pub fn width(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }

    /// Appends the components of a row.
    pub fn append(self, row: &[u8], to: &mut Vec<f32>) {
        match self {
            Self::F32 => to.extend(f32s(row)),
            Self::F16 => to.extend(f16s(row)),
        }
    }

    /// Inner product of a query and a row.
    #[inline]
    pub fn dot(self, query: &[f32], row: &[u8]) -> f32 {
        match self {
            Self::F32 => simd::dot_f32(query, row),
            Self::F16 => simd::dot_f16(query, row),
        }
    }

    /// Squared Euclidean distance of a query and a row.
    #[inline]
    pub fn l2(self, query: &[f32], row: &[u8]) -> f32 {
        match self {
            Self::F32 => simd::l2_f32(query, row),
            Self::F16 => simd::l2_f16(query, row),
        }
    }

    /// Squared length of a row.
    #[inline]
    pub fn norm2(self, row: &[u8]) -> f32 {
        match self {
            Self::F32 => simd::norm2_f32(row),
            Self::F16 => simd::norm2_f16(row),
        }
    }

    /// The length of a row, precise at any magnitude.
    pub fn norm(self, row: &[u8]) -> f64 {
        match self {
            Self::F32 => norm(row),
            // Squares of halves are 0 or within what is precise.
            Self::F16 => f64::from(simd::norm2_f16(row)).sqrt(),
        }
    }

    /// [`Self::dot`] of rows that lie one after the other.
    pub fn dot_scan(self, rows: &[u8], query: &[f32], out: &mut [f32]) {
        match self {
            Self::F32 => simd::dot_f32_scan(rows, query, out),
            Self::F16 => simd::dot_f16_scan(rows, query, out),
        }
    }

    /// [`Self::l2`] of rows that lie one after the other.
    pub fn l2_scan(self, rows: &[u8], query: &[f32], out: &mut [f32]) {
        match self {
            Self::F32 => simd::l2_f32_scan(rows, query, out),
            Self::F16 => simd::l2_f16_scan(rows, query, out),
        }
    }

    /// [`Self::dot`] of the rows `ids` of a matrix.
    pub fn dot_many(self, rows: &[u8], ids: &[u32], query: &[f32], out: &mut [f32]) {
        match self {
            Self::F32 => simd::dot_f32_many(rows, ids, query, out),
            Self::F16 => simd::dot_f16_many(rows, ids, query, out),
        }
    }

    /// [`Self::l2`] of the rows `ids` of a matrix.
    pub fn l2_many(self, rows: &[u8], ids: &[u32], query: &[f32], out: &mut [f32]) {
        match self {
            Self::F32 => simd::l2_f32_many(rows, ids, query, out),
            Self::F16 => simd::l2_f16_many(rows, ids, query, out),
        }
    }
}
