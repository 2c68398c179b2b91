//! The frame that vectors are encoded in: where the center is, how components are mixed.
//!
//! A vector z (normalized for cosine) is y = R(z − c) with a center c and a rotation R. What is encoded is its direction
//! v = y/ρ with ρ = |y|: the error of a vector is then in proportion to its own length, not to the longest. Vectors on a
//! lattice (`lattice`) are encoded as they are, which is exact: c = 0, R = 1, v = x.

use super::rotation::Rotation;
use crate::encoding::preprocess::{dot, finite};
use lucerne_codec::Similarity;
use lucerne_codec::io::bytes::f32s;

/// The frame of a segment's codes.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    similarity: Similarity,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Lattice,
    Rotated {
        center: Vec<f32>,
        /// |c|.
        length: f64,
        rotation: Rotation,
    },
}

/// A vector in a frame.
#[derive(Debug, Default)]
pub(super) struct Projected {
    /// v, what is encoded.
    pub(super) vector: Vec<f32>,
    /// ρ: y = ρ·v.
    pub(super) length: f64,
    /// What estimates add for the vector, before a factor of the query: see the text of `sq8`.
    pub(super) term: f32,
    scratch: Vec<f32>,
}

/// A query in a frame: distance ≈ constant + square·|p|² + per_term·term + factor·g·⟨x̂, p⟩ with p = length·vector.
#[derive(Debug, Default)]
pub(super) struct ProjectedQuery {
    /// p/|p|, or p itself in a lattice.
    pub(super) vector: Vec<f32>,
    /// |p|, or 1 in a lattice.
    pub(super) length: f64,
    pub(super) constant: f64,
    pub(super) square: f64,
    pub(super) per_term: f64,
    pub(super) factor: f64,
}

impl Frame {
    /// Codes of the vectors as they are.
    pub(super) fn lattice(similarity: Similarity) -> Self {
        Self { similarity, kind: Kind::Lattice }
    }

    /// Codes of directions from `center`, rotated.
    pub(super) fn rotated(similarity: Similarity, center: Vec<f32>) -> Self {
        let length = dot(&center, &center).sqrt();
        let rotation = Rotation::new(center.len());
        Self { similarity, kind: Kind::Rotated { center, length, rotation } }
    }

    /// The metric.
    pub(super) fn similarity(&self) -> Similarity {
        self.similarity
    }

    /// The center, if there is one.
    pub(super) fn center(&self) -> Option<&[f32]> {
        match &self.kind {
            Kind::Lattice => None,
            Kind::Rotated { center, .. } => Some(center),
        }
    }

    /// |c|.
    pub(super) fn center_length(&self) -> f64 {
        match self.kind {
            Kind::Lattice => 0.0,
            Kind::Rotated { length, .. } => length,
        }
    }

    /// Whether v may be stretched before it is encoded: not where codes are exact as they are.
    pub(super) fn stretches(&self) -> bool {
        matches!(self.kind, Kind::Rotated { .. })
    }

    /// Puts a raw row into the frame.
    pub(super) fn project(&self, row: &[u8], out: &mut Projected) {
        let Projected { vector, length, term, scratch } = out;
        let norm2 = normalized(self.similarity, row, vector);
        match &self.kind {
            Kind::Lattice => {
                // The components as they are: the length makes them those of a normalized vector.
                let cosine = self.similarity == Similarity::Cosine;
                vector.clear();
                vector.extend(f32s(row));
                let squared = dot(vector, vector);
                *length = if cosine && squared > 0.0 { 1.0 / squared.sqrt() } else { 1.0 };
                *term = self.term(if cosine { norm2 } else { squared }, norm2, 0.0);
            }
            Kind::Rotated { center, length: center_length, rotation } => {
                let squared = subtract(vector, center);
                let along = match self.similarity {
                    Similarity::MaxInnerProduct if *center_length > 0.0 => {
                        dot(vector, center) / center_length
                    }
                    _ => 0.0,
                };
                *length = squared.sqrt();
                to_unit(vector, *length);
                rotation.apply(vector, scratch);
                *term = self.term(squared, norm2, along);
            }
        }
    }

    /// `squared` is |y|², `norm2` |z|², `along` ⟨c, z − c⟩/|c|.
    fn term(&self, squared: f64, norm2: f64, along: f64) -> f32 {
        finite(match self.similarity {
            Similarity::Euclidean => squared,
            Similarity::MaxInnerProduct => along,
            _ => squared + 1.0 - norm2,
        } as f32)
    }

    /// The vector that y stands for: normalized again where vectors are compared as if they had length 1. Where directions
    /// are encoded, `term` tells a zero vector.
    pub(super) fn restore(&self, y: &mut [f32], term: f32) {
        let Kind::Rotated { center, rotation, .. } = &self.kind else { return };
        let squared = dot(y, y);
        rotation.undo(y, &mut Vec::new());
        y.iter_mut().zip(center).for_each(|(value, center)| *value = finite(*value + center));
        match self.similarity {
            Similarity::Euclidean | Similarity::MaxInnerProduct => {}
            // The term is |y|² + 1 − |z|².
            _ if f64::from(term) - squared > 0.5 => y.fill(0.0),
            _ => to_unit(y, dot(y, y).sqrt()),
        }
    }

    /// Puts a query row into the frame.
    pub(super) fn query(&self, row: &[u8]) -> ProjectedQuery {
        let mut query = ProjectedQuery::default();
        let norm2 = normalized(self.similarity, row, &mut query.vector);
        (query.constant, query.square, query.per_term, query.factor) = match self.similarity {
            Similarity::Euclidean => (0.0, 1.0, 1.0, -2.0),
            Similarity::MaxInnerProduct => (0.0, 0.0, 0.0, -1.0),
            Similarity::Cosine => ((1.0 - norm2) / 2.0, 0.5, 0.5, -1.0),
            _ => ((1.0 - norm2) / 2.0 - 1.0, 0.5, 0.5, -1.0),
        };
        query.length = 1.0;
        if let Kind::Rotated { center, length, rotation } = &self.kind {
            if self.similarity == Similarity::MaxInnerProduct {
                if *length > 0.0 {
                    // The part along the center is exact: ⟨q, c⟩ + λ⟨c, z − c⟩/|c| with λ = ⟨q, c⟩/|c|.
                    let product = dot(&query.vector, center);
                    let along = product / length;
                    (query.constant, query.per_term) = (-product, -along);
                    let share = (along / length) as f32;
                    query.vector.iter_mut().zip(center).for_each(|(value, center)| *value -= share * center);
                }
                query.length = dot(&query.vector, &query.vector).sqrt();
            } else {
                query.length = subtract(&mut query.vector, center).sqrt();
            }
            to_unit(&mut query.vector, query.length);
            rotation.apply(&mut query.vector, &mut Vec::new());
        }
        query
    }
}

/// Replaces the content of `out` by the row, normalized for cosine, and returns the squared length of what is there then.
pub(super) fn normalized(similarity: Similarity, row: &[u8], out: &mut Vec<f32>) -> f64 {
    out.clear();
    out.extend(f32s(row));
    let norm2 = match similarity {
        Similarity::Euclidean | Similarity::MaxInnerProduct => return 0.0,
        _ => dot(out, out),
    };
    if similarity != Similarity::Cosine {
        return norm2;
    }
    if norm2 > 0.0 {
        to_unit(out, norm2.sqrt());
        return 1.0;
    }
    0.0
}

/// Subtracts a center, and returns the squared length of what is left. Differences of the largest numbers stay finite.
pub(super) fn subtract(vector: &mut [f32], center: &[f32]) -> f64 {
    vector.iter_mut().zip(center).for_each(|(value, center)| *value -= center);
    let squared = dot(vector, vector);
    if squared.is_finite() {
        return squared;
    }
    vector.iter_mut().for_each(|value| *value = finite(*value));
    dot(vector, vector)
}

/// Divides a vector by its length, unless that is 0.
fn to_unit(vector: &mut [f32], length: f64) {
    if length > 1e-30 && length < 1e30 {
        let inverse = (1.0 / length) as f32;
        vector.iter_mut().for_each(|value| *value *= inverse);
    } else if length > 0.0 {
        vector.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
    }
}
