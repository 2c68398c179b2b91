//! A vector field of any kind, and vectors for it.

use crate::common::documents::{FORMATS, normalized};
use crate::common::rng::Rng;
use lucerne::codec::half;
use lucerne::schema::{Field, Quantization, VectorIndex};
use lucerne::{Similarity, Vector};

/// One vector field of a seed's schema.
pub(super) struct VectorField {
    pub(super) name: &'static str,
    pub(super) dimension: usize,
    pub(super) similarity: Similarity,
    pub(super) index: VectorIndex,
    pub(super) quantization: Quantization,
    /// Components for which every distance is a number that single precision holds: the answer has to be
    /// the same to the last bit.
    pub(super) grid: bool,
    /// Components are bits, given as zeros and ones.
    pub(super) binary: bool,
    /// Components are kept in half precision.
    pub(super) half: bool,
    /// Some vectors occur again and again.
    pub(super) popular: Vec<Vec<f32>>,
}

impl VectorField {
    pub(super) fn new(name: &'static str, number: u64, rng: &mut Rng) -> Self {
        let (mut index, mut quantization) = FORMATS[(number % 4) as usize];
        let mut similarity = Similarity::FLOAT[(number / 4 % 4) as usize];
        let mut dimension = *rng.pick(&[4, 5, 8, 17, 33]);
        let mut grid = rng.chance(50);
        let binary = rng.chance(20);
        if binary {
            index = *rng.pick(&[VectorIndex::Hnsw, VectorIndex::Flat, VectorIndex::Ivf]);
            quantization = Quantization::None;
            similarity = *rng.pick(&Similarity::BINARY);
            dimension = *rng.pick(&[8, 16, 72]);
            grid = similarity == Similarity::Hamming;
        }
        let (half, popular) = (!binary && rng.chance(50), Vec::new());
        let mut field =
            Self { name, dimension, similarity, index, quantization, grid, binary, half, popular };
        field.popular = (0..4).map(|_| field.fresh_vector(rng)).collect();
        field
    }

    pub(super) fn vector(&self, rng: &mut Rng) -> Vec<f32> {
        if rng.chance(25) { rng.pick(&self.popular).clone() } else { self.fresh_vector(rng) }
    }

    /// A vector as the field keeps it.
    pub(super) fn fresh_vector(&self, rng: &mut Rng) -> Vec<f32> {
        let vector = self.any_vector(rng);
        // Rounded, none is longer than 1 where that is the length of all: reported dot products end at 1.
        let scale = if self.similarity == Similarity::DotProduct && !self.grid { 0.9995 } else { 1.0 };
        match self.half {
            true => vector.into_iter().map(|number| half::to_f32(half::from_f32(number * scale))).collect(),
            false => vector,
        }
    }

    fn any_vector(&self, rng: &mut Rng) -> Vec<f32> {
        let unit = self.similarity == Similarity::DotProduct;
        if self.binary {
            return (0..self.dimension).map(|_| f32::from(u8::from(rng.chance(25)))).collect();
        }
        match (self.grid, self.similarity) {
            (true, Similarity::Cosine | Similarity::DotProduct) => {
                let mut vector = vec![0.0; self.dimension];
                let (places, value) = if rng.chance(50) { (1, 1.0) } else { (4, 0.5) };
                while vector.iter().filter(|&&x| x != 0.0).count() < places {
                    vector[rng.below(self.dimension)] = if rng.chance(50) { value } else { -value };
                }
                vector
            }
            (true, _) => (0..self.dimension).map(|_| rng.below(7) as f32 - 3.0).collect(),
            (false, _) if !unit && rng.chance(5) => vec![0.0; self.dimension],
            (false, _) if unit => normalized(&rng.vector(self.dimension)),
            (false, _) => rng.vector(self.dimension),
        }
    }

    pub(super) fn declaration(&self, rng: &mut Rng) -> Field {
        if self.binary {
            let vector = Vector::bits(self.dimension).similarity(self.similarity).index(self.index);
            return Field::vector(
                self.name,
                match self.index {
                    VectorIndex::Hnsw => vector.m(4).advanced("graph_threshold", rng.below(12)),
                    VectorIndex::Ivf => vector.nlist(1 + rng.below(6)),
                    _ => vector,
                },
            );
        }
        let vector = if self.half { Vector::f16(self.dimension) } else { Vector::f32(self.dimension) };
        let vector = vector.similarity(self.similarity);
        let vector = vector.index(self.index).quantization(self.quantization);
        let vector = match self.index {
            VectorIndex::Hnsw => {
                let vector = vector.m(4).advanced("graph_threshold", rng.below(12));
                match self.quantization {
                    Quantization::Int8 => vector.advanced("search_bits", if rng.chance(50) { 4 } else { 8 }),
                    _ => vector,
                }
            }
            _ => vector,
        };
        Field::vector(self.name, vector)
    }
}
