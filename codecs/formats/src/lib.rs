//! The built-in formats of a lucerne segment, one folder (or file) per format version.
//!
//! [`builtin`] returns all of them; nothing above this crate names one. Bytes are described in
//! `codecs/FORMATS.md`.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

pub mod columns_v1;
pub mod commit_v1;
pub mod distance;
pub mod encoding;
pub mod hnsw;
pub mod ivf;
mod json_file;
pub mod keys_v1;
pub mod live_docs_v1;
mod names;
pub mod postings_v1;
mod reconstruct;
pub mod segment_info_v1;
pub mod sparse_v1;
pub mod stored_v1;
mod summed;
mod twice;
pub mod vectors;
pub mod verify;

use lucerne_codec::Registry;
use std::sync::Arc;

/// Extensions of all files of the built-in formats.
const EXTENSIONS: [&str; 21] = [
    "si", "live", "keys", "stored", "cols", "terms", "post", "pos", "len", "vec", "ord", "spare", "sq8",
    "sq4", "sign", "hnsw", "ivf", "tmp", "sq4tmp", "sparse", "slists",
];

/// All built-in formats. Only one place in the engine calls this; everything else looks formats up by the
/// names it finds in segments.
pub fn builtin() -> Registry {
    Registry {
        vectors: vectors::vector_formats(),
        postings: vec![Arc::new(postings_v1::PostingsV1)],
        columns: vec![Arc::new(columns_v1::ColumnsV1)],
        sparse: vec![Arc::new(sparse_v1::SparseV1)],
        stored: vec![Arc::new(stored_v1::StoredV1)],
        keys: vec![Arc::new(keys_v1::KeysV1)],
        live_docs: vec![Arc::new(live_docs_v1::LiveDocsV1)],
        segment_info: Arc::new(segment_info_v1::SegmentInfoV1),
        commit: Arc::new(commit_v1::CommitV1),
        extensions: EXTENSIONS.to_vec(),
    }
}
