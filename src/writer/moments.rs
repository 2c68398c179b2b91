//! Points in time: everything written up to an instant, and back to one.

use super::core::Core;
use super::slot::{Deleted, Slot};
use super::state::{Captured, Entry, Part, Stage};
use crate::error::{Error, Result};
use crate::reader::{SegmentReader, Snapshot};
use lucerne_codec::BitSet;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Everything written up to a moment.
pub(crate) struct Capture {
    pub(crate) parts: Vec<Captured>,
    pub(crate) next_key: u64,
    pub(crate) moment: u64,
}

impl Core {
    /// Everything written so far, at one instant: no write is half in it.
    pub(crate) fn capture(&self) -> Result<Capture> {
        let _alone = self.gate.write();
        self.alive()?;
        let buffers = std::mem::take(&mut *self.pool.lock());
        let mut state = self.state.lock();
        for buffer in buffers {
            if buffer.is_empty() {
                self.one_buffer_less();
            } else {
                state.freeze(buffer);
            }
        }
        let ready = state.ready.iter().map(Captured::ready);
        let mut captured: Vec<Captured> = ready.chain(state.frozen.iter().map(Captured::frozen)).collect();
        captured.sort_by_key(Captured::sequence);
        Ok(Capture {
            parts: captured,
            next_key: self.next_key.load(Ordering::Relaxed),
            moment: self.next_moment(),
        })
    }

    /// Turns what was captured into segments, in order. Segments without a live document are left out.
    pub(crate) fn settle(&self, captured: Vec<Captured>) -> Result<Vec<(Entry, Deleted)>> {
        let mut settled = Vec::with_capacity(captured.len());
        for part in captured {
            let entry = match part.part {
                Part::Ready(entry) => Some(entry),
                Part::Frozen(frozen) => self.flush_or_wait(&frozen)?,
            };
            if part.deleted.count() < part.docs {
                settled.extend(entry.map(|entry| (entry, part.deleted)));
            }
        }
        Ok(settled)
    }

    /// Throws away everything since `committed`.
    /// Returns the moment after it.
    pub(crate) fn rollback_to(&self, committed: &Snapshot) -> Result<u64> {
        let _alone = self.gate.write();
        self.alive()?;
        self.pool.lock().clear();
        let frozen = std::mem::take(&mut self.state.lock().frozen);
        for frozen in &frozen {
            *frozen.stage.lock() = Stage::Dropped;
            frozen.changed.notify_all();
            self.recount_stuck(frozen, false);
        }
        self.buffers.store(0, Ordering::Relaxed);
        self.keys.clear();
        self.reset_to(committed);
        Ok(self.next_moment())
    }

    /// Moments number captures and rollbacks in the order they happened. Called with the gate held alone.
    pub(super) fn next_moment(&self) -> u64 {
        self.moment.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Adds finished segments, all or none, when none of their keys has a live document yet.
    pub(crate) fn attach(&self, segments: Vec<(SegmentReader, Option<BitSet>)>) -> Result<()> {
        let _alone = self.gate.write();
        self.alive()?;
        let mut keys = HashSet::new();
        for (reader, live) in &segments {
            for doc in 0..reader.max_doc() {
                if live.as_ref().is_some_and(|live| !live.contains(doc)) {
                    continue;
                }
                let key = reader.keys().key(doc)?;
                let taken = self.locate(&self.keys.lock(key), key)?.is_some();
                if taken || !keys.insert(key.to_owned()) {
                    return Err(Error::DuplicateKey { key: key.to_owned() });
                }
            }
        }
        let mut state = self.state.lock();
        for (reader, live) in segments {
            let sequence = state.next_sequence;
            state.next_sequence += 1;
            let slot = Arc::new(Slot::committed(live.as_ref(), None));
            state.add_ready(Entry { reader: Arc::new(reader), slot, sequence });
        }
        Ok(())
    }

    /// Lets go of ready segments without a live document, so that their files can be collected.
    pub(crate) fn drop_dead_segments(&self) {
        // Those that a merge is using are the merge's to take out.
        let _choosing = self.choosing.lock();
        let is_dead = |entry: &Entry| {
            !entry.slot.merging.load(Ordering::Relaxed)
                && entry.slot.deleted().count() == entry.reader.max_doc()
        };
        self.state.lock().replace_ready(is_dead, None);
    }
}
