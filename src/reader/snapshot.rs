//! A point in time: segments with the documents that were live then.

use super::pins::Pins;
use super::segment::{SegmentCache, SegmentReader, VectorSegment, read_live_docs};
use crate::commit::manifest;
use crate::error::Result;
use crate::schema::Schema;
use lucerne_codec::commit::{CommitInfo, LiveDocsInfo};
use lucerne_codec::{Accept, BitSet, Directory, FieldInfo, Registry};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One segment of a snapshot.
#[derive(Clone)]
pub(crate) struct SnapshotSegment {
    pub(crate) reader: Arc<SegmentReader>,
    /// `None` while nothing is deleted.
    pub(crate) live: Option<Arc<BitSet>>,
    /// The live docs' file, when a commit names one.
    pub(crate) live_file: Option<LiveDocsInfo>,
}

impl SnapshotSegment {
    pub(crate) fn accept(&self) -> Accept<'_> {
        match &self.live {
            None => Accept::all(self.reader.max_doc()),
            Some(live) => Accept::only(live),
        }
    }

    pub(crate) fn live_docs(&self) -> u32 {
        self.live.as_ref().map_or(self.reader.max_doc(), |live| live.count())
    }

    pub(crate) fn is_live(&self, doc: u32) -> bool {
        doc < self.reader.max_doc() && self.live.as_ref().is_none_or(|live| live.contains(doc))
    }
}

/// An immutable point in time of an index.
pub(crate) struct Snapshot {
    pub(crate) schema: Schema,
    /// Generation of the commit this is, or that it follows (a near-real-time snapshot).
    pub(crate) generation: u64,
    pub(crate) segments: Vec<SnapshotSegment>,
    pub(crate) user_data: BTreeMap<String, String>,
}

impl Snapshot {
    /// Files of all its segments, live docs included.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flat_map(|segment| {
            let live = segment.live_file.iter().map(|info| &*info.file.name);
            segment.reader.files().map(|file| &*file.name).chain(live)
        })
    }

    /// A near-real-time snapshot that follows the same commit as this one.
    pub(crate) fn followed_by(&self, schema: Schema, segments: Vec<SnapshotSegment>) -> Self {
        Self { schema, generation: self.generation, segments, user_data: self.user_data.clone() }
    }

    /// Documents that are not deleted.
    pub(crate) fn live_docs(&self) -> u64 {
        self.segments.iter().map(|segment| u64::from(segment.live_docs())).sum()
    }
}

/// Opens what a commit names.
pub(crate) fn open_commit(
    directory: &dyn Directory,
    registry: &Registry,
    pins: &Arc<Pins>,
    cache: &SegmentCache,
    commit: &CommitInfo,
) -> Result<Snapshot> {
    let segments = commit.segments.iter().map(|segment| {
        let open = || SegmentReader::open(directory, registry, pins, &segment.info, segment.id);
        let reader = cache.get_or_open(segment.id, &segment.info, open)?;
        let live = segment.live_docs.as_ref();
        let live = live.map(|info| read_live_docs(directory, registry, &reader, info)).transpose()?;
        Ok(SnapshotSegment { reader, live: live.map(Arc::new), live_file: segment.live_docs.clone() })
    });
    let segments = segments.collect::<Result<Vec<_>>>()?;
    let file = manifest::commit_file(commit.generation);
    let corrupt = |problem: String| lucerne_codec::Error::corrupt(&file, 0, problem);
    let schema = Schema::from_value(&commit.schema).map_err(|error| corrupt(error.to_string()))?;
    for segment in &segments {
        check_fields(&schema, &segment.reader).map_err(corrupt)?;
    }
    Ok(Snapshot { segments, schema, generation: commit.generation, user_data: commit.user_data.clone() })
}

/// A field's number, dimension and similarity never change, so a segment's are those of the schema.
pub(crate) fn check_fields(schema: &Schema, segment: &SegmentReader) -> std::result::Result<(), String> {
    for VectorSegment { field, .. } in segment.vectors() {
        let declared = schema.vector_field(field.number).map(|declared| declared.info());
        let declared = declared.map_err(|error| format!("segment {}: {error}", segment.name()))?;
        let same =
            |other: &FieldInfo| (other.dimension, other.similarity) == (field.dimension, field.similarity);
        if !same(&declared) {
            return Err(format!(
                "field {:?} has {} dimensions and is {}, in segment {} it has {} and is {}",
                declared.name,
                declared.dimension,
                declared.similarity,
                segment.name(),
                field.dimension,
                field.similarity
            ));
        }
    }
    Ok(())
}
