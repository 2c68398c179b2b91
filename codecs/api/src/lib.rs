//! The contract between lucerne's engine and its codecs.
//!
//! A *codec* (here: a *format*) writes, reads, merges, inspects and verifies the bytes of one structure.
//! The engine decides *what* happens to segments over time; a format decides *how* its structure is laid
//! out. This crate holds what both sides must agree on and nothing else: ids, field descriptions,
//! similarities, the [`Directory`] traits, the file [`envelope`], the format traits and the [`Registry`].
//! It does no I/O of its own and contains no `unsafe`.
//!
//! Every file is written once through an [`envelope::EnvelopeWriter`] and read through
//! [`envelope::open_checked`]; bytes that come from a file are untrusted and are reached only through
//! checked slices ([`Input::slice`], [`Cursor`]).
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

pub mod accept;
pub mod cancel;
pub mod columns;
pub mod commit;
pub mod envelope;
pub mod error;
pub mod estimates;
pub mod field;
pub mod format;
pub mod half;
pub mod ids;
pub mod io;
pub mod keys;
pub mod live_docs;
pub mod merge;
pub mod ordered;
pub mod postings;
pub mod random;
pub mod registry;
pub mod segment_info;
pub mod similarity;
pub mod sparse;
pub mod stored;
#[cfg(feature = "testing")]
pub mod testing;
pub mod top_docs;
pub mod top_k;
pub mod vector;

pub use accept::{Accept, BitSet};
pub use cancel::{Cancel, OnStop, Progress};
pub use error::{Error, Result};
pub use field::{FieldInfo, Params};
pub use format::{Metadata, Report};
pub use ids::{DocId, Ordinal, SegmentId};
pub use io::{Cursor, Directory, Input, Lock, Output};
pub use merge::{DocMap, MergeInput};
pub use registry::Registry;
pub use similarity::{Component, Similarity};
pub use top_docs::TopDocs;
pub use top_k::{Neighbor, TopK};
