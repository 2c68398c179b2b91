//! Queries side by side, so that one row is compared with all of them at once.

/// Queries in a panel.
pub const PANEL: usize = 32;

/// The dot products of each row with each query of a panel, row after row. Plain Rust that a compiler makes vector code of.
#[inline(always)]
pub(crate) fn dot(rows: &[f32], panel: &[f32], out: &mut [f32]) {
    let (queries, _) = panel.as_chunks::<PANEL>();
    let (out, _) = out.as_chunks_mut::<PANEL>();
    for (row, out) in rows.chunks_exact(queries.len().max(1)).zip(out) {
        let mut sums = [0f32; PANEL];
        for (queries, &x) in queries.iter().zip(row) {
            for (sum, &q) in sums.iter_mut().zip(queries) {
                *sum += q * x;
            }
        }
        *out = sums;
    }
}
