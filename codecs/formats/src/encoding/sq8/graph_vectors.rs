//! Distances between two vectors' codes, for building and merging graphs.
//!
//! With sums S = Σ bᵢ kept in memory and I = Σ aᵢbᵢ from the integer kernel, exactly:
//!
//! ```text
//! x̂·ŷ = (d·lₓ + αₓ·Sₓ)·l_y + lₓ·α_y·S_y + αₓ·α_y·I
//! ```
//!
//! so distances are symmetric and independent of who asks. Inner products take both corrections,
//! c·c + mₓ·c·x̂ + m_y·c·ŷ + mₓ·m_y·x̂·ŷ; Euclidean distances are those of the decoded vectors.
//!
//! A graph needs distances that behave like distances: neighbor selection compares how far candidates are from a
//! node with how far they are from each other, by a factor. So directions are compared by
//! 1 − x·y, never by −x·y. Inner products of vectors of any length have no such form that helps
//! (`docs/measurements/graph-code.md`): they stay −x·y, and neighbor selection compares angles.

use super::codes::CodeRows;
use super::quantiles::Quantiles;
use super::sq4_query::IntegerVector;
use crate::distance::{DistanceComputer, GraphVectors, NodeDistances};
use crate::encoding::preprocess::finite;
use lucerne_codec::{Ordinal, Similarity};
use lucerne_simd as simd;

/// The vectors of one segment being written. Memory: 4 to 8 bytes per vector besides the codes.
#[derive(Debug)]
pub struct GraphCodes<'a> {
    similarity: Similarity,
    dimension: usize,
    rows: CodeRows<'a>,
    versions: &'a [Quantiles],
    /// The 4-bit codes that graph search uses; empty if it uses the 8-bit codes.
    sq4: &'a [u8],
    /// Sums of the codes.
    sums: Vec<f32>,
    /// mₓ·c·x̂, or |x̂|² for Euclidean distances; empty when always 0.
    own: Vec<f32>,
    /// c·c.
    constant: f32,
    /// 1 for directions, 0 for inner products of vectors of any length.
    base: f32,
}

/// What turns an integer product into x̂·ŷ, for one x and the quantizer version of y.
#[derive(Clone, Copy, Debug, Default)]
struct Decoder {
    offset: f32,
    per_sum: f32,
    per_product: f32,
}

/// What a distance takes from the query alone: mₓ·c·x̂ + c·c (Euclidean: |x̂|²), and mₓ.
#[derive(Clone, Copy, Debug, Default)]
struct QueryTerms {
    own: f32,
    correction: f32,
}

impl<'a> GraphCodes<'a> {
    /// Prepares the codes; `versions` are their quantiles by number, `sq4` their 4-bit codes if graph search is to use
    /// those.
    pub fn new(
        similarity: Similarity,
        center: Option<&[f32]>,
        rows: CodeRows<'a>,
        sq4: Option<&'a [u8]>,
        versions: &'a [Quantiles],
        dimension: usize,
    ) -> Self {
        let codes = || rows.codes.chunks_exact(dimension.max(1)).enumerate();
        let mut vectors = Self {
            similarity,
            dimension,
            rows,
            versions,
            sq4: sq4.unwrap_or_default(),
            sums: codes().map(|(_, row)| simd::sum_u8(row) as f32).collect(),
            own: Vec::new(),
            constant: 0.0,
            base: if similarity == Similarity::MaxInnerProduct { 0.0 } else { 1.0 },
        };
        if similarity == Similarity::Euclidean {
            let square = |(index, row)| {
                let decoders: Vec<Decoder> = vectors.decoders(index).collect();
                vectors.product(&decoders, index, simd::dot_u8_u8(row, row))
            };
            vectors.own = codes().map(square).collect();
        } else if let Some(center) = center {
            let square: f64 = center.iter().map(|&c| f64::from(c) * f64::from(c)).sum();
            vectors.constant = finite(square as f32);
            vectors.own = codes().map(|(index, row)| vectors.with_center(center, index, row)).collect();
        }
        vectors
    }

    fn sum(&self, index: usize) -> f32 {
        self.sums.get(index).copied().unwrap_or_default()
    }

    fn own(&self, index: usize) -> f32 {
        self.own.get(index).copied().unwrap_or_default()
    }

    fn quantiles(&self, index: usize) -> Quantiles {
        let number = self.rows.version(index);
        let unknown = Quantiles { lower: 0.0, upper: 0.0 };
        self.versions.get(number).copied().unwrap_or(unknown)
    }

    /// mₓ·c·x̂.
    fn with_center(&self, center: &[f32], index: usize, row: &[u8]) -> f32 {
        let quantiles = self.quantiles(index);
        let step = quantiles.step();
        let values = row.iter().map(|&code| quantiles.lower + step * f32::from(code));
        let product: f32 = center.iter().zip(values).map(|(c, value)| c * value).sum();
        self.rows.correction(index) * product
    }

    /// The decoders of vector `index`, one for each quantizer version.
    fn decoders(&self, index: usize) -> impl Iterator<Item = Decoder> + '_ {
        let (own, sum) = (self.quantiles(index), self.sum(index));
        let dimension = self.dimension as f32;
        self.versions.iter().map(move |other| Decoder {
            offset: (dimension * own.lower + own.step() * sum) * other.lower,
            per_sum: own.lower * other.step(),
            per_product: own.step() * other.step(),
        })
    }

    #[inline]
    fn product(&self, decoders: &[Decoder], index: usize, product: u32) -> f32 {
        let decoder = self.rows.of_version(decoders, index);
        decoder.offset + decoder.per_sum * self.sum(index) + decoder.per_product * product as f32
    }

    /// The distance from a query to vector `index`, from the product x̂·ŷ.
    #[inline]
    fn distance(&self, query: QueryTerms, index: usize, product: f32) -> f32 {
        let own = query.own + self.own(index);
        finite(match self.similarity {
            Similarity::Euclidean => (own - 2.0 * product).max(0.0),
            _ => self.base - (own + query.correction * self.rows.correction(index) * product),
        })
    }

    fn query_terms(&self, index: usize) -> QueryTerms {
        QueryTerms { own: self.own(index) + self.constant, correction: self.rows.correction(index) }
    }

    fn codes(&self, ordinal: Ordinal) -> &'a [u8] {
        let start = ordinal as usize * self.dimension;
        self.rows.codes.get(start..start + self.dimension).unwrap_or_default()
    }
}

impl GraphVectors for GraphCodes<'_> {
    fn len(&self) -> usize {
        self.sums.len()
    }

    fn are_inner_products(&self) -> bool {
        self.similarity == Similarity::MaxInnerProduct
    }

    fn computer(&self) -> Box<dyn NodeDistances + '_> {
        Box::new(CodeDistances {
            vectors: self,
            node: 0,
            codes: &[],
            decoders: Vec::new(),
            terms: QueryTerms::default(),
            products: Vec::new(),
            sq4: None,
        })
    }
}

/// Distances from one of the vectors.
#[derive(Debug)]
struct CodeDistances<'a> {
    vectors: &'a GraphCodes<'a>,
    /// The query.
    node: Ordinal,
    codes: &'a [u8],
    decoders: Vec<Decoder>,
    terms: QueryTerms,
    products: Vec<u32>,
    /// The computer that the last graph search used.
    sq4: Option<Sq4Distances<'a>>,
}

impl NodeDistances for CodeDistances<'_> {
    fn set_query(&mut self, node: Ordinal) {
        self.node = node;
        self.codes = self.vectors.codes(node);
        self.decoders.clear();
        self.decoders.extend(self.vectors.decoders(node as usize));
        self.terms = self.vectors.query_terms(node as usize);
    }

    fn traversal(&mut self) -> Option<&mut dyn DistanceComputer> {
        if self.vectors.sq4.is_empty() {
            return None;
        }
        let quantiles = self.vectors.quantiles(self.node as usize);
        let value = |&code: &u8| quantiles.lower + quantiles.step() * f32::from(code);
        let vector: Vec<f32> = self.codes.iter().map(value).collect();
        let mut used = self.sq4.take().unwrap_or_else(|| Sq4Distances::new(self.vectors));
        used.query.set(&vector, self.vectors.versions.iter().copied());
        used.terms = self.terms;
        Some(self.sq4.insert(used))
    }
}

impl DistanceComputer for CodeDistances<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        let Self { vectors, codes, terms, .. } = *self;
        self.products.resize(ordinals.len(), 0);
        simd::dot_u8_u8_many(vectors.rows.codes, vectors.dimension, ordinals, codes, &mut self.products);
        for ((out, &ordinal), &product) in out.iter_mut().zip(ordinals).zip(&self.products) {
            let index = ordinal as usize;
            let product = vectors.product(&self.decoders, index, product);
            *out = vectors.distance(terms, index, product);
        }
    }
}

/// Distances from one of the vectors, its codes decoded, to the 4-bit codes of others.
#[derive(Debug)]
struct Sq4Distances<'a> {
    vectors: &'a GraphCodes<'a>,
    query: IntegerVector,
    terms: QueryTerms,
    products: Vec<i32>,
}

impl<'a> Sq4Distances<'a> {
    fn new(vectors: &'a GraphCodes<'a>) -> Self {
        Self { vectors, query: IntegerVector::default(), terms: QueryTerms::default(), products: Vec::new() }
    }
}

impl DistanceComputer for Sq4Distances<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        let Self { vectors, query, terms, products } = self;
        products.resize(ordinals.len(), 0);
        simd::dot_u4_i8_many(vectors.sq4, ordinals, &query.components, products);
        for ((out, &ordinal), &product) in out.iter_mut().zip(ordinals).zip(products.iter()) {
            let index = ordinal as usize;
            let (offset, step) = vectors.rows.of_version(&query.decoders, index);
            *out = vectors.distance(*terms, index, offset + step * product as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::codes::Codes;
    use super::super::quantizer::Quantizer;
    use super::super::sq4::pack;
    use super::*;
    use crate::encoding::preprocess::preprocess;
    use lucerne_codec::testing::random_rows;

    #[test]
    fn four_bit_codes_give_about_the_distances_of_eight_bit_codes() {
        let dimension = 100;
        for similarity in Similarity::FLOAT {
            for shift in [0.0, 2.0] {
                let mut rows = random_rows(200, dimension, 5);
                rows.iter_mut().flatten().for_each(|value| *value += shift);
                let center: Option<Vec<f32>> = (shift != 0.0).then(|| match similarity {
                    Similarity::Cosine => vec![0.1; dimension],
                    _ => vec![shift; dimension],
                });
                let vectors = rows.iter().map(|row| {
                    let bytes = lucerne_codec::io::bytes::from_f32s(row);
                    let mut vector = Vec::new();
                    preprocess(similarity, center.as_deref(), &bytes, &mut vector);
                    vector
                });
                let vectors: Vec<Vec<f32>> = vectors.collect();
                let most = vectors.iter().flatten().fold(0f32, |most, value| most.max(value.abs()));
                let quantiles = Quantiles::new(-most, most);
                let quantizer = Quantizer::new(similarity, quantiles);
                let mut codes = Codes::new(dimension, rows.len());
                let number = codes.version_number(quantiles);
                vectors.iter().for_each(|vector| codes.encode(&quantizer, number, vector));
                let mut sq4 = Vec::new();
                codes.rows().codes.chunks(dimension).for_each(|row| pack(row, &mut sq4));
                let vectors = GraphCodes::new(
                    similarity,
                    center.as_deref(),
                    codes.rows(),
                    Some(&sq4),
                    &codes.versions,
                    dimension,
                );
                let others: Vec<Ordinal> = (1..200).collect();
                let (mut eight, mut four) = (vec![0.0; others.len()], vec![0.0; others.len()]);
                let mut computer = vectors.computer();
                computer.set_query(0);
                computer.gather(&others, &mut eight);
                computer.traversal().unwrap().gather(&others, &mut four);
                let mean = eight.iter().sum::<f32>() / eight.len() as f32;
                let spread = eight.iter().map(|value| (value - mean).powi(2)).sum::<f32>();
                let error = eight.iter().zip(&four).map(|(eight, four)| (eight - four).powi(2)).sum::<f32>();
                assert!(error < 0.02 * spread, "{similarity}, mean {shift}: {error} of {spread}");
            }
        }
    }
}
