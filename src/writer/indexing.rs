//! Documents on their way into a buffer: validated, their keys claimed, all or nothing.

use super::buffer::Buffer;
use super::kept::{KeptDocument, changed, check_update, read_segment};
use super::keymap::{DocAddress, KeyShard};
use super::segment_state::SegmentState;
use super::segments::{FlushStage, ImmutableBuffer};
use super::shared::WriterInner;
use crate::document::{Document, Update, Validated, validate};
use crate::error::{Error, Result, catch_panic};
use crate::schema::{KeyField, Schema};
use lucerne_codec::DocId;
use parking_lot::MutexGuard;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What happens when a document's key exists already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is an error.
    Add,
    /// The existing document is replaced.
    Upsert,
}

/// The outcome of reading a document that may be moving from a buffer to a segment.
enum ReadOutcome {
    Read(KeptDocument),
    /// Its buffer is being flushed: try again when the flush has ended.
    Flushing(Arc<ImmutableBuffer>),
    /// A merge has replaced its segment: try again.
    Moved,
}

impl WriterInner {
    /// Takes one document and returns its key.
    pub(crate) fn write(&self, document: &Document, mode: Mode) -> Result<String> {
        let mut validated = self.validate(&self.schema(), document)?;
        self.flush_if_full()?;
        self.make_room([&validated])?;
        let _shared = self.commit_barrier.read();
        self.check_takes_writes()?;
        let (key, mut shard, existing) = self.claim_key(&mut validated, |_| false)?;
        if existing.is_some() && mode == Mode::Add {
            return Err(Error::DuplicateKey { key });
        }
        let mut buffer = self.take_buffer();
        self.push(&mut shard, &mut buffer, &key, &validated);
        self.pool.lock().push(buffer);
        if let Some(old) = existing {
            old.segment.delete(old.doc);
        }
        Ok(key)
    }

    /// Takes all documents or none, at one point in time.
    pub(crate) fn write_batch(&self, documents: &[Document], mode: Mode) -> Result<Vec<String>> {
        let schema = self.schema();
        let validated = documents.iter().map(|document| self.validate(&schema, document));
        let mut validated: Vec<Validated> = validated.collect::<Result<_>>()?;
        self.flush_if_full()?;
        self.make_room(&validated)?;
        let _exclusive = self.commit_barrier.write();
        self.check_takes_writes()?;
        let mut claimed = Vec::with_capacity(validated.len());
        // First the keys that are given, so that no automatic one is among them.
        let mut given = HashSet::new();
        for key in validated.iter().filter_map(|document| document.key.as_ref()) {
            if !given.insert(key.clone()) {
                return Err(Error::KeyTwice { key: key.clone() });
            }
        }
        for document in &mut validated {
            let (key, shard, existing) = self.claim_key(document, |key| given.contains(key))?;
            drop(shard); // Nobody else writes: the barrier is held exclusively.
            if existing.is_some() && mode == Mode::Add {
                return Err(Error::DuplicateKey { key });
            }
            claimed.push((key, existing));
        }
        let mut buffer = self.take_buffer();
        let keys = claimed.into_iter().zip(&validated).map(|((key, existing), document)| {
            self.push(&mut self.keys.lock(&key), &mut buffer, &key, document);
            if let Some(old) = existing {
                old.segment.delete(old.doc);
            }
            key
        });
        let keys = keys.collect();
        self.pool.lock().push(buffer);
        Ok(keys)
    }

    /// Deletes the document of that key; false when there is none.
    pub(crate) fn delete(&self, key: &str) -> Result<bool> {
        let _shared = self.commit_barrier.read();
        self.check_takes_writes()?;
        let mut shard = self.keys.lock(key);
        let found = self.find_document(&shard, key)?;
        if let Some(address) = &found {
            address.segment.delete(address.doc);
            shard.remove(key);
            self.store.counters.documents_deleted.add(1);
            self.changes.fetch_add(1, Ordering::Relaxed);
        }
        Ok(found.is_some())
    }

    /// Changes the fields given, leaves the others as they are.
    pub(crate) fn update(&self, key: &str, update: &Update) -> Result<()> {
        let schema = self.schema();
        check_update(&schema, Some(key), update)?;
        self.flush_if_full()?;
        loop {
            // Exclusively: every buffer is in the pool or immutable.
            let exclusive = self.commit_barrier.write();
            self.check_takes_writes()?;
            let mut shard = self.keys.lock(key);
            let address = self.find_document(&shard, key)?;
            let address = address.ok_or_else(|| Error::NoSuchDocument { key: key.to_owned() })?;
            let kept = match self.read(&schema, &address)? {
                ReadOutcome::Read(kept) => kept,
                ReadOutcome::Moved => continue,
                ReadOutcome::Flushing(buffer) => {
                    drop((shard, exclusive));
                    self.flush_or_wait(&buffer)?;
                    continue;
                }
            };
            let mut document = kept.document(&schema)?;
            changed(update, &mut document, key)?;
            let validated = self.validate(&schema, &document)?;
            let mut buffer = self.take_buffer();
            self.push(&mut shard, &mut buffer, key, &validated);
            self.pool.lock().push(buffer);
            address.segment.delete(address.doc);
            return Ok(());
        }
    }

    /// Analyzers may be the application's own: one that panics fails the call.
    pub(super) fn validate(&self, schema: &Schema, document: &Document) -> Result<Validated> {
        catch_panic("analyzing a document", || validate(schema, &self.analyzers(), document))
    }

    /// Gives a document its key, locks the key's shard and finds the live document of that key, if there is one.
    /// An automatic key is never one of those `taken`.
    fn claim_key(
        &self,
        document: &mut Validated,
        taken: impl Fn(&str) -> bool,
    ) -> Result<(String, MutexGuard<'_, KeyShard>, Option<DocAddress>)> {
        if let Some(key) = &document.key {
            let shard = self.keys.lock(key);
            let existing = self.find_document(&shard, key)?;
            return Ok((key.clone(), shard, existing));
        }
        loop {
            let number = self.next_key.fetch_add(1, Ordering::Relaxed);
            let key = KeyField::automatic(number);
            let shard = self.keys.lock(&key);
            if !taken(&key) && self.find_document(&shard, &key)?.is_none() {
                document.assign_key(&self.schema(), number);
                return Ok((key, shard, None));
            }
        }
    }

    /// The live document of that key, whose shard is locked.
    pub(super) fn find_document(&self, shard: &KeyShard, key: &str) -> Result<Option<DocAddress>> {
        // Deletes by query leave the key map as it is.
        if let Some(address) = shard.get(key).filter(|address| !address.segment.is_deleted(address.doc)) {
            return Ok(Some(address.clone()));
        }
        for entry in self.segments().iter().rev() {
            if let Some(doc) = entry.reader.find_live(key, |doc| entry.state.is_deleted(doc))? {
                return Ok(Some(DocAddress { segment: Arc::clone(&entry.state), doc }));
            }
        }
        Ok(None)
    }

    fn push(&self, shard: &mut KeyShard, buffer: &mut Buffer, key: &str, document: &Validated) -> DocId {
        self.report_zero_vectors(key, &document.vectors);
        self.store.counters.documents_added.add(1);
        self.changes.fetch_add(1, Ordering::Relaxed);
        let vector_bytes = self.vector_bytes.read();
        let doc = buffer.push(key, document, |field| vector_bytes.get(&field).copied().unwrap_or(0));
        shard.insert(key.into(), DocAddress { segment: Arc::clone(&buffer.state), doc });
        doc
    }

    fn take_buffer(&self) -> Buffer {
        self.pool.lock().pop().unwrap_or_else(|| {
            self.buffer_count.fetch_add(1, Ordering::Relaxed);
            Buffer::with_budget(self.buffer_budget(), self.store.memory.charge())
        })
    }

    /// Reads the document at an address from wherever it is now.
    fn read(&self, schema: &Schema, address: &DocAddress) -> Result<ReadOutcome> {
        let from_buffer = |buffer: &Buffer| {
            let (stored, rows) = (buffer.stored(address.doc).to_vec(), buffer.vectors_of(address.doc));
            ReadOutcome::Read(KeptDocument::buffered(schema, stored, rows))
        };
        let is_there = |state: &Arc<SegmentState>| Arc::ptr_eq(state, &address.segment);
        if let Some(buffer) = self.pool.lock().iter().find(|buffer| is_there(&buffer.state)) {
            return Ok(from_buffer(buffer));
        }
        let (segments, buffers) = {
            let list = self.segments.lock();
            (Arc::clone(&list.segments), list.buffers.clone())
        };
        if let Some(entry) = segments.iter().find(|entry| is_there(&entry.state)) {
            return read_segment(schema, &entry.reader, address.doc).map(ReadOutcome::Read);
        }
        let Some(buffer) = buffers.into_iter().find(|buffer| is_there(&buffer.state)) else {
            return Ok(ReadOutcome::Moved);
        };
        let stage = buffer.stage.lock();
        if let FlushStage::Waiting(buffer) = &*stage {
            return Ok(from_buffer(buffer));
        }
        drop(stage);
        Ok(ReadOutcome::Flushing(buffer))
    }
}
