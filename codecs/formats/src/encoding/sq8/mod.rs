//! `sq8`: one unsigned byte per component, spanning two quantiles per segment.
//!
//! # Frame
//! Codes are made of directions. With z the vector (normalized for cosine), c a center, R a fixed rotation:
//!
//! ```text
//! y = R(z − c),  ρ = |y|,  v = y/ρ
//! ```
//!
//! The center makes y short, the length apart from the direction makes the error of a vector one in proportion to its own length, and
//! the rotation makes the components of v about normally distributed with variance 1/d whatever the data, so that two quantiles
//! fit all of them. c is the median of a sample, component by component, and is passed on from segment to segment, so that codes stay
//! comparable, for as long as it serves (`center`, `frame_choice`). Vectors on a lattice of at most 256 values are encoded
//! as they are, without loss (`lattice`).
//!
//! # Codes
//! With quantiles `lower < upper` and step α = (upper − lower)/255 a component's code is b = round((clamp(t·v) − lower)/α), and
//! stands for x̂ = lower + α·b. The stretch t is 1, or the greatest with all of t·v between the quantiles, whichever gives the nearer
//! direction; it is not stored. The upper four bits stand for lower + α·(16·⌊b/16⌋ + 7.5).
//!
//! # Distances to a query
//! A scale g = ρ·|v|²/⟨x̂, v⟩ per vector makes y = g·x̂ + e with e across y: what is cut off or stretched along y is made good.
//! So ⟨y, p⟩ − g⟨x̂, p⟩ = ⟨e, p − y⟩: the estimate is exact at the vector itself, is not biased along it, and only the
//! difference between vector and query meets the error. With the query p in the same frame and a term per vector,
//!
//! ```text
//! Euclidean  p = R(q − c)            |q − x|² ≈ |p|² + term − 2g⟨x̂, p⟩                    term = ρ²
//! cosine     p = R(q − c), |q| = 1   1 − q·x  ≈ ½(|p|² + 1 − |q|² + term − 2g⟨x̂, p⟩)      term = ρ² + 1 − |z|²
//! inner      p = R(q − λc/|c|),      q·x      ≈ ⟨q, c⟩ + λ·term + g⟨x̂, p⟩                 term = ⟨c, z − c⟩/|c|
//! product    λ = ⟨q, c⟩/|c|
//! ```
//!
//! Dot products of unit vectors are those of the cosine. The query is written as p ≈ s·T with integers T, so that with I = Σ Tᵢbᵢ
//!
//! ```text
//! ⟨x̂, p⟩ = s·lower·ΣTᵢ + s·α·I
//! ```
//!
//! and everything but I, term and g is a constant of the query (per quantizer version). |p|² is that of the rounded query: the
//! estimate is then the distance between what the integers and what the codes stand for.
//!
//! # Quality
//! Neighbors nearer than a code step look alike to codes. So each segment measures its codes when it is written (`quality`):
//! the nearest by codes are ordered by raw vectors as far down as the measurement asks for; where 4-bit codes lose what
//! 8-bit codes find, a graph is searched with those; and where codes do not do at all, or vectors are as small as
//! their codes, there are none and raw vectors are searched.
//!
//! # Quantizer versions
//! Codes that a merge keeps still stand for what they stood for when they were written. So a segment lists
//! every pair of quantiles its codes were really encoded with (a version of the quantizer), and with more than one
//! also which each vector has. Every estimate decodes with the right pair: keeping codes costs no precision, corrections
//! stay valid as they are, and drift is always measured from what the codes really are, so that small
//! moves cannot add up unseen.
//!
//! | file | idea |
//! |---|---|
//! | `rotation`, `center`, `lattice` | parts of a frame |
//! | `frame`, `frame_choice` | vectors and queries in a frame; which frame a segment has |
//! | `quantiles`, `quantizer`, `corrections`, `codes` | from a vector in its frame to codes and corrections |
//! | `decode` | from codes back to a vector, where raw vectors are not kept |
//! | `estimate`, `query`, `sq4_query`, `sq4_panel`, `graph_codes`, `graph_vectors`, `code_panel` | distances |
//! | `quality` | whether codes will do |
//! | `encode`, `merge_plan`, `merge` | flushes and merges |
//! | `file`, `sq4`, `meta`, `params` | files, metadata, parameters |
//! | `vectors`, `raw_rows`, `verify` | an open segment |

mod center;
mod code_panel;
pub mod codes;
mod corrections;
mod decode;
mod encode;
mod encoding;
mod estimate;
pub mod file;
mod frame;
mod frame_choice;
mod graph_codes;
mod graph_vectors;
mod lattice;
mod merge;
pub mod merge_plan;
pub mod meta;
mod params;
mod quality;
pub mod quantiles;
pub mod quantizer;
mod query;
mod raw_rows;
mod rotation;
pub mod sq4;
mod sq4_panel;
mod sq4_query;
mod vectors;
mod verify;

pub use codes::CodeRows;
pub use encoding::Sq8;
pub use file::CodeFile;
pub use meta::CodesMeta;
pub use quantiles::Quantiles;
pub use vectors::Sq8Vectors;
