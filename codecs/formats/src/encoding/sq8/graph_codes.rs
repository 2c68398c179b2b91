//! Codes and what is kept beside them while a graph is built: what distances between two of the vectors are made of.

use super::codes::CodeRows;
use super::frame::{Frame, ProjectedQuery};
use super::quantiles::Quantiles;
use super::sq4::Sq4Rows;
use crate::encoding::preprocess::finite;
use lucerne_codec::{Ordinal, Similarity};
use lucerne_simd as simd;

/// The vectors of one segment being written. Memory: 16 bytes per vector besides the codes.
#[derive(Debug)]
pub(super) struct GraphCodes<'a> {
    pub(super) form: Form,
    pub(super) dimension: usize,
    pub(super) rows: CodeRows<'a>,
    pub(super) versions: &'a [Quantiles],
    /// The 4-bit codes that graph search uses; empty if it uses the 8-bit codes.
    pub(super) sq4: Sq4Rows<'a>,
    pub(super) terms: Vec<Terms>,
}

/// What is kept of a vector beside its codes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Terms {
    /// g.
    pub(super) scale: f32,
    /// Sum of the codes.
    pub(super) sum: f32,
    /// Sum of their upper four bits, where graph search uses those.
    pub(super) sum4: f32,
    /// What a distance adds for the vector, whatever the other.
    pub(super) own: f32,
}

/// A distance is constant + ownₓ + own_y + factor·gₓ·g_y·x̂·ŷ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) metric: Metric,
    pub(super) factor: f32,
    pub(super) constant: f32,
    /// |c|.
    center_length: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
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
pub(super) struct Decoder {
    offset: f32,
    per_sum: f32,
    per_product: f32,
}

impl Decoder {
    #[inline]
    pub(super) fn product(self, terms: Terms, product: u32) -> f32 {
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
        let has_sq4 = !vectors.sq4.codes.is_empty();
        let terms = |(index, row): (usize, &[u8])| {
            let (_, scale) = rows.correction(index);
            let sum4 = if has_sq4 { row.iter().map(|&code| u32::from(code >> 4)).sum() } else { 0 };
            Terms { scale, sum: simd::sum_u8(row) as f32, sum4: sum4 as f32, own: 0.0 }
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
    pub(super) fn terms(&self, index: usize) -> Terms {
        self.terms.get(index).copied().unwrap_or_default()
    }

    pub(super) fn quantiles(&self, index: usize) -> Quantiles {
        let number = self.rows.version(index);
        let unknown = Quantiles { lower: 0.0, upper: 0.0 };
        self.versions.get(number).copied().unwrap_or(unknown)
    }

    /// The decoders of vector `index`, one for each quantizer version; products are multiplied with `scale`.
    pub(super) fn decoders(&self, index: usize, scale: f32) -> impl Iterator<Item = Decoder> + '_ {
        let (own, sum) = (self.quantiles(index), self.terms(index).sum);
        let dimension = self.dimension as f32;
        self.versions.iter().map(move |other| Decoder {
            offset: scale * ((dimension * own.lower + own.step() * sum) * other.lower),
            per_sum: scale * (own.lower * other.step()),
            per_product: scale * (own.step() * other.step()),
        })
    }

    pub(super) fn codes(&self, ordinal: Ordinal) -> &'a [u8] {
        let start = ordinal as usize * self.dimension;
        self.rows.codes.get(start..start + self.dimension).unwrap_or_default()
    }

    /// Vector `index` as a query for 4-bit codes, with the memory of `query`. Their terms are those of queries of a search,
    /// and agree with distances between vectors: |z − c|² is a vector's own part, too.
    pub(super) fn set_projected(&self, index: usize, query: &mut ProjectedQuery) {
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
