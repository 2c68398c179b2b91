//! Stored documents: the bytes a user gave, by document id.

use crate::format::{OpenContext, Problem, WriteContext, Written};
use crate::{Cancel, DocId, MergeInput, Report, Result};

/// Bytes of a document at most. Longer ones are refused when they are added, so that none gets as far as a format.
pub const MAX_DOCUMENT: usize = 16 << 20;

/// Writes and opens stored documents. A format takes every document of up to [`MAX_DOCUMENT`] bytes.
pub trait StoredFormat: Send + Sync {
    /// The name segments remember.
    fn name(&self) -> &'static str;

    /// Writes exactly `context.max_doc` documents in order; `next` yields each in turn.
    fn write(
        &self,
        context: &WriteContext<'_>,
        next: &mut dyn FnMut(DocId, &mut Vec<u8>) -> Result<()>,
    ) -> Result<Written>;

    /// Opens what was written. Reads metadata only.
    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn StoredReader>>;

    /// Opens what is left of damaged files: [`StoredReader::get`] gives the documents whose own bytes are whole, byte for
    /// byte, and an error for every other one. For repairs.
    ///
    /// # Errors
    /// When nothing is left, and by default always: files that are damaged at all then count as gone.
    fn salvage(&self, context: &OpenContext<'_>) -> Result<Box<dyn StoredReader>> {
        Err(context.beyond_repair(self.name()))
    }

    /// Writes the live documents of all sources, source by source.
    fn merge(
        &self,
        context: &WriteContext<'_>,
        sources: &[MergeInput<'_, dyn StoredReader>],
    ) -> Result<Written>;
}

/// Stored documents of one segment.
pub trait StoredReader: Send + Sync {
    /// Replaces the content of `into` by the document's bytes.
    fn get(&self, doc: DocId, into: &mut Vec<u8>) -> Result<()>;

    /// A report for people and tools.
    fn inspect(&self) -> Report;

    /// False when the file has an older version than the format writes now: `lucerne upgrade` rewrites it.
    fn is_current(&self) -> bool {
        true
    }

    /// Reads every document.
    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>>;
}
