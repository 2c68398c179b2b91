//! Estimated distances between a float query and int8 codes.

use super::codes::CodeRows;
use super::estimate::{Bits, Estimate};
use super::frame::ProjectedQuery;
use super::quantiles::Quantiles;
use crate::distance::DistanceComputer;
use lucerne_codec::Ordinal;
use lucerne_simd::{self as simd, WideQuery};

/// The greatest magnitude of a component.
const LARGEST: i16 = simd::MAX_WIDE;

/// A query against the codes of one segment. Its components are integers of 16 bits times a scale: 8 bits lose more
/// than the codes themselves when a few components are much larger than the others.
#[derive(Debug)]
pub(super) struct CodeDistances<'a> {
    rows: CodeRows<'a>,
    estimate: Estimate,
    query: WideQuery,
    products: Vec<i64>,
}

impl<'a> CodeDistances<'a> {
    /// Prepares a query for codes written with `versions` of the quantizer.
    pub(super) fn new(
        query: &ProjectedQuery,
        rows: CodeRows<'a>,
        versions: impl Iterator<Item = Quantiles>,
    ) -> Self {
        let mut integers = vec![0; query.vector.len()];
        let rounded = simd::round_i16(&query.vector, LARGEST, &mut integers);
        let estimate = Estimate::new(query, rounded, Bits::Eight, versions);
        Self { rows, estimate, query: WideQuery::new(&integers), products: Vec::new() }
    }
}

impl DistanceComputer for CodeDistances<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        let Self { rows, estimate, query, products } = self;
        products.resize(ordinals.len(), 0);
        rows.prefetch_corrections(ordinals);
        simd::dot_u8_i16_many(rows.codes, query.len(), ordinals, query, products);
        for ((out, &ordinal), &product) in out.iter_mut().zip(ordinals).zip(products.iter()) {
            *out = estimate.distance(rows, ordinal as usize, product as f32);
        }
    }

    fn scan(&mut self, first: Ordinal, out: &mut [f32]) {
        let Self { rows, estimate, query, products } = self;
        let (first, dimension) = (first as usize, query.len());
        let Some(codes) = rows.codes.get(first * dimension..(first + out.len()) * dimension) else {
            return out.fill(f32::MAX);
        };
        products.resize(out.len(), 0);
        simd::dot_u8_i16_scan(codes, query, products);
        estimate.distances(rows, first, products, out);
    }
}
