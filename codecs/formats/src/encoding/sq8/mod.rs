//! `sq8`: one unsigned byte per component, spanning two quantiles per segment.
//!
//! # Codes
//! x′ is the vector as codes see it: normalized for cosine, less a center c where one is used. With
//! quantiles `lower < upper` and step α = (upper − lower)/255 a component's code is
//! b = round((clamp(x′) − lower)/α), and stands for x̂ = lower + α·b.
//!
//! # Inner products with a query
//! The query is written as q ≈ s·t with 16-bit integers t, so that with I = Σ tᵢbᵢ
//!
//! ```text
//! q·x̂ = s·Σ tᵢ·(lower + α·bᵢ) = s·lower·Σtᵢ + s·α·I
//! ```
//!
//! The first term and the factor of I are constants of the query (per quantizer version): no sum over the codes has
//! to be kept per vector. What is kept is one correction for the error e = x′ − x̂:
//!
//! - **Inner products and cosine**: m = |x′|²/(x′·x̂), and the estimate is c·q + m·(q·x̂). Any query is a
//!   part along x′ and a part across it. m makes the first part exact: (x′·(m·x̂) = |x′|²). Across, the
//!   errors of the components are independent of the query and average out. The additive first-order term
//!   x′·e of Apache Lucene makes only q = x′ exact and adds the same to queries that point elsewhere.
//! - **Euclidean**: |x′ − q′|² = |x′|² + |q′|² − 2x̂·q′ − 2e·q′. Near neighbors are where it counts, and
//!   there q′ ≈ x′, so e·q′ ≈ e·x′: the correction is |x′|² − 2x′·e (which is |x̂|² − |e|²), and the
//!   estimate correction + |q′|² − 2x̂·q′, not less than 0.
//!
//! A zero vector has m = 0, and so the inner product 0.
//!
//! # Center
//! One pair of quantiles over all dimensions wastes most codes where a few dimensions lie far from the
//! others, and with inner products (where the far dimensions matter) recall collapses. There, x·q =
//! c·q + (x − c)·q with the mean of a sample as c: the codes span only what differs between vectors, and
//! c·q is one number per query. A center is used when it at least halves the mean squared error of the
//! codes (`center`); it is then passed on from segment to segment, so that codes stay comparable.
//!
//! # Quantizer versions
//! Codes that a merge keeps still stand for what they stood for when they were written. So a segment lists
//! every pair of quantiles its codes were really encoded with (a version of the quantizer), and with more than one
//! also which each vector has. Every estimate decodes with the right pair: keeping codes costs no precision, corrections
//! stay valid as they are, and drift is always measured from what the codes really are, so that small
//! moves cannot add up unseen.

mod center;
pub mod codes;
mod encode;
mod encoding;
mod estimate;
pub mod file;
pub mod graph_vectors;
mod merge;
pub mod merge_plan;
pub mod meta;
mod params;
pub mod quantiles;
pub mod quantizer;
mod query;
mod report;
pub mod sq4;
mod sq4_query;
mod vectors;
mod verify;

pub use codes::CodeRows;
pub use encoding::Sq8;
pub use file::CodeFile;
pub use meta::CodesMeta;
pub use quantiles::Quantiles;
pub use vectors::Sq8Vectors;
