//! Loading part of a register.

use core::arch::aarch64::*;

/// Bytes in a vector register.
const B: usize = 16;

/// The first `n` bytes at `p`, with zeros after them.
///
/// # Safety
/// `n` is at most 16, and `n` bytes are readable at `p`.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn load_first(p: *const u8, n: usize) -> uint8x16_t {
    let mut bytes = [0u8; B];
    // SAFETY: n bytes are readable at p and fit in `bytes`, which is 16 long.
    unsafe {
        core::ptr::copy_nonoverlapping(p, bytes.as_mut_ptr(), n);
        vld1q_u8(bytes.as_ptr())
    }
}
