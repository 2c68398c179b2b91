//! One instruction that every architecture has under another name.

/// Hints the CPU to load the cache line at `at`, which may be any address.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn prefetch_line(at: *const u8) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: SSE is part of x86-64; a prefetch does not fault and has no effect on memory.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
}

/// Hints the CPU to load the cache line at `at`, which may be any address.
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
#[inline(always)]
pub(crate) fn prefetch_line(at: *const u8) {
    // SAFETY: a prefetch does not fault and has no effect on memory, registers or flags.
    unsafe {
        core::arch::asm!(
            "prfm pldl1keep, [{at}]",
            at = in(reg) at,
            options(nostack, preserves_flags, readonly)
        );
    }
}

/// Does nothing where no such hint is known.
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little"))))]
#[inline(always)]
pub(crate) fn prefetch_line(_at: *const u8) {}
