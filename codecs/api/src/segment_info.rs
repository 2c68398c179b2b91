//! Segment info: the small file that says what a segment consists of.

use crate::envelope::FileEntry;
use crate::format::Written;
use crate::{Directory, Error, FieldInfo, Metadata, Report, Result, SegmentId};
use serde::{Deserialize, Serialize};

/// One structure of a segment: who wrote it, its files, its metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StructureInfo {
    /// Format name; the reader is looked up by it.
    pub format: String,
    /// Files, in the format's order.
    pub files: Vec<FileEntry>,
    /// The format's metadata.
    pub meta: Metadata,
}

impl StructureInfo {
    /// What the format of that name has written.
    pub fn new(format: &str, written: Written) -> Self {
        Self { format: format.to_owned(), files: written.files, meta: written.meta }
    }
}

/// One vector field of a segment. A field that no document of the segment has is not listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorInfo {
    /// The field as it was when the segment was written.
    pub field: FieldInfo,
    /// How it is stored.
    pub structure: StructureInfo,
}

/// What a segment consists of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentInfo {
    /// Name, the prefix of its files.
    pub name: String,
    /// Id, in the header of each of its files.
    pub id: SegmentId,
    /// Documents, deleted ones included.
    pub max_doc: u32,
    /// Release that wrote it.
    pub written_by: String,
    /// Stored documents.
    pub stored: StructureInfo,
    /// Keys.
    pub keys: StructureInfo,
    /// Terms of text and keyword fields; absent when no document has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postings: Option<StructureInfo>,
    /// Values of numbers, dates, truth values and keywords; absent when no document has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<StructureInfo>,
    /// Sparse vectors; absent when no document has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sparse: Option<StructureInfo>,
    /// Vector fields, by number.
    pub vectors: Vec<VectorInfo>,
    /// How a merged segment came about; absent for a flushed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Report>,
}

impl SegmentInfo {
    /// Every file of the segment but the segment info itself and live docs.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        let vectors = self.vectors.iter().flat_map(|vector| &vector.structure.files);
        let fields = self
            .postings
            .iter()
            .chain(&self.columns)
            .chain(&self.sparse)
            .flat_map(|structure| &structure.files);
        self.stored.files.iter().chain(&self.keys.files).chain(fields).chain(vectors)
    }
}

/// Writes and reads segment infos.
pub trait SegmentInfoFormat: Send + Sync {
    /// File name of a segment's info: of the first, or of the one that replaces it from a commit of that generation on.
    fn file_name(&self, segment: &str, generation: Option<u64>) -> String;

    /// Writes a segment's info; with a generation one that replaces another.
    fn write(
        &self,
        directory: &dyn Directory,
        info: &SegmentInfo,
        generation: Option<u64>,
    ) -> Result<FileEntry>;

    /// Reads and fully verifies it; it must be the segment `id`.
    fn read(&self, directory: &dyn Directory, entry: &FileEntry, id: SegmentId) -> Result<SegmentInfo>;

    /// Reads what is left of a damaged one, if that is all of it: for repairs.
    fn salvage(&self, directory: &dyn Directory, entry: &FileEntry, id: SegmentId) -> Result<SegmentInfo> {
        self.read(directory, entry, id)
    }

    /// Makes one from what the files of the segment say of themselves, when nothing is left of it: with stored documents,
    /// keys and the raw vectors of `fields`. Structures that can be made again from these are named without files. For
    /// repairs.
    ///
    /// # Errors
    /// When that is not enough, and by default always.
    fn reconstruct(
        &self,
        _directory: &dyn Directory,
        segment: &str,
        _id: SegmentId,
        _fields: &[FieldInfo],
    ) -> Result<SegmentInfo> {
        Err(Error::corrupt(self.file_name(segment, None), 0, "nothing is left of it"))
    }
}
