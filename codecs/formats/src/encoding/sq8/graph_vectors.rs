//! Distances between two vectors' codes, for building and merging graphs.
//!
//! With sums S = Σ bᵢ kept in memory and I = Σ aᵢbᵢ from the integer kernel, exactly:
//!
//! ```text
//! x̂·ŷ = (d·lₓ + αₓ·Sₓ)·l_y + lₓ·α_y·S_y + αₓ·α_y·I
//! ```
//!
//! so distances are symmetric and independent of who asks. They are those of the decoded vectors gₓ·x̂ and g_y·ŷ, which are
//! true distances: equal codes and lengths are 0 apart.
//!
//! A graph needs distances that behave like distances: neighbor selection compares how far candidates are from a
//! node with how far they are from each other, by a factor. So directions are compared by half of the squared distance,
//! which is 1 − x·y, never by −x·y. Inner products of vectors of any length have no such form that helps
//! (`docs/measurements/graph-code.md`): they stay −x·y, and neighbor selection compares angles.

use super::codes::CodeRows;
use super::frame::{Frame, ProjectedQuery};
use super::quantiles::Quantiles;
use super::sq4::Sq4Rows;
use super::sq4_query::Sq4Distances;
use crate::distance::{DistanceComputer, GraphVectors, NodeDistances};
use crate::encoding::preprocess::finite;
use lucerne_codec::{Ordinal, Similarity};
use lucerne_simd as simd;

/// The vectors of one segment being written. Memory: 12 bytes per vector besides the codes.
#[derive(Debug)]
pub struct GraphCodes<'a> {
    form: Form,
    dimension: usize,
    rows: CodeRows<'a>,
    versions: &'a [Quantiles],
    /// The 4-bit codes that graph search uses; empty if it uses the 8-bit codes.
    sq4: Sq4Rows<'a>,
    terms: Vec<Terms>,
}

/// What is kept of a vector beside its codes.
#[derive(Clone, Copy, Debug, Default)]
struct Terms {
    /// g.
    scale: f32,
    /// Sum of the codes.
    sum: f32,
    /// What a distance adds for the vector, whatever the other.
    own: f32,
}

/// A distance is constant + ownₓ + own_y + factor·gₓ·g_y·x̂·ŷ.
#[derive(Clone, Copy, Debug)]
struct Form {
    metric: Metric,
    factor: f32,
    constant: f32,
    /// |c|.
    center_length: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metric {
    /// Squared distances, or halves of them.
    Distance,
    /// −x·y.
    InnerProduct,
}

impl Form {
    fn new(frame: &Frame) -> Self {
        let length = frame.center_length();
        match frame.similarity() {
            Similarity::MaxInnerProduct => Self {
                metric: Metric::InnerProduct,
                factor: -1.0,
                constant: finite(-(length * length) as f32),
                center_length: length as f32,
            },
            similarity => Self {
                metric: Metric::Distance,
                factor: if similarity == Similarity::Euclidean { -2.0 } else { -1.0 },
                constant: 0.0,
                center_length: length as f32,
            },
        }
    }
}

/// What turns an integer product into gₓ·x̂·ŷ, for one x and the quantizer version of y.
#[derive(Clone, Copy, Debug, Default)]
struct Decoder {
    offset: f32,
    per_sum: f32,
    per_product: f32,
}

impl Decoder {
    #[inline]
    fn product(self, terms: Terms, product: u32) -> f32 {
        self.offset + self.per_sum * terms.sum + self.per_product * product as f32
    }
}

impl<'a> GraphCodes<'a> {
    /// Prepares the codes; `versions` are their quantiles by number, `sq4` their 4-bit codes if graph search is to use
    /// those.
    pub(super) fn new(
        frame: &Frame,
        rows: CodeRows<'a>,
        sq4: Option<Sq4Rows<'a>>,
        versions: &'a [Quantiles],
        dimension: usize,
    ) -> Self {
        let codes = || rows.codes.chunks_exact(dimension.max(1)).enumerate();
        let mut vectors = Self {
            form: Form::new(frame),
            dimension,
            rows,
            versions,
            sq4: sq4.unwrap_or_default(),
            terms: Vec::new(),
        };
        let terms = |(index, row)| {
            let (_, scale) = rows.correction(index);
            Terms { scale, sum: simd::sum_u8(row) as f32, own: 0.0 }
        };
        vectors.terms = codes().map(terms).collect();
        for (index, row) in codes() {
            let own = vectors.own_part(index, row);
            if let Some(terms) = vectors.terms.get_mut(index) {
                terms.own = own;
            }
        }
        vectors
    }

    /// |g·x̂|² times half of the factor, or −|c|·⟨c, x − c⟩/|c|.
    fn own_part(&self, index: usize, row: &[u8]) -> f32 {
        let Form { metric, factor, center_length, .. } = self.form;
        finite(match metric {
            Metric::Distance => -0.5 * factor * self.squared_length(index, row),
            Metric::InnerProduct => -center_length * self.rows.correction(index).0,
        })
    }

    /// |g·x̂|².
    fn squared_length(&self, index: usize, row: &[u8]) -> f32 {
        let terms = self.terms(index);
        let decoders: Vec<Decoder> = self.decoders(index, terms.scale).collect();
        let decoder = self.rows.of_version(&decoders, index);
        terms.scale * decoder.product(terms, simd::dot_u8_u8(row, row))
    }

    #[inline]
    fn terms(&self, index: usize) -> Terms {
        self.terms.get(index).copied().unwrap_or_default()
    }

    fn quantiles(&self, index: usize) -> Quantiles {
        let number = self.rows.version(index);
        let unknown = Quantiles { lower: 0.0, upper: 0.0 };
        self.versions.get(number).copied().unwrap_or(unknown)
    }

    /// The decoders of vector `index`, one for each quantizer version; products are multiplied with `scale`.
    fn decoders(&self, index: usize, scale: f32) -> impl Iterator<Item = Decoder> + '_ {
        let (own, sum) = (self.quantiles(index), self.terms(index).sum);
        let dimension = self.dimension as f32;
        self.versions.iter().map(move |other| Decoder {
            offset: scale * ((dimension * own.lower + own.step() * sum) * other.lower),
            per_sum: scale * (own.lower * other.step()),
            per_product: scale * (own.step() * other.step()),
        })
    }

    fn codes(&self, ordinal: Ordinal) -> &'a [u8] {
        let start = ordinal as usize * self.dimension;
        self.rows.codes.get(start..start + self.dimension).unwrap_or_default()
    }

    /// Vector `index` as a query for 4-bit codes, with the memory of `query`. Their terms are those of queries of a search,
    /// and agree with distances between vectors: |z − c|² is a vector's own part, too.
    fn set_projected(&self, index: usize, query: &mut ProjectedQuery) {
        let (quantiles, (term, scale)) = (self.quantiles(index), self.rows.correction(index));
        query.vector.clear();
        let value = |&code: &u8| quantiles.lower + quantiles.step() * f32::from(code);
        query.vector.extend(self.codes(index as Ordinal).iter().map(value));
        query.length = f64::from(scale);
        (query.constant, query.square, query.per_term, query.factor) = match self.form.metric {
            Metric::Distance => {
                let factor = f64::from(self.form.factor);
                (0.0, -0.5 * factor, -0.5 * factor, factor)
            }
            Metric::InnerProduct => {
                let length = f64::from(self.form.center_length);
                let constant = f64::from(self.form.constant) - length * f64::from(term);
                (constant, 0.0, -length, -1.0)
            }
        };
    }
}

impl GraphVectors for GraphCodes<'_> {
    fn len(&self) -> usize {
        self.terms.len()
    }

    fn are_inner_products(&self) -> bool {
        self.form.metric == Metric::InnerProduct
    }

    fn computer(&self) -> Box<dyn NodeDistances + '_> {
        Box::new(CodeDistances {
            vectors: self,
            node: 0,
            codes: &[],
            decoders: Vec::new(),
            own: 0.0,
            products: Vec::new(),
            query: ProjectedQuery::default(),
            sq4: Sq4Distances::new(self.sq4, self.rows),
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
    /// The constant and the query's own part.
    own: f32,
    products: Vec<u32>,
    /// The query for 4-bit codes.
    query: ProjectedQuery,
    sq4: Sq4Distances<'a>,
}

impl NodeDistances for CodeDistances<'_> {
    fn set_query(&mut self, node: Ordinal) {
        let (vectors, index) = (self.vectors, node as usize);
        let form = vectors.form;
        self.node = node;
        self.codes = vectors.codes(node);
        let Terms { scale, own, .. } = vectors.terms(index);
        self.own = form.constant + own;
        self.decoders.clear();
        self.decoders.extend(vectors.decoders(index, form.factor * scale));
    }

    fn traversal(&mut self) -> Option<&mut dyn DistanceComputer> {
        if self.vectors.sq4.codes.is_empty() {
            return None;
        }
        self.vectors.set_projected(self.node as usize, &mut self.query);
        self.sq4.set_query(&self.query, self.vectors.versions.iter().copied());
        Some(&mut self.sq4)
    }
}

impl DistanceComputer for CodeDistances<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        let Self { vectors, codes, own, .. } = *self;
        self.products.resize(ordinals.len(), 0);
        ordinals.iter().for_each(|&ordinal| simd::prefetch(&vectors.terms, ordinal as usize, 1));
        simd::dot_u8_u8_many(vectors.rows.codes, vectors.dimension, ordinals, codes, &mut self.products);
        let least = if vectors.form.metric == Metric::Distance { 0.0 } else { f32::MIN };
        for ((out, &ordinal), &product) in out.iter_mut().zip(ordinals).zip(&self.products) {
            let index = ordinal as usize;
            let terms = vectors.terms(index);
            let product = vectors.rows.of_version(&self.decoders, index).product(terms, product);
            *out = finite(own + terms.own + terms.scale * product).max(least);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::codes::Codes;
    use super::super::frame::Projected;
    use super::super::quantizer::Quantizer;
    use super::super::sq4::{pack, short_corrections};
    use super::*;
    use lucerne_codec::testing::random_rows;

    #[test]
    fn four_bit_codes_give_about_the_distances_of_eight_bit_codes() {
        let dimension = 100;
        for similarity in Similarity::FLOAT {
            for shift in [0.0, 2.0] {
                let mut rows = random_rows(200, dimension, 5);
                rows.iter_mut().flatten().for_each(|value| *value += shift);
                if similarity == Similarity::DotProduct {
                    for row in &mut rows {
                        let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
                        row.iter_mut().for_each(|value| *value /= length);
                    }
                }
                let center = match similarity {
                    Similarity::Cosine | Similarity::DotProduct => vec![shift / 20.0; dimension],
                    _ => vec![shift; dimension],
                };
                let frame = Frame::rotated(similarity, center);
                let quantiles = Quantiles::new(-0.3, 0.3);
                let quantizer = Quantizer::new(quantiles, true);
                let mut codes = Codes::new(dimension, rows.len(), true, None);
                let number = codes.version_number(quantiles);
                let mut projected = Projected::default();
                for row in &rows {
                    frame.project(&lucerne_codec::io::bytes::from_f32s(row), &mut projected);
                    codes.encode(&quantizer, number, &projected);
                }
                let (mut sq4, rows) = (Vec::new(), codes.rows());
                rows.codes.chunks(dimension).for_each(|row| pack(row, &mut sq4));
                let corrections: Vec<_> =
                    (0..codes.len()).map(|index| short_corrections(&rows, index)).collect();
                let sq4 = Sq4Rows { codes: &sq4, corrections: &corrections };
                let vectors = GraphCodes::new(&frame, rows, Some(sq4), &codes.versions, dimension);
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
