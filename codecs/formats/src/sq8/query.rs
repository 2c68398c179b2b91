//! Estimated distances between a float query and codes.

use super::coarse::CoarseQuery;
use super::estimate::{Estimate, greatest, product, rounded};
use super::quantizer::transform;
use super::{CodeRows, Quantiles};
use crate::flat_f32::metric::finite;
use lucerne_codec::{Ordinal, Similarity};
use lucerne_simd::{self as simd, WideQuery};

/// Rows scanned with one kernel call.
pub const BLOCK: usize = 256;

/// The greatest magnitude of a component.
const LARGEST: i32 = simd::MAX_WIDE as i32;

/// A query against the codes of one segment. Its components are integers of 16 bits times a scale: 8 bits lose more
/// than the codes themselves when a few components are much larger than the others.
#[derive(Debug)]
pub struct CodeQuery {
    estimate: Estimate,
    wide: WideQuery,
}

/// Room for one block of integer products.
#[derive(Debug, Default)]
pub struct QueryScratch {
    products: Vec<i64>,
    /// Products with the upper halves.
    pub coarse: Vec<i32>,
}

impl CodeQuery {
    /// Prepares a query row for codes written with `encodings` around `center`, and if wanted for their upper halves.
    pub fn new(
        similarity: Similarity,
        center: Option<&[f32]>,
        encodings: impl Iterator<Item = Quantiles> + Clone,
        row: &[u8],
        coarse: bool,
    ) -> (Self, Option<CoarseQuery>) {
        let mut vector = Vec::new();
        // The centre is part of the vectors. An inner product takes it apart, a difference cancels it.
        let subtract = center.filter(|_| similarity == Similarity::Euclidean);
        transform(similarity, subtract, row, &mut vector);
        let constant = match similarity {
            Similarity::Euclidean => product(&vector, &vector),
            _ => center.map_or(0.0, |center| product(&vector, center)),
        };
        let scale = (f64::from(greatest(&vector)) / f64::from(LARGEST)).max(1e-300);
        let per_step = 1.0 / scale;
        let component = |&value: &f32| rounded(f64::from(value) * per_step, LARGEST) as i16;
        let whole: Vec<i16> = vector.iter().map(component).collect();
        let total: i64 = whole.iter().map(|&whole| i64::from(whole)).sum();
        let decoders = encodings
            .clone()
            .map(|quantiles| {
                let offset = scale * f64::from(quantiles.lower) * total as f64;
                (offset as f32, (scale * quantiles.range() / 255.0) as f32)
            })
            .collect();
        let estimate = Estimate { similarity, decoders, constant: finite(constant as f32) };
        let coarse = coarse.then(|| CoarseQuery::new(estimate.clone(), &vector, encodings));
        (Self { estimate, wide: WideQuery::new(&whole) }, coarse)
    }

    /// Estimated distances of the picked vectors.
    pub fn distances(
        &self,
        codes: &CodeRows<'_>,
        ordinals: &[Ordinal],
        scratch: &mut QueryScratch,
        out: &mut [f32],
    ) {
        scratch.products.resize(ordinals.len(), 0);
        codes.prefetch_corrections(ordinals);
        simd::dot_u8_i16_many(codes.codes, self.wide.len(), ordinals, &self.wide, &mut scratch.products);
        for ((out, &ordinal), &product) in out.iter_mut().zip(ordinals).zip(&scratch.products) {
            *out = self.estimate.distance(codes, ordinal as usize, product as f32);
        }
    }

    /// Estimated distances of the vectors from `first` on, as many as `out` has places and there are.
    pub fn scan(&self, codes: &CodeRows<'_>, first: usize, scratch: &mut QueryScratch, out: &mut [f32]) {
        let dimension = self.wide.len();
        let range = first * dimension..(first + out.len()) * dimension;
        let Some(rows) = codes.codes.get(range) else {
            return out.fill(f32::MAX);
        };
        scratch.products.resize(out.len(), 0);
        simd::dot_u8_i16_scan(rows, &self.wide, &mut scratch.products);
        for ((index, out), &product) in out.iter_mut().enumerate().zip(&scratch.products) {
            *out = self.estimate.distance(codes, first + index, product as f32);
        }
    }
}
