//! Flushing: when a buffer is full, which thread flushes it, how it becomes a segment, and what if that fails.

use super::buffer::{Buffer, columns, sparse, terms};
use super::segments::{FlushStage, ImmutableBuffer, SegmentEntry};
use super::shared::WriterInner;
use crate::commit::{NewFiles, manifest};
use crate::error::{Result, catch_panic};
use crate::reader::SegmentReader;
use crate::segment_write::{SegmentParts, SegmentWrite};
use lucerne_codec::Directory as _;
use lucerne_codec::format::Working;
use lucerne_codec::segment_info::{StructureInfo, VectorInfo};
use lucerne_codec::vector::VectorReader;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Writes a buffer (of at least one document) as a segment and opens it. Nothing is synced. After an error or a
/// panic the files created so far are deleted as far as possible. Shared state of vector fields (a mean vector) is taken from
/// `previous`, an earlier segment.
pub(crate) fn flush(
    write: &SegmentWrite<'_>,
    buffer: &Buffer,
    previous: Option<&SegmentReader>,
) -> Result<SegmentReader> {
    let span = tracing::debug_span!("flush", segment = write.name, docs = buffer.len());
    let _entered = span.enter();
    let files = NewFiles::new(write.directory);
    let reader = write_segment(&SegmentWrite { directory: &files, ..*write }, buffer, previous)?;
    files.keep();
    Ok(reader)
}

fn write_segment(
    write: &SegmentWrite<'_>,
    buffer: &Buffer,
    previous: Option<&SegmentReader>,
) -> Result<SegmentReader> {
    let context = write.context(buffer.len());
    let mut vectors = Vec::new();
    for (number, buffered) in buffer.vectors() {
        let field = write.schema.vector_field(number)?;
        let format = field.format(write.registry)?;
        let (info, previous) = (field.info(), previous_vectors(previous, number, format.name()));
        let written = format.write(&context, &info, buffered.rows(), previous)?;
        vectors.push(VectorInfo { field: info, structure: StructureInfo::new(format.name(), written) });
    }
    let format = write.registry.default_stored()?;
    let written = format.write(&context, &mut |doc, into| {
        into.clear();
        into.extend_from_slice(buffer.stored(doc));
        Ok(())
    })?;
    let stored = StructureInfo::new(format.name(), written);
    let format = write.registry.default_keys()?;
    let keys: Vec<&str> = buffer.keys().iter().map(|key| &**key).collect();
    let keys = StructureInfo::new(format.name(), format.write(&context, &keys)?);
    let postings = write_terms(write, buffer)?;
    let columns = write_columns(write, buffer)?;
    let sparse = write_sparse(write, buffer)?;
    let parts = SegmentParts { max_doc: buffer.len(), stored, keys, postings, columns, sparse, vectors };
    write.finish(parts, None)
}

/// Writes the terms of a buffer's documents, if they have any.
pub(crate) fn write_terms(write: &SegmentWrite<'_>, buffer: &Buffer) -> Result<Option<StructureInfo>> {
    terms::write(write.registry, &write.context(buffer.len()), write.schema, &buffer.terms)
}

/// Writes the columns of a buffer's documents, if they have any.
pub(crate) fn write_columns(write: &SegmentWrite<'_>, buffer: &Buffer) -> Result<Option<StructureInfo>> {
    let context = write.context(buffer.len());
    columns::write(write.registry, &context, write.schema, &buffer.numbers, &buffer.terms)
}

/// Writes the sparse vectors of a buffer's documents, if they have any.
pub(crate) fn write_sparse(write: &SegmentWrite<'_>, buffer: &Buffer) -> Result<Option<StructureInfo>> {
    sparse::write(write.registry, &write.context(buffer.len()), write.schema, &buffer.sparse)
}

/// The vectors of a field in an earlier segment, when they have the same format.
fn previous_vectors<'a>(
    previous: Option<&'a SegmentReader>,
    number: u32,
    format: &str,
) -> Option<&'a dyn VectorReader> {
    let field = previous?.vector_field(number)?;
    (field.format == format).then_some(&*field.reader)
}

impl WriterInner {
    /// Flushes the buffer this thread would write to when it is full, and those whose flush failed before.
    pub(super) fn flush_if_full(&self) -> Result<()> {
        if self.failed_flushes.load(Ordering::Relaxed) > 0 {
            let waiting = self.segments.lock().buffers.clone();
            waiting.iter().try_for_each(|buffer| self.flush_or_wait(buffer).map(drop))?;
        }
        let shared = self.commit_barrier.read();
        self.check_open()?;
        let full = self.pool.lock().pop_if(|buffer| self.is_full(buffer));
        let full = full.map(|buffer| self.segments.lock().freeze(buffer));
        drop(shared);
        full.map_or(Ok(()), |buffer| self.flush_or_wait(&buffer).map(drop))
    }

    /// Bytes that one buffer may take.
    pub(super) fn buffer_budget(&self) -> usize {
        let budget = self.options.ram_budget.min(self.store.memory.buffer_limit());
        budget / self.buffer_count.load(Ordering::Relaxed).max(1)
    }

    pub(super) fn is_full(&self, buffer: &Buffer) -> bool {
        buffer.bytes() >= self.buffer_budget()
            || self.options.flush_docs.is_some_and(|docs| buffer.len() >= docs)
            || buffer.len() >= crate::limits::MAX_SEGMENT_DOCS - 1
    }

    /// The segment of an immutable buffer: flushed here, or by the thread that already does. `None` when it was rolled
    /// back.
    pub(super) fn flush_or_wait(&self, immutable: &Arc<ImmutableBuffer>) -> Result<Option<SegmentEntry>> {
        let buffer = {
            let mut stage = immutable.stage.lock();
            loop {
                match &*stage {
                    FlushStage::Flushed(entry) => return Ok(Some(entry.clone())),
                    FlushStage::RolledBack => return Ok(None),
                    FlushStage::Flushing => immutable.stage_changed.wait(&mut stage),
                    FlushStage::Waiting(_) => {
                        if let FlushStage::Waiting(buffer) =
                            std::mem::replace(&mut *stage, FlushStage::Flushing)
                        {
                            break buffer;
                        }
                    }
                }
            }
        };
        let number = self.take_segment_number();
        let flushed = catch_panic("flushing a segment", || self.flush(number, &buffer, immutable.position));
        let result = self.finish_flush(immutable, buffer, flushed);
        self.in_flight.lock().remove(&number);
        result
    }

    pub(super) fn flush(&self, number: u64, buffer: &Buffer, position: u64) -> Result<SegmentEntry> {
        let name = manifest::segment_name(number);
        let segments = self.segments();
        let largest = segments.iter().map(|entry| &*entry.reader).max_by_key(|reader| reader.max_doc());
        let write = SegmentWrite {
            directory: &*self.directory,
            registry: &self.store.registry,
            pins: &self.store.pins,
            schema: &self.schema(),
            name: &name,
            id: self.segment_id(number)?,
            seed: self.seed(),
            threads: self.options.threads,
            working: Working::Heap,
            cancel: &self.cancel,
            progress: &(),
        };
        let begun = Instant::now();
        let reader = Arc::new(flush(&write, buffer, largest)?);
        let bytes = reader.files().map(|file| file.len).sum();
        self.store.counters.flushed(begun.elapsed(), bytes);
        Ok(SegmentEntry { reader, state: Arc::clone(&buffer.state), position })
    }

    fn finish_flush(
        &self,
        immutable: &Arc<ImmutableBuffer>,
        buffer: Arc<Buffer>,
        flushed: Result<SegmentEntry>,
    ) -> Result<Option<SegmentEntry>> {
        let mut stage = immutable.stage.lock();
        let rolled_back = matches!(&*stage, FlushStage::RolledBack);
        let result = match flushed {
            Ok(entry) if rolled_back => {
                // What cannot be deleted now is collected later.
                entry.reader.files().for_each(|file| drop(self.directory.delete(&file.name)));
                Ok(None)
            }
            Ok(entry) => {
                // First found in the segment, then forgotten in the key map: never in neither.
                self.segments.lock().add(entry.clone());
                *stage = FlushStage::Flushed(entry.clone());
                Ok(Some(entry))
            }
            Err(error) => {
                if !rolled_back {
                    *stage = FlushStage::Waiting(Arc::clone(&buffer));
                }
                Err(error)
            }
        };
        immutable.stage_changed.notify_all();
        drop(stage);
        if let Ok(Some(_)) = &result {
            self.keys.forget(&immutable.state, buffer.keys().iter().map(|key| &**key));
            self.forget_buffer();
            immutable.state.published.store(true, Ordering::Release);
            self.flush_finished.store(true, Ordering::Relaxed);
        }
        self.set_flush_failed(immutable, result.is_err());
        result
    }

    /// Counts one buffer less. Never below zero: a rollback resets the count while a flush may still be ending.
    pub(super) fn forget_buffer(&self) {
        let less = |count: usize| Some(count.saturating_sub(1));
        let _ = self.buffer_count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    pub(super) fn set_flush_failed(&self, immutable: &ImmutableBuffer, failed: bool) {
        if immutable.flush_failed.swap(failed, Ordering::Relaxed) != failed {
            if failed {
                self.failed_flushes.fetch_add(1, Ordering::Relaxed);
            } else {
                self.failed_flushes.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}
