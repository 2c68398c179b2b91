//! Estimated distances between several vectors, side by side, and 4-bit codes.

use super::codes::CodeRows;
use super::estimate::{Estimate, PanelEstimate};
use super::sq4::Sq4Rows;
use super::sq4_query::Sq4Distances;
use crate::distance::PanelDistances;
use lucerne_codec::Ordinal;
use lucerne_simd::{self as simd, NibblePanel, PANEL};

/// Fewer queries are faster one by one: kernels compute up to 16 of a panel whatever their number
/// (`docs/measurements/filters.md`).
const LEAST: usize = 8;

/// A panel of queries against the 4-bit codes of one segment.
pub(super) struct Sq4Panel<'a> {
    sq4: Sq4Rows<'a>,
    /// Has the versions of the quantizer.
    rows: CodeRows<'a>,
    estimate: PanelEstimate,
    queries: NibblePanel,
    products: Vec<i32>,
}

impl<'a> Sq4Panel<'a> {
    /// Of at most [`PANEL`] queries; `None` for so few that they are better compared one by one.
    pub(super) fn new(sq4: Sq4Rows<'a>, rows: CodeRows<'a>, of_queries: &[Sq4Distances<'_>]) -> Option<Self> {
        if of_queries.len() < LEAST {
            return None;
        }
        let estimates: Vec<&Estimate> = of_queries.iter().map(|query| &query.estimate).collect();
        let components: Vec<&[i8]> = of_queries.iter().map(|query| &query.components[..]).collect();
        let (estimate, queries) = (PanelEstimate::new(&estimates), NibblePanel::new(&components));
        Some(Self { sq4, rows, estimate, queries, products: Vec::new() })
    }
}

impl PanelDistances for Sq4Panel<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [[f32; PANEL]]) {
        let Self { sq4, rows, estimate, queries, products } = self;
        products.resize(ordinals.len() * PANEL, 0);
        ordinals.iter().for_each(|&ordinal| simd::prefetch(sq4.corrections, ordinal as usize, 1));
        rows.prefetch_versions(ordinals);
        simd::dot_u4_i8_panel(sq4.codes, ordinals, queries, products);
        for ((out, products), &ordinal) in out.iter_mut().zip(products.as_chunks().0).zip(ordinals) {
            let correction = sq4.corrections.get(ordinal as usize).copied().unwrap_or_default();
            estimate.distances4(rows.version(ordinal as usize), correction, products, out);
        }
    }
}
