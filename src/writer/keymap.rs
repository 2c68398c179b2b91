//! Where the live document of a buffered key is. Keys of published segments are found in the segments.

use super::segment_state::SegmentState;
use lucerne_codec::DocId;
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

/// The address of a document: a buffer or segment, and the document in it.
#[derive(Clone, Debug)]
pub(crate) struct DocAddress {
    pub(crate) segment: Arc<SegmentState>,
    pub(crate) doc: DocId,
}

pub(crate) type KeyShard = HashMap<Box<str>, DocAddress>;

const SHARDS: usize = 64;

/// Buffered keys, in shards: a key's shard is locked for the whole of one write to that key, so that two
/// threads never both believe it is new.
#[derive(Debug)]
pub(crate) struct KeyMap {
    shards: Vec<Mutex<KeyShard>>,
    hasher: std::hash::RandomState,
}

impl Default for KeyMap {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: std::hash::RandomState::new() }
    }
}

impl KeyMap {
    /// Locks the shard of a key.
    pub(crate) fn lock(&self, key: &str) -> MutexGuard<'_, KeyShard> {
        let hash = self.hasher.hash_one(key) as usize;
        #[expect(clippy::indexing_slicing, reason = "the index is taken modulo the number of shards")]
        self.shards[hash % SHARDS].lock()
    }

    /// Forgets the keys of a buffer that can now be found in its segment.
    pub(crate) fn forget<'a>(&self, segment: &Arc<SegmentState>, keys: impl Iterator<Item = &'a str>) {
        for key in keys {
            let mut shard = self.lock(key);
            if shard.get(key).is_some_and(|address| Arc::ptr_eq(&address.segment, segment)) {
                shard.remove(key);
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.shards.iter().for_each(|shard| *shard.lock() = KeyShard::default());
    }
}
