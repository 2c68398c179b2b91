//! Declaring binary vector fields.

use super::vector::Vector;
use super::vector_index::VectorIndex;
use lucerne_codec::{Params, Similarity};

/// Declares a field of binary vectors: `BinaryVector::new(1024).similarity(Similarity::Jaccard)`.
///
/// A vector is kept as one byte for every eight bits. Unless told otherwise the metric is the Hamming distance and
/// vectors are indexed as an HNSW graph over the bits themselves: there is nothing to quantize, and all distances are
/// exact.
#[derive(Clone, Debug, PartialEq)]
pub struct BinaryVector(pub(super) Vector);

impl BinaryVector {
    /// Vectors of `dimension` bits: a multiple of 8 from 8 to 65,536.
    pub fn new(dimension: usize) -> Self {
        Self(Vector::bits(dimension))
    }

    /// The metric: hamming (the default) or jaccard.
    #[must_use]
    pub fn similarity(self, similarity: Similarity) -> Self {
        Self(self.0.similarity(similarity))
    }

    /// How nearest vectors are found. Default: HNSW.
    #[must_use]
    pub fn index(self, index: VectorIndex) -> Self {
        Self(self.0.index(index))
    }

    /// Compares with all vectors.
    #[must_use]
    pub fn flat(self) -> Self {
        self.index(VectorIndex::Flat)
    }

    /// Compares with the vectors of the nearest lists.
    #[must_use]
    pub fn ivf(self) -> Self {
        self.index(VectorIndex::Ivf)
    }

    /// Inverted lists of a segment. Default: four times the root of its number of vectors; never more than there are
    /// different vectors.
    #[must_use]
    pub fn nlist(self, nlist: usize) -> Self {
        self.param("nlist", nlist)
    }

    /// HNSW's maximum of connections (M).
    #[must_use]
    pub fn m(self, m: usize) -> Self {
        self.param("m", m)
    }

    /// HNSW's beam width while building (efConstruction).
    #[must_use]
    pub fn beam_width(self, width: usize) -> Self {
        self.param("beam_width", width)
    }

    /// A document may have several vectors, given as a list of vectors; it is found once, by its nearest. Not with
    /// inverted lists.
    #[must_use]
    pub fn multiple(self) -> Self {
        Self(self.0.multiple())
    }

    /// Writes the field with a registered vector format of that name.
    #[must_use]
    pub fn format(self, name: impl Into<String>) -> Self {
        Self(self.0.format(name))
    }

    /// A parameter of the field's format, checked by the format.
    #[must_use]
    pub fn param(self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        Self(self.0.param(name, value))
    }

    /// Whether the field can be searched. Default: yes. When not, only the vectors are kept.
    #[must_use]
    pub fn indexed(self, indexed: bool) -> Self {
        Self(self.0.indexed(indexed))
    }

    /// Whether vectors can be read back. Default: yes.
    #[must_use]
    pub fn stored(self, stored: bool) -> Self {
        Self(self.0.stored(stored))
    }
}

impl Vector {
    /// Vectors of bits, for [`BinaryVector`].
    pub(super) fn bits(dimension: usize) -> Self {
        let mut vector = Self::f32(dimension).similarity(Similarity::BINARY[0]);
        vector.options.binary = true;
        vector.options.params = Params::new();
        vector
    }
}
