//! What neighbor selection compares: how far apart two vectors are, in a measure that behaves like a distance.
//!
//! Distances do. An inner product does not: a long vector is "nearer" to everything than any other is, and would occlude
//! all but the few longest. So where distances are −x·y, candidates stay ordered by them, and are compared by the angle
//! between vectors, 1 − cos(x, y).

use crate::distance::{DistanceComputer, GraphVectors, NodeDistances};
use lucerne_codec::{Cancel, Ordinal, Result};

/// α: a candidate is occluded by a selected link that is nearer to it than the node is by this factor (Vamana,
/// NeurIPS 2019; for squared distances, the cosine among them, it counts squared). HNSW and Lucene have 1.
const ALPHA: f32 = 1.1;

/// Turns distances into separations.
#[derive(Debug, Default)]
pub(super) struct Separations {
    /// Inner products: 1/|x| of each vector, 0 for a zero vector. Empty where distances are distances.
    inverse_norms: Vec<f32>,
}

impl Separations {
    /// Prepares the separations of these vectors. Memory for inner products: 4 bytes per vector.
    pub(super) fn new(vectors: &dyn GraphVectors, cancel: &Cancel) -> Result<Self> {
        if !vectors.are_inner_products() {
            return Ok(Self::default());
        }
        let mut computer = vectors.computer();
        let inverse_norm = |node: Ordinal| {
            cancel.check_every(1_024, node as usize)?;
            let mut own = [0.0];
            computer.set_query(node);
            computer.gather(&[node], &mut own);
            let [square] = own.map(|own| -own);
            Ok(if square > 0.0 { square.sqrt().recip() } else { 0.0 })
        };
        Ok(Self { inverse_norms: (0..vectors.len() as u32).map(inverse_norm).collect::<Result<_>>()? })
    }

    /// How far apart two vectors at this distance are.
    #[inline]
    pub(super) fn of(&self, one: Ordinal, other: Ordinal, distance: f32) -> f32 {
        if self.inverse_norms.is_empty() {
            return distance;
        }
        let inverse_norm = |node: Ordinal| self.inverse_norms.get(node as usize).copied().unwrap_or(0.0);
        1.0 + distance * inverse_norm(one) * inverse_norm(other)
    }
}

/// Separations from one node, to search a graph by.
pub(super) struct SeparationComputer<'a> {
    separations: &'a Separations,
    from: Ordinal,
    distances: &'a mut dyn NodeDistances,
}

impl<'a> SeparationComputer<'a> {
    /// Makes `from` the query of `distances`.
    pub(super) fn new(
        separations: &'a Separations,
        from: Ordinal,
        distances: &'a mut dyn NodeDistances,
    ) -> Self {
        distances.set_query(from);
        Self { separations, from, distances }
    }
}

impl DistanceComputer for SeparationComputer<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        self.distances.gather(ordinals, out);
        for (&ordinal, distance) in ordinals.iter().zip(out) {
            *distance = self.separations.of(self.from, ordinal, *distance);
        }
    }
}

/// Whether a candidate is occluded by a selected link of the same row, both at these separations from the row's node,
/// the link at no greater one, and `between` apart. Of equals one occludes the other without a factor.
#[inline]
pub(super) fn is_occluded(candidate: f32, between: f32, selected: f32) -> bool {
    is_nearer_by_alpha(between, candidate) || (between <= candidate && selected == candidate)
}

/// Whether `between` is less than the separation of a candidate from the row's node by the factor α.
#[inline]
pub(super) fn is_nearer_by_alpha(between: f32, candidate: f32) -> bool {
    between < candidate / ALPHA
}
