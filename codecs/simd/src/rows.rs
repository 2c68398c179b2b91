//! The rows a one-to-many kernel reads, checked once so that the kernels need no checks.

use crate::prefetch::prefetch_line;

/// How many rows ahead of the one being computed the kernels prefetch, and what fetches rows for them should. Measured
/// with `benches/kernels`.
pub const AHEAD: usize = 8;

/// A row of at most this many bytes is prefetched whole.
const WHOLE_BYTES: usize = 12 * LINE + 16;

/// Of a longer row the lines of this many bytes are prefetched. The hardware follows after that;
/// with more, the rows in cache were slower and those out of cache no faster.
const FIRST_BYTES: usize = 4 * LINE;

/// Bytes in a cache line, or a divisor of it.
const LINE: usize = 64;

/// `count` rows of a byte matrix: either those that `ids` picks, or all of them in order.
///
/// Invariant, established by the constructors: for every `j < count()`, `ptr(j)` is the start of
/// at least `len` readable bytes of `bytes`.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    bytes: &'a [u8],
    stride: usize,
    len: usize,
    ids: Option<&'a [u32]>,
    count: usize,
}

impl<'a> Rows<'a> {
    /// The rows `ids` of a matrix with `stride` bytes per row, `len` of which are read.
    #[inline]
    pub(crate) fn gather(bytes: &'a [u8], stride: usize, len: usize, ids: &'a [u32]) -> Self {
        assert!(stride >= len, "row length {stride} is less than the query's {len} bytes");
        if let Some(rows) = bytes.len().checked_div(stride) {
            // No early exit, so that this vectorizes; ids are few and in cache.
            let bad = ids.iter().fold(false, |bad, &id| bad | (id as usize >= rows));
            assert!(!bad, "an id is out of bounds for {rows} rows");
        }
        Rows { bytes, stride, len, ids: Some(ids), count: ids.len() }
    }

    /// All `count` rows of a matrix without gaps, `len` bytes each.
    #[inline]
    pub(crate) fn all(bytes: &'a [u8], len: usize, count: usize) -> Self {
        assert!(
            count.checked_mul(len) == Some(bytes.len()),
            "{} bytes are not {count} rows of {len}",
            bytes.len()
        );
        Rows { bytes, stride: len, len, ids: None, count }
    }

    /// The number of rows.
    #[inline(always)]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The offset of row `j` in `bytes`; meaningful when `j < count()`.
    #[inline(always)]
    fn offset(&self, j: usize) -> usize {
        let row = match self.ids {
            Some(ids) => ids[j] as usize,
            None => j,
        };
        // Cannot overflow when j < count(): the row lies inside `bytes`, or the stride is 0.
        row.wrapping_mul(self.stride)
    }

    /// The bytes of row `j`.
    #[inline]
    pub(crate) fn row(&self, j: usize) -> &'a [u8] {
        let at = self.offset(j);
        &self.bytes[at..at + self.len]
    }

    /// The address of row `j`: `len` bytes are readable there when `j < count()`.
    #[inline(always)]
    pub(crate) fn ptr(&self, j: usize) -> *const u8 {
        self.bytes.as_ptr().wrapping_add(self.offset(j))
    }

    /// Prefetches the first rows of a gathered set, which no earlier step could.
    #[inline(always)]
    pub(crate) fn prefetch_first(&self) {
        self.prefetch(0, AHEAD);
    }

    /// Prefetches the rows that come `AHEAD` rows after the `n` rows from `j`.
    #[inline(always)]
    pub(crate) fn prefetch_after(&self, j: usize, n: usize) {
        self.prefetch(j + AHEAD, n);
    }

    #[inline(always)]
    fn prefetch(&self, from: usize, n: usize) {
        // Rows in order are found by the hardware.
        if self.ids.is_some() {
            let most = if self.len <= WHOLE_BYTES { self.len } else { FIRST_BYTES };
            for j in from..(from + n).min(self.count) {
                prefetch_lines(self.ptr(j), most);
            }
        }
    }
}

/// Hints the CPU to load the lines of the `len` bytes at `at`.
#[inline(always)]
pub(crate) fn prefetch_lines(at: *const u8, len: usize) {
    // One step for each line that the bytes would be if they began with one, written out for short rows: a loop costs as
    // much as the rest of a row of 4-bit codes.
    let lines = len.div_ceil(LINE);
    match lines {
        0 => return,
        1 => prefetch_each::<1>(at),
        2 => prefetch_each::<2>(at),
        3 => prefetch_each::<3>(at),
        4 => prefetch_each::<4>(at),
        _ => (0..lines).for_each(|line| prefetch_line(at.wrapping_add(line * LINE))),
    }
    // They may end in one more.
    if at.addr() % LINE + len > lines * LINE {
        prefetch_line(at.wrapping_add(len - 1));
    }
}

#[inline(always)]
fn prefetch_each<const LINES: usize>(at: *const u8) {
    for line in 0..LINES {
        prefetch_line(at.wrapping_add(line * LINE));
    }
}

/// Fills `$out` with the results of `$kernel` for `$rows`, `$r` rows at a time, then one by one.
///
/// `$kernel` is an `unsafe fn<const R: usize>(rows: [*const u8; R]) -> [T; R]` in macro form:
/// `|pointers, R| expression`. A macro, not a function, so that the kernel is inlined into
/// a caller with the CPU features it needs.
#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little")))]
macro_rules! fill {
    ($rows:expr, $out:expr, $r:literal, |$p:ident, $n:ident| $kernel:expr) => {{
        let (rows, out) = ($rows, $out);
        let whole = rows.count() - rows.count() % $r;
        rows.prefetch_first();
        let mut j = 0;
        while j < whole {
            const $n: usize = $r;
            rows.prefetch_after(j, $n);
            let $p: [*const u8; $n] = core::array::from_fn(|r| rows.ptr(j + r));
            out[j..j + $n].copy_from_slice(&$kernel);
            j += $n;
        }
        while j < rows.count() {
            const $n: usize = 1;
            let $p: [*const u8; $n] = [rows.ptr(j)];
            out[j..j + $n].copy_from_slice(&$kernel);
            j += 1;
        }
    }};
}
#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little")))]
pub(crate) use fill;
