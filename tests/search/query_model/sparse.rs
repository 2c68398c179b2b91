//! Queries by sparse vectors.

use super::{Asked, Asker};
use crate::common::rng::Rng;
use lucerne::Sparse;
use std::collections::BTreeMap;

/// A few of seven dimensions, with weights of few bits: products and sums are exact.
pub(super) fn random(rng: &mut Rng) -> BTreeMap<u32, f32> {
    (0..rng.below(5)).map(|_| (rng.below(7) as u32 * 600_000_000, (1 + rng.below(8)) as f32 / 4.0)).collect()
}

impl Asker<'_> {
    /// Documents that share a dimension, by the inner product.
    pub(super) fn sparse(&self, rng: &mut Rng) -> Asked {
        let mut wanted = random(rng);
        wanted.insert(rng.below(7) as u32 * 600_000_000, 0.5);
        let scores = self.all(|_, doc| {
            let shared =
                wanted.iter().filter_map(|(dimension, weight)| Some((weight, doc.s.get(dimension)?)));
            let products: Vec<f64> =
                shared.map(|(weight, own)| f64::from(*weight) * f64::from(*own)).collect();
            (!products.is_empty()).then(|| products.iter().sum())
        });
        Asked { query: Sparse::new("s", &wanted).into(), scores }
    }
}
