//! What the writer's threads share: published segments, and immutable buffers on their way to become some.

use super::buffer::Buffer;
use super::segment_state::SegmentState;
use crate::reader::SegmentReader;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A segment in the writer's list.
#[derive(Clone)]
pub(crate) struct SegmentEntry {
    pub(crate) reader: Arc<SegmentReader>,
    pub(crate) state: Arc<SegmentState>,
    /// Place in the order of segments.
    pub(crate) position: u64,
}

/// How far the flush of an immutable buffer has come.
pub(crate) enum FlushStage {
    /// No thread flushes it: not yet, or no longer after an attempt that failed.
    Waiting(Arc<Buffer>),
    /// A thread flushes it.
    Flushing,
    /// It is a segment.
    Flushed(SegmentEntry),
    RolledBack,
}

/// A buffer that takes no more documents.
pub(crate) struct ImmutableBuffer {
    pub(crate) state: Arc<SegmentState>,
    pub(crate) docs: u32,
    pub(crate) position: u64,
    pub(crate) stage: Mutex<FlushStage>,
    /// Notified when the stage has changed.
    pub(crate) stage_changed: Condvar,
    /// Its last flush failed; the buffer is still in memory.
    pub(crate) flush_failed: AtomicBool,
}

/// All segments and immutable buffers of the writer; each buffer is in exactly one of the two lists.
#[derive(Default)]
pub(crate) struct SegmentList {
    /// Segments in order. The list is replaced, never changed, so that its readers need no lock.
    pub(crate) segments: Arc<Vec<SegmentEntry>>,
    pub(crate) buffers: Vec<Arc<ImmutableBuffer>>,
    pub(crate) next_position: u64,
}

impl SegmentList {
    /// Makes a buffer immutable and puts it last.
    pub(crate) fn freeze(&mut self, buffer: Buffer) -> Arc<ImmutableBuffer> {
        let immutable = Arc::new(ImmutableBuffer {
            state: Arc::clone(&buffer.state),
            docs: buffer.len(),
            position: self.next_position,
            stage: Mutex::new(FlushStage::Waiting(Arc::new(buffer))),
            stage_changed: Condvar::new(),
            flush_failed: AtomicBool::new(false),
        });
        self.next_position += 1;
        self.buffers.push(Arc::clone(&immutable));
        immutable
    }

    /// Puts a segment in its place, taking out the buffer it was flushed from.
    pub(crate) fn add(&mut self, entry: SegmentEntry) {
        self.buffers.retain(|buffer| buffer.position != entry.position);
        self.replace(|_| false, Some(entry));
    }

    /// Takes out the segments that `is_source` selects and puts `merged`, if any, in its place.
    pub(crate) fn replace(
        &mut self,
        is_source: impl Fn(&SegmentEntry) -> bool,
        merged: Option<SegmentEntry>,
    ) {
        let kept = self.segments.iter().filter(|entry| !is_source(entry));
        let mut segments: Vec<SegmentEntry> = kept.cloned().collect();
        if let Some(merged) = merged {
            let at = segments.partition_point(|other| other.position < merged.position);
            segments.insert(at, merged);
        }
        self.segments = Arc::new(segments);
    }
}
