//! What changes about a segment while the writer lives: its deletes, and what is being done with it.

use lucerne_codec::commit::LiveDocsInfo;
use lucerne_codec::{BitSet, DocId};
use parking_lot::Mutex;
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

    /// Deletes documents at once; returns how many of them were not deleted before.
    pub(crate) fn delete_all(&self, docs: impl Iterator<Item = DocId>) -> u32 {
        let mut deleted = self.deleted.lock();
        let before = deleted.count();
        docs.for_each(|doc| deleted.insert(doc));
        deleted.count() - before
    }

    pub(crate) fn is_deleted(&self, doc: DocId) -> bool {
        self.deleted.lock().contains(doc)
    }

    /// The documents deleted so far.
    pub(crate) fn deleted(&self) -> DeletedDocs {
        self.deleted.lock().clone()
    }
}
