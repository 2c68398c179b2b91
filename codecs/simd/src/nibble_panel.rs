//! Queries of 8-bit integers side by side, so that one row of 4-bit codes is compared with all of them at once.

use crate::codes::{MAX_U8_DIMS, NIBBLES};
use crate::panel::PANEL;
use crate::rows::Rows;

/// Components that lie together: a kernel multiplies them with the codes of as many bytes.
pub(crate) const GROUP: usize = 4;
/// Groups of codes in the low halves of a block's bytes, and in the high ones.
pub(crate) const GROUPS: usize = NIBBLES / 2 / GROUP;

/// Up to [`PANEL`] queries side by side, as [`dot_u4_i8_panel`](crate::dot_u4_i8_panel) takes them.
#[derive(Debug, Clone)]
pub struct NibblePanel {
    queries: usize,
    components: usize,
    /// The first [`GROUP`] components of each query, then the next: component `i` of query `l` lies at
    /// `(i / GROUP * PANEL + l) * GROUP + i % GROUP`. Queries that fill up the panel are zeros.
    pub(crate) lanes: Vec<i8>,
}

impl NibblePanel {
    /// Queries of whole blocks of [`NIBBLES`] components, as many each.
    ///
    /// # Panics
    /// When a query has another length than the first, is not whole blocks or longer than [`MAX_U8_DIMS`], or when there are
    /// more than [`PANEL`].
    pub fn new(queries: &[&[i8]]) -> Self {
        let components = queries.first().map_or(0, |query| query.len());
        assert!(queries.len() <= PANEL, "{} queries, more than {PANEL}", queries.len());
        assert!(components.is_multiple_of(NIBBLES), "{components} components are not whole blocks");
        assert!(components <= MAX_U8_DIMS, "{components} components, more than {MAX_U8_DIMS}");
        let mut lanes = vec![0; components * PANEL];
        for (lane, query) in queries.iter().enumerate() {
            assert!(query.len() == components, "queries of {components} and {} components", query.len());
            let places = lanes.chunks_exact_mut(GROUP).skip(lane).step_by(PANEL);
            places.zip(query.chunks_exact(GROUP)).for_each(|(place, group)| place.copy_from_slice(group));
        }
        Self { queries: queries.len(), components, lanes }
    }

    /// How many queries there are.
    pub fn queries(&self) -> usize {
        self.queries
    }

    /// Components of a query.
    pub fn components(&self) -> usize {
        self.components
    }
}

/// In plain Rust that a compiler makes vector code of.
pub(crate) fn portable(rows: Rows<'_>, panel: &NibblePanel, out: &mut [i32]) {
    let (queries, _) = panel.lanes.as_chunks::<GROUP>();
    rows.prefetch_first();
    for (at, sums) in out.as_chunks_mut::<PANEL>().0.iter_mut().enumerate() {
        rows.prefetch_after(at, 1);
        sums.fill(0);
        let (groups, _) = rows.row(at).as_chunks::<GROUP>();
        for (of_row, bytes) in groups.iter().enumerate() {
            let low = of_row / GROUPS * (2 * GROUPS) + of_row % GROUPS;
            for (group, codes) in
                [(low, bytes.map(|byte| byte & 15)), (low + GROUPS, bytes.map(|byte| byte >> 4))]
            {
                let queries = &queries[group * PANEL..(group + 1) * PANEL];
                for (sum, query) in sums.iter_mut().zip(queries) {
                    let products = query.iter().zip(codes).map(|(&q, code)| i16::from(q) * i16::from(code));
                    *sum += i32::from(products.sum::<i16>());
                }
            }
        }
    }
}
