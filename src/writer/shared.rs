//! What the threads of a writer share.
//!
//! Locks are always taken in this order: the commit barrier (shared by every write; exclusive while a refresh or commit
//! fixes its point in time) → one shard of the key map → the pool of buffers → the segment list → a segment's state.

use super::buffer::Buffer;
use super::keymap::KeyMap;
use super::moves::Moves;
use super::options::WriterOptions;
use super::segment_state::SegmentState;
use super::segments::{SegmentEntry, SegmentList};
use crate::commit::{OwnedDirectory, manifest};
use crate::document::FieldAnalyzers;
use crate::error::{Error, Result};
use crate::merge::{Scheduler, SegmentMeta, segment_meta};
use crate::reader::{Snapshot, Store};
use crate::schema::{Calibration, Schema};
use crate::segment_write::random_segment_id;
use byteorder::{ByteOrder, LittleEndian};
use lucerne_codec::io::bytes;
use lucerne_codec::random::mix;
use lucerne_codec::{Cancel, SegmentId, Similarity};
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

pub(crate) struct WriterInner {
    pub(crate) store: Arc<Store>,
    /// The store's directory, for every change: refused once it is no longer this writer's.
    pub(crate) directory: Arc<OwnedDirectory>,
    schema: RwLock<Schema>,
    analyzers: RwLock<Arc<FieldAnalyzers>>,
    pub(crate) options: WriterOptions,
    /// Bytes that one vector of a field costs until it is flushed, by field number.
    pub(super) vector_bytes: RwLock<BTreeMap<u32, usize>>,
    /// Held shared by every write, exclusively to fix a point in time.
    pub(crate) commit_barrier: RwLock<()>,
    pub(super) keys: KeyMap,
    /// Buffers that take documents and that no thread is using.
    pub(super) pool: Mutex<Vec<Buffer>>,
    /// Buffers that take documents or wait to be flushed: they share the memory budget.
    pub(super) buffer_count: AtomicUsize,
    /// Immutable buffers whose last flush failed.
    pub(super) failed_flushes: AtomicUsize,
    pub(crate) segments: Mutex<SegmentList>,
    /// Where merges put documents that somebody follows.
    pub(super) moves: Moves,
    pub(crate) next_key: AtomicU64,
    pub(super) next_segment: AtomicU64,
    /// Numbers of segments being written: their files are not garbage.
    pub(super) in_flight: Mutex<HashSet<u64>>,
    /// Why the writer takes no more calls, once it does not.
    stopped: Mutex<Option<Stopped>>,
    /// Numbers points in time and rollbacks in the order they happened.
    pub(super) sequence_number: AtomicU64,
    /// The writer is being closed: it commits and takes no more documents.
    closing: AtomicBool,
    /// Documents added, replaced or deleted so far, and how many of these were so in the last commit.
    pub(super) changes: AtomicU64,
    pub(super) committed_changes: AtomicU64,
    /// A zero vector was found in a cosine field and reported.
    zero_vector_reported: AtomicBool,
    /// Stops flushes and merges when the writer is dropped.
    pub(crate) cancel: Cancel,
    /// A flush has finished since merges were last looked for.
    pub(super) flush_finished: AtomicBool,
    pub(crate) scheduler: Scheduler,
    /// Held while a merge is being selected.
    pub(crate) selecting: Mutex<()>,
    /// Forced merges run: no background merge begins.
    pub(crate) forced_merges: AtomicBool,
}

/// Why a writer takes no more calls.
#[derive(Clone, Debug)]
pub(crate) enum Stopped {
    Closed,
    Failed(String),
}

impl WriterInner {
    pub(crate) fn new(
        store: Arc<Store>,
        directory: Arc<OwnedDirectory>,
        options: WriterOptions,
        committed: &Snapshot,
        next_key: u64,
        next_segment: u64,
    ) -> Result<Self> {
        let schema = committed.schema.clone();
        let vector_bytes = vector_bytes(&store, &schema)?;
        let analyzers = Arc::new(FieldAnalyzers::of(&schema, &store.analyzers)?);
        let merge_threads = options.merge_threads;
        let writer = Self {
            store,
            directory,
            schema: RwLock::new(schema),
            analyzers: RwLock::new(analyzers),
            options,
            vector_bytes: RwLock::new(vector_bytes),
            commit_barrier: RwLock::default(),
            keys: KeyMap::default(),
            pool: Mutex::default(),
            buffer_count: AtomicUsize::new(0),
            failed_flushes: AtomicUsize::new(0),
            segments: Mutex::default(),
            moves: Moves::default(),
            next_key: AtomicU64::new(next_key),
            next_segment: AtomicU64::new(next_segment),
            in_flight: Mutex::default(),
            stopped: Mutex::new(None),
            sequence_number: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            changes: AtomicU64::new(0),
            committed_changes: AtomicU64::new(0),
            zero_vector_reported: AtomicBool::new(false),
            cancel: Cancel::new(),
            flush_finished: AtomicBool::new(false),
            scheduler: Scheduler::new(merge_threads),
            selecting: Mutex::default(),
            forced_merges: AtomicBool::new(false),
        };
        writer.reset_to(committed);
        Ok(writer)
    }

    /// Makes the committed segments, and nothing else, the writer's list.
    pub(super) fn reset_to(&self, committed: &Snapshot) {
        let mut list = self.segments.lock();
        let entries = committed.segments.iter().enumerate().map(|(position, segment)| SegmentEntry {
            reader: Arc::clone(&segment.reader),
            state: Arc::new(SegmentState::committed(segment.live.as_deref(), segment.live_file.clone())),
            position: position as u64,
        });
        let segments: Vec<SegmentEntry> = entries.collect();
        let next_position = list.next_position.max(segments.len() as u64);
        *list = SegmentList { segments: Arc::new(segments), buffers: Vec::new(), next_position };
    }

    /// An error when the writer was closed, has failed, or was seen to have lost its folder.
    pub(crate) fn check_open(&self) -> Result<()> {
        match &*self.stopped.lock() {
            None => self.directory.known_lost(),
            Some(Stopped::Closed) => Err(Error::WriterClosed),
            Some(Stopped::Failed(reason)) => Err(Error::WriterFailed { reason: reason.clone() }),
        }
    }

    /// An error when the writer takes no more documents, deletes or schemas.
    pub(crate) fn check_takes_writes(&self) -> Result<()> {
        self.check_open()?;
        match self.closing.load(Ordering::Relaxed) {
            true => Err(Error::WriterClosed),
            false => Ok(()),
        }
    }

    /// Takes no more documents; commits go on.
    pub(super) fn begin_closing(&self) {
        // What is being written ends first: the next commit has it.
        let _exclusive = self.commit_barrier.write();
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Documents added, replaced or deleted that no commit has.
    pub(super) fn uncommitted(&self) -> u64 {
        let changes = self.changes.load(Ordering::Relaxed);
        changes.saturating_sub(self.committed_changes.load(Ordering::Relaxed))
    }

    /// Reports the first zero vector in a cosine field: it has no direction, and is often a failed call to an
    /// embedding model.
    pub(super) fn report_zero_vectors(&self, key: &str, vectors: &[(u32, Vec<u8>)]) {
        if self.zero_vector_reported.load(Ordering::Relaxed) {
            return;
        }
        // Zeros but for signs, as f32 and as f16.
        let may_be_zero = |row: &[u8]| row.iter().all(|byte| byte & 0x7f == 0);
        for (number, row) in vectors.iter().filter(|(_, row)| may_be_zero(row)) {
            let schema = self.schema();
            let Ok(field) = schema.vector_field(*number) else { continue };
            let options = field.options();
            let vector = field.info().component().vector(row);
            if options.is_binary()
                || bytes::f32s(&vector).any(|component| component != 0.0)
                || options.similarity() != Similarity::Cosine
                || self.zero_vector_reported.swap(true, Ordering::Relaxed)
            {
                continue;
            }
            tracing::warn!(
                field = field.name(),
                key,
                "a zero vector in a cosine field is near nothing; did a call to the embedding model fail? \
                 Further ones are not reported by this writer"
            );
        }
    }

    /// Refuses all further calls. The first reason stays.
    pub(crate) fn stop(&self, why: Stopped) {
        self.stopped.lock().get_or_insert(why);
    }

    /// The schema in force.
    pub(crate) fn schema(&self) -> Schema {
        self.schema.read().clone()
    }

    /// The analyzers of its text fields.
    pub(crate) fn analyzers(&self) -> Arc<FieldAnalyzers> {
        Arc::clone(&self.analyzers.read())
    }

    /// Replaces the schema for everything written from now on.
    pub(crate) fn set_schema(&self, schema: &Schema) -> Result<()> {
        let _exclusive = self.commit_barrier.write();
        self.check_takes_writes()?;
        let old = self.schema();
        old.check_successor(schema)?;
        let schema = &schema.with_calibrations_of(&old);
        self.replace_schema(schema)
    }

    /// Replaces the schema with the commit barrier held exclusively. After an error nothing has changed.
    pub(super) fn replace_schema(&self, schema: &Schema) -> Result<()> {
        let analyzers = FieldAnalyzers::of(schema, &self.store.analyzers)?;
        *self.vector_bytes.write() = vector_bytes(&self.store, schema)?;
        *self.analyzers.write() = Arc::new(analyzers);
        *self.schema.write() = schema.clone();
        Ok(())
    }

    /// Puts a schema in force again that another has followed.
    pub(super) fn restore_schema(&self, old: &Schema) -> Result<()> {
        let _exclusive = self.commit_barrier.write();
        self.replace_schema(old)
    }

    /// Replaces the calibration of a vector field.
    pub(crate) fn set_calibration(&self, field: &str, calibration: Option<Calibration>) -> Result<()> {
        let _exclusive = self.commit_barrier.write();
        self.check_takes_writes()?;
        let next = self.schema().with_calibration(field, calibration)?;
        *self.schema.write() = next;
        Ok(())
    }

    /// The id of segment `number`: random, or derived from the seed when there is one.
    pub(crate) fn segment_id(&self, number: u64) -> Result<SegmentId> {
        let Some(seed) = self.options.seed else { return random_segment_id() };
        let mut id = [0u8; 16];
        let halves = [mix(seed ^ mix(number)), mix(seed.wrapping_add(number) ^ 0x5EED)];
        LittleEndian::write_u64_into(&halves, &mut id);
        Ok(SegmentId(id))
    }

    /// True for a file of a segment that is being written.
    pub(crate) fn is_in_flight(&self, file: &str) -> bool {
        matches!(manifest::classify(file), manifest::FileKind::Segment(number)
            if self.in_flight.lock().contains(&number))
    }

    /// A segment number that is never used again; its files are not garbage until [`WriterInner::release`].
    pub(crate) fn take_segment_number(&self) -> u64 {
        let mut in_flight = self.in_flight.lock();
        let number = self.next_segment.fetch_add(1, Ordering::Relaxed);
        in_flight.insert(number);
        number
    }

    /// A merge has ended: its sources may be selected again, its files are no longer protected.
    pub(crate) fn release(&self, number: u64, sources: &[SegmentEntry]) {
        sources.iter().for_each(|entry| entry.state.merging.store(false, Ordering::Relaxed));
        self.in_flight.lock().remove(&number);
    }

    /// True when a flush has finished since the last call.
    pub(crate) fn take_flush_finished(&self) -> bool {
        self.flush_finished.load(Ordering::Relaxed) && self.flush_finished.swap(false, Ordering::Relaxed)
    }

    /// The segments, in order.
    pub(crate) fn segments(&self) -> Arc<Vec<SegmentEntry>> {
        Arc::clone(&self.segments.lock().segments)
    }

    /// What a merge policy knows of the segments that no merge is using.
    pub(crate) fn free_segments(&self) -> Vec<SegmentMeta> {
        let schema = self.schema();
        let segments = self.segments();
        let free = segments.iter().filter(|entry| {
            entry.state.published.load(Ordering::Acquire) && !entry.state.merging.load(Ordering::Relaxed)
        });
        let meta = |entry: &SegmentEntry| {
            segment_meta(&self.store.registry, &schema, &entry.reader, entry.state.deleted().count())
        };
        free.map(meta).collect()
    }

    /// Seed of graphs.
    pub(crate) fn seed(&self) -> u64 {
        self.options.seed.unwrap_or(crate::limits::DEFAULT_SEED)
    }

    /// The number the next segment takes.
    pub(crate) fn next_segment(&self) -> u64 {
        self.next_segment.load(Ordering::Relaxed)
    }
}

/// Bytes that one vector of each field costs until it is flushed; checks the fields' parameters.
fn vector_bytes(store: &Store, schema: &Schema) -> Result<BTreeMap<u32, usize>> {
    let costs = schema.vector_fields().map(|field| {
        let format = field.format(&store.registry)?;
        format.check(&field.info())?;
        Ok((field.number(), format.buffered_bytes(&field.info())))
    });
    costs.collect()
}
