//! What the writer's threads share: published segments, and immutable buffers on their way to become some.

use super::buffer::Buffer;
use crate::reader::SegmentReader;
use lucerne_codec::commit::LiveDocsInfo;
use lucerne_codec::{BitSet, DocId};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Deleted documents of one segment; the set only ever grows. Cheap to clone at a point in time, copied when it changes
/// after that.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeletedDocs {
    words: Arc<Vec<u64>>,
    count: u32,
}

impl DeletedDocs {
    /// The documents that are not in `live`.
    pub(crate) fn from_live(live: &BitSet) -> Self {
        let mut deleted = Self::default();
        (0..live.len()).filter(|&doc| !live.contains(doc)).for_each(|doc| deleted.insert(doc));
        deleted
    }

    pub(crate) fn contains(&self, doc: DocId) -> bool {
        self.words.get(doc as usize / 64).is_some_and(|word| word >> (doc % 64) & 1 == 1)
    }

    pub(crate) fn insert(&mut self, doc: DocId) {
        let index = doc as usize / 64;
        let words = Arc::make_mut(&mut self.words);
        if words.len() <= index {
            words.resize(index + 1, 0);
        }
        if let Some(word) = words.get_mut(index)
            && *word >> (doc % 64) & 1 == 0
        {
            *word |= 1 << (doc % 64);
            self.count += 1;
        }
    }

    /// Number of deleted documents.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// The live docs of `max_doc` documents; `None` when nothing is deleted.
    pub(crate) fn live(&self, max_doc: u32) -> Option<BitSet> {
        (self.count > 0).then(|| {
            let mut live = BitSet::full(max_doc);
            for doc in 0..max_doc {
                if self.contains(doc) {
                    live.remove(doc);
                }
            }
            live
        })
    }
}

/// What changes about a segment. It is made with the buffer that becomes the segment: document ids stay the same, so
/// deletes do too. Two segments are the same when they share it.
#[derive(Debug, Default)]
pub(crate) struct SegmentState {
    deleted: Mutex<DeletedDocs>,
    /// The last live-docs file written for it.
    pub(crate) live_docs_file: Mutex<Option<LiveDocsInfo>>,
    /// Its keys are found in the segment, no longer in the key map: it may be merged.
    pub(crate) published: AtomicBool,
    /// A merge is using it.
    pub(crate) merging: AtomicBool,
}

impl SegmentState {
    /// The state of a segment that a commit names.
    pub(crate) fn committed(live: Option<&BitSet>, live_docs_file: Option<LiveDocsInfo>) -> Self {
        let deleted = live.map(DeletedDocs::from_live).unwrap_or_default();
        Self {
            deleted: Mutex::new(deleted),
            live_docs_file: Mutex::new(live_docs_file),
            published: AtomicBool::new(true),
            merging: AtomicBool::new(false),
        }
    }

    pub(crate) fn delete(&self, doc: DocId) {
        self.deleted.lock().insert(doc);
    }

    pub(crate) fn is_deleted(&self, doc: DocId) -> bool {
        self.deleted.lock().contains(doc)
    }

    /// The documents deleted so far.
    pub(crate) fn deleted(&self) -> DeletedDocs {
        self.deleted.lock().clone()
    }
}

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
