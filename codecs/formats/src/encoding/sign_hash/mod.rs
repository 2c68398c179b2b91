//! `sign_hash`: one bit per component, its sign; candidates are found by bits and rescored with raw vectors.
//!
//! # Bits
//! Bit i of a vector is set when component i is greater than 0; 0.0 and −0.0 give 0. It is bit i mod 8 of byte
//! i / 8, the least significant first; what is left of the last byte is 0. A hash has ⌈dimension / 8⌉ bytes.
//!
//! # Estimators
//! - **plain** (the hash of binary passage retrieval, Yamada et al., arXiv 2106.00882): signs of the vector as it
//!   was given, compared with the query's signs by Hamming distance h. Two directions at the angle θ differ in a
//!   share θ/π of the signs of random projections (Charikar, STOC 2002); how far the components of an embedding
//!   are like those is what `hash-quality` measures. Lengths are not in a hash: plain suits `cosine` and
//!   `dot_product`.
//! - **corrected** (after `RaBitQ`, Gao and Long, arXiv 2405.12497, and the one-bit quantization of Apache Lucene):
//!   signs b ∈ {−1, 1} of t = x′ − c, where x′ is the vector as codes see it (normalized for cosine) and c the
//!   center, the mean of the segment's vectors. With r = q′ − c and two numbers kept per vector,
//!
//! ```text
//! inner products, cosine:  x′·q′    = c·q′ + t·c + t·r        t·r ≈ m·(b·r),  m = |t|² / Σ|tᵢ|
//! euclidean:               |x′−q′|² = |t|² + |r|² − 2 t·r
//! ```
//!
//!   m makes the estimate exact for r along t, as the factor of `sq8` does; only the part across t is
//!   estimated. The file has, for each vector, what is added to and multiplied with the query's part: (−t·c, −m),
//!   for euclidean (|t|², −2m).
//!
//! # The query
//! For plain its signs. For corrected rᵢ ≈ δ·(uᵢ − 7.5) with uᵢ of 4 bits; bit j of all uᵢ is a plane Pⱼ, and
//!
//! ```text
//! b·r ≈ δ · Σⱼ 2ʲ⁻¹ · (dimension − 2·h(b, Pⱼ))
//! ```
//!
//! So both are Hamming distances between stored hashes and one or four hashes of the query: one kernel.

mod center;
pub mod encode;
mod encoding;
pub mod file;
mod merge;
pub mod meta;
mod new;
mod params;
pub mod query;
mod vectors;
mod verify;

pub use encode::{HashRows, Hashes, hash_len};
pub use encoding::SignHash;
pub use file::HashFile;
pub use meta::{Estimator, HashMeta};
pub use params::PARAM;
pub use vectors::HashVectors;
