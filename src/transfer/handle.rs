//! The handle of a built segment: what a builder sends to the publisher, as JSON.

use crate::reader::SegmentReader;
use crate::schema::Schema;
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::{Report, SegmentId};
use serde::{Deserialize, Serialize};
use serde_json::Map;

/// A finished segment that no index names yet. It does not say where its files are, which is another path on each
/// machine: the publisher knows ([`PublishOptions::folders`](super::PublishOptions::folders)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SegmentHandle {
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
    /// The segments of the index that it was merged from, and takes the place of. Empty: its documents are new.
    pub sources: Vec<SegmentId>,
    /// The schema it was built with.
    pub schema: serde_json::Value,
    /// The report of each vector field, by name: format, quantiles, ….
    pub fields: Report,
    /// Release that wrote it.
    pub written_by: String,
}

impl SegmentHandle {
    pub(super) fn of(reader: &SegmentReader, schema: &Schema, sources: Vec<SegmentId>) -> Self {
        let fields = reader.vectors().iter();
        let fields = fields.map(|vectors| (vectors.field.name.clone(), vectors.inspect()));
        Self {
            name: reader.name().to_owned(),
            id: reader.info().id,
            docs: reader.max_doc(),
            bytes: reader.files().map(|file| file.len).sum(),
            info: reader.info_file().clone(),
            sources,
            schema: schema.to_json(),
            fields: fields.collect::<Map<_, _>>().into(),
            written_by: reader.info().written_by.clone(),
        }
    }
}
