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

use super::code_panel::CodePanel;
use super::frame::ProjectedQuery;
use super::graph_codes::{Decoder, GraphCodes, Metric, Terms};
use super::sq4_query::Sq4Distances;
use crate::distance::{DistanceComputer, GraphVectors, NodeDistances, NodePanel};
use crate::encoding::preprocess::finite;
use lucerne_codec::Ordinal;
use lucerne_simd as simd;

impl GraphVectors for GraphCodes<'_> {
    fn len(&self) -> usize {
        self.terms.len()
    }

    fn are_inner_products(&self) -> bool {
        self.form.metric == Metric::InnerProduct
    }

    fn panel(&self) -> Option<Box<dyn NodePanel + '_>> {
        CodePanel::new(self).map(|panel| Box::new(panel) as Box<dyn NodePanel>)
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
    use super::super::frame::{Frame, Projected};
    use super::super::quantiles::Quantiles;
    use super::super::quantizer::Quantizer;
    use super::super::sq4::{Sq4Rows, pack, short_corrections};
    use super::*;
    use lucerne_codec::Similarity;
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
                let panel = vectors.panel();
                assert_eq!(panel.is_none(), similarity == Similarity::MaxInnerProduct);
                let Some(mut panel) = panel else { continue };
                let mut side_by_side = vec![[0.0; simd::PANEL]; others.len()];
                panel.set_nodes(&[7, 0, 9]);
                panel.gather(&others, &mut side_by_side);
                let of_panel = eight.iter().zip(&side_by_side);
                let error = of_panel.map(|(eight, four)| (eight - four[1]).powi(2)).sum::<f32>();
                assert!(error < 0.02 * spread, "{similarity}, mean {shift}: {error} of {spread}, in a panel");
            }
        }
    }
}
