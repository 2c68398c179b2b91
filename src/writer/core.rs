//! The writer behind its public face: buffers in, segments out.
//!
//! Locks, always taken in this order: `gate` (shared by every write, exclusive for the instant in which a
//! refresh or commit captures everything) → one shard of the key map → pool → state → a slot.

use super::buffer::Buffer;
use super::flush::{self, FlushTask};
use super::keymap::{KeyMap, Place, Shard};
use super::options::WriterOptions;
use super::slot::Slot;
use super::state::{Captured, Entry, Frozen, Part, Stage, State};
use crate::commit::manifest;
use crate::document::{Document, Validated, validate};
use crate::error::{Error, Result};
use crate::merge::{Scheduler, SegmentMeta};
use crate::reader::{SegmentReader, Snapshot, Store};
use crate::schema::{KeyField, Schema};
use lucerne_codec::{BitSet, Cancel, DocId, SegmentId};
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

pub(crate) struct Core {
    pub(crate) store: Arc<Store>,
    schema: RwLock<Schema>,
    pub(crate) options: WriterOptions,
    /// What one vector of a field costs until it is flushed, by field number.
    vector_bytes: RwLock<BTreeMap<u32, usize>>,
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
    /// Stops flushes and merges when the writer is dropped.
    pub(crate) cancel: Cancel,
    /// A flush has ended since merges were last considered.
    flushed: AtomicBool,
    pub(crate) scheduler: Scheduler,
    /// Held while a merge is being chosen.
    pub(crate) choosing: Mutex<()>,
    /// Forced merges run: no background merge begins.
    pub(crate) forcing: AtomicBool,
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
        let vector_bytes = vector_bytes(&store, &schema)?;
        let merge_threads = options.merge_threads;
        let core = Self {
            store,
            schema: RwLock::new(schema),
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

    /// The schema in force.
    pub(crate) fn schema(&self) -> Schema {
        self.schema.read().clone()
    }

    /// Replaces the schema for everything written from now on.
    pub(crate) fn set_schema(&self, schema: &Schema) -> Result<()> {
        let _alone = self.gate.write();
        self.alive()?;
        self.schema().check_successor(schema)?;
        *self.vector_bytes.write() = vector_bytes(&self.store, schema)?;
        *self.schema.write() = schema.clone();
        Ok(())
    }

    // ---- documents -------------------------------------------------------------------------------------

    /// Takes one document and returns its key.
    pub(crate) fn write(&self, document: &Document, mode: Mode) -> Result<String> {
        let mut validated = validate(&self.schema(), document)?;
        self.make_room()?;
        let _open = self.gate.read();
        self.alive()?;
        let (key, mut shard, existing) = self.claim(&mut validated, |_| false)?;
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
        let schema = self.schema();
        let validated = documents.iter().map(|document| validate(&schema, document));
        let mut validated: Vec<Validated> = validated.collect::<Result<_>>()?;
        self.make_room()?;
        let _alone = self.gate.write();
        self.alive()?;
        let mut claimed = Vec::with_capacity(validated.len());
        // First the keys that are given, so that no automatic one is among them.
        let mut given = HashSet::new();
        for key in validated.iter().filter_map(|document| document.key.as_ref()) {
            if !given.insert(key.clone()) {
                return Err(Error::DuplicateKey { key: key.clone() });
            }
        }
        for document in &mut validated {
            let (key, shard, existing) = self.claim(document, |key| given.contains(key))?;
            drop(shard); // Nobody else writes: the gate is held alone.
            if existing.is_some() && mode == Mode::Add {
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
    /// An automatic key is never one of those `taken`.
    fn claim(
        &self,
        document: &mut Validated,
        taken: impl Fn(&str) -> bool,
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
            if !taken(&key) && self.locate(&shard, &key)?.is_none() {
                document.assign_key(&self.schema(), number);
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
        let vector_bytes = self.vector_bytes.read();
        let doc = buffer.push(key, document, |field| vector_bytes.get(&field).copied().unwrap_or(0));
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
        let number = self.take_segment_number();
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
                schema: &self.schema(),
                name: &name,
                id: self.segment_id(number)?,
                seed: self.seed(),
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
                    frozen.slot.findable.store(true, Ordering::Release);
                    self.flushed.store(true, Ordering::Relaxed);
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

    pub(crate) fn segment_id(&self, number: u64) -> Result<SegmentId> {
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
            outdated: is_outdated(&schema, &entry.reader),
        })
        .collect()
    }

    /// Seed of graphs.
    pub(crate) fn seed(&self) -> u64 {
        self.options.seed.unwrap_or(crate::options::DEFAULT_SEED)
    }

    /// The number the next segment takes.
    pub(crate) fn next_segment(&self) -> u64 {
        self.next_segment.load(Ordering::Relaxed)
    }
}

/// Whether a segment was written with another format or other parameters than the schema asks for now.
fn is_outdated(schema: &Schema, segment: &SegmentReader) -> bool {
    segment.vectors().iter().any(|vectors| {
        schema
            .vector_field(vectors.field.number)
            .is_ok_and(|field| field.format() != vectors.format || field.info() != vectors.field)
    })
}

/// What one vector of each field costs until it is flushed; checks the fields' parameters.
fn vector_bytes(store: &Store, schema: &Schema) -> Result<BTreeMap<u32, usize>> {
    let costs = schema.vector_fields().map(|field| {
        let format = store.registry.vectors(field.format(), "schema")?;
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
