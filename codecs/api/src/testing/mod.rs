//! Conformance suites: what every format must do, run by one call from a format's own tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

pub mod bench;
mod column_model;
mod columns;
pub mod damage;
mod keys;
mod live_docs;
mod metadata;
mod postings;
pub mod postings_model;
pub mod ram;
mod sparse;
mod stored;
mod vectors;

pub use bench::Bench;
pub use columns::check_columns_format;
pub use damage::{Verdict, check_damage, reseal};
pub use keys::check_keys_format;
pub use live_docs::check_live_docs_format;
pub use metadata::{check_commit_format, check_segment_info_format};
pub use postings::check_postings_format;
pub use ram::MemoryDirectory;
pub use sparse::{ModelSparse, check_sparse_format};
pub use stored::check_stored_format;
pub use vectors::{check_vector_format, random_rows};
