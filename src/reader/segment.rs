//! One open segment.

use super::pins::{Pin, Pins};
use crate::error::Result;
use lucerne_codec::columns::ColumnsReader;
use lucerne_codec::commit::LiveDocsInfo;
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::OpenContext;
use lucerne_codec::keys::KeysReader;
use lucerne_codec::postings::PostingsReader;
use lucerne_codec::segment_info::{SegmentInfo, StructureInfo};
use lucerne_codec::sparse::{SparseReader, SparseVectors};
use lucerne_codec::stored::StoredReader;
use lucerne_codec::vector::VectorReader;
use lucerne_codec::{BitSet, Directory, DocId, FieldInfo, Metadata, Registry, Report, SegmentId};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// The vectors of one field of one segment.
pub(crate) struct VectorSegment {
    /// The field as it was when the segment was written.
    pub(crate) field: FieldInfo,
    /// Name of the format that wrote it.
    pub(crate) format: String,
    pub(crate) reader: Box<dyn VectorReader>,
}

impl VectorSegment {
    /// What the format says of them, with its name.
    pub(crate) fn inspect(&self) -> Report {
        let mut report = self.reader.inspect();
        if let Report::Object(entries) = &mut report {
            entries.entry("format").or_insert_with(|| self.format.clone().into());
        }
        report
    }
}

/// An open segment: immutable, shared by all snapshots that contain it.
pub(crate) struct SegmentReader {
    info: SegmentInfo,
    info_file: FileEntry,
    stored: Box<dyn StoredReader>,
    keys: Box<dyn KeysReader>,
    postings: Option<Box<dyn PostingsReader>>,
    columns: Option<Box<dyn ColumnsReader>>,
    sparse: Option<Box<dyn SparseReader>>,
    vectors: Vec<VectorSegment>,
    _pin: Pin,
}

impl SegmentReader {
    /// Opens a segment: metadata is read and verified, large files are checked in structure only.
    pub(crate) fn open(
        directory: &dyn Directory,
        registry: &Registry,
        pins: &Arc<Pins>,
        info_file: &FileEntry,
        id: SegmentId,
    ) -> Result<Self> {
        let info = registry.segment_info.read(directory, info_file, id)?;
        Self::open_info(directory, registry, pins, info_file, info)
    }

    /// Opens a segment by what its segment info says, or will say.
    pub(crate) fn open_info(
        directory: &dyn Directory,
        registry: &Registry,
        pins: &Arc<Pins>,
        info_file: &FileEntry,
        info: SegmentInfo,
    ) -> Result<Self> {
        let files = info.files().map(|file| file.name.clone()).chain([info_file.name.clone()]);
        let pin = pins.pin(files.collect());
        let context = |structure| open_context(directory, &info, structure);
        // What does not fit a format cannot have been written: the segment info is damaged.
        let blame = |error| match error {
            lucerne_codec::Error::Invalid(problem) => {
                lucerne_codec::Error::corrupt(&info_file.name, 0, problem)
            }
            other => other,
        };
        let stored = registry.stored(&info.stored.format, &info_file.name)?.open(&context(&info.stored))?;
        let keys = registry.keys(&info.keys.format, &info_file.name)?.open(&context(&info.keys))?;
        let postings = info.postings.as_ref().map(|written| {
            registry.postings(&written.format, &info_file.name)?.open(&context(written)).map_err(blame)
        });
        let columns = info.columns.as_ref().map(|written| {
            registry.columns(&written.format, &info_file.name)?.open(&context(written)).map_err(blame)
        });
        let sparse = info.sparse.as_ref().map(|written| {
            registry.sparse(&written.format, &info_file.name)?.open(&context(written)).map_err(blame)
        });
        let (postings, columns, sparse) = (postings.transpose()?, columns.transpose()?, sparse.transpose()?);
        let vectors = info.vectors.iter().map(|vector| {
            let format = registry.vectors(&vector.structure.format, &info_file.name)?;
            Ok(VectorSegment {
                field: vector.field.clone(),
                format: vector.structure.format.clone(),
                reader: format.open(&context(&vector.structure), &vector.field).map_err(blame)?,
            })
        });
        let vectors = vectors.collect::<Result<Vec<_>>>()?;
        let info_file = info_file.clone();
        Ok(Self { stored, keys, postings, columns, sparse, vectors, _pin: pin, info_file, info })
    }

    pub(crate) fn info(&self) -> &SegmentInfo {
        &self.info
    }

    pub(crate) fn info_file(&self) -> &FileEntry {
        &self.info_file
    }

    pub(crate) fn name(&self) -> &str {
        &self.info.name
    }

    pub(crate) fn max_doc(&self) -> u32 {
        self.info.max_doc
    }

    pub(crate) fn keys(&self) -> &dyn KeysReader {
        &*self.keys
    }

    pub(crate) fn stored(&self) -> &dyn StoredReader {
        &*self.stored
    }

    /// Terms; `None` when no document of the segment has any.
    pub(crate) fn postings(&self) -> Option<&dyn PostingsReader> {
        self.postings.as_deref()
    }

    /// Columns; `None` when no document of the segment has a value in any.
    pub(crate) fn columns(&self) -> Option<&dyn ColumnsReader> {
        self.columns.as_deref()
    }

    /// Sparse vectors; `None` when no document of the segment has one.
    pub(crate) fn sparse(&self) -> Option<&dyn SparseReader> {
        self.sparse.as_deref()
    }

    /// The sparse vectors of a field; `None` when no document of the segment has one.
    pub(crate) fn sparse_field(&self, number: u32) -> Option<&dyn SparseVectors> {
        self.sparse()?.field(number)
    }

    pub(crate) fn vectors(&self) -> &[VectorSegment] {
        &self.vectors
    }

    /// The vectors of a field; `None` when no document of the segment has one.
    pub(crate) fn vector_field(&self, number: u32) -> Option<&VectorSegment> {
        self.vectors.iter().find(|vectors| vectors.field.number == number)
    }

    /// Names of all its files but live docs.
    pub(crate) fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.info.files().chain([&self.info_file])
    }

    /// The live document of that key, if any; `deleted` tells which documents are gone.
    pub(crate) fn find_live(&self, key: &str, deleted: impl Fn(DocId) -> bool) -> Result<Option<DocId>> {
        let mut live = None;
        self.keys.find(key, &mut |doc| {
            if !deleted(doc) {
                live = Some(doc);
            }
        })?;
        Ok(live)
    }
}

/// Where the files of a segment's structure are.
pub(crate) fn open_context<'a>(
    directory: &'a dyn Directory,
    info: &'a SegmentInfo,
    structure: &'a StructureInfo,
) -> OpenContext<'a> {
    OpenContext {
        directory,
        segment_id: info.id,
        max_doc: info.max_doc,
        files: &structure.files,
        meta: &structure.meta,
    }
}

/// Reads a segment's live docs as a commit names them.
pub(crate) fn read_live_docs(
    directory: &dyn Directory,
    registry: &Registry,
    segment: &SegmentReader,
    info: &LiveDocsInfo,
) -> Result<BitSet> {
    let format = registry.live_docs(&info.format, &info.file.name)?;
    let live = format.read(&OpenContext {
        directory,
        segment_id: segment.info.id,
        max_doc: segment.max_doc(),
        files: std::slice::from_ref(&info.file),
        meta: &Metadata::Null,
    })?;
    let deleted = segment.max_doc() - live.count();
    if deleted != info.deleted {
        let problem = format!("{deleted} documents deleted, the commit says {}", info.deleted);
        return Err(lucerne_codec::Error::corrupt(&info.file.name, 0, problem).into());
    }
    Ok(live)
}

/// Open segments by id, so that snapshots share them.
#[derive(Default)]
pub(crate) struct SegmentCache(Mutex<HashMap<SegmentId, Weak<SegmentReader>>>);

impl SegmentCache {
    /// The open segment of that id and segment info, or the one `open` gives.
    pub(crate) fn get_or_open(
        &self,
        id: SegmentId,
        info_file: &FileEntry,
        open: impl FnOnce() -> Result<SegmentReader>,
    ) -> Result<Arc<SegmentReader>> {
        let mut open_segments = self.0.lock();
        let known = open_segments.get(&id).and_then(Weak::upgrade);
        if let Some(reader) = known.filter(|reader| reader.info_file == *info_file) {
            return Ok(reader);
        }
        let reader = Arc::new(open()?);
        open_segments.retain(|_, reader| reader.strong_count() > 0);
        open_segments.insert(id, Arc::downgrade(&reader));
        Ok(reader)
    }
}
