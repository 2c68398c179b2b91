//! Lucerne is an embedded vector and full-text search engine for Rust.
//!
//! An [`Index`] is a folder. A [`Writer`] adds, replaces and deletes documents; a [`Searcher`] answers
//! queries by vector similarity, by full text, by field values, or by any combination of these.
//!
//! ```
//! # fn main() -> lucerne::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("packages.idx");
//! use lucerne::{Document, Fuse, Index, Knn, Match, Schema, Similarity, Vector};
//!
//! let schema = Schema::builder()
//!     .key("id")
//!     .text("description")
//!     .vector("embedding", Vector::f32(4).similarity(Similarity::Cosine))
//!     .build()?;
//! let index = Index::create(&path, schema)?;
//!
//! let writer = index.writer()?;
//! writer.add(
//!     &Document::new()
//!         .with("id", "vim")
//!         .with("description", "a text editor for the terminal")
//!         .with("embedding", vec![1.0, 2.5, 3.7, 4.1]),
//! )?;
//! writer.commit()?;
//!
//! let searcher = index.searcher()?;
//! let nearest = searcher.search(&Knn::new("embedding", [1.0, 2.0, 3.0, 4.0]).k(1))?;
//! assert_eq!(nearest.keys(), ["vim"]);
//!
//! let hybrid = Fuse::rrf()
//!     .query(Match::new("description", "terminal editor"))
//!     .query(Knn::new("embedding", [1.0, 2.0, 3.0, 4.0]));
//! assert_eq!(searcher.search(hybrid)?.keys(), ["vim"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Where to find what
//!
//! | task | types | module |
//! |---|---|---|
//! | declare fields, in Rust or in JSON | [`Schema`], [`Vector`], [`Field`](schema::Field), [`Text`](schema::Text), [`Keyword`](schema::Keyword) | [`schema`] |
//! | create and open an index | [`Index`]; [`IndexBuilder`](index::IndexBuilder) for another directory, format or analyzer | [`index`], [`directory`] |
//! | make documents, and changes of them | [`Document`], [`Value`], [`Update`] | [`document`] |
//! | write, commit, make changes visible | [`Writer`], [`WriterOptions`] | [`writer`] |
//! | delete or update what matches a query, delete what has expired | [`Writer::delete_by_query`], [`Writer::update_by_query`], [`Writer::delete_expired`] | [`writer`] |
//! | go through all documents | [`Searcher::scan`] | [`search`] |
//! | ask for the nearest vectors | [`Knn`] | [`query`] |
//! | ask for words | [`Match`], [`Phrase`], [`Prefix`], [`Fuzzy`], [`Wildcard`], [`Regex`], [`QueryParser`](query::QueryParser) | [`query`], [`analysis`] |
//! | ask for values | [`Term`], [`Terms`], [`Range`], [`Exists`](query::Exists) | [`query`] |
//! | combine queries | [`Bool`], [`Fuse`], [`Query`] | [`query`] |
//! | filter, page, sort, rerank, choose the fields to return | [`Search`], [`Sort`], [`Rerank`] | [`query`] |
//! | run a search and read its result | [`Searcher`], [`Hits`], [`Hit`] | [`search`] |
//! | back up, name commits and go back to them | [`Index::backup_to`], [`Writer::tag`], [`Index::open_at`], [`Writer::restore`] | [`transfer`] |
//! | choose when segments are merged | [`MergePolicy`](merge::MergePolicy), [`MergeListener`](merge::MergeListener) | [`merge`] |
//! | build segments in other processes, join indexes | [`SegmentBuilder`](transfer::SegmentBuilder) | [`transfer`] |
//! | inspect an index, verify it, measure its recall | [`inspect`](admin::inspect), [`check`](admin::check), [`hash_quality`](admin::hash_quality) | [`admin`] |
//! | give a search a deadline, cancel it, run it on several threads | [`SearchOptions`](search::SearchOptions), [`Cancel`] | [`search`] |
//! | watch an index: counters and latencies | [`Index::stats`] | [`stats`] |
//! | keep any number of indexes below a ceiling of memory | [`Memory`] | |
//! | cancel a long operation, follow its progress | [`Cancel`], [`Progress`] | |
//! | handle errors | [`Error`], [`ErrorKind`] | [`error`] |
//! | write a format of your own | traits of [`codec`] | [`codec`] |
//!
//! The types that nearly every program names are at the root; the others are in their modules only.
//!
//! # What to rely on
//!
//! - When [`Writer::commit`] returns, the commit survives the death of the process, a kernel crash and a
//!   power loss, on a disk that honors fsync.
//! - A [`Searcher`] reads one state of the index. Its results never change, whatever is written, merged or
//!   deleted in the meantime.
//! - One [`Writer`] is open per index at a time, in any process; any number of searchers read beside it.
//! - All calls block. A search runs on the thread that calls it, unless [`SearchOptions`](search::SearchOptions) give it
//!   others; the library starts its own threads when something is written, and keeps some once a search has asked for more
//!   than one.
//! - The library reads no environment variables and prints nothing. It reports through `tracing` events.
#![deny(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

pub mod admin;
pub mod analysis;
mod automata;
pub mod bits;
mod commit;
pub mod directory;
pub mod document;
pub mod error;
pub mod index;
pub mod limits;
mod memory;
pub mod merge;
pub mod query;
mod reader;
pub mod schema;
pub mod search;
mod segment_write;
pub mod shards;
pub mod stats;
pub mod transfer;
pub mod writer;

pub use lucerne_codec as codec;

pub use document::{Document, Update, Value};
pub use error::{Error, ErrorKind, Result};
pub use index::Index;
#[doc(inline)]
pub use lucerne_codec::{Cancel, Progress, Similarity};
pub use memory::{Memory, MemoryUse};
pub use query::{
    Bool, Fuse, Fuzzy, Knn, Match, MultiMatch, Phrase, Prefix, Query, Range, Regex, Rerank, Search, Sort,
    Sparse, Term, Terms, Wildcard,
};
pub use schema::{Schema, Vector};
pub use search::{Hit, Hits, Searcher};
pub use writer::{Writer, WriterOptions};

/// The example in the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The guides, compiled.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../docs/async.md")]
    struct Async;
    #[doc = include_str!("../docs/backup.md")]
    struct Backup;
    #[doc = include_str!("../docs/binary-vectors.md")]
    struct BinaryVectors;
    #[doc = include_str!("../docs/changing-documents.md")]
    struct ChangingDocuments;
    #[doc = include_str!("../docs/cluster.md")]
    struct Cluster;
    #[doc = include_str!("../docs/deadlines.md")]
    struct Deadlines;
    #[doc = include_str!("../docs/durability.md")]
    struct Durability;
    #[doc = include_str!("../docs/embeddings.md")]
    struct Embeddings;
    #[doc = include_str!("../docs/facets.md")]
    struct Facets;
    #[doc = include_str!("../docs/getting-started.md")]
    struct GettingStarted;
    #[doc = include_str!("../docs/hybrid-and-reranking.md")]
    struct Hybrid;
    #[doc = include_str!("../docs/monitoring.md")]
    struct Monitoring;
    #[doc = include_str!("../docs/querying.md")]
    struct Querying;
    #[doc = include_str!("../docs/repair.md")]
    struct Repair;
    #[doc = include_str!("../docs/schema.md")]
    struct Schema;
    #[doc = include_str!("../docs/several-processes.md")]
    struct SeveralProcesses;
    #[doc = include_str!("../docs/sign-hashes.md")]
    struct SignHashes;
    #[doc = include_str!("../docs/sparse-vectors.md")]
    struct SparseVectors;
    #[doc = include_str!("../docs/tenants.md")]
    struct Tenants;
    #[doc = include_str!("../docs/text.md")]
    struct Text;
    #[doc = include_str!("../docs/tuning-recall.md")]
    struct TuningRecall;
    #[doc = include_str!("../docs/upgrading.md")]
    struct Upgrading;
}
