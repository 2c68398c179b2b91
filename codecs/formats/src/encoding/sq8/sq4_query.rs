//! Estimated distances between a vector and 4-bit codes.

use super::codes::CodeRows;
use super::estimate::{Estimate, greatest, rounded};
use super::quantiles::Quantiles;
use super::query::QueryVector;
use crate::distance::DistanceComputer;
use lucerne_codec::Ordinal;
use lucerne_simd as simd;

/// The greatest magnitude of a query's component.
const LARGEST: i32 = 127;

/// Vectors that one call of a graph search gathers, about.
const GATHERED: usize = 64;

/// A vector as integers of 8 bits.
#[derive(Debug, Default)]
pub(super) struct IntegerVector {
    /// Whole blocks of components.
    pub(super) components: Vec<i8>,
    /// Per quantizer version: what to add to, and to multiply, the products with 4-bit codes with.
    pub(super) decoders: Vec<(f32, f32)>,
}

impl IntegerVector {
    /// Replaces this by another vector.
    pub(super) fn set(&mut self, vector: &[f32], versions: impl Iterator<Item = Quantiles>) {
        let Self { components, decoders } = self;
        let scale = (f64::from(greatest(vector)) / f64::from(LARGEST)).max(1e-300);
        let per_step = 1.0 / scale;
        let component = |&value: &f32| rounded(f64::from(value) * per_step, LARGEST) as i8;
        components.clear();
        components.extend(vector.iter().map(component));
        let total: i32 = components.iter().map(|&component| i32::from(component)).sum();
        components.resize(vector.len().next_multiple_of(simd::NIBBLES), 0);
        decoders.clear();
        decoders.extend(versions.map(|quantiles| {
            let step = quantiles.range() / 255.0;
            let offset = scale * (f64::from(quantiles.lower) + 7.5 * step) * f64::from(total);
            (offset as f32, (scale * 16.0 * step) as f32)
        }));
    }
}

/// A query against the 4-bit codes of one segment.
#[derive(Debug)]
pub(super) struct Sq4Distances<'a> {
    sq4: &'a [u8],
    /// Has the corrections.
    rows: CodeRows<'a>,
    estimate: Estimate,
    components: Vec<i8>,
    products: Vec<i32>,
}

impl<'a> Sq4Distances<'a> {
    /// Prepares a query for rows of a `.sq4` file.
    pub(super) fn new(
        query: &QueryVector,
        sq4: &'a [u8],
        rows: CodeRows<'a>,
        versions: impl Iterator<Item = Quantiles>,
    ) -> Self {
        let mut integers = IntegerVector::default();
        integers.set(&query.vector, versions);
        let IntegerVector { components, decoders } = integers;
        let estimate = Estimate { similarity: query.similarity, decoders, constant: query.constant };
        Self { sq4, rows, estimate, components, products: Vec::with_capacity(GATHERED) }
    }
}

impl DistanceComputer for Sq4Distances<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        let Self { sq4, rows, estimate, components, products } = self;
        products.resize(ordinals.len(), 0);
        rows.prefetch_corrections(ordinals);
        simd::dot_u4_i8_many(sq4, ordinals, components, products);
        for ((out, &ordinal), &product) in out.iter_mut().zip(ordinals).zip(products.iter()) {
            *out = estimate.distance(rows, ordinal as usize, product as f32);
        }
    }
}
