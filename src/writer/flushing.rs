//! Buffers on their way into segments: when one is full, who flushes it, and what if that fails.

use super::buffer::Buffer;
use super::core::Core;
use super::flush::{self, FlushTask};
use super::state::{Entry, Frozen, Stage};
use crate::commit::manifest;
use crate::error::Result;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Core {
    /// Flushes the buffer this thread would write to when it is full, and those whose flush failed before.
    pub(super) fn make_room(&self) -> Result<()> {
        if self.stuck.load(Ordering::Relaxed) > 0 {
            let waiting = self.state.lock().frozen.clone();
            waiting.iter().try_for_each(|frozen| self.flush_or_wait(frozen).map(drop))?;
        }
        let open = self.gate.read();
        self.alive()?;
        let full = self.pool.lock().pop_if(|buffer| self.is_full(buffer));
        let frozen = full.map(|buffer| self.state.lock().freeze(buffer));
        drop(open);
        frozen.map_or(Ok(()), |frozen| self.flush_or_wait(&frozen).map(drop))
    }

    /// Memory one buffer may take.
    pub(super) fn share(&self) -> usize {
        self.options.ram_budget / self.buffers.load(Ordering::Relaxed).max(1)
    }

    pub(super) fn is_full(&self, buffer: &Buffer) -> bool {
        buffer.bytes() >= self.share()
            || self.options.flush_docs.is_some_and(|docs| buffer.len() >= docs)
            || buffer.len() >= crate::limits::MAX_SEGMENT_DOCS - 1
    }

    /// The segment of a frozen buffer: flushed here, or by the thread that already does. `None` when it was
    /// rolled back.
    pub(super) fn flush_or_wait(&self, frozen: &Arc<Frozen>) -> Result<Option<Entry>> {
        let buffer = {
            let mut stage = frozen.stage.lock();
            loop {
                match &*stage {
                    Stage::Ready(entry) => return Ok(Some(entry.clone())),
                    Stage::Dropped => return Ok(None),
                    Stage::Flushing => frozen.changed.wait(&mut stage),
                    Stage::Waiting(_) => {
                        if let Stage::Waiting(buffer) = std::mem::replace(&mut *stage, Stage::Flushing) {
                            break buffer;
                        }
                    }
                }
            }
        };
        let number = self.take_segment_number();
        let flushed = self.flush(number, &buffer);
        let result = self.finish_flush(frozen, buffer, flushed);
        self.in_flight.lock().remove(&number);
        result
    }

    pub(super) fn flush(&self, number: u64, buffer: &Buffer) -> Result<Entry> {
        let name = manifest::segment_name(number);
        let ready = Arc::clone(&self.state.lock().ready);
        let reader = flush::flush(
            &FlushTask {
                directory: &*self.store.directory,
                registry: &self.store.registry,
                pins: &self.store.pins,
                schema: &self.schema(),
                name: &name,
                id: self.segment_id(number)?,
                seed: self.seed(),
                threads: self.options.threads,
                cancel: &self.cancel,
                sibling: ready.iter().map(|entry| &*entry.reader).max_by_key(|reader| reader.max_doc()),
            },
            buffer,
        )?;
        let (reader, slot) = (Arc::new(reader), Arc::clone(&buffer.slot));
        Ok(Entry { reader, slot, sequence: 0 })
    }

    pub(super) fn finish_flush(
        &self,
        frozen: &Arc<Frozen>,
        buffer: Arc<Buffer>,
        flushed: Result<Entry>,
    ) -> Result<Option<Entry>> {
        let mut stage = frozen.stage.lock();
        let dropped = matches!(&*stage, Stage::Dropped);
        let result = match flushed {
            Ok(entry) if dropped => {
                flush::discard(&*self.store.directory, entry.reader.name());
                Ok(None)
            }
            Ok(entry) => {
                let entry = Entry { sequence: frozen.sequence, ..entry };
                // First findable in the segment, then forgotten in the key map: never in neither.
                self.state.lock().add_ready(entry.clone());
                *stage = Stage::Ready(entry.clone());
                Ok(Some(entry))
            }
            Err(error) => {
                if !dropped {
                    *stage = Stage::Waiting(Arc::clone(&buffer));
                }
                Err(error)
            }
        };
        frozen.changed.notify_all();
        drop(stage);
        match &result {
            Ok(entry) => {
                if entry.is_some() {
                    self.keys.forget(&frozen.slot, buffer.keys().iter().map(|key| &**key));
                    self.one_buffer_less();
                    frozen.slot.findable.store(true, Ordering::Release);
                    self.flushed.store(true, Ordering::Relaxed);
                }
                self.recount_stuck(frozen, false);
            }
            Err(_) => self.recount_stuck(frozen, true),
        }
        result
    }

    /// Never below zero: a rollback starts the count anew while a flush may still be ending.
    pub(super) fn one_buffer_less(&self) {
        let less = |count: usize| Some(count.saturating_sub(1));
        let _ = self.buffers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    pub(super) fn recount_stuck(&self, frozen: &Frozen, stuck: bool) {
        if frozen.stuck.swap(stuck, Ordering::Relaxed) != stuck {
            if stuck {
                self.stuck.fetch_add(1, Ordering::Relaxed);
            } else {
                self.stuck.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}
