//! Rows of 4-bit codes compared with panels of queries, as methods of the kernels and by the best of them.

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
}

/// [`Kernels::dot_u4_i8_panel`] of the best level.
///
/// # Panics
/// As that does.
#[inline]
pub fn dot_u4_i8_panel(rows: &[u8], ids: &[u32], panel: &NibblePanel, out: &mut [i32]) {
    Kernels::best().dot_u4_i8_panel(rows, ids, panel, out);
}
