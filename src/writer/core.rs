//! The writer behind its public face: buffers in, segments out.
//!
//! Locks, always taken in this order: `gate` (shared by every write, exclusive for the instant in which a
//! refresh or commit captures everything) → one shard of the key map → pool → state → a slot.

use super::buffer::Buffer;
use super::flush::{self, FlushTask};
use super::keymap::{KeyMap, Place, Shard};
use super::slot::Slot;
use super::state::{Captured, Entry, Frozen, Part, Stage, State};
use crate::commit::manifest;
use crate::document::{Document, Validated, validate};
use crate::error::{Error, Result};
use crate::options::WriterOptions;
use crate::reader::{Snapshot, Store};
use crate::schema::{KeyField, Schema};
use lucerne_codec::{Cancel, DocId, SegmentId};
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

pub(crate) struct Core {
    pub(crate) store: Arc<Store>,
    pub(crate) schema: Schema,
    pub(crate) options: WriterOptions,
    /// What one vector of a field costs until it is flushed, by field number.
    vector_bytes: BTreeMap<u32, usize>,
    pub(crate) gate: RwLock<()>,
    keys: KeyMap,
    pool: Mutex<Vec<Buffer>>,
    /// Buffers that take documents or wait to be flushed: they share the memory budget.
    buffers: AtomicUsize,
    /// Frozen buffers whose flush failed.
    stuck: AtomicUsize,
    pub(crate) state: Mutex<State>,
    pub(crate) next_key: AtomicU64,
    next_segment: AtomicU64,
    /// Numbers of segments being written: not to be collected.
    in_flight: Mutex<HashSet<u64>>,
    /// Why the writer cannot go on, once it cannot.
    failed: Mutex<Option<Stopped>>,
    moment: AtomicU64,
    pub(crate) cancel: Cancel,
}

/// Everything written up to a moment.
pub(crate) struct Capture {
    pub(crate) parts: Vec<Captured>,
    pub(crate) next_key: u64,
    pub(crate) moment: u64,
}

/// Why a writer takes no more calls.
#[derive(Clone, Debug)]
pub(crate) enum Stopped {
    Closed,
    Failed(String),
}

/// Whether an existing key is an error or is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Add,
    Upsert,
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
        let mut vector_bytes = BTreeMap::new();
        for field in schema.vector_fields() {
            let format = store.registry.vectors(field.format(), "schema")?;
            format.check(&field.info())?;
            vector_bytes.insert(field.number(), format.buffered_bytes(&field.info()));
        }
        let core = Self {
            store,
            schema,
            options,
            vector_bytes,
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
        };
        core.reset_to(committed);
        Ok(core)
    }

    /// Makes the committed segments, and nothing else, the writer's view.
    fn reset_to(&self, committed: &Snapshot) {
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

    // ---- documents -------------------------------------------------------------------------------------

    /// Takes one document and returns its key.
    pub(crate) fn write(&self, document: &Document, mode: Mode) -> Result<String> {
        let mut validated = validate(&self.schema, document)?;
        self.make_room()?;
        let _open = self.gate.read();
        self.alive()?;
        let (key, mut shard, existing) = self.claim(&mut validated)?;
        if existing.is_some() && mode == Mode::Add {
            return Err(Error::DuplicateKey { key });
        }
        let mut buffer = self.take_buffer();
        self.push(&mut shard, &mut buffer, &key, &validated);
        self.pool.lock().push(buffer);
        if let Some(old) = existing {
            old.slot.delete(old.doc);
        }
        Ok(key)
    }

    /// Takes all documents or none, at one point in time.
    pub(crate) fn write_batch(&self, documents: &[Document], mode: Mode) -> Result<Vec<String>> {
        let validated = documents.iter().map(|document| validate(&self.schema, document));
        let mut validated: Vec<Validated> = validated.collect::<Result<_>>()?;
        self.make_room()?;
        let _alone = self.gate.write();
        self.alive()?;
        let mut claimed = Vec::with_capacity(validated.len());
        let mut given = HashSet::new();
        for document in &mut validated {
            let (key, shard, existing) = self.claim(document)?;
            drop(shard); // Nobody else writes: the gate is held alone.
            if !given.insert(key.clone()) || existing.is_some() && mode == Mode::Add {
                return Err(Error::DuplicateKey { key });
            }
            claimed.push((key, existing));
        }
        let mut buffer = self.take_buffer();
        let keys = claimed.into_iter().zip(&validated).map(|((key, existing), document)| {
            self.push(&mut self.keys.lock(&key), &mut buffer, &key, document);
            if let Some(old) = existing {
                old.slot.delete(old.doc);
            }
            key
        });
        let keys = keys.collect();
        self.pool.lock().push(buffer);
        Ok(keys)
    }

    /// Deletes the document of that key; false when there is none.
    pub(crate) fn delete(&self, key: &str) -> Result<bool> {
        let _open = self.gate.read();
        self.alive()?;
        let mut shard = self.keys.lock(key);
        let found = self.locate(&shard, key)?;
        if let Some(place) = &found {
            place.slot.delete(place.doc);
            shard.remove(key);
        }
        Ok(found.is_some())
    }

    /// Settles a document's key, locks its shard and finds the live document of that key, if there is one.
    fn claim(
        &self,
        document: &mut Validated,
    ) -> Result<(String, parking_lot::MutexGuard<'_, Shard>, Option<Place>)> {
        if let Some(key) = &document.key {
            let shard = self.keys.lock(key);
            let existing = self.locate(&shard, key)?;
            return Ok((key.clone(), shard, existing));
        }
        loop {
            let number = self.next_key.fetch_add(1, Ordering::Relaxed);
            let key = KeyField::automatic(number);
            let shard = self.keys.lock(&key);
            if self.locate(&shard, &key)?.is_none() {
                document.assign_key(&self.schema, number);
                return Ok((key, shard, None));
            }
        }
    }

    fn locate(&self, shard: &Shard, key: &str) -> Result<Option<Place>> {
        if let Some(place) = shard.get(key) {
            return Ok(Some(place.clone()));
        }
        let ready = Arc::clone(&self.state.lock().ready);
        for entry in ready.iter().rev() {
            if let Some(doc) = entry.reader.find_live(key, |doc| entry.slot.is_deleted(doc))? {
                return Ok(Some(Place { slot: Arc::clone(&entry.slot), doc }));
            }
        }
        Ok(None)
    }

    fn push(&self, shard: &mut Shard, buffer: &mut Buffer, key: &str, document: &Validated) -> DocId {
        let doc = buffer.push(key, document, |field| self.vector_bytes.get(&field).copied().unwrap_or(0));
        shard.insert(key.into(), Place { slot: Arc::clone(&buffer.slot), doc });
        doc
    }

    fn take_buffer(&self) -> Buffer {
        self.pool.lock().pop().unwrap_or_else(|| {
            self.buffers.fetch_add(1, Ordering::Relaxed);
            Buffer::default()
        })
    }

    // ---- flush -----------------------------------------------------------------------------------------

    /// Flushes the buffer this thread would write to when it is full, and those whose flush failed before.
    fn make_room(&self) -> Result<()> {
        if self.stuck.load(Ordering::Relaxed) > 0 {
            let waiting = self.state.lock().frozen.clone();
            waiting.iter().try_for_each(|frozen| self.flush_or_wait(frozen).map(drop))?;
        }
        let open = self.gate.read();
        self.alive()?;
        let full = self.pool.lock().pop_if(|buffer| self.is_full(buffer));
        let frozen = full.map(|buffer| self.state.lock().freeze(buffer));
        drop(open);
        frozen.map_or(Ok(()), |frozen| self.flush_or_wait(&frozen).map(drop))
    }

    fn is_full(&self, buffer: &Buffer) -> bool {
        let share = self.options.ram_budget / self.buffers.load(Ordering::Relaxed).max(1);
        buffer.bytes() >= share
            || self.options.flush_docs.is_some_and(|docs| buffer.len() >= docs)
            || buffer.len() >= crate::options::MAX_SEGMENT_DOCS - 1
    }

    /// The segment of a frozen buffer: flushed here, or by the thread that already does. `None` when it was
    /// rolled back.
    fn flush_or_wait(&self, frozen: &Arc<Frozen>) -> Result<Option<Entry>> {
        let buffer = {
            let mut stage = frozen.stage.lock();
            loop {
                match &*stage {
                    Stage::Ready(entry) => return Ok(Some(entry.clone())),
                    Stage::Dropped => return Ok(None),
                    Stage::Flushing => frozen.changed.wait(&mut stage),
                    Stage::Waiting(_) => {
                        if let Stage::Waiting(buffer) = std::mem::replace(&mut *stage, Stage::Flushing) {
                            break buffer;
                        }
                    }
                }
            }
        };
        let number = self.next_segment.fetch_add(1, Ordering::Relaxed);
        self.in_flight.lock().insert(number);
        let flushed = self.flush(number, &buffer);
        let result = self.finish_flush(frozen, buffer, flushed);
        self.in_flight.lock().remove(&number);
        result
    }

    fn flush(&self, number: u64, buffer: &Buffer) -> Result<Entry> {
        let name = manifest::segment_name(number);
        let ready = Arc::clone(&self.state.lock().ready);
        let reader = flush::flush(
            &FlushTask {
                directory: &*self.store.directory,
                registry: &self.store.registry,
                pins: &self.store.pins,
                schema: &self.schema,
                name: &name,
                id: self.segment_id(number)?,
                seed: self.options.seed.unwrap_or(DEFAULT_SEED),
                threads: self.options.threads,
                cancel: &self.cancel,
                sibling: ready.iter().map(|entry| &*entry.reader).max_by_key(|reader| reader.max_doc()),
            },
            buffer,
        )?;
        let (reader, slot) = (Arc::new(reader), Arc::clone(&buffer.slot));
        Ok(Entry { reader, slot, sequence: 0 })
    }

    fn finish_flush(
        &self,
        frozen: &Arc<Frozen>,
        buffer: Arc<Buffer>,
        flushed: Result<Entry>,
    ) -> Result<Option<Entry>> {
        let mut stage = frozen.stage.lock();
        let dropped = matches!(&*stage, Stage::Dropped);
        let result = match flushed {
            Ok(entry) if dropped => {
                flush::discard(&*self.store.directory, entry.reader.name());
                Ok(None)
            }
            Ok(entry) => {
                let entry = Entry { sequence: frozen.sequence, ..entry };
                // First findable in the segment, then forgotten in the key map: never in neither.
                self.state.lock().add_ready(entry.clone());
                *stage = Stage::Ready(entry.clone());
                Ok(Some(entry))
            }
            Err(error) => {
                if !dropped {
                    *stage = Stage::Waiting(Arc::clone(&buffer));
                }
                Err(error)
            }
        };
        frozen.changed.notify_all();
        drop(stage);
        match &result {
            Ok(entry) => {
                if entry.is_some() {
                    self.keys.forget(&frozen.slot, buffer.keys().iter().map(|key| &**key));
                    self.one_buffer_less();
                }
                self.recount_stuck(frozen, false);
            }
            Err(_) => self.recount_stuck(frozen, true),
        }
        result
    }

    /// Never below zero: a rollback starts the count anew while a flush may still be ending.
    fn one_buffer_less(&self) {
        let less = |count: usize| Some(count.saturating_sub(1));
        let _ = self.buffers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    fn recount_stuck(&self, frozen: &Frozen, stuck: bool) {
        if frozen.stuck.swap(stuck, Ordering::Relaxed) != stuck {
            if stuck {
                self.stuck.fetch_add(1, Ordering::Relaxed);
            } else {
                self.stuck.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    fn segment_id(&self, number: u64) -> Result<SegmentId> {
        let mut id = [0u8; 16];
        match self.options.seed {
            Some(seed) => {
                let (low, high) = id.split_at_mut(8);
                low.copy_from_slice(&mix(seed ^ mix(number)).to_le_bytes());
                high.copy_from_slice(&mix(seed.wrapping_add(number) ^ 0x5EED).to_le_bytes());
            }
            None => getrandom::fill(&mut id).map_err(|error| {
                let source = std::io::Error::other(error.to_string());
                lucerne_codec::Error::io("the system's random source", "read", source)
            })?,
        }
        Ok(SegmentId(id))
    }

    // ---- points in time --------------------------------------------------------------------------------

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
    pub(crate) fn settle(&self, captured: Vec<Captured>) -> Result<Vec<(Entry, super::slot::Deleted)>> {
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
    fn next_moment(&self) -> u64 {
        self.moment.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether a file belongs to a segment that is being written.
    pub(crate) fn is_in_flight(&self, file: &str) -> bool {
        matches!(manifest::classify(file), manifest::FileKind::Segment(number)
            if self.in_flight.lock().contains(&number))
    }

    /// The number the next segment takes.
    pub(crate) fn next_segment(&self) -> u64 {
        self.next_segment.load(Ordering::Relaxed)
    }
}

/// Seed of graphs when none is given.
const DEFAULT_SEED: u64 = 42;

/// SplitMix64's output function (Steele, Lea, Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
