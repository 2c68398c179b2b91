//! Queries of 8-bit integers side by side, so that one row of 4-bit codes is compared with all of them at once.

use crate::codes::{MAX_U8_DIMS, NIBBLES};
use crate::panel::PANEL;
use crate::rows::Rows;

/// Components that lie together: a kernel multiplies them with the codes of as many bytes.
pub(crate) const GROUP: usize = 4;
/// Groups of codes in the low nibbles of a block, and in the high ones.
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
    /// Queries of the same length, a multiple of [`NIBBLES`].
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

/// In plain Rust that a compiler makes vector code of. Sums are of 16 bits, one for each component of a group, until the end of a
/// block; queries that fill up the panel take no time.
pub(crate) fn portable(rows: Rows<'_>, panel: &NibblePanel, out: &mut [i32]) {
    let (groups, _) = panel.lanes.as_chunks::<{ PANEL * GROUP }>();
    let used = (panel.queries * GROUP).next_multiple_of(TOGETHER);
    rows.prefetch_first();
    for (at, totals) in out.as_chunks_mut::<PANEL>().0.iter_mut().enumerate() {
        rows.prefetch_after(at, 1);
        totals.fill(0);
        let blocks = rows.row(at).chunks_exact(NIBBLES / 2).zip(groups.chunks_exact(2 * GROUPS));
        for (block, groups) in blocks {
            // Each becomes at most 2 · GROUPS · 15 · 128.
            let mut sums = [0i16; PANEL * GROUP];
            let (low, high) = groups.split_at(GROUPS);
            for (bytes, (low, high)) in block.as_chunks::<GROUP>().0.iter().zip(low.iter().zip(high)) {
                add(&mut sums[..used], &low[..used], bytes.map(|byte| byte & 15));
                add(&mut sums[..used], &high[..used], bytes.map(|byte| byte >> 4));
            }
            for (total, sums) in totals.iter_mut().zip(sums[..used].as_chunks::<GROUP>().0) {
                *total += sums.iter().copied().map(i32::from).sum::<i32>();
            }
        }
    }
}

/// Components multiplied at once: as many 16-bit numbers as a register of 128 bits has.
const TOGETHER: usize = 8;

/// Adds the products of the components of some queries with the codes of a group.
#[inline(always)]
fn add(sums: &mut [i16], queries: &[i8], codes: [u8; GROUP]) {
    let codes: [i16; TOGETHER] = std::array::from_fn(|at| i16::from(codes[at % GROUP]));
    let (sums, queries) = (sums.as_chunks_mut::<TOGETHER>().0, queries.as_chunks::<TOGETHER>().0);
    for (sums, queries) in sums.iter_mut().zip(queries) {
        for ((sum, &query), &code) in sums.iter_mut().zip(queries).zip(&codes) {
            *sum += i16::from(query) * code;
        }
    }
}
