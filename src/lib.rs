//! An embedded search engine whose first-class data is the vector.
//!
//! An [`Index`] is a folder of immutable segments and a commit that names them. A [`Writer`] buffers
//! documents and flushes them as segments: raw f32 vectors, int8 codes with the segment's own quantiles, an
//! HNSW graph, and stored fields. A [`Searcher`] reads one point in time that never changes.
//!
//! ```
//! # fn main() -> lucerne::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("packages.idx");
//! use lucerne::{Document, Index, Knn, Schema, Similarity, Vector};
//!
//! let schema = Schema::builder()
//!     .key("id")
//!     .text("description")
//!     .vector("embedding", Vector::f32(4).similarity(Similarity::Cosine))
//!     .build()?;
//! let index = Index::create(&path, schema)?;
//! let writer = index.writer()?;
//! let document = Document::new().with("id", "vim").with("embedding", vec![1.0, 2.5, 3.7, 4.1]);
//! writer.add(&document)?;
//! writer.commit()?;
//! let hits = index.searcher()?.search(&Knn::new("embedding", [1.0, 2.0, 3.0, 4.0]).k(1))?;
//! assert_eq!(hits.keys(), ["vim"]);
//! # Ok(())
//! # }
//! ```
//!
//! When [`Writer::commit`] returns, the commit survives process death, kernel crash and power loss on a disk
//! that honours fsync. The library starts no threads before the first write, reads no environment variables
//! and prints nothing; it reports through `tracing` events.
#![deny(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

pub mod admin;
pub mod analysis;
pub mod bits;
mod commit;
pub mod directory;
mod document;
mod error;
mod index;
mod merge;
mod options;
mod query;
mod reader;
mod schema;
mod search;
mod segment_write;
mod transfer;
mod writer;

pub use commit::recover::OnDamage;
pub use document::{Document, QueryVector, Value};
pub use error::{Error, ErrorKind, Result, ValueProblem};
pub use index::{Index, IndexBuilder};
pub use lucerne_codec as codec;
pub use lucerne_codec::{Cancel, Progress, Report, Similarity};
pub use merge::{MergeEvent, MergeListener, MergeObserver, MergePolicy, TieredOptions};
pub use options::{
    DEFAULT_CANDIDATES, DEFAULT_K, DEFAULT_RAM_BUDGET, MAX_CANDIDATES, MAX_K, MAX_QUERY_DEPTH,
    MAX_SEGMENT_DOCS, MIN_RAM_BUDGET,
};
pub use query::{
    Bool, Boost, Constant, Exists, Fuse, Fusion, Knn, Match, Missing, Operator, Order, Phrase, Prefix, Query,
    QueryParser, Range, Rerank, RerankBy, Search, Sort, Term, Terms,
};
pub use schema::{
    Field, FieldPath, FieldType, KeyField, Keyword, Quantization, Schema, SchemaBuilder, SignHash, Text,
    Vector, VectorField, VectorIndex, VectorOptions,
};
pub use search::{Explanation, Hit, Hits, Searcher, SegmentSearch};
pub use transfer::SegmentBuilder;
pub use transfer::SegmentHandle;
pub use writer::{PreparedCommit, Writer, WriterOptions};

/// The example in the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
