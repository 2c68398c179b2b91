//! Stored documents: the bytes a user gave, by document id.

use crate::vector::{OpenContext, Problem, WriteContext, Written};
use crate::{Cancel, DocId, DocMap, Facts, Result};

/// Writes and opens stored documents.
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

    /// Writes the live documents of all sources, source by source.
    fn merge(&self, context: &WriteContext<'_>, sources: &[StoredSource<'_>]) -> Result<Written>;
}

/// One source of a merge.
pub struct StoredSource<'a> {
    /// Its documents.
    pub reader: &'a dyn StoredReader,
    /// Where they go: ascending new ids within and across sources.
    pub docs: &'a DocMap,
}

/// Stored documents of one segment.
pub trait StoredReader: Send + Sync {
    /// Replaces the content of `into` by the document's bytes.
    fn get(&self, doc: DocId, into: &mut Vec<u8>) -> Result<()>;

    /// Facts for people and tools.
    fn inspect(&self) -> Facts;

    /// False when the file has an older version than the format writes now: `lucerne upgrade` rewrites it.
    fn is_current(&self) -> bool {
        true
    }

    /// Reads every document.
    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>>;
}
