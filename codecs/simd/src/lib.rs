//! Vector distance kernels with run-time dispatch.
//!
//! This crate is the fence: the functions here are safe, check their arguments and never read
//! outside the slices they are given; behind them are kernels written with CPU intrinsics, which
//! hold the only arithmetic `unsafe` of the project. The kernels in `scalar.rs` are plain Rust and are the
//! specification; every other [`Level`] is tested against them.
//!
//! # Levels
//! The best level the CPU can run is detected once, at run time. The free functions use it; [`Kernels::for_level`] picks another one, for tests and benches. One binary runs
//! on every CPU of its architecture.
//!
//! # Rows are bytes
//! Stored vectors come straight from a file or a buffer, so a row of `f32` is passed as
//! little-endian bytes, four per component, at any alignment, a row of `f16` as two per component. A row of int8 codes is one unsigned
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
//! - The `f16` functions widen every component, which loses nothing, and give the bits that the `f32` functions give for
//!   the widened row. Subnormal components count as what they are.
//! - Vectors without components give 0.

#![deny(clippy::undocumented_unsafe_blocks, unsafe_op_in_unsafe_fn)]

mod codes;
mod dispatch;
mod functions;
mod hadamard;
mod kernels;
mod near;
mod nibble_panel;
mod panel;
mod panel_functions;
mod prefetch;
mod prepare;
mod rows;
mod scalar;
mod select;
mod wide;
mod within;
#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little")))]
mod wrappers;

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub use codes::{MAX_U8_DIMS, NIBBLES};
pub use dispatch::{available_levels, level};
pub use functions::*;
pub use hadamard::restore_order;
pub use kernels::{Kernels, Level};
pub use nibble_panel::NibblePanel;
pub use panel::{BIT_PANEL, BitPanel, PANEL};
pub use panel_functions::{dot_u4_i8_panel, near_lanes};
pub use prepare::Rounded;
pub use rows::AHEAD;
pub use wide::{MAX_WIDE, MAX_WIDE_DIMS, WideQuery};

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
