//! A folder in memory and the contexts to write to it and read from it.

use crate::format::{OpenContext, Working, WriteContext, Written};
use crate::testing::MemoryDirectory;
use crate::{Cancel, SegmentId};

/// Where a conformance suite works: one segment `_0` in a folder of its own.
#[derive(Debug, Default)]
pub struct Bench {
    /// The folder.
    pub directory: MemoryDirectory,
    /// Stops the work when a suite asks it to.
    pub cancel: Cancel,
}

impl Bench {
    /// The segment's name.
    pub const SEGMENT: &'static str = "_0";
    /// The segment's id.
    pub const ID: SegmentId = SegmentId([7; 16]);
    /// The id of another segment.
    pub const OTHER: SegmentId = SegmentId([8; 16]);

    /// An empty folder.
    pub fn new() -> Self {
        Self::default()
    }

    /// To write a segment of `max_doc` documents.
    pub fn write(&self, max_doc: u32) -> WriteContext<'_> {
        WriteContext {
            directory: &self.directory,
            segment: Self::SEGMENT,
            segment_id: Self::ID,
            max_doc,
            seed: 42,
            threads: 1,
            working: Working::Heap,
            cancel: &self.cancel,
            progress: &(),
        }
    }

    /// To open what was written for `max_doc` documents.
    pub fn open<'a>(&'a self, max_doc: u32, written: &'a Written) -> OpenContext<'a> {
        OpenContext {
            directory: &self.directory,
            segment_id: Self::ID,
            max_doc,
            files: &written.files,
            meta: &written.meta,
        }
    }
}
