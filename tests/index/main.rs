//! What an index holds: documents, writers, commits, merges and transfers.

#[path = "../common/mod.rs"]
mod common;

mod by_query;
mod collecting;
mod concurrency;
mod determinism;
mod dropped_raw;
mod estimates;
mod fields;
mod figures;
mod folders;
mod half_precision;
mod history;
mod inspect;
mod long_documents;
mod memory;
mod merge_cancel;
mod merging;
#[cfg(feature = "metrics")]
mod metrics;
mod model;
mod panics;
mod publishing;
mod receiving;
mod snapshot_isolation;
mod stats;
mod third_party_codec;
mod transfer;
mod two_writers;
mod upgrade;
mod vector_merges;
mod writer_lifetime;
