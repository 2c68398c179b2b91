//! Kernels for x86-64, and the detection of what the CPU has.

use crate::kernels::{Kernels, Level};

// Kernels index several arrays of registers in step; loops over 0..R and 0..U are unrolled.
#[allow(clippy::needless_range_loop)]
mod avx2;
#[allow(clippy::needless_range_loop)]
mod avx2_bits;
#[allow(clippy::needless_range_loop)]
mod avx512;
#[allow(clippy::needless_range_loop)]
mod avx512_bits;
mod avx512_within;
#[allow(clippy::needless_range_loop)]
mod nibble_panel;

/// The kernels of an x86-64 level, or `None` when this CPU lacks a feature they use.
pub(crate) fn kernels(level: Level) -> Option<&'static Kernels> {
    let avx2 = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c");
    let avx512 = avx2
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni");
    match level {
        Level::Avx2 if avx2 => Some(&avx2::KERNELS),
        Level::Avx512
            if avx512
                && is_x86_feature_detected!("avx512vpopcntdq")
                && is_x86_feature_detected!("avx512vbmi2") =>
        {
            Some(&avx512::KERNELS_BITS)
        }
        Level::Avx512 if avx512 => Some(&avx512::KERNELS),
        _ => None,
    }
}
