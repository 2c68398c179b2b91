//! Room for documents under a ceiling that other writers, merges and searches share.

use super::buffer::Buffer;
use super::shared::WriterInner;
use crate::document::Validated;
use crate::error::Result;
use crate::memory::Sheds;

impl WriterInner {
    /// Waits until there is room for these documents: buffers are flushed, of this writer or another. With no lock held.
    pub(super) fn make_room<'a>(&self, documents: impl IntoIterator<Item = &'a Validated>) -> Result<()> {
        if self.store.memory.limit().is_none() {
            return Ok(());
        }
        let needs = documents.into_iter().map(|document| self.needs(document)).sum();
        self.store.memory.make_room(needs, || self.check_open())
    }

    /// Whether there is room for a document now.
    pub(super) fn has_room(&self, document: &Validated) -> bool {
        self.store.memory.limit().is_none() || self.store.memory.has_room(self.needs(document))
    }

    fn needs(&self, document: &Validated) -> u64 {
        let vector_bytes = self.vector_bytes.read();
        Buffer::needs(document, |field| vector_bytes.get(&field).copied().unwrap_or(0))
    }
}

impl Sheds for WriterInner {
    fn largest(&self) -> u64 {
        let pool = self.pool.try_lock();
        let bytes = pool.iter().flat_map(|pool| pool.iter()).map(Buffer::bytes);
        bytes.max().unwrap_or(0) as u64
    }

    fn shed(&self) -> Result<bool> {
        let Some(shared) = self.commit_barrier.try_read() else { return Ok(false) };
        if self.check_open().is_err() {
            return Ok(false);
        }
        let largest = {
            let mut pool = self.pool.lock();
            let largest = (0..pool.len()).max_by_key(|&at| pool.get(at).map(Buffer::bytes));
            largest
                .filter(|&at| pool.get(at).is_some_and(|buffer| !buffer.is_empty()))
                .map(|at| pool.remove(at))
        };
        let Some(largest) = largest else { return Ok(false) };
        let immutable = self.segments.lock().freeze(largest);
        drop(shared);
        self.flush_or_wait(&immutable)?;
        Ok(true)
    }
}
