//! Running queries on a snapshot.
//!
//! Read path: [`Searcher::search`] → `knn` (each segment's vectors) → one top k → rescore → stored fields.

mod hits;
mod knn;
mod searcher;

pub use hits::{Hit, Hits, SegmentSearch};
pub use searcher::Searcher;
