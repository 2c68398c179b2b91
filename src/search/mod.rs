//! Running queries on a snapshot.
//!
//! Read path: [`Searcher::search`] → `resolve` (look fields up, analyze texts, find neighbours) → `rank` (the
//! first pass: `knn`, `score`, `fuse`) → `rerank`, `sort` → stored fields. `filter` answers which documents
//! match, `score` how well.

mod explain;
mod fetch;
mod filter;
mod fuse;
mod hits;
mod knn;
mod node;
mod rank;
mod rerank;
mod resolve;
mod score;
mod searcher;
mod sort;
mod text;
mod values;

pub use explain::Explanation;
pub use hits::{Hit, Hits, SegmentSearch};
pub use searcher::Searcher;
