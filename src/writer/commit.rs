//! Refresh, commit and rollback of a writer.

use super::core::{Core, Stopped};
use super::slot::Deleted;
use super::state::Entry;
use crate::commit::{gc, manifest, publish};
use crate::error::Result;
use crate::reader::{Snapshot, SnapshotSegment};
use lucerne_codec::commit::{CommitInfo, CommitSegment, LiveDocsInfo};
use parking_lot::{Mutex, MutexGuard};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// The commit in force.
pub(crate) struct Committed {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) info: CommitInfo,
    /// Every file it needs, itself included: all durable.
    pub(crate) files: HashSet<String>,
    /// The generation the next attempt takes; an attempt that fails uses its number up.
    pub(crate) next_generation: u64,
}

impl Committed {
    pub(crate) fn new(snapshot: Snapshot, info: CommitInfo, next_generation: u64) -> Self {
        let files = files_of(&snapshot, info.generation);
        Self { snapshot: Arc::new(snapshot), info, files, next_generation }
    }
}

fn files_of(snapshot: &Snapshot, generation: u64) -> HashSet<String> {
    snapshot.files().map(str::to_owned).chain([manifest::commit_file(generation)]).collect()
}

/// A commit that is durable but not yet visible: the first of two phases.
///
/// [`PreparedCommit::commit`] publishes it; dropping it (or [`PreparedCommit::abort`]) takes it back, and
/// the documents stay in the writer for the next commit.
pub struct PreparedCommit<'a> {
    core: &'a Core,
    committed: MutexGuard<'a, Committed>,
    /// `None` when nothing has changed since the last commit.
    next: Option<(Snapshot, CommitInfo)>,
    moment: u64,
}

/// Makes everything written so far durable under a pending name.
pub(crate) fn prepare<'a>(
    core: &'a Core,
    committed: &'a Mutex<Committed>,
    user_data: Option<BTreeMap<String, String>>,
) -> Result<PreparedCommit<'a>> {
    let mut committed = committed.lock();
    let capture = core.capture()?;
    let settled = core.settle(capture.parts)?;
    let generation = committed.next_generation;
    // Used up even if this fails at once: live docs that were not written to their end have its number.
    committed.next_generation += 1;
    let segments = settled.iter().map(|(entry, deleted)| commit_segment(core, entry, deleted, generation));
    let last = &committed.info;
    let info = CommitInfo {
        generation,
        next_segment: core.next_segment(),
        next_key: capture.next_key,
        written_by: crate::limits::WRITTEN_BY.to_owned(),
        schema: core.schema().to_json(),
        segments: segments.collect::<Result<_>>()?,
        user_data: user_data.unwrap_or_else(|| last.user_data.clone()),
    };
    let same = info.segments == last.segments
        && info.schema == last.schema
        && info.user_data == last.user_data
        && info.next_key == last.next_key;
    if same {
        committed.next_generation = generation; // Nothing was written.
        return Ok(PreparedCommit { core, committed, next: None, moment: capture.moment });
    }
    let snapshot = snapshot(core, &settled, &info);
    let needed = snapshot.files().filter(|file| !committed.files.contains(*file));
    let new_files: Vec<String> = needed.map(str::to_owned).collect();
    publish::prepare(&*core.store.directory, &core.store.registry, &info, &new_files)
        .map_err(|failure| fail(core, failure))?;
    Ok(PreparedCommit { core, committed, next: Some((snapshot, info)), moment: capture.moment })
}

fn commit_segment(core: &Core, entry: &Entry, deleted: &Deleted, generation: u64) -> Result<CommitSegment> {
    let reader = &entry.reader;
    let live_docs = deleted.live(reader.max_doc()).map(|live| {
        let mut written = entry.slot.written.lock();
        if let Some(info) = &*written
            && info.deleted == deleted.count()
        {
            return Ok(info.clone()); // Deletes only grow: as many means the same.
        }
        let (directory, id) = (&*core.store.directory, reader.info().id);
        let format = core.store.registry.default_live_docs()?;
        let file = format.write(directory, reader.name(), id, generation, &live)?;
        let info =
            LiveDocsInfo { format: format.name().to_owned(), generation, deleted: deleted.count(), file };
        *written = Some(info.clone());
        Ok::<_, crate::error::Error>(info)
    });
    Ok(CommitSegment {
        name: reader.name().to_owned(),
        id: reader.info().id,
        info: reader.info_file().clone(),
        live_docs: live_docs.transpose()?,
    })
}

fn snapshot(core: &Core, settled: &[(Entry, Deleted)], info: &CommitInfo) -> Snapshot {
    let segments = settled.iter().zip(&info.segments).map(|((entry, deleted), segment)| SnapshotSegment {
        reader: Arc::clone(&entry.reader),
        live: deleted.live(entry.reader.max_doc()).map(Arc::new),
        live_file: segment.live_docs.clone(),
    });
    Snapshot {
        schema: core.schema(),
        generation: info.generation,
        segments: segments.collect(),
        user_data: info.user_data.clone(),
    }
}

fn fail(core: &Core, failure: publish::Failure) -> crate::error::Error {
    if failure.fatal {
        core.stop(Stopped::Failed(failure.error.to_string()));
    }
    failure.error.into()
}

impl PreparedCommit<'_> {
    /// The generation this commit will have.
    pub fn generation(&self) -> u64 {
        self.next.as_ref().map_or(self.committed.info.generation, |(_, info)| info.generation)
    }

    /// Publishes the commit and returns its generation. When this returns `Ok`, the commit survives process
    /// death, kernel crash and power loss on a disk that honours fsync.
    ///
    /// # Errors
    /// The previous commit stays in force. After a failed sync or rename the writer must be reopened.
    pub fn commit(mut self) -> Result<u64> {
        let core = self.core;
        let Some((snapshot, info)) = self.next.take() else {
            // Nothing to publish, but a refresh may have shown a document that is gone again.
            core.store.set_committed(self.moment, Arc::clone(&self.committed.snapshot));
            return Ok(self.committed.info.generation);
        };
        let directory = &*core.store.directory;
        publish::publish(directory, info.generation).map_err(|failure| fail(core, failure))?;
        let (generation, next_generation) = (info.generation, self.committed.next_generation);
        *self.committed = Committed::new(snapshot, info, next_generation);
        core.store.set_committed(self.moment, Arc::clone(&self.committed.snapshot));
        tracing::info!(generation, segments = self.committed.info.segments.len(), "committed");
        core.drop_dead_segments();
        collect(core, &self.committed);
        Ok(generation)
    }

    /// Takes the commit back; the documents stay in the writer.
    ///
    /// # Errors
    /// When the pending file cannot be deleted now; the next writer does.
    pub fn abort(mut self) -> Result<()> {
        self.take_back()
    }

    fn take_back(&mut self) -> Result<()> {
        let Some((_, info)) = self.next.take() else { return Ok(()) };
        publish::abandon(&*self.core.store.directory, info.generation)
    }
}

impl Drop for PreparedCommit<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.take_back() {
            tracing::warn!(%error, "a pending commit could not be deleted");
        }
    }
}

/// A snapshot of everything written so far, not durable.
pub(crate) fn refresh(core: &Core) -> Result<()> {
    let capture = core.capture()?;
    let settled = core.settle(capture.parts)?;
    let segments = settled.iter().map(|(entry, deleted)| SnapshotSegment {
        reader: Arc::clone(&entry.reader),
        live: deleted.live(entry.reader.max_doc()).map(Arc::new),
        live_file: None,
    });
    match core.store.set_refreshed(capture.moment, core.schema(), segments.collect()) {
        true => Ok(()),
        false => core.alive(),
    }
}

/// Throws away everything since the last commit.
pub(crate) fn rollback(core: &Core, committed: &Mutex<Committed>) -> Result<()> {
    let committed = committed.lock();
    let moment = core.rollback_to(&committed.snapshot)?;
    core.store.set_latest(moment, Arc::clone(&committed.snapshot));
    collect(core, &committed);
    Ok(())
}

/// Deletes what neither the commit in force, nor an open snapshot, nor a running flush or merge needs. What
/// cannot be listed or deleted now is left to the next commit: whatever was done before stands.
pub(crate) fn collect(core: &Core, committed: &Committed) {
    // In this order: a flush that ends has pinned its files before it is no longer in flight.
    let keep = |file: &str| {
        committed.files.contains(file) || core.is_in_flight(file) || core.store.pins.contains(file)
    };
    if let Err(error) = gc::collect(&*core.store.directory, keep) {
        tracing::warn!(%error, "old files could not be collected");
    }
}
