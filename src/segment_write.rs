//! Writing one segment, whether a buffer is flushed or segments are merged: what every structure's format is given, and
//! the segment info that names what they wrote.

use crate::error::Result;
use crate::reader::{Pins, SegmentReader};
use crate::schema::Schema;
use lucerne_codec::format::{Working, WriteContext};
use lucerne_codec::segment_info::{SegmentInfo, StructureInfo, VectorInfo};
use lucerne_codec::{Cancel, Directory, Progress, Registry, Report, SegmentId};
use std::sync::Arc;

/// A segment that is being written.
pub(crate) struct SegmentWrite<'a> {
    pub(crate) directory: &'a dyn Directory,
    pub(crate) registry: &'a Registry,
    pub(crate) pins: &'a Arc<Pins>,
    pub(crate) schema: &'a Schema,
    pub(crate) name: &'a str,
    pub(crate) id: SegmentId,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) working: Working,
    pub(crate) cancel: &'a Cancel,
    pub(crate) progress: &'a dyn Progress,
}

/// The structures of a segment, all written.
pub(crate) struct SegmentParts {
    pub(crate) max_doc: u32,
    pub(crate) stored: StructureInfo,
    pub(crate) keys: StructureInfo,
    pub(crate) postings: Option<StructureInfo>,
    pub(crate) columns: Option<StructureInfo>,
    pub(crate) sparse: Option<StructureInfo>,
    pub(crate) vectors: Vec<VectorInfo>,
}

impl SegmentParts {
    /// Bytes of all their files.
    pub(crate) fn bytes(&self) -> u64 {
        let vectors = self.vectors.iter().map(|vector| &vector.structure);
        let structures = [&self.stored, &self.keys].into_iter().chain(&self.postings).chain(&self.columns);
        let structures = structures.chain(&self.sparse);
        let files = structures.chain(vectors).flat_map(|structure| &structure.files);
        files.map(|file| file.len).sum()
    }
}

impl SegmentWrite<'_> {
    /// What a format is told about a segment of `max_doc` documents.
    pub(crate) fn context(&self, max_doc: u32) -> WriteContext<'_> {
        WriteContext {
            directory: self.directory,
            segment: self.name,
            segment_id: self.id,
            max_doc,
            seed: self.seed,
            threads: self.threads,
            working: self.working,
            cancel: self.cancel,
            progress: self.progress,
        }
    }

    /// Writes the segment info and opens the segment. `merge` is the record of the merge that made it, if one did.
    pub(crate) fn finish(&self, parts: SegmentParts, merge: Option<Report>) -> Result<SegmentReader> {
        let info = SegmentInfo {
            name: self.name.to_owned(),
            id: self.id,
            max_doc: parts.max_doc,
            written_by: crate::limits::WRITTEN_BY.to_owned(),
            stored: parts.stored,
            keys: parts.keys,
            postings: parts.postings,
            columns: parts.columns,
            sparse: parts.sparse,
            vectors: parts.vectors,
            merge,
        };
        let entry = self.registry.segment_info.write(self.directory, &info, None)?;
        SegmentReader::open(self.directory, self.registry, self.pins, &entry, self.id)
    }
}

/// A segment id from the system's random source.
pub(crate) fn random_segment_id() -> Result<SegmentId> {
    let mut id = [0u8; 16];
    getrandom::fill(&mut id).map_err(|error| {
        let source = std::io::Error::other(error.to_string());
        lucerne_codec::Error::io("the system's random source", "read", source)
    })?;
    Ok(SegmentId(id))
}
