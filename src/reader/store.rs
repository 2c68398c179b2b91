//! What the readers and the writer of one open index share.

use super::pins::Pins;
use super::segment::SegmentCache;
use super::snapshot::{PinnedCommit, Snapshot, SnapshotSegment, open_commit};
use crate::analysis::Analyzers;
use crate::commit::history::{self, CommitRef};
use crate::commit::manifest;
use crate::commit::recover::{self, OnDamage};
use crate::error::Result;
use crate::memory::Memory;
use crate::schema::Schema;
use crate::stats::Counters;
use lucerne_codec::commit::CommitInfo;
use lucerne_codec::{Directory, Registry};
use parking_lot::Mutex;
use std::sync::Arc;

/// An index folder with the formats that read it.
pub(crate) struct Store {
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) analyzers: Analyzers,
    pub(crate) pins: Arc<Pins>,
    pub(crate) cache: SegmentCache,
    pub(crate) counters: Arc<Counters>,
    pub(crate) memory: Memory,
    latest: Mutex<Latest>,
}

/// The newest snapshot of this process's writer, while there is one, and the sequence number of its point in time.
#[derive(Default)]
struct Latest {
    sequence_number: u64,
    snapshot: Option<Arc<Snapshot>>,
}

impl Store {
    pub(crate) fn new(
        directory: Arc<dyn Directory>,
        registry: Registry,
        analyzers: Analyzers,
        memory: Memory,
    ) -> Self {
        let (pins, cache, latest) = (Arc::default(), SegmentCache::default(), Mutex::default());
        let registry = Arc::new(registry);
        Self { directory, registry, analyzers, pins, cache, counters: Arc::default(), memory, latest }
    }

    /// Opens the newest commit on disk.
    pub(crate) fn newest_commit(&self, on_damage: OnDamage) -> Result<Snapshot> {
        self.newest_commit_with(on_damage, |_| Ok(())).map(|(snapshot, ())| snapshot)
    }

    /// Opens the newest commit on disk, and what `open` opens of it. A writer in another process may replace the commit
    /// meanwhile; then both are opened of the newer one.
    pub(crate) fn newest_commit_with<T>(
        &self,
        on_damage: OnDamage,
        open: impl Fn(&Snapshot) -> Result<T>,
    ) -> Result<(Snapshot, T)> {
        recover::newest(&*self.directory, &self.registry, on_damage, |commit| {
            let snapshot = self.open(commit)?;
            let opened = open(&snapshot)?;
            Ok((snapshot, opened))
        })
    }

    /// Opens a commit that is kept.
    pub(crate) fn kept_commit(&self, on_damage: OnDamage, at: &CommitRef) -> Result<Snapshot> {
        if let CommitRef::Generation(generation) = at
            && let Ok(commit) = recover::read(&*self.directory, &self.registry, *generation)
        {
            return self.open(commit); // Whatever has become of the newest one.
        }
        recover::newest(&*self.directory, &self.registry, on_damage, |newest| {
            let generation = history::resolve(at, &newest, &self.directory.list()?)?;
            match generation == newest.generation {
                true => self.open(newest),
                false => self.open(recover::read(&*self.directory, &self.registry, generation)?),
            }
        })
    }

    /// A snapshot that another commit holds, too.
    pub(crate) fn reopened(&self, snapshot: Snapshot, commit: CommitInfo) -> Snapshot {
        let commit = PinnedCommit::new(commit, &self.directory, &self.registry, &self.pins);
        Snapshot { commit: Arc::new(commit), ..snapshot }
    }

    fn open(&self, commit: CommitInfo) -> Result<Snapshot> {
        open_commit(&self.directory, &self.registry, &self.pins, &self.cache, commit)
    }

    /// The newest point in time when it is another one than `known`: at the cost of one look at the folder when it is
    /// not.
    pub(crate) fn newer(&self, on_damage: OnDamage, known: &Snapshot) -> Result<Option<Arc<Snapshot>>> {
        if let Some(latest) = self.latest.lock().snapshot.clone() {
            return Ok((!std::ptr::eq(&*latest, known)).then_some(latest));
        }
        let newest = manifest::generations(&self.directory.list()?).first().copied();
        if newest == Some(known.generation()) && known.is_committed() {
            return Ok(None);
        }
        self.newest(on_damage).map(Some)
    }

    /// The writer's newest snapshot, if this process has a writer, else the newest commit on disk.
    pub(crate) fn newest(&self, on_damage: OnDamage) -> Result<Arc<Snapshot>> {
        if let Some(latest) = self.latest.lock().snapshot.clone() {
            return Ok(latest);
        }
        self.newest_commit(on_damage).map(Arc::new)
    }

    /// What [`Store::newest`] returns from now on, unless that is already of a later point in time: a slow
    /// refresh must not take back what a commit or rollback has shown since.
    pub(crate) fn set_latest(&self, sequence_number: u64, snapshot: Arc<Snapshot>) {
        let mut latest = self.latest.lock();
        if sequence_number >= latest.sequence_number {
            *latest = Latest { sequence_number, snapshot: Some(snapshot) };
        }
    }

    /// Like [`Store::set_latest`], for a commit: a later point in time that is already shown follows it from now on.
    pub(crate) fn set_committed(&self, sequence_number: u64, commit: Arc<Snapshot>) {
        let mut latest = self.latest.lock();
        match &latest.snapshot {
            Some(later) if sequence_number < latest.sequence_number => {
                let (schema, segments) = (later.schema.clone(), later.segments.clone());
                latest.snapshot = Some(Arc::new(commit.followed_by(schema, segments)));
            }
            _ => *latest = Latest { sequence_number, snapshot: Some(commit) },
        }
    }

    /// Shows segments that are not committed yet, as following the commit in force; false when the writer is
    /// gone.
    pub(crate) fn set_refreshed(
        &self,
        sequence_number: u64,
        schema: Schema,
        segments: Vec<SnapshotSegment>,
    ) -> bool {
        let mut latest = self.latest.lock();
        let Some(last) = &latest.snapshot else { return false };
        if sequence_number >= latest.sequence_number {
            let snapshot = Some(Arc::new(last.followed_by(schema, segments)));
            *latest = Latest { sequence_number, snapshot };
        }
        true
    }

    /// The writer is gone: the newest commit on disk counts again.
    pub(crate) fn forget_latest(&self) {
        *self.latest.lock() = Latest::default();
    }
}
