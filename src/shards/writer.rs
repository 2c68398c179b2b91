//! Writes documents to the shards of their keys.

use super::layout::shard_of;
use crate::document::{Document, Update, Value};
use crate::error::{Error, Result};
use crate::writer::{PreparedCommit, Writer};

/// The writers of all shards. Safe to use from many threads.
///
/// Writes and deletes by query, schemas and merges are done on each of its [`writers`](ShardedWriter::writers).
#[derive(Debug)]
pub struct ShardedWriter {
    writers: Vec<Writer>,
}

impl ShardedWriter {
    pub(super) fn new(writers: Vec<Writer>) -> Self {
        Self { writers }
    }

    /// The writers, in the order of the shards' numbers.
    pub fn writers(&self) -> &[Writer] {
        &self.writers
    }

    fn of_key(&self, key: &str) -> Result<&Writer> {
        let shard = shard_of(key, self.writers.len());
        self.writers.get(shard).ok_or_else(|| Error::Invalid(format!("no shard {shard}")))
    }

    /// The number of the shard that a document belongs to. The shard refuses a document without a key.
    fn shard(&self, document: &Document) -> usize {
        let name = self.writers.first().map(|writer| writer.schema().key().name().to_owned());
        match name.and_then(|name| document.get(&name)) {
            Some(Value::Text(key)) => shard_of(key, self.writers.len()),
            _ => 0,
        }
    }

    fn of(&self, document: &Document) -> Result<&Writer> {
        let shard = self.shard(document);
        self.writers.get(shard).ok_or_else(|| Error::Invalid(format!("no shard {shard}")))
    }

    /// Adds a document and returns its key.
    ///
    /// # Errors
    /// As [`Writer::add`]; when it has no key.
    pub fn add(&self, document: &Document) -> Result<String> {
        self.of(document)?.add(document)
    }

    /// Adds a document, replacing the live document of the same key, and returns the key.
    ///
    /// # Errors
    /// As [`Writer::upsert`]; when it has no key.
    pub fn upsert(&self, document: &Document) -> Result<String> {
        self.of(document)?.upsert(document)
    }

    /// Adds documents: of each shard all or, when one fails, none.
    ///
    /// # Errors
    /// As [`Writer::add_batch`]. Other shards may have taken theirs.
    pub fn add_batch(&self, documents: &[Document]) -> Result<()> {
        self.each_batch(documents, Writer::add_batch)
    }

    /// Upserts documents: of each shard all or, when one fails, none.
    ///
    /// # Errors
    /// As [`Writer::upsert_batch`]. Other shards may have taken theirs; to upsert all again does no harm.
    pub fn upsert_batch(&self, documents: &[Document]) -> Result<()> {
        self.each_batch(documents, Writer::upsert_batch)
    }

    fn each_batch(
        &self,
        documents: &[Document],
        write: impl Fn(&Writer, &[Document]) -> Result<Vec<String>>,
    ) -> Result<()> {
        let mut parts: Vec<Vec<Document>> = vec![Vec::new(); self.writers.len()];
        for document in documents {
            parts.get_mut(self.shard(document)).into_iter().for_each(|part| part.push(document.clone()));
        }
        let mut own = self.writers.iter().zip(parts).filter(|(_, part)| !part.is_empty());
        own.try_for_each(|(writer, part)| write(writer, &part).map(drop))
    }

    /// Changes some fields of the document of that key.
    ///
    /// # Errors
    /// As [`Writer::update`].
    pub fn update(&self, key: &str, changes: impl Into<Update>) -> Result<()> {
        self.of_key(key)?.update(key, changes)
    }

    /// Deletes the document of that key; false when there is none.
    ///
    /// # Errors
    /// As [`Writer::delete`].
    pub fn delete(&self, key: &str) -> Result<bool> {
        self.of_key(key)?.delete(key)
    }

    /// Makes everything written so far visible to new searchers, shard by shard.
    ///
    /// # Errors
    /// As [`Writer::refresh`].
    pub fn refresh(&self) -> Result<()> {
        self.writers.iter().try_for_each(Writer::refresh)
    }

    /// Commits all shards, and returns the generation of each.
    ///
    /// All are prepared first, so that an error there leaves all as they were; then one after the other is published. It is
    /// not atomic over shards: a crash between two of them, or a searcher that is opened then, has the new commit of some and
    /// the last one of others. Each document is in one shard, so that it is there whole and once.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn commit(&self) -> Result<Vec<u64>> {
        let prepared = self.writers.iter().map(Writer::prepare_commit).collect::<Result<Vec<_>>>()?;
        prepared.into_iter().map(PreparedCommit::commit).collect()
    }

    /// Commits all shards and closes their writers.
    ///
    /// # Errors
    /// As [`Writer::close`].
    pub fn close(&self) -> Result<()> {
        self.commit()?;
        self.writers.iter().try_for_each(Writer::close)
    }
}
