//! What every format gets and gives back: where it writes, where it opens, what it has written, what damage it found.

use crate::envelope::{self, EnvelopeWriter, Expected, FileEntry, Header};
use crate::{Cancel, Directory, Error, Input, Progress, Result, SegmentId};

/// What a format needs to open its files again, in its own words. Small, and kept in the segment info.
pub type Metadata = serde_json::Value;

/// What a format tells people and tools about an open structure or a merge. It is printed by tools that do not
/// understand it, and nothing is ever opened by it.
pub type Report = serde_json::Value;

/// Where a format keeps the largest structures that it works on while it writes. What it writes does not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Working {
    /// On the heap.
    #[default]
    Heap,
    /// In files without a name, as far as the directory has them: slower, in less memory.
    Files,
}

/// Where a structure is being written, and with what means.
pub struct WriteContext<'a> {
    /// The index folder.
    pub directory: &'a dyn Directory,
    /// The segment's name, the prefix of its files: `_0`, `_1`, …
    pub segment: &'a str,
    /// The segment's id, for file headers.
    pub segment_id: SegmentId,
    /// Documents in the segment.
    pub max_doc: u32,
    /// Seed of everything random: same input, same seed, same bytes, on any number of threads.
    pub seed: u64,
    /// Threads the format may use, itself included; at least 1.
    pub threads: usize,
    /// Where the largest working structures are.
    pub working: Working,
    /// Asks the work to stop.
    pub cancel: &'a Cancel,
    /// Is called with how far the work has come.
    pub progress: &'a dyn Progress,
}

impl WriteContext<'_> {
    /// Creates a file of this segment; `field` is a field's number or [`crate::envelope::NO_FIELD`].
    pub fn create(&self, extension: &str, format: &str, version: u32, field: u32) -> Result<EnvelopeWriter> {
        let name = file_name(self.segment, field, extension);
        let header = Header { format, version, segment: self.segment_id, field };
        EnvelopeWriter::create(self.directory, &name, header)
    }
}

/// `_3.2.sq8` for field 2 of segment `_3`, `_3.keys` for a file of the whole segment.
pub fn file_name(segment: &str, field: u32, extension: &str) -> String {
    if field == envelope::NO_FIELD {
        format!("{segment}.{extension}")
    } else {
        format!("{segment}.{field}.{extension}")
    }
}

/// Where a structure is being opened.
pub struct OpenContext<'a> {
    /// The index folder.
    pub directory: &'a dyn Directory,
    /// The segment's id; files that carry another one are refused.
    pub segment_id: SegmentId,
    /// Documents in the segment.
    pub max_doc: u32,
    /// The files the structure was written to, in the order the format returned them.
    pub files: &'a [FileEntry],
    /// The metadata the format returned when it wrote them.
    pub meta: &'a Metadata,
}

impl OpenContext<'_> {
    /// Opens a file as [`WriteContext::create`] made it: envelope checked, of this segment and field, of this very
    /// version.
    pub fn open(&self, entry: &FileEntry, format: &str, version: u32, field: u32) -> Result<Input> {
        let expected = Expected { format, versions: (version, version), segment: self.segment_id, field };
        envelope::open_entry(self.directory, entry, expected).map(|(input, _)| input)
    }

    /// Opens a file that may be damaged anywhere or missing, at the length it had: what is not there is zero. It is refused
    /// when it is the whole file of another segment or field; nothing else of it is checked.
    pub fn open_damaged(&self, entry: &FileEntry, format: &str, version: u32, field: u32) -> Result<Input> {
        let input = envelope::open_damaged(self.directory, entry)?;
        let header = Header { format, version, segment: self.segment_id, field };
        if envelope::is_foreign(&input, header)? {
            return Err(input.corrupt(0, "a file of another segment or field is in its place"));
        }
        Ok(input)
    }

    /// The error of a format that makes nothing of damaged files.
    pub fn beyond_repair(&self, format: &str) -> Error {
        let file = self.files.first().map_or(format, |file| &file.name);
        Error::corrupt(file, 0, format!("format {format} cannot read damaged files"))
    }
}

/// What a format has written: its files, and the small metadata it needs to open them again. The metadata is kept in
/// the segment info, under that file's checksum.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The files, finished but not yet synced.
    pub files: Vec<FileEntry>,
    /// The format's own metadata.
    pub meta: Metadata,
}

/// Damage found by a thorough check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The damaged file.
    pub file: String,
    /// What is wrong.
    pub problem: String,
}
