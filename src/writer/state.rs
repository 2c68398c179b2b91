//! What the writer's threads share: ready segments, and buffers on their way to become some.

use super::buffer::Buffer;
use super::slot::{Deleted, Slot};
use crate::reader::SegmentReader;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A segment of the writer's current view.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) reader: Arc<SegmentReader>,
    pub(crate) slot: Arc<Slot>,
    /// Position in the order of segments.
    pub(crate) sequence: u64,
}

/// How far a frozen buffer has come.
pub(crate) enum Stage {
    /// Nobody flushes it (yet, or after an attempt that failed).
    Waiting(Arc<Buffer>),
    /// A thread flushes it.
    Flushing,
    /// It is a segment.
    Ready(Entry),
    /// It was rolled back.
    Dropped,
}

/// A buffer that takes no more documents.
pub(crate) struct Frozen {
    pub(crate) slot: Arc<Slot>,
    pub(crate) docs: u32,
    pub(crate) sequence: u64,
    pub(crate) stage: Mutex<Stage>,
    pub(crate) changed: Condvar,
    /// Its last flush failed; the buffer is still in memory.
    pub(crate) stuck: AtomicBool,
}

impl Frozen {
    pub(crate) fn new(buffer: Buffer, sequence: u64) -> Self {
        Self {
            slot: Arc::clone(&buffer.slot),
            docs: buffer.len(),
            sequence,
            stage: Mutex::new(Stage::Waiting(Arc::new(buffer))),
            changed: Condvar::new(),
            stuck: AtomicBool::new(false),
        }
    }
}

/// Segments and frozen buffers; a buffer is in exactly one of the two lists.
#[derive(Default)]
pub(crate) struct State {
    /// Ready segments in order. Replaced, never changed, so that a reader of the list needs no lock.
    pub(crate) ready: Arc<Vec<Entry>>,
    pub(crate) frozen: Vec<Arc<Frozen>>,
    pub(crate) next_sequence: u64,
}

impl State {
    pub(crate) fn freeze(&mut self, buffer: Buffer) -> Arc<Frozen> {
        let frozen = Arc::new(Frozen::new(buffer, self.next_sequence));
        self.next_sequence += 1;
        self.frozen.push(Arc::clone(&frozen));
        frozen
    }

    pub(crate) fn add_ready(&mut self, entry: Entry) {
        let mut ready = Vec::clone(&self.ready);
        let at = ready.partition_point(|other| other.sequence < entry.sequence);
        self.frozen.retain(|frozen| frozen.sequence != entry.sequence);
        ready.insert(at, entry);
        self.ready = Arc::new(ready);
    }
}

impl State {
    /// Takes the entries that `is_source` names out and puts `merged`, if any, in their place.
    pub(crate) fn replace_ready(&mut self, is_source: impl Fn(&Entry) -> bool, merged: Option<Entry>) {
        let mut ready: Vec<Entry> = self.ready.iter().filter(|entry| !is_source(entry)).cloned().collect();
        if let Some(merged) = merged {
            let at = ready.partition_point(|other| other.sequence < merged.sequence);
            ready.insert(at, merged);
        }
        self.ready = Arc::new(ready);
    }
}

/// A segment, or a buffer about to be one, at the moment of a refresh or commit.
pub(crate) struct Captured {
    pub(crate) part: Part,
    pub(crate) deleted: Deleted,
    pub(crate) docs: u32,
}

pub(crate) enum Part {
    Ready(Entry),
    Frozen(Arc<Frozen>),
}

impl Captured {
    pub(crate) fn ready(entry: &Entry) -> Self {
        let (deleted, docs) = (entry.slot.deleted(), entry.reader.max_doc());
        Self { part: Part::Ready(entry.clone()), deleted, docs }
    }

    pub(crate) fn frozen(frozen: &Arc<Frozen>) -> Self {
        Self { part: Part::Frozen(Arc::clone(frozen)), deleted: frozen.slot.deleted(), docs: frozen.docs }
    }

    pub(crate) fn sequence(&self) -> u64 {
        match &self.part {
            Part::Ready(entry) => entry.sequence,
            Part::Frozen(frozen) => frozen.sequence,
        }
    }
}
