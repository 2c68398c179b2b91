//! Every function of the crate, and the checks in front of every kernel.

use crate::codes::{MAX_U8_DIMS, NIBBLES};
use crate::kernels::Kernels;
use crate::panel::{BIT_PANEL, BitPanel, PANEL};
use crate::prepare::Rounded;
use crate::rows::Rows;
use crate::select::WORD;
use crate::wide::WideQuery;

#[inline]
#[track_caller]
fn check_f32(a: &[f32], row: &[u8]) {
    assert!(size_of_val(a) == row.len(), "{} components, row of {} bytes", a.len(), row.len());
}

#[inline]
#[track_caller]
fn check_f16(a: &[f32], row: &[u8]) {
    assert!(2 * a.len() == row.len(), "{} components, row of {} bytes", a.len(), row.len());
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

/// Declares each function twice: as a method of [`Kernels`], and as a free function that uses the best level.
macro_rules! functions {
    ($(
        $(#[$doc:meta])*
        fn $name:ident(&$self:ident, $($argument:ident: $type:ty),+) $(-> $result:ty)? $body:block
    )+) => {
        impl Kernels {
            $(
                $(#[$doc])*
                #[inline]
                pub fn $name(&$self, $($argument: $type),+) $(-> $result)? $body
            )+
        }
        $(
            $(#[$doc])*
            #[inline]
            pub fn $name($($argument: $type),+) $(-> $result)? {
                Kernels::best().$name($($argument),+)
            }
        )+
    };
}

functions! {
    /// Dot product of `a` with the `f32` row in `row`.
    ///
    /// `row` is `4 * a.len()` little-endian bytes, at any alignment. Precision: see the crate text.
    ///
    /// # Panics
    /// When `row.len() != 4 * a.len()`.
    fn dot_f32(&self, a: &[f32], row: &[u8]) -> f32 {
        check_f32(a, row);
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.dot_f32)(a, row) }
    }

    /// Squared Euclidean distance between `a` and the `f32` row in `row`.
    ///
    /// `row` is `4 * a.len()` little-endian bytes, at any alignment. Precision: see the crate text.
    /// Never negative.
    ///
    /// # Panics
    /// When `row.len() != 4 * a.len()`.
    fn l2_f32(&self, a: &[f32], row: &[u8]) -> f32 {
        check_f32(a, row);
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.l2_f32)(a, row) }
    }

    /// Sum of the squares of the `f32` components in `row` (the squared length of the vector).
    ///
    /// Gives the bits that [`dot_f32`] gives for the row with itself.
    ///
    /// # Panics
    /// When `row.len()` is not a multiple of 4.
    fn norm2_f32(&self, row: &[u8]) -> f32 {
        assert!(row.len().is_multiple_of(4), "{} bytes are not f32 components", row.len());
        // SAFETY: the CPU has the level; the row is whole components.
        unsafe { (self.norm2_f32)(row) }
    }

    /// Dot product of `a` with the `f16` row in `row`.
    ///
    /// `row` is `2 * a.len()` little-endian bytes, at any alignment. Precision: see the crate text.
    ///
    /// # Panics
    /// When `row.len() != 2 * a.len()`.
    fn dot_f16(&self, a: &[f32], row: &[u8]) -> f32 {
        check_f16(a, row);
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.dot_f16)(a, row) }
    }

    /// Squared Euclidean distance between `a` and the `f16` row in `row`.
    ///
    /// `row` is `2 * a.len()` little-endian bytes, at any alignment. Precision: see the crate text.
    /// Never negative.
    ///
    /// # Panics
    /// When `row.len() != 2 * a.len()`.
    fn l2_f16(&self, a: &[f32], row: &[u8]) -> f32 {
        check_f16(a, row);
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.l2_f16)(a, row) }
    }

    /// Sum of the squares of the `f16` components in `row` (the squared length of the vector).
    ///
    /// # Panics
    /// When `row.len()` is not a multiple of 2.
    fn norm2_f16(&self, row: &[u8]) -> f32 {
        assert!(row.len().is_multiple_of(2), "{} bytes are not f16 components", row.len());
        // SAFETY: the CPU has the level; the row is whole components.
        unsafe { (self.norm2_f16)(row) }
    }

    /// Replaces `values` by their Walsh–Hadamard transform, not normalized: all sums of ±`values[j]` whose signs are
    /// the rows of a Hadamard matrix, in an order that stays the same. Squared lengths grow by the factor `values.len()`.
    /// The bits are the same at every level. What `scratch` holds afterwards is not said.
    ///
    /// # Panics
    /// When the number of values is not a power of two, or `scratch` is not as long.
    fn hadamard(&self, values: &mut [f32], scratch: &mut [f32]) {
        assert!(values.len().is_power_of_two(), "{} values are not a power of two", values.len());
        assert!(values.len() == scratch.len(), "{} values, scratch of {}", values.len(), scratch.len());
        // SAFETY: the CPU has the level; the values are a power of two, the scratch is as long.
        unsafe { (self.hadamard)(values, scratch) }
    }

    /// Dot product of `x` and `y` in double precision: products are exact, sixteen sums are made side by side. The bits are
    /// the same at every level.
    ///
    /// # Panics
    /// When the lengths differ.
    fn dot_f64(&self, x: &[f32], y: &[f32]) -> f64 {
        assert!(x.len() == y.len(), "vectors of {} and {} components", x.len(), y.len());
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.dot_f64)(x, y) }
    }

    /// Replaces `out` by `values` as integers: each is about `step` times its integer, and the value of the greatest
    /// magnitude has `largest`, or its negative. The result is the same at every level.
    ///
    /// # Panics
    /// When `out` is not as long, when `largest` is not positive, or when there are more than [`MAX_U8_DIMS`] values.
    fn round_i16(&self, values: &[f32], largest: i16, out: &mut [i16]) -> Rounded {
        assert!(largest > 0, "a magnitude of {largest}");
        check_u8(values.len(), out.len());
        // SAFETY: the CPU has the level; there is room for as many integers.
        unsafe { (self.round_i16)(values, largest, out) }
    }

    /// Writes the bytes whose bits are 1, in their order, and returns how many they are: bit `i` of `words[j]` is about
    /// `bytes[64 * j + i]`, bits beyond the last byte about none. What stands in `out` behind them is not said.
    ///
    /// # Panics
    /// When there are more than 64 bytes a word, or `out` has no room for 64 a word.
    fn select_bytes(&self, words: &[u64], bytes: &[u8], out: &mut [u8]) -> usize {
        assert!(bytes.len() <= WORD * words.len(), "{} bytes, {} words of bits", bytes.len(), words.len());
        assert!(out.len() >= WORD * words.len(), "{} words of bits, room for {} bytes", words.len(), out.len());
        // SAFETY: the CPU has the level; there are bits for each byte, and room for whole words.
        unsafe { (self.select_bytes)(words, bytes, out) }
    }

    /// Writes which numbers are at least `low` and at most `high`: bit `i` of `out[j]` is about number `64 * j + i`, bits beyond
    /// the last number are 0. Numbers are little-endian, of `width` bytes each.
    ///
    /// # Panics
    /// When the width is not 1, 2 or 4, `numbers` is not whole numbers, a bound does not fit the width, `low` is more than
    /// `high`, or there are not as many words as the bits need.
    fn within(&self, numbers: &[u8], width: usize, low: u32, high: u32, out: &mut [u64]) {
        assert!(matches!(width, 1 | 2 | 4), "numbers of {width} bytes");
        assert!(low <= high && (width == 4 || high >> (8 * width) == 0), "from {low} to {high} in {width} bytes");
        let len = numbers.len() / width;
        assert!(numbers.len() == len * width, "{} bytes are not numbers of {width}", numbers.len());
        assert!(out.len() == len.div_ceil(WORD), "{len} numbers, {} words of bits", out.len());
        // SAFETY: the CPU has the level; the width is one of three, there is room for a bit of each number.
        unsafe { (self.within)(numbers, width, low, high - low, out) }
    }

    /// Exact dot product of two rows of unsigned codes.
    ///
    /// # Panics
    /// When the lengths differ or exceed [`MAX_U8_DIMS`].
    fn dot_u8_u8(&self, a: &[u8], b: &[u8]) -> u32 {
        check_u8(a.len(), b.len());
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.dot_u8_u8)(a, b) }
    }

    /// Exact sum of a row of unsigned codes.
    ///
    /// # Panics
    /// When `a` is longer than [`MAX_U8_DIMS`].
    fn sum_u8(&self, a: &[u8]) -> u32 {
        check_u8(a.len(), a.len());
        // SAFETY: the CPU has the level.
        unsafe { (self.sum_u8)(a) }
    }

    /// Number of bits in which `a` and `b` differ (Hamming distance).
    ///
    /// # Panics
    /// When the lengths differ or exceed [`MAX_U8_DIMS`] bytes.
    fn hamming(&self, a: &[u8], b: &[u8]) -> u32 {
        check_u8(a.len(), b.len());
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.hamming)(a, b) }
    }

    /// Number of bits set in both of `a` and `b`, and number of bits set in either: `[|a ∧ b|, |a ∨ b|]`, the two
    /// parts of the Jaccard index.
    ///
    /// # Panics
    /// When the lengths differ or exceed [`MAX_U8_DIMS`] bytes.
    fn overlap(&self, a: &[u8], b: &[u8]) -> [u32; 2] {
        check_u8(a.len(), b.len());
        // SAFETY: the CPU has the level; the lengths agree.
        unsafe { (self.overlap)(a, b) }
    }

    /// [`dot_f32`] of `query` with the rows that `ids` picks: `out[j]` is the result for `ids[j]`,
    /// with the same bits as the one-to-one form.
    ///
    /// `rows` is a matrix whose row `i` starts at byte `i * 4 * query.len()`.
    ///
    /// # Panics
    /// When `out.len() != ids.len()`, or when an id is not less than the number of whole rows in
    /// `rows`.
    fn dot_f32_many(&self, rows: &[u8], ids: &[u32], query: &[f32], out: &mut [f32]) {
        check_out(ids.len(), out.len());
        let rows = Rows::gather(rows, size_of_val(query), size_of_val(query), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.dot_f32_rows)(rows, query, out) }
    }

    /// [`l2_f32`] of `query` with the rows that `ids` picks: `out[j]` is the result for `ids[j]`,
    /// with the same bits as the one-to-one form.
    ///
    /// `rows` is a matrix whose row `i` starts at byte `i * 4 * query.len()`.
    ///
    /// # Panics
    /// When `out.len() != ids.len()`, or when an id is not less than the number of whole rows in
    /// `rows`.
    fn l2_f32_many(&self, rows: &[u8], ids: &[u32], query: &[f32], out: &mut [f32]) {
        check_out(ids.len(), out.len());
        let rows = Rows::gather(rows, size_of_val(query), size_of_val(query), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.l2_f32_rows)(rows, query, out) }
    }

    /// [`dot_f16`] of `query` with the rows that `ids` picks: `out[j]` is the result for `ids[j]`,
    /// with the same bits as the one-to-one form.
    ///
    /// `rows` is a matrix whose row `i` starts at byte `i * 2 * query.len()`.
    ///
    /// # Panics
    /// When `out.len() != ids.len()`, or when an id is not less than the number of whole rows in
    /// `rows`.
    fn dot_f16_many(&self, rows: &[u8], ids: &[u32], query: &[f32], out: &mut [f32]) {
        check_out(ids.len(), out.len());
        let rows = Rows::gather(rows, 2 * query.len(), 2 * query.len(), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.dot_f16_rows)(rows, query, out) }
    }

    /// [`l2_f16`] of `query` with the rows that `ids` picks: `out[j]` is the result for `ids[j]`,
    /// with the same bits as the one-to-one form.
    ///
    /// `rows` is a matrix whose row `i` starts at byte `i * 2 * query.len()`.
    ///
    /// # Panics
    /// When `out.len() != ids.len()`, or when an id is not less than the number of whole rows in
    /// `rows`.
    fn l2_f16_many(&self, rows: &[u8], ids: &[u32], query: &[f32], out: &mut [f32]) {
        check_out(ids.len(), out.len());
        let rows = Rows::gather(rows, 2 * query.len(), 2 * query.len(), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.l2_f16_rows)(rows, query, out) }
    }

    /// Exact dot products of `query` with the rows of unsigned codes that `ids` picks: `out[j]` is the result for `ids[j]`.
    ///
    /// `rows` is a matrix whose row `i` starts at byte `i * row_len`. The codes of a row are its first
    /// `query.len()` bytes; the rest of the row, if any, is not read. Ids may come in any order and
    /// repeat. Several rows are computed together and the rows of the following ids are prefetched,
    /// so one call with all the neighbors of a graph node is faster than a call for each.
    ///
    /// # Panics
    /// When `out.len() != ids.len()`, when `row_len < query.len()`, or when an id is not less than the
    /// number of whole rows in `rows`.
    fn dot_u8_i16_many(&self, rows: &[u8], row_len: usize, ids: &[u32], query: &WideQuery, out: &mut [i64]) {
        check_out(ids.len(), out.len());
        let rows = Rows::gather(rows, row_len, query.len(), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.dot_u8_i16_rows)(rows, query, out) }
    }

    /// Exact dot products of `query` with the rows of 4-bit codes that `ids` picks: `out[j]` is the result for `ids[j]`.
    ///
    /// The query is whole blocks of [`NIBBLES`] components, a row as many of 32 bytes, without gaps between rows. Codes
    /// that fill up the last block meet components of 0.
    ///
    /// # Panics
    /// When `out.len() != ids.len()`, when the query is not whole blocks or longer than [`MAX_U8_DIMS`], or when an id is not
    /// less than the number of whole rows in `rows`.
    fn dot_u4_i8_many(&self, rows: &[u8], ids: &[u32], query: &[i8], out: &mut [i32]) {
        check_out(ids.len(), out.len());
        check_u8(query.len(), query.len());
        assert!(query.len().is_multiple_of(NIBBLES), "{} components are not whole blocks", query.len());
        let rows = Rows::gather(rows, query.len() / 2, query.len() / 2, ids);
        // SAFETY: the CPU has the level; the rows are half as long as the query, one per result.
        unsafe { (self.dot_u4_i8_rows)(rows, query, out) }
    }

    /// [`dot_u8_u8`] of `query` with the rows that `ids` picks: `out[j]` is the result for `ids[j]`.
    ///
    /// Shapes as for [`dot_u8_i16_many`].
    ///
    /// # Panics
    /// When `out.len() != ids.len()`, when `row_len < query.len()`, when an id is not less than the
    /// number of whole rows in `rows`, or when the query is longer than [`MAX_U8_DIMS`].
    fn dot_u8_u8_many(&self, rows: &[u8], row_len: usize, ids: &[u32], query: &[u8], out: &mut [u32]) {
        check_out(ids.len(), out.len());
        check_u8(query.len(), query.len());
        let rows = Rows::gather(rows, row_len, query.len(), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.dot_u8_u8_rows)(rows, query, out) }
    }

    /// [`hamming`] of `query` with the rows that `ids` picks: `out[j]` is the result for `ids[j]`.
    ///
    /// Shapes as for [`dot_u8_u8_many`].
    ///
    /// # Panics
    /// When `out.len() != ids.len()`, when `row_len < query.len()`, when an id is not less than the
    /// number of whole rows in `rows`, or when the query is longer than [`MAX_U8_DIMS`].
    fn hamming_many(&self, rows: &[u8], row_len: usize, ids: &[u32], query: &[u8], out: &mut [u32]) {
        check_out(ids.len(), out.len());
        check_u8(query.len(), query.len());
        let rows = Rows::gather(rows, row_len, query.len(), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.hamming_rows)(rows, query, out) }
    }

    /// [`overlap`] of `query` with the rows that `ids` picks: `out[j]` is the result for `ids[j]`.
    ///
    /// Shapes as for [`dot_u8_u8_many`].
    ///
    /// # Panics
    /// When `out.len() != ids.len()`, when `row_len < query.len()`, when an id is not less than the
    /// number of whole rows in `rows`, or when the query is longer than [`MAX_U8_DIMS`].
    fn overlap_many(&self, rows: &[u8], row_len: usize, ids: &[u32], query: &[u8], out: &mut [[u32; 2]]) {
        check_out(ids.len(), out.len());
        check_u8(query.len(), query.len());
        let rows = Rows::gather(rows, row_len, query.len(), ids);
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.overlap_rows)(rows, query, out) }
    }

    /// [`dot_f32`] of `query` with every row of `rows`, for exact scans: `out[i]` is the result for
    /// row `i`, with the same bits as the one-to-one form. Rows are `4 * query.len()` bytes each,
    /// without gaps.
    ///
    /// # Panics
    /// When `rows.len() != out.len() * 4 * query.len()`.
    fn dot_f32_scan(&self, rows: &[u8], query: &[f32], out: &mut [f32]) {
        let rows = Rows::all(rows, size_of_val(query), out.len());
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.dot_f32_rows)(rows, query, out) }
    }

    /// [`l2_f32`] of `query` with every row of `rows`, for exact scans: `out[i]` is the result for
    /// row `i`, with the same bits as the one-to-one form. Rows are `4 * query.len()` bytes each,
    /// without gaps.
    ///
    /// # Panics
    /// When `rows.len() != out.len() * 4 * query.len()`.
    fn l2_f32_scan(&self, rows: &[u8], query: &[f32], out: &mut [f32]) {
        let rows = Rows::all(rows, size_of_val(query), out.len());
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.l2_f32_rows)(rows, query, out) }
    }

    /// [`dot_f16`] of `query` with every row of `rows`, for exact scans: `out[i]` is the result for
    /// row `i`, with the same bits as the one-to-one form. Rows are `2 * query.len()` bytes each,
    /// without gaps.
    ///
    /// # Panics
    /// When `rows.len() != out.len() * 2 * query.len()`.
    fn dot_f16_scan(&self, rows: &[u8], query: &[f32], out: &mut [f32]) {
        let rows = Rows::all(rows, 2 * query.len(), out.len());
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.dot_f16_rows)(rows, query, out) }
    }

    /// [`l2_f16`] of `query` with every row of `rows`, for exact scans: `out[i]` is the result for
    /// row `i`, with the same bits as the one-to-one form. Rows are `2 * query.len()` bytes each,
    /// without gaps.
    ///
    /// # Panics
    /// When `rows.len() != out.len() * 2 * query.len()`.
    fn l2_f16_scan(&self, rows: &[u8], query: &[f32], out: &mut [f32]) {
        let rows = Rows::all(rows, 2 * query.len(), out.len());
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.l2_f16_rows)(rows, query, out) }
    }

    /// Exact dot products of `query` with every row of `rows`, for scans: `out[i]` is the result for
    /// row `i`. Rows are `query.len()` unsigned codes each, without gaps.
    ///
    /// # Panics
    /// When `rows.len() != out.len() * query.len()`.
    fn dot_u8_i16_scan(&self, rows: &[u8], query: &WideQuery, out: &mut [i64]) {
        let rows = Rows::all(rows, query.len(), out.len());
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.dot_u8_i16_rows)(rows, query, out) }
    }

    /// Number of bits in which every row of `rows` and every query of `panel` differ: `out[BIT_PANEL * r + l]` is that of row
    /// `r` and query `l`, and bit `l` of `near[r]` says whether it is less than `panel.below[l]`. Rows lie one after the other.
    ///
    /// # Panics
    /// When `rows` is not as many rows as there is room for.
    fn hamming_panel(&self, rows: &[u8], panel: &BitPanel, out: &mut [u32], near: &mut [u8]) {
        let (count, row_len) = (near.len(), panel.row_len());
        assert!(count.checked_mul(row_len) == Some(rows.len()), "{} bytes, {count} rows of {row_len}", rows.len());
        assert!(count.checked_mul(BIT_PANEL) == Some(out.len()), "{count} rows, room for {} counts", out.len());
        // SAFETY: the CPU has the level; there are whole rows as long as the queries, and there is room for the results.
        unsafe { (self.hamming_panel)(rows, row_len, panel, out, near) }
    }

    /// Dot products of every row of `rows` with every query of `panel`: `out[PANEL * r + l]` is that of row `r` and query `l`.
    ///
    /// Component `i` of query `l` is `panel[PANEL * i + l]`: [`PANEL`] queries lie side by side. Rows lie one after the
    /// other. Precision: see the crate text; the bits may differ from those of [`dot_f32`].
    ///
    /// # Panics
    /// When the lengths of `panel` and `out` are not multiples of [`PANEL`], or `rows` is not as many rows of
    /// `panel.len() / PANEL` components as there is room for.
    fn dot_f32_panel(&self, rows: &[f32], panel: &[f32], out: &mut [f32]) {
        assert!(panel.len().is_multiple_of(PANEL), "{} components are not whole panels", panel.len());
        assert!(out.len().is_multiple_of(PANEL), "{} results are not whole panels", out.len());
        let (n, count) = (panel.len() / PANEL, out.len() / PANEL);
        assert!(n * count == rows.len(), "{count} rows of {n} components, given {}", rows.len());
        if n == 0 {
            return out.fill(0.0);
        }
        // SAFETY: the CPU has the level; panel and rows are whole, and there is room for the results.
        unsafe { (self.dot_f32_panel)(rows, panel, out) }
    }

    /// [`hamming`] of `query` with every row of `rows`, for exact scans: `out[i]` is the result for
    /// row `i`. Rows are `query.len()` bytes each, without gaps.
    ///
    /// # Panics
    /// When `rows.len() != out.len() * query.len()`, or when the query is longer than
    /// [`MAX_U8_DIMS`].
    fn hamming_scan(&self, rows: &[u8], query: &[u8], out: &mut [u32]) {
        check_u8(query.len(), query.len());
        let rows = Rows::all(rows, query.len(), out.len());
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.hamming_rows)(rows, query, out) }
    }

    /// [`overlap`] of `query` with every row of `rows`, for exact scans: `out[i]` is the result for
    /// row `i`. Rows are `query.len()` bytes each, without gaps.
    ///
    /// # Panics
    /// When `rows.len() != out.len() * query.len()`, or when the query is longer than
    /// [`MAX_U8_DIMS`].
    fn overlap_scan(&self, rows: &[u8], query: &[u8], out: &mut [[u32; 2]]) {
        check_u8(query.len(), query.len());
        let rows = Rows::all(rows, query.len(), out.len());
        // SAFETY: the CPU has the level; the rows are as long as the query, one per result.
        unsafe { (self.overlap_rows)(rows, query, out) }
    }
}
