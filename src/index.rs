//! An index: a folder of segments and the commit that names them.

use crate::analysis::{Analyzer, Analyzers};
pub use crate::commit::history::CommitRef;
use crate::commit::history::kept_generations;
use crate::commit::manifest::{self, FileKind};
pub use crate::commit::recover::OnDamage;
use crate::commit::{gc, lock, publish};
use crate::directory::FsDirectory;
use crate::document::FieldAnalyzers;
use crate::error::{Error, Result};
use crate::memory::Memory;
use crate::merge::MergePolicy;
use crate::reader::{Snapshot, Store};
use crate::schema::Schema;
use crate::search::Searcher;
use crate::stats::Stats;
use crate::writer::{Writer, WriterOptions};
use lucerne_codec::commit::CommitInfo;
use lucerne_codec::{Directory, Registry};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A handle on an index. Cheap to clone; holds no lock and starts no thread.
///
/// ```
/// use lucerne::{Document, Index, Knn, Schema, Vector};
///
/// let folder = tempfile::tempdir()?;
/// let schema = Schema::builder().key("id").vector("v", Vector::f32(2)).build()?;
/// let index = Index::create(folder.path(), schema)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "east").with("v", vec![1.0, 0.0]))?;
/// writer.add(&Document::new().with("id", "north").with("v", vec![0.0, 1.0]))?;
/// writer.close()?;
///
/// let hits = Index::open(folder.path())?.searcher()?.search(Knn::new("v", vec![0.1, 0.9]).k(1))?;
/// assert_eq!(hits.keys(), ["north"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

/// Creates or opens an index in any [`Directory`], with formats and analyzers of your own.
///
/// ```
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::Schema;
/// use std::sync::Arc;
///
/// let directory = Arc::new(RamDirectory::new());
/// IndexBuilder::new().create(directory.clone(), Schema::builder().text("title").build()?)?;
/// let index = IndexBuilder::new().open(directory)?;
/// assert!(index.schema()?.field("title").is_some());
/// # Ok::<(), lucerne::Error>(())
/// ```
#[derive(Debug)]
pub struct IndexBuilder {
    registry: Registry,
    analyzers: Analyzers,
    on_damage: OnDamage,
    memory: Memory,
}

impl Default for IndexBuilder {
    fn default() -> Self {
        // The one place where the engine learns which formats there are.
        let (registry, analyzers) = (lucerne_formats::builtin(), Analyzers::new());
        Self { registry, analyzers, on_damage: OnDamage::Refuse, memory: Memory::unlimited() }
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

    /// Adds an analyzer that text fields can name. It must be given whenever the index is opened, and split
    /// text the same way every time.
    #[must_use]
    pub fn analyzer(mut self, name: impl Into<String>, analyzer: Arc<dyn Analyzer>) -> Self {
        self.analyzers.register(name, analyzer);
        self
    }

    /// The analyzers as they are now.
    pub fn analyzers(&self) -> &Analyzers {
        &self.analyzers
    }

    /// What to do when the newest commit is damaged.
    #[must_use]
    pub fn on_damage(mut self, on_damage: OnDamage) -> Self {
        self.on_damage = on_damage;
        self
    }

    /// A ceiling on memory that the index shares with others. Default: none.
    #[must_use]
    pub fn memory(mut self, memory: &Memory) -> Self {
        self.memory = memory.clone();
        self
    }

    /// Creates an index in a directory that has none; its empty first commit is durable on return.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when there is a commit; [`Error::Invalid`] when files without one have names of
    /// segments: of an index that lost its commits, or of somebody who names files in the same manner.
    pub fn create(self, directory: Arc<dyn Directory>, schema: Schema) -> Result<Index> {
        for field in schema.vector_fields() {
            field.format(&self.registry)?.check(&field.info())?;
        }
        FieldAnalyzers::of(&schema, &self.analyzers)?;
        let store = Store::new(directory, self.registry, self.analyzers, self.memory);
        let directory = &*store.directory;
        // Before the lock is asked for: an index that is being written exists, whoever holds its lock.
        refuse_existing(directory, &store.registry)?;
        let _lock = lock::take(directory, "creating the index")?;
        refuse_existing(directory, &store.registry)?;
        let mut commit = CommitInfo {
            written_by: crate::limits::WRITTEN_BY.to_owned(),
            schema: schema.to_json(),
            ..Default::default()
        };
        let next = manifest::next_numbers(&commit, &directory.taken_names()?);
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
        let store = Store::new(directory, self.registry, self.analyzers, self.memory);
        let index = Index { store: Arc::new(store), on_damage: self.on_damage };
        index.searcher()?;
        Ok(index)
    }
}

/// An error when a directory holds a commit, or files that the index would take for its own and delete.
fn refuse_existing(directory: &dyn Directory, registry: &Registry) -> Result<()> {
    let (names, path) = (directory.list()?, || crate::directory::place(directory));
    if !manifest::generations(&names).is_empty() {
        return Err(Error::AlreadyExists { path: path() });
    }
    if names.iter().any(|name| name == manifest::SHARDS_FILE) {
        let problem = "there is an index in shards, and an index beside them would be taken for it";
        return Err(Error::Invalid(format!("{}: {problem}; create the index in another folder", path())));
    }
    let is_segment = |name: &&String| {
        matches!(manifest::classify(name), FileKind::Segment(_)) && gc::is_ours(directory, registry, name)
    };
    let Some(name) = names.iter().find(is_segment) else { return Ok(()) };
    Err(Error::Invalid(format!(
        "{}: {name} has the name of a segment's file, and an index would take it for its own; create the index in \
         another folder, or move the file away",
        path()
    )))
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
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the folder does not exist or holds no index
    /// ([`Error::NotAnIndex`]), and also when one of the index's files is missing; another typed error naming the
    /// file when it is damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        IndexBuilder::new().open(Arc::new(FsDirectory::open(path.as_ref())?))
    }

    /// The writer, with default options. There is one at a time, in any process.
    ///
    /// # Errors
    /// [`Error::Locked`] when there is another one.
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

    pub(crate) fn on_damage(&self) -> OnDamage {
        self.on_damage
    }

    /// A writer that starts no merges, for one operation on whole segments.
    pub(crate) fn writer_for_merges(&self) -> Result<Writer> {
        self.writer_with(WriterOptions::default().merge_policy(MergePolicy::None))
    }

    /// Another index, opened with the same formats.
    pub(crate) fn open_other(&self, path: &Path) -> Result<Self> {
        let mut formats = IndexBuilder::new().formats((*self.store.registry).clone());
        formats.analyzers = self.store.analyzers.clone();
        formats.open(Arc::new(FsDirectory::open(path)?))
    }

    /// A searcher of the newest point in time: what this process's writer last committed or refreshed, or
    /// else the newest commit on disk, whoever wrote it.
    ///
    /// # Errors
    /// A typed error naming the file when the newest commit is damaged.
    pub fn searcher(&self) -> Result<Searcher> {
        let snapshot = self.store.newest(self.on_damage)?;
        Ok(self.searcher_of(snapshot))
    }

    fn searcher_of(&self, snapshot: Arc<Snapshot>) -> Searcher {
        let Store { analyzers, counters, memory, .. } = &*self.store;
        Searcher::new(snapshot, analyzers.clone(), Arc::clone(counters), memory.clone())
    }

    /// What this open index has done so far: counters and latencies of searches, flushes, commits and merges, by all clones
    /// of this handle and what they have given.
    pub fn stats(&self) -> Stats {
        self.store.counters.read()
    }

    /// A searcher of the newest point in time when that is another one than `searcher` shows, whoever wrote it; `None`
    /// when it is not, which costs one look at the folder.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let index = lucerne::Index::create(folder.path(), lucerne::Schema::builder().build()?)?;
    /// # let mut searcher = index.searcher()?;
    /// if let Some(newer) = index.reopen_if_newer(&searcher)? {
    ///     searcher = newer;
    /// }
    /// # assert_eq!(searcher.generation(), 1);
    /// # Ok::<(), lucerne::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Index::searcher`].
    pub fn reopen_if_newer(&self, searcher: &Searcher) -> Result<Option<Searcher>> {
        let newer = self.store.newer(self.on_damage, searcher.snapshot())?;
        Ok(newer.map(|snapshot| self.searcher_of(snapshot)))
    }

    /// A searcher of a commit that is kept: by its tag or its generation ([`Writer::tag`],
    /// [`WriterOptions::keep_commits`]).
    ///
    /// # Errors
    /// [`Error::NoSuchCommit`] when it is not kept; else as [`Index::searcher`].
    pub fn open_at(&self, at: impl Into<CommitRef>) -> Result<Searcher> {
        let snapshot = self.store.kept_commit(self.on_damage, &at.into())?;
        Ok(self.searcher_of(Arc::new(snapshot)))
    }

    /// The tags of the newest commit, and the generation that each names.
    ///
    /// # Errors
    /// As [`Index::searcher`].
    pub fn tags(&self) -> Result<BTreeMap<String, u64>> {
        Ok(self.store.newest_commit(self.on_damage)?.commit.info.tags.clone())
    }

    /// Generations of the commits that are kept, newest first: each can be opened with [`Index::open_at`].
    ///
    /// # Errors
    /// As [`Index::searcher`].
    pub fn commits(&self) -> Result<Vec<u64>> {
        let newest = self.store.newest_commit(self.on_damage)?;
        let older = kept_generations(&newest.commit.info, &self.store.directory.list()?);
        Ok([newest.generation()].into_iter().chain(older).collect())
    }

    /// The schema of the newest commit.
    ///
    /// # Errors
    /// As [`Index::searcher`].
    pub fn schema(&self) -> Result<Schema> {
        Ok(self.searcher()?.schema().clone())
    }
}
