//! Kernels for AArch64, and the detection of what the CPU has.

use crate::kernels::Kernels;

mod load;
// Kernels index several arrays of registers in step; loops over 0..R and 0..U are unrolled.
#[allow(clippy::needless_range_loop)]
mod neon;
#[allow(clippy::needless_range_loop)]
mod neon_bits;
#[allow(clippy::needless_range_loop)]
mod nibble_panel;

/// The NEON kernels, or `None` on a CPU without NEON.
pub(crate) fn kernels() -> Option<&'static Kernels> {
    std::arch::is_aarch64_feature_detected!("neon").then_some(&neon::KERNELS)
}
