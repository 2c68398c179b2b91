//! Refresh and commit of a writer: a point in time, flushed, then shown (refresh) or made durable (commit).

use super::segment_state::{DeletedDocs, SegmentState};
use super::segments::{ImmutableBuffer, SegmentEntry};
use super::shared::{Stopped, WriterInner};
use super::tags::{Change, changed_tags};
use crate::commit::history::{self, CommitFiles};
use crate::commit::recover::OnDamage;
use crate::commit::{gc, manifest, publish};
use crate::error::{Error, Result, catch_panic};
use crate::reader::{PinnedCommit, Snapshot, SnapshotSegment};
use lucerne_codec::Directory as _;
use lucerne_codec::commit::{CommitInfo, CommitOrigin, CommitSegment, LiveDocsInfo};
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The commit in force.
pub(crate) struct Committed {
    pub(crate) snapshot: Arc<Snapshot>,
    /// Every file it needs: all durable.
    pub(crate) own: CommitFiles,
    /// Those before it that are kept, newest first.
    pub(crate) older: Vec<CommitFiles>,
    /// The generation the next attempt takes; an attempt that fails uses its number up.
    pub(crate) next_generation: u64,
    /// Generations of all commits that were there when the writer was opened: later ones are its own.
    pub(crate) known: Vec<u64>,
}

impl Committed {
    pub(crate) fn new(
        snapshot: Snapshot,
        older: Vec<CommitFiles>,
        next_generation: u64,
        known: Vec<u64>,
    ) -> Self {
        let own = files_of(&snapshot);
        Self { snapshot: Arc::new(snapshot), own, older, next_generation, known }
    }

    pub(crate) fn info(&self) -> &CommitInfo {
        &self.snapshot.commit.info
    }

    /// True for a file of this commit, or of one that is kept.
    pub(crate) fn keeps(&self, file: &str) -> bool {
        self.own.files.contains(file) || self.older.iter().any(|commit| commit.files.contains(file))
    }

    /// A later commit is in force, this one is the newest of those before it.
    pub(super) fn succeed(&mut self, next: Snapshot) {
        let own = std::mem::replace(&mut self.own, files_of(&next));
        let older = [own].into_iter().chain(std::mem::take(&mut self.older)).collect();
        self.older = history::kept(&next.commit.info, older);
        self.snapshot = Arc::new(next);
    }

    /// Proves that nobody else has committed: another writer, or somebody who put a copy in the folder's place.
    pub(super) fn check_last(&self, writer: &WriterInner, names: &[String]) -> Result<()> {
        match manifest::foreign_commit(names, self.own.generation, &self.known) {
            None => Ok(()),
            Some(problem) => Err(writer.directory.give_up(&problem)),
        }
    }
}

fn files_of(snapshot: &Snapshot) -> CommitFiles {
    let generation = snapshot.generation();
    let files = snapshot.files().map(str::to_owned).chain([manifest::commit_file(generation)]);
    CommitFiles { generation, files: files.collect() }
}

/// A commit that is durable but not yet visible: the first of two phases.
///
/// [`PreparedCommit::commit`] publishes it; dropping it (or [`PreparedCommit::abort`]) takes it back, and
/// the documents stay in the writer for the next commit.
///
/// ```
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::{Document, Schema};
/// use std::sync::Arc;
///
/// let directory = Arc::new(RamDirectory::new());
/// let index = IndexBuilder::new().create(directory, Schema::builder().build()?)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new())?;
/// let prepared = writer.prepare_commit()?; // durable, not visible: commit it with another system's transaction
/// assert_eq!(index.searcher()?.len(), 0);
/// let generation = prepared.commit()?;
/// assert_eq!((index.searcher()?.generation(), index.searcher()?.len()), (generation, 1));
/// # Ok::<(), lucerne::Error>(())
/// ```
pub struct PreparedCommit<'a> {
    writer: &'a WriterInner,
    committed: MutexGuard<'a, Committed>,
    /// `None` when nothing has changed since the last commit.
    next: Option<Snapshot>,
    sequence_number: u64,
    /// [`WriterInner::changes`] at its point in time.
    changes: u64,
    /// How long preparing it took.
    preparing: Duration,
}

/// Makes everything written so far durable under a pending name.
pub(crate) fn prepare<'a>(
    writer: &'a WriterInner,
    committed: &'a Mutex<Committed>,
    change: Change,
) -> Result<PreparedCommit<'a>> {
    let span = tracing::debug_span!("prepare_commit");
    let (_entered, begun) = (span.enter(), Instant::now());
    let prepare = || prepare_locked(writer, committed.lock(), change);
    let mut prepared = catch_panic("preparing a commit", prepare)?;
    prepared.preparing = begun.elapsed();
    Ok(prepared)
}

fn prepare_locked<'a>(
    writer: &'a WriterInner,
    mut committed: MutexGuard<'a, Committed>,
    change: Change,
) -> Result<PreparedCommit<'a>> {
    writer.check_open()?;
    let names = writer.directory.list()?;
    committed.check_last(writer, &names)?;
    let generation = committed.next_generation;
    let tags = changed_tags(committed.info(), &change, generation, &names)?;
    let point = writer.point_in_time()?;
    let segments = writer.flush_point(point.segments)?;
    // Used up even if this fails at once: live docs that were not written to their end have its number.
    committed.next_generation += 1;
    let commit_segments =
        segments.iter().map(|(entry, deleted)| commit_segment(writer, entry, deleted, generation));
    let commit_segments = commit_segments.collect::<Result<Vec<_>>>()?;
    let last = committed.info();
    let first_segment = commit_segments.first().map(|segment| segment.id);
    let info = CommitInfo {
        generation,
        next_segment: writer.next_segment(),
        next_key: point.next_key,
        written_by: crate::limits::WRITTEN_BY.to_owned(),
        schema: writer.schema().to_json(),
        segments: commit_segments,
        user_data: match change {
            Change::UserData(user_data) => user_data,
            _ => last.user_data.clone(),
        },
        lineage: last.lineage.or(first_segment),
        origin: CommitOrigin::Writer,
        tags,
        older_commits: writer.options.keep_commits.map_or(last.older_commits, |keep| keep.saturating_sub(1)),
    };
    let same = info.segments == last.segments
        && info.schema == last.schema
        && info.user_data == last.user_data
        && info.next_key == last.next_key
        && (&info.tags, info.older_commits) == (&last.tags, last.older_commits);
    if same {
        committed.next_generation = generation; // Nothing was written.
        let (sequence_number, changes) = (point.sequence_number, point.changes);
        let preparing = Duration::ZERO;
        return Ok(PreparedCommit { writer, committed, next: None, sequence_number, changes, preparing });
    }
    let snapshot = snapshot(writer, &segments, info);
    let needed = snapshot.files().filter(|file| !committed.keeps(file));
    let new_files: Vec<String> = needed.map(str::to_owned).collect();
    let info = &snapshot.commit.info;
    publish::prepare(&*writer.directory, &writer.store.registry, info, &new_files)
        .map_err(|failure| fail(writer, failure))?;
    Ok(PreparedCommit {
        writer,
        committed,
        next: Some(snapshot),
        sequence_number: point.sequence_number,
        changes: point.changes,
        preparing: Duration::ZERO,
    })
}

fn commit_segment(
    writer: &WriterInner,
    entry: &SegmentEntry,
    deleted: &DeletedDocs,
    generation: u64,
) -> Result<CommitSegment> {
    let reader = &entry.reader;
    let live_docs = deleted.live(reader.max_doc()).map(|live| {
        let mut written = entry.state.live_docs_file.lock();
        if let Some(info) = &*written
            && info.deleted == deleted.count()
        {
            return Ok(info.clone()); // Deletes only grow: as many means the same.
        }
        let (directory, id) = (&*writer.directory, reader.info().id);
        let format = writer.store.registry.default_live_docs()?;
        let file = format.write(directory, reader.name(), id, generation, &live)?;
        let info =
            LiveDocsInfo { format: format.name().to_owned(), generation, deleted: deleted.count(), file };
        *written = Some(info.clone());
        Ok::<_, Error>(info)
    });
    Ok(CommitSegment {
        name: reader.name().to_owned(),
        id: reader.info().id,
        info: reader.info_file().clone(),
        live_docs: live_docs.transpose()?,
    })
}

fn snapshot(writer: &WriterInner, flushed: &[(SegmentEntry, DeletedDocs)], info: CommitInfo) -> Snapshot {
    let segments = flushed.iter().zip(&info.segments).map(|((entry, deleted), segment)| SnapshotSegment {
        reader: Arc::clone(&entry.reader),
        live: deleted.live(entry.reader.max_doc()).map(Arc::new),
        live_file: segment.live_docs.clone(),
    });
    let (segments, store) = (segments.collect(), &writer.store);
    let commit = PinnedCommit::new(info, &store.directory, &store.registry, &store.pins);
    Snapshot { schema: writer.schema(), commit: Arc::new(commit), segments }
}

pub(super) fn fail(writer: &WriterInner, failure: publish::Failure) -> Error {
    let error = Error::from(failure.error);
    if failure.fatal && !matches!(error, Error::WriterLost { .. }) {
        writer.stop(Stopped::Failed(error.to_string()));
    }
    error
}

impl PreparedCommit<'_> {
    /// The generation this commit will have.
    pub fn generation(&self) -> u64 {
        self.next.as_ref().map_or(self.committed.own.generation, Snapshot::generation)
    }

    /// Publishes the commit and returns its generation. When this returns `Ok`, the commit survives process
    /// death, kernel crash and power loss on a disk that honors fsync.
    ///
    /// # Errors
    /// The previous commit stays in force. After a failed sync or rename the writer must be reopened.
    pub fn commit(mut self) -> Result<u64> {
        let writer = self.writer;
        if self.next.is_some() {
            // Before it is taken: after an error the pending file is taken back.
            self.committed.check_last(writer, &writer.directory.list()?)?;
        }
        let Some(snapshot) = self.next.take() else {
            // Nothing to publish, but a refresh may have shown a document that is gone again.
            writer.store.set_committed(self.sequence_number, Arc::clone(&self.committed.snapshot));
            collect_garbage(writer, &self.committed);
            writer.committed_changes.store(self.changes, Ordering::Relaxed);
            return Ok(self.committed.own.generation);
        };
        let generation = snapshot.generation();
        let span = tracing::debug_span!("commit", generation);
        let (_entered, begun) = (span.enter(), Instant::now());
        publish::publish(&*writer.directory, generation).map_err(|failure| fail(writer, failure))?;
        self.committed.succeed(snapshot);
        writer.committed_changes.store(self.changes, Ordering::Relaxed);
        writer.store.set_committed(self.sequence_number, Arc::clone(&self.committed.snapshot));
        writer.store.counters.commits.record(self.preparing + begun.elapsed());
        tracing::info!(generation, segments = self.committed.info().segments.len(), "committed");
        writer.drop_dead_segments();
        collect_garbage(writer, &self.committed);
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
        let Some(snapshot) = self.next.take() else { return Ok(()) };
        publish::abandon(&*self.writer.directory, snapshot.generation())
    }
}

impl Drop for PreparedCommit<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.take_back() {
            tracing::warn!(%error, "a pending commit could not be deleted");
        }
    }
}

/// Segments as they were at a point in time, not durable.
fn snapshot_segments(flushed: &[(SegmentEntry, DeletedDocs)]) -> Vec<SnapshotSegment> {
    let segments = flushed.iter().map(|(entry, deleted)| SnapshotSegment {
        reader: Arc::clone(&entry.reader),
        live: deleted.live(entry.reader.max_doc()).map(Arc::new),
        live_file: None,
    });
    segments.collect()
}

/// A snapshot of everything written so far, not durable.
pub(crate) fn refresh(writer: &WriterInner) -> Result<()> {
    let point = writer.point_in_time()?;
    let segments = writer.flush_point(point.segments)?;
    let shown =
        writer.store.set_refreshed(point.sequence_number, writer.schema(), snapshot_segments(&segments));
    if shown { Ok(()) } else { writer.check_open() }
}

/// Deletes what neither the commit in force, nor an open snapshot, nor a running flush or merge needs. What
/// cannot be listed or deleted now is left to the next commit: whatever was done before stands.
pub(crate) fn collect_garbage(writer: &WriterInner, committed: &Committed) {
    let names = writer.directory.list().map_err(Error::from);
    let names = names.and_then(|names| committed.check_last(writer, &names).map(|()| names));
    let names = match names {
        Ok(names) => names,
        Err(error) => return tracing::warn!(%error, "old files could not be collected"),
    };
    // Live docs that a commit which failed has written are those of the next one.
    let written =
        |entry: &SegmentEntry| entry.state.live_docs_file.lock().as_ref().map(|info| info.file.name.clone());
    let live_docs: HashSet<String> = writer.segments().iter().filter_map(written).collect();
    // In this order: a flush that ends has pinned its files before it is no longer in flight.
    let keep = |file: &str| {
        committed.keeps(file)
            || live_docs.contains(file)
            || writer.is_in_flight(file)
            || writer.store.pins.contains(file)
    };
    gc::collect(&*writer.directory, &writer.store.registry, &names, keep);
}

/// Deletes files that a searcher has let go of. Not while a commit is prepared: the next call does.
pub(crate) fn collect_released(writer: &WriterInner, committed: &Mutex<Committed>) {
    if let Some(committed) = committed.try_lock()
        && writer.store.pins.take_released()
    {
        collect_garbage(writer, &committed);
    }
}

/// Everything written up to a point in time.
struct PointInTime {
    /// In order.
    segments: Vec<SegmentAtPoint>,
    next_key: u64,
    sequence_number: u64,
    changes: u64,
}

/// A segment, or a buffer about to be one, with what was deleted of it by then.
struct SegmentAtPoint {
    source: SegmentSource,
    deleted: DeletedDocs,
    docs: u32,
}

enum SegmentSource {
    Segment(SegmentEntry),
    Buffer(Arc<ImmutableBuffer>),
}

impl SegmentAtPoint {
    fn segment(entry: &SegmentEntry) -> Self {
        let (deleted, docs) = (entry.state.deleted(), entry.reader.max_doc());
        Self { source: SegmentSource::Segment(entry.clone()), deleted, docs }
    }

    fn buffer(buffer: &Arc<ImmutableBuffer>) -> Self {
        let source = SegmentSource::Buffer(Arc::clone(buffer));
        Self { source, deleted: buffer.state.deleted(), docs: buffer.docs }
    }

    fn position(&self) -> u64 {
        match &self.source {
            SegmentSource::Segment(entry) => entry.position,
            SegmentSource::Buffer(buffer) => buffer.position,
        }
    }
}

impl WriterInner {
    /// Everything written so far, which nobody else is shown, and the states of its segments.
    pub(super) fn private_snapshot(&self) -> Result<(Snapshot, Vec<Arc<SegmentState>>)> {
        let point = self.point_in_time()?;
        let flushed = self.flush_point(point.segments)?;
        let states = flushed.iter().map(|(entry, _)| Arc::clone(&entry.state)).collect();
        let segments = snapshot_segments(&flushed);
        let snapshot = self.store.newest(OnDamage::Refuse)?.followed_by(self.schema(), segments);
        Ok((snapshot, states))
    }

    /// Fixes a point in time: every write is in it whole or not at all. All buffers become immutable.
    fn point_in_time(&self) -> Result<PointInTime> {
        let _exclusive = self.commit_barrier.write();
        self.check_open()?;
        self.directory.check()?;
        let buffers = std::mem::take(&mut *self.pool.lock());
        let mut list = self.segments.lock();
        for buffer in buffers {
            if buffer.is_empty() {
                self.forget_buffer();
            } else {
                list.freeze(buffer);
            }
        }
        let segments = list.segments.iter().map(SegmentAtPoint::segment);
        let buffers = list.buffers.iter().map(SegmentAtPoint::buffer);
        let mut segments: Vec<SegmentAtPoint> = segments.chain(buffers).collect();
        segments.sort_by_key(SegmentAtPoint::position);
        let next_key = self.next_key.load(Ordering::Relaxed);
        let changes = self.changes.load(Ordering::Relaxed);
        Ok(PointInTime { segments, next_key, sequence_number: self.next_sequence_number(), changes })
    }

    /// Flushes the buffers of a point in time; returns its segments in order, without those that have no live document.
    fn flush_point(&self, segments: Vec<SegmentAtPoint>) -> Result<Vec<(SegmentEntry, DeletedDocs)>> {
        let mut flushed = Vec::with_capacity(segments.len());
        for SegmentAtPoint { source, deleted, docs } in segments {
            let entry = match source {
                SegmentSource::Segment(entry) => Some(entry),
                SegmentSource::Buffer(buffer) => self.flush_or_wait(&buffer)?,
            };
            if deleted.count() < docs {
                flushed.extend(entry.map(|entry| (entry, deleted)));
            }
        }
        Ok(flushed)
    }

    /// The sequence number of a point in time or rollback. Called with the commit barrier held exclusively.
    pub(super) fn next_sequence_number(&self) -> u64 {
        self.sequence_number.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Lets go of segments without a live document, so that their files can be deleted.
    fn drop_dead_segments(&self) {
        // Those that a merge is using are the merge's to take out.
        let _selecting = self.selecting.lock();
        let is_dead = |entry: &SegmentEntry| {
            !entry.state.merging.load(Ordering::Relaxed)
                && entry.state.deleted().count() == entry.reader.max_doc()
        };
        self.segments.lock().replace(is_dead, None);
    }
}
