//! Estimated distances between a vector and 4-bit codes.

use super::codes::CodeRows;
use super::corrections::ShortCorrections;
use super::estimate::{Bits, Estimate};
use super::frame::ProjectedQuery;
use super::quantiles::Quantiles;
use super::sq4::Sq4Rows;
use crate::distance::DistanceComputer;
use lucerne_codec::Ordinal;
use lucerne_simd as simd;

/// The greatest magnitude of a query's component.
const LARGEST: i16 = 127;

/// Vectors that one call of a graph search gathers, about.
const GATHERED: usize = 64;

/// A query against the 4-bit codes of one segment.
#[derive(Debug)]
pub(super) struct Sq4Distances<'a> {
    sq4: Sq4Rows<'a>,
    /// Has the versions of the quantizer.
    rows: CodeRows<'a>,
    pub(super) estimate: Estimate,
    integers: Vec<i16>,
    /// The query's integers of 8 bits, in whole blocks.
    pub(super) components: Vec<i8>,
    products: Vec<i32>,
    /// Of the vectors being compared: the loop that uses them then needs no look into all.
    corrections: Vec<ShortCorrections>,
}

impl<'a> Sq4Distances<'a> {
    /// For what a `.sq4` file has; there is no query before [`Sq4Distances::set_query`].
    pub(super) fn new(sq4: Sq4Rows<'a>, rows: CodeRows<'a>) -> Self {
        let (products, corrections) = (Vec::with_capacity(GATHERED), Vec::with_capacity(GATHERED));
        let (estimate, integers, components) = (Estimate::default(), Vec::new(), Vec::new());
        Self { sq4, rows, estimate, integers, components, products, corrections }
    }

    /// Prepares a query for codes written with `versions` of the quantizer.
    pub(super) fn set_query(&mut self, query: &ProjectedQuery, versions: impl Iterator<Item = Quantiles>) {
        let Self { integers, components, .. } = self;
        integers.resize(query.vector.len(), 0);
        let rounded = simd::round_i16(&query.vector, LARGEST, integers);
        components.clear();
        components.extend(integers.iter().map(|&integer| integer as i8));
        components.resize(query.vector.len().next_multiple_of(simd::NIBBLES), 0);
        self.estimate.set(query, rounded, Bits::Four, versions);
    }
}

impl DistanceComputer for Sq4Distances<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        let Self { sq4, rows, estimate, components, products, corrections, .. } = self;
        products.resize(ordinals.len(), 0);
        ordinals.iter().for_each(|&ordinal| simd::prefetch(sq4.corrections, ordinal as usize, 1));
        rows.prefetch_versions(ordinals);
        simd::dot_u4_i8_many(sq4.codes, ordinals, components, products);
        corrections.clear();
        let of = |&ordinal: &Ordinal| sq4.corrections.get(ordinal as usize).copied().unwrap_or_default();
        corrections.extend(ordinals.iter().map(of));
        estimate.distances4(rows, ordinals, corrections, products, out);
    }
}
