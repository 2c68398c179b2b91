//! Back to the last commit.

use super::commit::{Committed, collect_garbage};
use super::segments::FlushStage;
use super::shared::WriterInner;
use crate::error::Result;
use crate::reader::Snapshot;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Throws away everything since the last commit.
pub(crate) fn rollback(writer: &WriterInner, committed: &Mutex<Committed>) -> Result<()> {
    let committed = committed.lock();
    let sequence_number = writer.drop_uncommitted(&committed.snapshot)?;
    writer.store.set_latest(sequence_number, Arc::clone(&committed.snapshot));
    collect_garbage(writer, &committed);
    Ok(())
}

impl WriterInner {
    fn drop_uncommitted(&self, committed: &Snapshot) -> Result<u64> {
        let _exclusive = self.commit_barrier.write();
        self.check_open()?;
        self.go_back_to(committed)
    }

    /// Drops all buffers, deletes and segments that are not in `committed`, and puts its schema in force; returns the
    /// sequence number of that. With the commit barrier held exclusively.
    pub(super) fn go_back_to(&self, committed: &Snapshot) -> Result<u64> {
        self.replace_schema(&committed.schema)?;
        self.pool.lock().clear();
        let buffers = std::mem::take(&mut self.segments.lock().buffers);
        for buffer in &buffers {
            *buffer.stage.lock() = FlushStage::RolledBack;
            buffer.stage_changed.notify_all();
            self.set_flush_failed(buffer, false);
        }
        self.buffer_count.store(0, Ordering::Relaxed);
        self.keys.clear();
        self.reset_to(committed);
        self.committed_changes.store(self.changes.load(Ordering::Relaxed), Ordering::Relaxed);
        Ok(self.next_sequence_number())
    }
}
