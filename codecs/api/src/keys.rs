//! Keys: the user's identity of every document, both ways.

use crate::format::{OpenContext, Problem, WriteContext, Written};
use crate::{BitSet, Cancel, DocId, Neighbor, Report, Result, TopK};
use std::cmp::Ordering;

/// Documents looked at between two looks at the cancel flag.
const CANCEL_STEP: usize = 1_024;

/// Writes and opens a segment's keys.
pub trait KeysFormat: Send + Sync {
    /// The name segments remember.
    fn name(&self) -> &'static str;

    /// Writes the keys of documents `0..keys.len()`. A key may occur more than once: an upsert leaves the
    /// older document behind as deleted.
    fn write(&self, context: &WriteContext<'_>, keys: &[&str]) -> Result<Written>;

    /// Opens what was written. Reads metadata only.
    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn KeysReader>>;

    /// Opens what is left of damaged files: [`KeysReader::key`] gives the keys whose own bytes are whole, and an error for
    /// every other one. For repairs.
    ///
    /// # Errors
    /// When nothing is left, and by default always.
    fn salvage(&self, context: &OpenContext<'_>) -> Result<Box<dyn KeysReader>> {
        Err(context.beyond_repair(self.name()))
    }
}

/// The keys of one segment.
pub trait KeysReader: Send + Sync {
    /// The key of a document.
    fn key(&self, doc: DocId) -> Result<&str>;

    /// Hints that the keys of these documents will be asked for next. Does nothing by default.
    fn prefetch(&self, _docs: &[DocId]) {}

    /// Orders two documents by the bytes of their keys; one whose key cannot be read comes last. Where damage is not noticed
    /// on the way the order may be another: [`KeysReader::verify`] notices it.
    fn order(&self, left: DocId, right: DocId) -> Ordering {
        match (self.key(left), self.key(right)) {
            (Ok(left), Ok(right)) => left.cmp(right),
            (left, right) => left.is_err().cmp(&right.is_err()),
        }
    }

    /// The first `count` members of `docs` in the order of [`KeysReader::order`], in no order. Fails when stopped.
    fn first(&self, docs: &BitSet, count: usize, cancel: &Cancel) -> Result<Vec<DocId>> {
        let ties = |left: DocId, right: DocId| self.order(left, right);
        let mut top = TopK::new(count, &ties);
        for (done, doc) in docs.iter().enumerate() {
            cancel.check_every(CANCEL_STEP, done)?;
            top.offer(Neighbor { distance: 0.0, ordinal: doc, doc });
        }
        Ok(top.into_unsorted().into_iter().map(|first| first.doc).collect())
    }

    /// Calls `found` with every document of that key, deleted ones included.
    fn find(&self, key: &str, found: &mut dyn FnMut(DocId)) -> Result<()>;

    /// A report for people and tools.
    fn inspect(&self) -> Report;

    /// False when the file has an older version than the format writes now: `lucerne upgrade` rewrites it.
    fn is_current(&self) -> bool {
        true
    }

    /// Looks up every key.
    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>>;
}
