//! From integer products to estimated distances.

use super::codes::CodeRows;
use super::corrections::{ShortCorrections, lengthen};
use super::frame::ProjectedQuery;
use super::quantiles::Quantiles;
use crate::encoding::preprocess::finite;
use lucerne_codec::Ordinal;
use lucerne_simd::{PANEL, Rounded};
use std::array;

/// What turns an integer product into the part of a distance that a vector's scale multiplies: offset + step·I.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Decoder {
    offset: f32,
    step: f32,
}

/// Bits of a code that a product is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bits {
    Eight,
    Four,
}

/// What turns integer products into distances: constant + per_term·term + scale·(offset + step·I). Distances are not forced
/// into the range of the metric: what is nearer stays nearer.
#[derive(Clone, Debug, Default)]
pub(super) struct Estimate {
    constant: f32,
    per_term: f32,
    /// Per quantizer version.
    decoders: Vec<Decoder>,
}

impl Estimate {
    /// For products of a query, rounded, with the codes of quantizer `versions`.
    pub(super) fn new(
        query: &ProjectedQuery,
        rounded: Rounded,
        bits: Bits,
        versions: impl Iterator<Item = Quantiles>,
    ) -> Self {
        let mut estimate = Self::default();
        estimate.set(query, rounded, bits, versions);
        estimate
    }

    /// The same, with the memory of this.
    pub(super) fn set(
        &mut self,
        query: &ProjectedQuery,
        rounded: Rounded,
        bits: Bits,
        versions: impl Iterator<Item = Quantiles>,
    ) {
        let unit = rounded.step * query.length;
        let squared = unit * unit * rounded.squares as f64;
        self.constant = finite((query.constant + query.square * squared) as f32);
        self.per_term = finite(query.per_term as f32);
        let unit = query.factor * unit;
        self.decoders.clear();
        self.decoders.extend(versions.map(|quantiles| {
            let (lower, step) = (f64::from(quantiles.lower), quantiles.range() / 255.0);
            let (lower, step) = match bits {
                Bits::Eight => (lower, step),
                Bits::Four => (lower + 7.5 * step, 16.0 * step),
            };
            Decoder { offset: (unit * lower * rounded.sum as f64) as f32, step: (unit * step) as f32 }
        }));
    }

    /// The distance of the 8-bit codes of a vector.
    #[inline]
    pub(super) fn distance(&self, codes: &CodeRows<'_>, index: usize, product: f32) -> f32 {
        let decoder = codes.of_version(&self.decoders, index);
        self.decoded(decoder, codes.correction(index), product)
    }

    /// The distances of the 4-bit codes of vectors, with their corrections.
    #[inline]
    pub(super) fn distances4(
        &self,
        codes: &CodeRows<'_>,
        ordinals: &[Ordinal],
        corrections: &[ShortCorrections],
        products: &[i32],
        out: &mut [f32],
    ) {
        let vectors = out.iter_mut().zip(corrections).zip(products);
        if let ([], &[decoder]) = (codes.versions, self.decoders.as_slice()) {
            for ((out, &correction), &product) in vectors {
                *out = self.decoded(decoder, lengthen(correction), product as f32);
            }
        } else {
            for (((out, &correction), &product), &ordinal) in vectors.zip(ordinals) {
                let decoder = codes.of_version(&self.decoders, ordinal as usize);
                *out = self.decoded(decoder, lengthen(correction), product as f32);
            }
        }
    }

    /// Replaces `out` by the distances of the 8-bit codes of the vectors from `first` on.
    pub(super) fn distances(&self, codes: &CodeRows<'_>, first: usize, products: &[i64], out: &mut [f32]) {
        let (true, &[decoder]) = (codes.versions.is_empty(), self.decoders.as_slice()) else {
            for ((index, out), &product) in (first..).zip(out).zip(products) {
                *out = self.distance(codes, index, product as f32);
            }
            return;
        };
        let corrections = codes.corrections.get(first * codes.correction_len..).unwrap_or_default();
        if codes.correction_len == 12 {
            self.decode_all(decoder, corrections.as_chunks::<12>().0, products, out);
        } else {
            self.decode_all(decoder, corrections.as_chunks::<8>().0, products, out);
        }
    }

    /// The distances of vectors that have one quantizer version.
    fn decode_all<const LEN: usize>(
        &self,
        decoder: Decoder,
        corrections: &[[u8; LEN]],
        products: &[i64],
        out: &mut [f32],
    ) {
        for ((out, &product), correction) in out.iter_mut().zip(products).zip(corrections) {
            let (term, scales) = correction.split_at(4);
            let scale = scales.first_chunk::<4>().copied().unwrap_or_default();
            let term = term.first_chunk::<4>().copied().unwrap_or_default();
            let correction = (f32::from_le_bytes(term), f32::from_le_bytes(scale));
            *out = self.decoded(decoder, correction, product as f32);
        }
    }

    #[inline]
    fn decoded(&self, decoder: Decoder, correction: (f32, f32), product: f32) -> f32 {
        estimated(self.constant, self.per_term, decoder, correction, product)
    }
}

/// One formula for a query by itself and for panels, so that they agree to the bit.
#[inline]
fn estimated(constant: f32, per_term: f32, decoder: Decoder, (term, scale): (f32, f32), product: f32) -> f32 {
    let product = decoder.offset + decoder.step * product;
    finite(constant + per_term * term + scale * product)
}

/// The estimates of a panel of queries side by side: each gives the distances that its [`Estimate`] does.
#[derive(Clone, Debug)]
pub(super) struct PanelEstimate {
    constant: [f32; PANEL],
    per_term: [f32; PANEL],
    /// Offsets and steps, per quantizer version.
    decoders: Vec<[[f32; PANEL]; 2]>,
}

impl PanelEstimate {
    /// Of at most [`PANEL`] queries with the same quantizer versions.
    pub(super) fn new(of_queries: &[&Estimate]) -> Self {
        let each = |number: &dyn Fn(&Estimate) -> f32| -> [f32; PANEL] {
            array::from_fn(|lane| of_queries.get(lane).map_or(0.0, |estimate| number(estimate)))
        };
        let decoder =
            |estimate: &Estimate, version| estimate.decoders.get(version).copied().unwrap_or_default();
        let versions = of_queries.first().map_or(0, |estimate| estimate.decoders.len());
        let decoders = (0..versions).map(|version| {
            [
                each(&|estimate| decoder(estimate, version).offset),
                each(&|estimate| decoder(estimate, version).step),
            ]
        });
        Self {
            constant: each(&|estimate| estimate.constant),
            per_term: each(&|estimate| estimate.per_term),
            decoders: decoders.collect(),
        }
    }

    /// The distances of a vector's 4-bit codes.
    #[inline]
    pub(super) fn distances4(
        &self,
        version: usize,
        correction: ShortCorrections,
        products: &[i32; PANEL],
        out: &mut [f32; PANEL],
    ) {
        // A damaged file may name a version that is not there, as for [`CodeRows::of_version`].
        let [offsets, steps] = self.decoders.get(version).unwrap_or(&[[0.0; PANEL]; 2]);
        let correction = lengthen(correction);
        let of_queries = self.constant.iter().zip(&self.per_term).zip(offsets.iter().zip(steps));
        for ((out, &product), ((&constant, &per_term), (&offset, &step))) in
            out.iter_mut().zip(products).zip(of_queries)
        {
            *out = estimated(constant, per_term, Decoder { offset, step }, correction, product as f32);
        }
    }
}
