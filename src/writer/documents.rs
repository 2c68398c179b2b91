//! Documents on their way into a buffer: validated, their keys claimed, all or nothing.

use super::buffer::Buffer;
use super::core::Core;
use super::keymap::{Place, Shard};
use crate::document::{Document, Validated, validate};
use crate::error::{Error, Result};
use crate::schema::KeyField;
use lucerne_codec::DocId;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Whether an existing key is an error or is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Add,
    Upsert,
}

impl Core {
    /// Takes one document and returns its key.
    pub(crate) fn write(&self, document: &Document, mode: Mode) -> Result<String> {
        let mut validated = validate(&self.schema(), &self.analyzers(), document)?;
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
        let (schema, analyzers) = (self.schema(), self.analyzers());
        let validated = documents.iter().map(|document| validate(&schema, &analyzers, document));
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
    pub(super) fn claim(
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

    pub(super) fn locate(&self, shard: &Shard, key: &str) -> Result<Option<Place>> {
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

    pub(super) fn push(
        &self,
        shard: &mut Shard,
        buffer: &mut Buffer,
        key: &str,
        document: &Validated,
    ) -> DocId {
        let vector_bytes = self.vector_bytes.read();
        let doc = buffer.push(key, document, |field| vector_bytes.get(&field).copied().unwrap_or(0));
        shard.insert(key.into(), Place { slot: Arc::clone(&buffer.slot), doc });
        doc
    }

    pub(super) fn take_buffer(&self) -> Buffer {
        self.pool.lock().pop().unwrap_or_else(|| {
            self.buffers.fetch_add(1, Ordering::Relaxed);
            Buffer::of(self.share())
        })
    }
}
