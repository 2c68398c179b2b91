//! Rows compared with panels of queries, as methods of the kernels and by the best of them.

use crate::kernels::Kernels;
use crate::nibble_panel::NibblePanel;
use crate::panel::PANEL;
use crate::rows::Rows;

impl Kernels {
    /// Exact dot products of every query of `panel` with the rows of 4-bit codes that `ids` picks: `out[PANEL * j + l]` is that
    /// of `ids[j]` and query `l`; lanes beyond the queries are unspecified.
    ///
    /// Rows are as [`dot_u4_i8_many`](crate::dot_u4_i8_many) takes them.
    ///
    /// # Panics
    /// When `out.len() != PANEL * ids.len()`, or when an id is not less than the number of whole rows in `rows`.
    #[inline]
    pub fn dot_u4_i8_panel(&self, rows: &[u8], ids: &[u32], panel: &NibblePanel, out: &mut [i32]) {
        let count = ids.len();
        assert!(count.checked_mul(PANEL) == Some(out.len()), "{count} rows, room for {} results", out.len());
        let len = panel.components() / 2;
        let rows = Rows::gather(rows, len, len, ids);
        // SAFETY: the CPU has the level; rows are half as long as the queries, and there is room for the results.
        unsafe { (self.dot_u4_i8_panel)(rows, panel, out) }
    }

    /// Writes which distances of a panel are small enough: bit `l` of `out[j][0]` says whether `distances[j][l]` is at most
    /// `of_lanes[l]`, that of `out[j][1]` whether it is at most `of_rows[j]`. NaN is neither.
    ///
    /// # Panics
    /// When there are not as many distances, bounds of rows, and places for bits.
    #[inline]
    pub fn near_lanes(
        &self,
        distances: &[[f32; PANEL]],
        of_lanes: &[f32; PANEL],
        of_rows: &[f32],
        out: &mut [[u32; 2]],
    ) {
        let rows = distances.len();
        assert!(of_rows.len() == rows, "{rows} rows, bounds of {}", of_rows.len());
        assert!(out.len() == rows, "{rows} rows, room for {} results", out.len());
        // SAFETY: the CPU has the level.
        unsafe { (self.near_lanes)(distances, of_lanes, of_rows, out) }
    }
}

/// [`Kernels::dot_u4_i8_panel`] of the best level.
///
/// # Panics
/// As that does.
#[inline]
pub fn dot_u4_i8_panel(rows: &[u8], ids: &[u32], panel: &NibblePanel, out: &mut [i32]) {
    Kernels::best().dot_u4_i8_panel(rows, ids, panel, out);
}

/// [`Kernels::near_lanes`] of the best level.
///
/// # Panics
/// As that does.
#[inline]
pub fn near_lanes(
    distances: &[[f32; PANEL]],
    of_lanes: &[f32; PANEL],
    of_rows: &[f32],
    out: &mut [[u32; 2]],
) {
    Kernels::best().near_lanes(distances, of_lanes, of_rows, out);
}
