//! An index: a folder of segments and the commit that names them.

use crate::commit::{manifest, publish, recover::OnDamage};
use crate::directory::FsDirectory;
use crate::error::{Error, Result};
use crate::merge::MergePolicy;
use crate::options::WriterOptions;
use crate::reader::Store;
use crate::schema::Schema;
use crate::search::Searcher;
use crate::transfer::{self, SegmentHandle};
use crate::writer::Writer;
use lucerne_codec::commit::CommitInfo;
use lucerne_codec::{Cancel, Directory, Registry};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A handle on an index. Cheap to clone; holds no lock and starts no thread.
#[derive(Clone)]
pub struct Index {
    pub(crate) store: Arc<Store>,
    on_damage: OnDamage,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("directory", &self.store.directory).finish_non_exhaustive()
    }
}

/// How to open an index: where, and with which formats.
#[derive(Debug)]
pub struct IndexBuilder {
    registry: Registry,
    on_damage: OnDamage,
}

impl Default for IndexBuilder {
    fn default() -> Self {
        // The one place where the engine learns which formats there are.
        Self { registry: lucerne_formats::builtin(), on_damage: OnDamage::Refuse }
    }
}

impl IndexBuilder {
    /// The built-in formats; a damaged newest commit is refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// Formats to read and write with, for example [`IndexBuilder::registry`] plus one of your own.
    #[must_use]
    pub fn formats(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// The formats as they are now.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What to do when the newest commit is damaged.
    #[must_use]
    pub fn on_damage(mut self, on_damage: OnDamage) -> Self {
        self.on_damage = on_damage;
        self
    }

    /// Creates an index in a directory that has none; its empty first commit is durable on return.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when there is a commit.
    pub fn create(self, directory: Arc<dyn Directory>, schema: Schema) -> Result<Index> {
        for field in schema.vector_fields() {
            self.registry.vectors(field.format(), "schema")?.check(&field.info())?;
        }
        let store = Store::new(directory, self.registry);
        let directory = &*store.directory;
        let _lock = directory.lock(manifest::LOCK_FILE, "creating the index")?;
        let names = directory.list()?;
        if !manifest::generations(&names).is_empty() {
            return Err(Error::AlreadyExists { path: format!("{directory:?}") });
        }
        let mut commit = CommitInfo {
            generation: 0,
            next_segment: 0,
            next_key: 0,
            written_by: crate::options::WRITTEN_BY.to_owned(),
            schema: schema.to_json(),
            segments: Vec::new(),
            user_data: Default::default(),
        };
        let next = manifest::next_numbers(&commit, &names);
        (commit.generation, commit.next_segment) = (next.generation, next.segment);
        publish::prepare(directory, &store.registry, &commit, &[]).map_err(|failure| failure.error)?;
        publish::publish(directory, commit.generation).map_err(|failure| failure.error)?;
        Ok(Index { store: Arc::new(store), on_damage: self.on_damage })
    }

    /// Opens the index in a directory; its newest commit is read and verified.
    ///
    /// # Errors
    /// [`Error::NotAnIndex`] when there is no commit; a typed error naming the file when it is damaged.
    pub fn open(self, directory: Arc<dyn Directory>) -> Result<Index> {
        let index =
            Index { store: Arc::new(Store::new(directory, self.registry)), on_damage: self.on_damage };
        index.searcher()?;
        Ok(index)
    }
}

impl Index {
    /// Creates an index in the folder `path`, which is created if need be.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when the folder holds an index.
    pub fn create(path: impl AsRef<Path>, schema: Schema) -> Result<Self> {
        IndexBuilder::new().create(Arc::new(FsDirectory::create(path.as_ref())?), schema)
    }

    /// Opens the index in the folder `path`.
    ///
    /// # Errors
    /// [`Error::NotAnIndex`] when there is none; a typed error naming the file when it is damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        IndexBuilder::new().open(Arc::new(FsDirectory::open(path.as_ref())?))
    }

    /// The writer, with default options. There is one at a time, in any process.
    ///
    /// # Errors
    /// [`lucerne_codec::Error::Locked`] when there is another one.
    pub fn writer(&self) -> Result<Writer> {
        self.writer_with(WriterOptions::default())
    }

    /// The writer, with these options.
    ///
    /// # Errors
    /// As [`Index::writer`].
    pub fn writer_with(&self, options: WriterOptions) -> Result<Writer> {
        Writer::open(Arc::clone(&self.store), options, self.on_damage)
    }

    /// A writer that starts no merges, for one operation on whole segments.
    pub(crate) fn writer_for_merges(&self) -> Result<Writer> {
        self.writer_with(WriterOptions::default().merge_policy(MergePolicy::None))
    }

    /// Another index, opened with the same formats.
    pub(crate) fn open_other(&self, path: &Path) -> Result<Self> {
        let formats = IndexBuilder::new().formats(self.store.registry.clone());
        formats.open(Arc::new(FsDirectory::open(path)?))
    }

    /// Makes segments that were built elsewhere part of the index, in one commit, all or nothing; returns
    /// its generation. Their files are linked, or copied where they cannot be.
    ///
    /// # Errors
    /// [`Error::GenerationMoved`] when the index is no longer at `expected_generation`; a typed error when a
    /// segment has another schema, a wrong checksum, a key that has a live document already, or is part of
    /// the index already. Nothing has changed then.
    pub fn publish(&self, handles: &[SegmentHandle], expected_generation: u64) -> Result<u64> {
        transfer::publish(self, handles, expected_generation)
    }

    /// Adds all live documents of other indexes of the same schema, in one commit, all or nothing; returns
    /// its generation. Their files are linked, or copied where they cannot be; nothing is merged.
    ///
    /// # Errors
    /// As [`Index::publish`]; and when an index cannot be opened.
    pub fn add_indexes(&self, paths: &[&Path], cancel: &Cancel) -> Result<u64> {
        transfer::add_indexes(self, paths, cancel)
    }

    /// Deletes built segments in the index's folder that were last written at least `older_than` ago:
    /// published ones are no longer needed, the others will not be any more. Returns how many files.
    ///
    /// # Errors
    /// When the folder cannot be read or a file cannot be deleted.
    pub fn sweep_orphans(&self, older_than: Duration) -> Result<usize> {
        transfer::sweep(&*self.store.directory, older_than)
    }

    /// A searcher of the newest point in time: what this process's writer last committed or refreshed, or
    /// else the newest commit on disk, whoever wrote it.
    ///
    /// # Errors
    /// A typed error naming the file when the newest commit is damaged.
    pub fn searcher(&self) -> Result<Searcher> {
        self.store.newest(self.on_damage).map(Searcher::new)
    }

    /// The schema of the newest commit.
    ///
    /// # Errors
    /// As [`Index::searcher`].
    pub fn schema(&self) -> Result<Schema> {
        Ok(self.searcher()?.schema().clone())
    }
}
