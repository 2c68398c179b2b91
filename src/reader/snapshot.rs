//! A point in time: segments with the documents that were live then.

use super::pins::{Pin, Pins};
use super::segment::{SegmentCache, SegmentReader, VectorSegment, read_live_docs};
use crate::commit::manifest;
use crate::error::Result;
use crate::schema::Schema;
use lucerne_codec::commit::{CommitInfo, CommitSegment, LiveDocsInfo};
use lucerne_codec::{Accept, BitSet, Directory, FieldInfo, Registry};
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
    /// The commit this is, or that it follows (a near-real-time snapshot).
    pub(crate) commit: Arc<PinnedCommit>,
    pub(crate) segments: Vec<SnapshotSegment>,
}

/// A commit, where its files are, and the formats that read them.
pub(crate) struct PinnedCommit {
    pub(crate) info: CommitInfo,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) registry: Arc<Registry>,
    /// Its live docs: segments pin their own files.
    _pin: Pin,
}

impl PinnedCommit {
    pub(crate) fn new(
        info: CommitInfo,
        directory: &Arc<dyn Directory>,
        registry: &Arc<Registry>,
        pins: &Arc<Pins>,
    ) -> Self {
        let live_docs = info.segments.iter().filter_map(|segment| segment.live_docs.as_ref());
        let pin = pins.pin(live_docs.map(|live| live.file.name.clone()).collect());
        let (directory, registry) = (Arc::clone(directory), Arc::clone(registry));
        Self { info, directory, registry, _pin: pin }
    }
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
        Self { schema, commit: Arc::clone(&self.commit), segments }
    }

    /// Generation of its commit.
    pub(crate) fn generation(&self) -> u64 {
        self.commit.info.generation
    }

    /// True when it shows what its commit holds, and nothing that was written since.
    pub(crate) fn is_committed(&self) -> bool {
        let committed = &self.commit.info.segments;
        let same = |(own, committed): (&SnapshotSegment, &CommitSegment)| {
            let deleted = committed.live_docs.as_ref().map_or(0, |live| live.deleted);
            // Deletes only grow: as many means the same.
            own.reader.info().id == committed.id && own.reader.max_doc() - own.live_docs() == deleted
        };
        self.segments.len() == committed.len()
            && self.segments.iter().zip(committed).all(same)
            && self.schema.to_json() == self.commit.info.schema
    }

    /// Documents that are not deleted.
    pub(crate) fn live_docs(&self) -> u64 {
        self.segments.iter().map(|segment| u64::from(segment.live_docs())).sum()
    }
}

/// Opens what a commit names.
pub(crate) fn open_commit(
    directory: &Arc<dyn Directory>,
    registry: &Arc<Registry>,
    pins: &Arc<Pins>,
    cache: &SegmentCache,
    commit: CommitInfo,
) -> Result<Snapshot> {
    // Pinned first: what is still there then stays.
    let pinned = PinnedCommit::new(commit, directory, registry, pins);
    let commit = &pinned.info;
    let segments = commit.segments.iter().map(|segment| {
        let open = || SegmentReader::open(&**directory, registry, pins, &segment.info, segment.id);
        let reader = cache.get_or_open(segment.id, &segment.info, open)?;
        let live = segment.live_docs.as_ref();
        let live = live.map(|info| read_live_docs(&**directory, registry, &reader, info)).transpose()?;
        Ok(SnapshotSegment { reader, live: live.map(Arc::new), live_file: segment.live_docs.clone() })
    });
    let segments = segments.collect::<Result<Vec<_>>>()?;
    let file = manifest::commit_file(commit.generation);
    let corrupt = |problem: String| lucerne_codec::Error::corrupt(&file, 0, problem);
    let schema = Schema::from_value(&commit.schema).map_err(|error| corrupt(error.to_string()))?;
    for segment in &segments {
        check_fields(&schema, &segment.reader).map_err(corrupt)?;
    }
    Ok(Snapshot { segments, schema, commit: Arc::new(pinned) })
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
