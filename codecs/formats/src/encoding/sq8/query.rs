//! Estimated distances between a float query and int8 codes.

use super::codes::CodeRows;
use super::estimate::{Estimate, greatest, rounded};
use super::quantiles::Quantiles;
use crate::distance::DistanceComputer;
use crate::encoding::preprocess::{dot, finite, preprocess};
use lucerne_codec::{Ordinal, Similarity};
use lucerne_simd::{self as simd, WideQuery};

/// The greatest magnitude of a component.
const LARGEST: i32 = simd::MAX_WIDE as i32;

/// A query row as codes see it.
#[derive(Debug)]
pub(super) struct QueryVector {
    pub(super) similarity: Similarity,
    pub(super) vector: Vec<f32>,
    /// Inner product with the center, or the squared length.
    pub(super) constant: f32,
}

impl QueryVector {
    pub(super) fn new(similarity: Similarity, center: Option<&[f32]>, row: &[u8]) -> Self {
        let mut vector = Vec::new();
        // The center is part of the vectors. An inner product takes it apart, a difference cancels it.
        let subtract = center.filter(|_| similarity == Similarity::Euclidean);
        preprocess(similarity, subtract, row, &mut vector);
        let constant = match similarity {
            Similarity::Euclidean => dot(&vector, &vector),
            _ => center.map_or(0.0, |center| dot(&vector, center)),
        };
        Self { similarity, vector, constant: finite(constant as f32) }
    }
}

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
        query: &QueryVector,
        rows: CodeRows<'a>,
        versions: impl Iterator<Item = Quantiles>,
    ) -> Self {
        let QueryVector { similarity, vector, constant } = query;
        let scale = (f64::from(greatest(vector)) / f64::from(LARGEST)).max(1e-300);
        let per_step = 1.0 / scale;
        let component = |&value: &f32| rounded(f64::from(value) * per_step, LARGEST) as i16;
        let integers: Vec<i16> = vector.iter().map(component).collect();
        let total: i64 = integers.iter().map(|&integer| i64::from(integer)).sum();
        let decoders = versions.map(|quantiles| {
            let offset = scale * f64::from(quantiles.lower) * total as f64;
            (offset as f32, (scale * quantiles.range() / 255.0) as f32)
        });
        let estimate =
            Estimate { similarity: *similarity, decoders: decoders.collect(), constant: *constant };
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
