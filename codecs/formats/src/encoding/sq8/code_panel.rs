//! Several vectors at once compared with others, for building graphs.
//!
//! Of a vector in the panel all eight bits count, of the other the upper four. With t = a − 128 and h the upper bits, sums T = Σ tᵢ and
//! H = Σ hᵢ kept in memory, and I = Σ tᵢhᵢ from the integer kernel, exactly:
//!
//! ```text
//! x̂ = Aₓ + αₓ·t,  ŷ = B_y + 16·α_y·h  with Aₓ = lₓ + 128·αₓ and B_y = l_y + 7.5·α_y
//! x̂·ŷ = B_y·(d·Aₓ + αₓ·Tₓ) + 16·α_y·(Aₓ·H_y + αₓ·I)
//! ```

use super::graph_codes::{GraphCodes, Metric, Terms};
use crate::distance::NodePanel;
use crate::encoding::preprocess::finite;
use lucerne_codec::Ordinal;
use lucerne_simd::{self as simd, NibblePanel, PANEL};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Turns a code of 8 bits into one around 0.
const SIGN: u8 = 0x80;

/// Up to [`PANEL`] vectors side by side.
pub(super) struct CodePanel<'a> {
    vectors: &'a GraphCodes<'a>,
    queries: NibblePanel,
    /// The codes of each, around 0.
    codes: Vec<Vec<i8>>,
    /// What a distance adds for each.
    own: [f32; PANEL],
    /// What is multiplied with the scale of the other, for each quantizer version that it may have.
    decoders: Vec<Decoders>,
    products: Vec<i32>,
}

/// offset + per_sum·H + per_product·I for each vector of the panel.
#[derive(Clone, Copy, Debug, Default)]
struct Decoders {
    offset: [f32; PANEL],
    per_sum: [f32; PANEL],
    per_product: [f32; PANEL],
}

impl<'a> CodePanel<'a> {
    /// `None` without 4-bit codes, and for inner products: one vector is then nearest to most others.
    pub(super) fn new(vectors: &'a GraphCodes<'a>) -> Option<Self> {
        if vectors.sq4.codes.is_empty() || vectors.form.metric == Metric::InnerProduct {
            return None;
        }
        Some(Self {
            vectors,
            queries: NibblePanel::new(&[]),
            codes: vec![Vec::new(); PANEL],
            own: [0.0; PANEL],
            decoders: Vec::new(),
            products: Vec::new(),
        })
    }
}

impl NodePanel for CodePanel<'_> {
    fn set_nodes(&mut self, nodes: &[Ordinal]) {
        let Self { vectors, codes, own, decoders, .. } = self;
        let dimension = vectors.dimension as f32;
        decoders.clear();
        decoders.resize(vectors.versions.len(), Decoders::default());
        let components = vectors.dimension.next_multiple_of(simd::NIBBLES);
        for (lane, ((&node, codes), own)) in nodes.iter().zip(codes.iter_mut()).zip(own).enumerate() {
            codes.clear();
            codes.extend(vectors.codes(node).iter().map(|&code| (code ^ SIGN) as i8));
            codes.resize(components, 0);
            let (terms, quantiles) = (vectors.terms(node as usize), vectors.quantiles(node as usize));
            *own = vectors.form.constant + terms.own;
            let step = quantiles.step();
            let middle = quantiles.lower + f32::from(SIGN) * step;
            let sum = terms.sum - f32::from(SIGN) * dimension;
            let factor = vectors.form.factor * terms.scale;
            for (other, decoders) in vectors.versions.iter().zip(decoders.iter_mut()) {
                let (lower, upper_step) = (other.lower + 7.5 * other.step(), 16.0 * other.step());
                let values = [
                    (&mut decoders.offset, lower * (dimension * middle + step * sum)),
                    (&mut decoders.per_sum, middle * upper_step),
                    (&mut decoders.per_product, step * upper_step),
                ];
                for (lanes, value) in values {
                    lanes.get_mut(lane).into_iter().for_each(|place| *place = factor * value);
                }
            }
        }
        let queries: Vec<&[i8]> = codes.iter().take(nodes.len()).map(Vec::as_slice).collect();
        self.queries = NibblePanel::new(&queries);
    }

    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [[f32; PANEL]]) {
        let Self { vectors, queries, own, decoders, products, .. } = self;
        products.resize(ordinals.len() * PANEL, 0);
        simd::dot_u4_i8_panel(vectors.sq4.codes, ordinals, queries, products);
        for ((out, products), &ordinal) in out.iter_mut().zip(products.as_chunks::<PANEL>().0).zip(ordinals) {
            let index = ordinal as usize;
            let Terms { own: of_other, sum4, .. } = vectors.terms(index);
            let (_, scale) = vectors.rows.correction4(index);
            let Some(Decoders { offset, per_sum, per_product }) = decoders.get(vectors.rows.version(index))
            else {
                continue;
            };
            let decoders = offset.iter().zip(per_sum).zip(per_product);
            for (((out, &product), ((offset, per_sum), per_product)), own) in
                out.iter_mut().zip(products).zip(decoders).zip(own.iter())
            {
                let product = offset + per_sum * sum4 + per_product * product as f32;
                *out = finite(own + of_other + scale * product).max(0.0);
            }
        }
    }

    fn fingerprint(&self, node: Ordinal) -> u64 {
        let mut hasher = DefaultHasher::new();
        let index = node as usize;
        self.vectors.codes(node).hash(&mut hasher);
        (self.vectors.rows.version(index), self.vectors.terms(index).scale.to_bits()).hash(&mut hasher);
        hasher.finish()
    }
}
