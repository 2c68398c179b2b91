//! How vectors are found and compared: the choices of a field.

/// How nearest vectors are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VectorIndex {
    /// By searching an HNSW graph: fast, with high recall.
    Hnsw,
    /// By comparing all of them: exact up to quantization.
    Flat,
    /// By comparing those of the nearest inverted lists (binary vectors only).
    Ivf,
}

impl VectorIndex {
    pub(super) const ALL: [Self; 3] = [Self::Hnsw, Self::Flat, Self::Ivf];

    /// The name used in schemas.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hnsw => "hnsw",
            Self::Flat => "flat",
            Self::Ivf => "ivf",
        }
    }
}

/// How vectors are encoded for search. Raw vectors are kept in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quantization {
    /// One byte per component: a quarter of the memory.
    Int8,
    /// The raw vectors.
    None,
}

impl Quantization {
    pub(super) const ALL: [Self; 2] = [Self::Int8, Self::None];

    /// The name used in schemas.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::None => "none",
        }
    }
}

/// The option that asks for sign hashes, and the name of that encoding.
pub(crate) const SIGN_HASH: &str = "sign_hash";

/// How the hashes of [`Vector::sign_hash`](super::Vector::sign_hash) are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignHash {
    /// By Hamming distance: one bit per component, dimension / 8 bytes per vector.
    Plain,
    /// Signs around the mean of the vectors, with two numbers per vector (8 bytes) that make estimates of them.
    Corrected,
}

impl SignHash {
    /// The name used in schemas.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Corrected => "corrected",
        }
    }
}
