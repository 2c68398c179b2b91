//! The handle of a built segment: what a builder sends to the publisher, as JSON.

use lucerne_codec::envelope::FileEntry;
use lucerne_codec::{Report, SegmentId};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A finished segment that no index names yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SegmentHandle {
    /// The folder its files are in.
    pub folder: PathBuf,
    /// Segment name, the prefix of its files.
    pub name: String,
    /// Segment id; an index takes a segment once.
    pub id: SegmentId,
    /// Documents.
    pub docs: u32,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Its segment info, whose checksum covers the checksums of all its files.
    pub info: FileEntry,
    /// The schema it was built with.
    pub schema: serde_json::Value,
    /// The report of each vector field, by name: format, quantiles, ….
    pub fields: Report,
    /// Release that wrote it.
    pub written_by: String,
}
