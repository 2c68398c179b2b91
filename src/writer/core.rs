//! The writer behind its public face: buffers in, segments out.
//!
//! Locks, always taken in this order: `gate` (shared by every write, exclusive for the instant in which a
//! refresh or commit captures everything) → one shard of the key map → pool → state → a slot.

use super::buffer::Buffer;
use super::flush::random_segment_id;
use super::keymap::KeyMap;
use super::options::WriterOptions;
use super::slot::Slot;
use super::state::{Entry, State};
use crate::commit::manifest;
use crate::document::FieldAnalyzers;
use crate::error::{Error, Result};
use crate::merge::{Scheduler, SegmentMeta};
use crate::reader::{Snapshot, Store};
use crate::schema::{Schema, VectorField};
use lucerne_codec::{Cancel, Registry, SegmentId};
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

pub(crate) struct Core {
    pub(crate) store: Arc<Store>,
    schema: RwLock<Schema>,
    analyzers: RwLock<Arc<FieldAnalyzers>>,
    pub(crate) options: WriterOptions,
    /// What one vector of a field costs until it is flushed, by field number.
    pub(super) vector_bytes: RwLock<BTreeMap<u32, usize>>,
    pub(crate) gate: RwLock<()>,
    pub(super) keys: KeyMap,
    pub(super) pool: Mutex<Vec<Buffer>>,
    /// Buffers that take documents or wait to be flushed: they share the memory budget.
    pub(super) buffers: AtomicUsize,
    /// Frozen buffers whose flush failed.
    pub(super) stuck: AtomicUsize,
    pub(crate) state: Mutex<State>,
    pub(crate) next_key: AtomicU64,
    pub(super) next_segment: AtomicU64,
    /// Numbers of segments being written: not to be collected.
    pub(super) in_flight: Mutex<HashSet<u64>>,
    /// Why the writer cannot go on, once it cannot.
    failed: Mutex<Option<Stopped>>,
    pub(super) moment: AtomicU64,
    /// Stops flushes and merges when the writer is dropped.
    pub(crate) cancel: Cancel,
    /// A flush has ended since merges were last considered.
    pub(super) flushed: AtomicBool,
    pub(crate) scheduler: Scheduler,
    /// Held while a merge is being chosen.
    pub(crate) choosing: Mutex<()>,
    /// Forced merges run: no background merge begins.
    pub(crate) forcing: AtomicBool,
}

/// Why a writer takes no more calls.
#[derive(Clone, Debug)]
pub(crate) enum Stopped {
    Closed,
    Failed(String),
}

impl Core {
    pub(crate) fn new(
        store: Arc<Store>,
        options: WriterOptions,
        committed: &Snapshot,
        next_key: u64,
        next_segment: u64,
    ) -> Result<Self> {
        let schema = committed.schema.clone();
        let vector_bytes = vector_bytes(&store, &schema)?;
        let analyzers = Arc::new(FieldAnalyzers::of(&schema, &store.analyzers)?);
        let merge_threads = options.merge_threads;
        let core = Self {
            store,
            schema: RwLock::new(schema),
            analyzers: RwLock::new(analyzers),
            options,
            vector_bytes: RwLock::new(vector_bytes),
            gate: RwLock::default(),
            keys: KeyMap::default(),
            pool: Mutex::default(),
            buffers: AtomicUsize::new(0),
            stuck: AtomicUsize::new(0),
            state: Mutex::default(),
            next_key: AtomicU64::new(next_key),
            next_segment: AtomicU64::new(next_segment),
            in_flight: Mutex::default(),
            failed: Mutex::new(None),
            moment: AtomicU64::new(0),
            cancel: Cancel::new(),
            flushed: AtomicBool::new(false),
            scheduler: Scheduler::new(merge_threads),
            choosing: Mutex::default(),
            forcing: AtomicBool::new(false),
        };
        core.reset_to(committed);
        Ok(core)
    }

    /// Makes the committed segments, and nothing else, the writer's view.
    pub(super) fn reset_to(&self, committed: &Snapshot) {
        let mut state = self.state.lock();
        let entries = committed.segments.iter().enumerate().map(|(sequence, segment)| Entry {
            reader: Arc::clone(&segment.reader),
            slot: Arc::new(Slot::committed(segment.live.as_deref(), segment.live_file.clone())),
            sequence: sequence as u64,
        });
        let ready: Vec<Entry> = entries.collect();
        let next_sequence = state.next_sequence.max(ready.len() as u64);
        *state = State { ready: Arc::new(ready), frozen: Vec::new(), next_sequence };
    }

    /// An error when the writer was closed or has failed.
    pub(crate) fn alive(&self) -> Result<()> {
        match &*self.failed.lock() {
            None => Ok(()),
            Some(Stopped::Closed) => Err(Error::WriterClosed),
            Some(Stopped::Failed(reason)) => Err(Error::WriterFailed { reason: reason.clone() }),
        }
    }

    pub(crate) fn stop(&self, why: Stopped) {
        self.failed.lock().get_or_insert(why);
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
        let _alone = self.gate.write();
        self.alive()?;
        self.schema().check_successor(schema)?;
        let analyzers = FieldAnalyzers::of(schema, &self.store.analyzers)?;
        *self.vector_bytes.write() = vector_bytes(&self.store, schema)?;
        *self.analyzers.write() = Arc::new(analyzers);
        *self.schema.write() = schema.clone();
        Ok(())
    }

    pub(crate) fn segment_id(&self, number: u64) -> Result<SegmentId> {
        let Some(seed) = self.options.seed else { return random_segment_id() };
        let mut id = [0u8; 16];
        let (low, high) = id.split_at_mut(8);
        low.copy_from_slice(&mix(seed ^ mix(number)).to_le_bytes());
        high.copy_from_slice(&mix(seed.wrapping_add(number) ^ 0x5EED).to_le_bytes());
        Ok(SegmentId(id))
    }

    /// Whether a file belongs to a segment that is being written.
    pub(crate) fn is_in_flight(&self, file: &str) -> bool {
        matches!(manifest::classify(file), manifest::FileKind::Segment(number)
            if self.in_flight.lock().contains(&number))
    }

    /// A segment number nobody else gets; its files are not collected until [`Core::release`].
    pub(crate) fn take_segment_number(&self) -> u64 {
        let mut in_flight = self.in_flight.lock();
        let number = self.next_segment.fetch_add(1, Ordering::Relaxed);
        in_flight.insert(number);
        number
    }

    /// A merge has ended: its sources may be chosen again, its files are no longer protected.
    pub(crate) fn release(&self, number: u64, sources: &[Entry]) {
        sources.iter().for_each(|entry| entry.slot.merging.store(false, Ordering::Relaxed));
        self.in_flight.lock().remove(&number);
    }

    /// Whether a flush has ended since the last call.
    pub(crate) fn take_flushed(&self) -> bool {
        self.flushed.load(Ordering::Relaxed) && self.flushed.swap(false, Ordering::Relaxed)
    }

    /// The ready segments, in order.
    pub(crate) fn ready(&self) -> Arc<Vec<Entry>> {
        Arc::clone(&self.state.lock().ready)
    }

    /// What a policy may know of the segments that no merge is using.
    pub(crate) fn free_segments(&self) -> Vec<SegmentMeta> {
        let schema = self.schema();
        let ready = self.ready();
        let free = ready.iter().filter(|entry| {
            entry.slot.findable.load(Ordering::Acquire) && !entry.slot.merging.load(Ordering::Relaxed)
        });
        free.map(|entry| SegmentMeta {
            name: entry.reader.name().to_owned(),
            docs: entry.reader.max_doc(),
            deleted: entry.slot.deleted().count(),
            bytes: entry.reader.files().map(|file| file.len).sum(),
            outdated: is_outdated(&self.store.registry, &schema, entry),
        })
        .collect()
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

/// Whether a segment was written with another format, an older version of it, or other parameters than it
/// would be written with now.
fn is_outdated(registry: &Registry, schema: &Schema, entry: &Entry) -> bool {
    let (segment, info) = (&entry.reader, entry.reader.info());
    let vectors = segment.vectors().iter().any(|vectors| {
        let other = |field: VectorField<'_>| {
            field.format(registry).is_ok_and(|format| format.name() != vectors.format)
                || field.info() != vectors.field
                || !vectors.reader.is_current()
        };
        schema.vector_field(vectors.field.number).is_ok_and(other)
    });
    let stored = registry.default_stored().is_ok_and(|format| format.name() != info.stored.format);
    let keys = registry.default_keys().is_ok_and(|format| format.name() != info.keys.format);
    let postings = registry.default_postings().map(|format| format.name());
    let postings = info.postings.as_ref().is_some_and(|own| postings.is_ok_and(|name| name != own.format));
    let columns = registry.default_columns().map(|format| format.name());
    let columns = info.columns.as_ref().is_some_and(|own| columns.is_ok_and(|name| name != own.format));
    let older = !segment.stored().is_current()
        || !segment.keys().is_current()
        || segment.postings().is_some_and(|postings| !postings.is_current())
        || segment.columns().is_some_and(|columns| !columns.is_current());
    vectors || stored || keys || postings || columns || older
}

/// What one vector of each field costs until it is flushed; checks the fields' parameters.
fn vector_bytes(store: &Store, schema: &Schema) -> Result<BTreeMap<u32, usize>> {
    let costs = schema.vector_fields().map(|field| {
        let format = field.format(&store.registry)?;
        format.check(&field.info())?;
        Ok((field.number(), format.buffered_bytes(&field.info())))
    });
    costs.collect()
}

/// SplitMix64's output function (Steele, Lea, Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
