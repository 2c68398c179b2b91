//! New versions of documents that nobody sees until all of them are there: what makes an update by query all or nothing.

use super::buffer::Buffer;
use super::moves::Watch;
use super::segment_state::SegmentState;
use super::segments::SegmentEntry;
use super::shared::WriterInner;
use crate::document::Validated;
use crate::error::{Error, Result, catch_panic};
use crate::schema::Schema;
use lucerne_codec::{Directory as _, DocId};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A document as it was found: the position of its segment in the snapshot, and its id there.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) segment: usize,
    pub(super) doc: DocId,
}

/// A segment of new versions, and what each is the new version of.
struct StagedSegment {
    entry: SegmentEntry,
    old: Vec<Found>,
}

/// New versions of documents, in a buffer of their own and in segments that are in no list yet. Dropping it deletes them.
pub(super) struct Staged<'a> {
    writer: &'a WriterInner,
    schema: &'a Schema,
    buffer: Option<Buffer>,
    /// What the documents of the buffer are the new versions of.
    old: Vec<Found>,
    segments: Vec<StagedSegment>,
}

/// How many documents were replaced, and how many had been replaced or deleted by somebody else.
#[derive(Clone, Copy, Default)]
pub(super) struct Replaced {
    pub(super) changed: u64,
    pub(super) skipped: u64,
}

impl<'a> Staged<'a> {
    pub(super) fn new(writer: &'a WriterInner, schema: &'a Schema) -> Self {
        Self { writer, schema, buffer: None, old: Vec::new(), segments: Vec::new() }
    }

    /// Takes the new version of a document. A full buffer becomes a segment.
    pub(super) fn push(&mut self, old: Found, key: &str, document: &Validated) -> Result<()> {
        let writer = self.writer;
        if self.buffer.as_ref().is_some_and(|buffer| writer.is_full(buffer)) || !writer.has_room(document) {
            self.flush()?;
            writer.make_room([document])?;
        }
        let buffer = self.buffer.get_or_insert_with(|| {
            writer.buffer_count.fetch_add(1, Ordering::Relaxed);
            Buffer::with_budget(writer.buffer_budget(), writer.store.memory.charge())
        });
        writer.report_zero_vectors(key, &document.vectors);
        let vector_bytes = writer.vector_bytes.read();
        buffer.push(key, document, |field| vector_bytes.get(&field).copied().unwrap_or(0));
        self.old.push(old);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let Some(buffer) = self.buffer.take() else { return Ok(()) };
        let writer = self.writer;
        let number = writer.take_segment_number();
        let flushed = catch_panic("flushing a segment", || writer.flush(number, &buffer, 0));
        // From here on an open reader keeps its files.
        writer.in_flight.lock().remove(&number);
        writer.forget_buffer();
        let old = std::mem::take(&mut self.old);
        self.segments.push(StagedSegment { entry: flushed?, old });
        Ok(())
    }

    /// Puts the new versions in the place of the old ones, at one point in time: of those documents that nobody has
    /// replaced or deleted since they were found. `sources` are the segments in which they were found.
    pub(super) fn publish(mut self, sources: &[Arc<SegmentState>], watch: &Watch<'_>) -> Result<Replaced> {
        self.flush()?;
        let writer = self.writer;
        let _exclusive = writer.commit_barrier.write();
        writer.check_takes_writes()?;
        if writer.schema() != *self.schema {
            let problem =
                "the schema was changed while documents were updated; nothing was changed, try again";
            return Err(Error::Invalid(problem.to_owned()));
        }
        let mut replaced = Replaced::default();
        let mut list = writer.segments.lock();
        let known =
            |state: &Arc<SegmentState>| list.segments.iter().any(|entry| Arc::ptr_eq(&entry.state, state));
        let routes = sources.iter().map(|source| Some(watch.route(source)).filter(|route| known(&route.end)));
        let routes: Vec<_> = routes.collect();
        for StagedSegment { entry, old } in &self.segments {
            for (new, Found { segment, doc }) in (0..).zip(old) {
                let route = routes.get(*segment).and_then(Option::as_ref);
                let now = route.and_then(|route| Some((&route.end, route.doc(*doc)?)));
                if now.is_some_and(|(state, doc)| state.delete_all([doc].into_iter()) == 1) {
                    replaced.changed += 1;
                } else {
                    entry.state.delete(new);
                    replaced.skipped += 1;
                }
            }
        }
        for StagedSegment { mut entry, .. } in self.segments.drain(..) {
            entry.position = list.next_position;
            list.next_position += 1;
            entry.state.published.store(true, Ordering::Release);
            list.add(entry);
        }
        writer.flush_finished.store(true, Ordering::Relaxed);
        writer.store.counters.documents_added.add(replaced.changed);
        writer.changes.fetch_add(replaced.changed, Ordering::Relaxed);
        Ok(replaced)
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if self.buffer.is_some() {
            self.writer.forget_buffer();
        }
        for StagedSegment { entry, .. } in &self.segments {
            // What cannot be deleted now is collected later.
            entry.reader.files().for_each(|file| drop(self.writer.directory.delete(&file.name)));
        }
    }
}
