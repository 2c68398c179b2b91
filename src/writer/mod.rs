//! The writer: documents in, segments and commits out.
//!
//! Write path: [`Writer::add`] → `indexing` (validate, claim the key) → `buffer` → `flush` → each structure's format →
//! `commit` → `commit/publish`.

mod attach;
mod buffer;
mod by_query;
mod commit;
mod drop_raw;
mod flush;
mod indexing;
mod kept;
mod keymap;
mod merging;
mod moves;
mod options;
mod restore;
mod rollback;
mod room;
mod segment_state;
mod segments;
mod shared;
mod staged;
mod tags;
mod writes_by_query;

pub use attach::OnExisting;
pub(crate) use attach::{Attached, NewSegment};
pub(crate) use buffer::Buffer;
pub use by_query::ByQueryReport;
pub use commit::PreparedCommit;
pub use drop_raw::DroppedRaw;
pub(crate) use flush::{flush, write_columns, write_sparse, write_terms};
pub use options::WriterOptions;

use crate::commit::history::{CommitRef, find_kept};
use crate::commit::recover::OnDamage;
use crate::commit::{OwnedDirectory, gc, lock, manifest};
use crate::document::{Document, Update};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::merge;
use crate::reader::Store;
use crate::schema::{Calibration, Schema};
use commit::Committed;
use indexing::Mode;
use lucerne_codec::{Cancel, Directory as _, Report, SegmentId};
use parking_lot::Mutex;
use shared::{Stopped, WriterInner};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use tags::Change;

/// Adds, replaces and deletes documents of one index. Share it between threads by reference or [`Arc`].
///
/// There is one writer per index at a time, in any process. What is written is seen by searchers after
/// [`Writer::refresh`] or [`Writer::commit`], and survives the process after [`Writer::commit`] only.
/// Dropping the writer discards uncommitted documents (and warns in `tracing`); [`Writer::close`] commits them
/// first.
///
/// ```
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::{Document, Schema};
/// use std::sync::Arc;
///
/// let schema = Schema::builder().key("id").text("title").build()?;
/// let index = IndexBuilder::new().create(Arc::new(RamDirectory::new()), schema)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "a").with("title", "one"))?;
/// writer.upsert(&Document::new().with("id", "a").with("title", "two"))?;
/// writer.add_batch(&[Document::new().with("id", "b"), Document::new().with("id", "c")])?;
/// writer.delete("c")?;
/// assert_eq!(index.searcher()?.len(), 0);
/// writer.commit()?;
/// assert_eq!(index.searcher()?.len(), 2);
/// # Ok::<(), lucerne::Error>(())
/// ```
pub struct Writer {
    inner: Arc<WriterInner>,
    committed: Mutex<Committed>,
    /// Whether [`Writer::close`] has ended; it holds this while it closes.
    closed: Mutex<bool>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl Writer {
    /// Takes the lock, finds the newest commit and removes what a crash left behind.
    pub(crate) fn open(store: Arc<Store>, options: WriterOptions, on_damage: OnDamage) -> Result<Self> {
        let lock = lock::take(&*store.directory, lock::WRITER)?;
        let directory = Arc::new(OwnedDirectory::new(Arc::clone(&store.directory), lock));
        let snapshot = store.newest_commit(on_damage)?;
        let info = &snapshot.commit.info;
        if let Some(problem) = manifest::exhausted(info) {
            let file = manifest::commit_file(info.generation);
            return Err(lucerne_codec::Error::corrupt(file, 0, problem).into());
        }
        // The commit just read may have been renamed but not made durable by a writer that died: before
        // anything an older commit needs is deleted, it must be.
        directory.sync_dir()?;
        let names = directory.list()?;
        let next = manifest::next_numbers(info, &directory.taken_names()?);
        let (next_key, known) = (info.next_key, manifest::generations(&names));
        let older = find_kept(&*directory, &store.registry, info, &names);
        let inner = WriterInner::new(store, directory, options, &snapshot, next_key, next.segment)?;
        let committed = Committed::new(snapshot, older, next.generation, known);
        let keep = |file: &str| committed.keeps(file) || inner.store.pins.contains(file);
        gc::collect(&*inner.directory, &inner.store.registry, &names, keep);
        inner.store.set_latest(0, Arc::clone(&committed.snapshot));
        let (inner, committed) = (Arc::new(inner), Mutex::new(committed));
        let sheds: Weak<WriterInner> = Arc::downgrade(&inner);
        inner.store.memory.register(sheds);
        Ok(Self { inner, committed, closed: Mutex::new(false) })
    }

    /// The index's schema.
    pub fn schema(&self) -> Schema {
        self.inner.schema()
    }

    /// Replaces the schema from now on. Fields may be added at the end; the index, quantization and parameters of a
    /// vector field may change, and the weight, `k1` and `b` of a text field. Existing segments stay as they were
    /// written until they are merged; [`Writer::force_merge`] rewrites them. Durable with the next commit.
    ///
    /// # Errors
    /// [`Error::Schema`] when a field was removed, moved or changed in type, dimension,
    /// similarity or text analysis.
    pub fn set_schema(&self, schema: &Schema) -> Result<()> {
        self.inner.set_schema(schema)
    }

    /// Keeps what [`calibrate`](crate::admin::calibrate) found for a vector field, or forgets it. Searches use it from
    /// the next refresh or commit on; it stays in force through flushes, merges and changes of the schema. Durable with
    /// the next commit.
    ///
    /// # Errors
    /// When there is no such vector field, or the calibration is out of its range.
    pub fn set_calibration(&self, field: &str, calibration: Option<Calibration>) -> Result<()> {
        self.inner.set_calibration(field, calibration)
    }

    /// Takes the raw vectors of a field away: its int8 codes are what is left, and later segments keep no others
    /// ([`Vector::keep_raw`](crate::Vector::keep_raw)). Only a small file for each segment is written.
    /// [`raw_loss`](crate::admin::raw_loss) measures beforehand what that costs. Durable with the next commit, which also
    /// gives the space back; until then, and for as long as an older searcher lives, the files stay.
    ///
    /// # Errors
    /// When the field is not of int8 codes, when a segment of it has none, because they do not tell its neighbors
    /// apart ([`Error::Invalid`]), when its default recall is 1, or while a segment is being merged by another thread.
    /// Nothing has changed then.
    pub fn drop_raw(&self, field: &str) -> Result<DroppedRaw> {
        drop_raw::drop_raw(&self.inner, &self.committed, field)
    }

    /// Adds a document and returns its key: the one given, or an automatic one.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] when a live document has that key, and a typed error naming field, value and
    /// expectation when the document does not fit the schema, or is longer than
    /// [`crate::limits::MAX_DOCUMENT_BYTES`] as it is stored. A document that fails leaves nothing behind.
    /// When a full buffer cannot be flushed (a full disk), the document is not taken and what was buffered
    /// stays in memory: free space and go on.
    pub fn add(&self, document: &Document) -> Result<String> {
        self.merge_or_stall();
        self.inner.write(document, Mode::Add)
    }

    /// Adds a document, replacing the live document of the same key, and returns the key.
    ///
    /// # Errors
    /// As [`Writer::add`], but an existing key is no error.
    pub fn upsert(&self, document: &Document) -> Result<String> {
        self.merge_or_stall();
        self.inner.write(document, Mode::Upsert)
    }

    /// Adds all documents or, when one fails, none of them; a refresh or commit sees all or none.
    ///
    /// # Errors
    /// As [`Writer::add`], for the first document that fails; also when two of them have the same key.
    pub fn add_batch(&self, documents: &[Document]) -> Result<Vec<String>> {
        self.merge_or_stall();
        self.inner.write_batch(documents, Mode::Add)
    }

    /// Upserts all documents or, when one fails, none of them; a refresh or commit sees all or none.
    ///
    /// # Errors
    /// As [`Writer::upsert`]; also when two of them have the same key.
    pub fn upsert_batch(&self, documents: &[Document]) -> Result<Vec<String>> {
        self.merge_or_stall();
        self.inner.write_batch(documents, Mode::Upsert)
    }

    /// Changes some fields of the document of that key and leaves the others, its vectors included, as they are. With a
    /// [`Document`] every field of it is set, and one that is null is taken out. What is set is a whole top-level value.
    ///
    /// # Errors
    /// [`Error::NoSuchDocument`] when there is no live document of that key; [`Error::NotStored`] when the
    /// schema has an indexed field that is not stored and not set, since its values could not be kept; when a number is to
    /// be added to what is no number; else as [`Writer::upsert`].
    pub fn update(&self, key: &str, changes: impl Into<Update>) -> Result<()> {
        self.merge_or_stall();
        self.inner.update(key, &changes.into())
    }

    /// Deletes the document of that key; false when there is none.
    ///
    /// # Errors
    /// When the writer was closed or has failed, or a file is damaged.
    pub fn delete(&self, key: &str) -> Result<bool> {
        self.inner.delete(key)
    }

    /// Flushes all buffers and makes everything written so far visible to new searchers of this index
    /// handle. Not durable: that is [`Writer::commit`].
    ///
    /// # Errors
    /// When a buffer cannot be flushed; it stays in memory.
    pub fn refresh(&self) -> Result<()> {
        commit::refresh(&self.inner)?;
        commit::collect_released(&self.inner, &self.committed);
        merging::maybe_merge(&self.inner);
        Ok(())
    }

    /// Makes everything written so far durable and visible; returns the commit's generation. When nothing
    /// has changed, the commit in force stays.
    ///
    /// # Errors
    /// The previous commit stays in force. After a failed sync or rename every later call says that the
    /// writer must be reopened ([`Error::WriterFailed`]); likewise when the folder or its lock file was moved,
    /// replaced or removed, or somebody else has committed ([`Error::WriterLost`]). After any other error (a full
    /// disk) the documents stay in the writer and the commit can be tried again.
    pub fn commit(&self) -> Result<u64> {
        let generation = self.prepare_commit()?.commit()?;
        merging::maybe_merge(&self.inner);
        Ok(generation)
    }

    /// The first phase of a commit: everything durable, nothing visible. Other commits and rollbacks wait
    /// until it is committed or dropped; adding documents goes on, and they belong to the next commit.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn prepare_commit(&self) -> Result<PreparedCommit<'_>> {
        commit::prepare(&self.inner, &self.committed, Change::Nothing)
    }

    /// Like [`Writer::prepare_commit`], with the application's own notes, handed back by every searcher of
    /// this commit and kept by later commits until replaced.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn prepare_commit_with(&self, user_data: BTreeMap<String, String>) -> Result<PreparedCommit<'_>> {
        commit::prepare(&self.inner, &self.committed, Change::UserData(user_data))
    }

    /// Commits everything written so far and names that commit: it is kept, whatever is committed after it, until
    /// [`Writer::untag`]. Commit and name are durable together. Returns its generation.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let index = lucerne::Index::create(folder.path(), lucerne::Schema::builder().key("id").build()?)?;
    /// use lucerne::Document;
    ///
    /// let writer = index.writer()?;
    /// writer.add(&Document::new().with("id", "a"))?;
    /// writer.tag("before")?;
    /// writer.delete("a")?;
    /// writer.commit()?;
    /// assert_eq!((index.searcher()?.len(), index.open_at("before")?.len()), (0, 1));
    /// writer.restore("before")?;
    /// assert_eq!(index.searcher()?.len(), 1);
    /// # Ok::<(), lucerne::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the name is taken or is not 1 to 100 of `a-z A-Z 0-9 . _ -` (a number is a generation, no name); else as
    /// [`Writer::commit`].
    pub fn tag(&self, name: &str) -> Result<u64> {
        self.commit_change(Change::Tag(name.to_owned()))
    }

    /// Commits everything written so far, and names an earlier commit that is kept.
    ///
    /// # Errors
    /// As [`Writer::tag`]; [`Error::NoSuchCommit`] when it is not kept.
    pub fn tag_at(&self, name: &str, at: impl Into<CommitRef>) -> Result<u64> {
        self.commit_change(Change::TagAt(name.to_owned(), at.into()))
    }

    /// Commits everything written so far, and forgets a name. The files of its commit are deleted unless it has another
    /// name or [`WriterOptions::keep_commits`] keeps it.
    ///
    /// # Errors
    /// [`Error::NoSuchCommit`] when there is no such name; else as [`Writer::commit`].
    pub fn untag(&self, name: &str) -> Result<u64> {
        self.commit_change(Change::Untag(name.to_owned()))
    }

    /// Makes documents, schema and user data those of a commit that is kept, in a new commit, and returns its generation.
    /// What was not committed is lost; what was committed since is kept as every older commit is (by a tag, or by
    /// [`WriterOptions::keep_commits`]). Nothing is copied. Tags stay, and automatic keys go on where they were.
    ///
    /// # Errors
    /// [`Error::NoSuchCommit`] when it is not kept; else as [`Writer::commit`]. Nothing has changed then.
    pub fn restore(&self, at: impl Into<CommitRef>) -> Result<u64> {
        restore::restore(&self.inner, &self.committed, &at.into())
    }

    fn commit_change(&self, change: Change) -> Result<u64> {
        let generation = commit::prepare(&self.inner, &self.committed, change)?.commit()?;
        merging::maybe_merge(&self.inner);
        Ok(generation)
    }

    /// Discards everything since the last commit, a new schema and [`Writer::drop_raw`] included.
    ///
    /// # Errors
    /// When the writer was closed or has failed.
    pub fn rollback(&self) -> Result<()> {
        rollback::rollback(&self.inner, &self.committed)
    }

    /// Merges until at most `max_segments` segments are left; with 1, deletes are dropped too. Segments of
    /// another format than the schema asks for are rewritten. Waits for background merges first. What
    /// changed becomes durable with the next commit. Returns the record of each merge.
    ///
    /// # Errors
    /// When the merge fails or is cancelled; the segments are as they were (or as the merges before it left
    /// them).
    pub fn force_merge(&self, max_segments: usize, cancel: &Cancel) -> Result<Vec<Report>> {
        self.refresh()?;
        merging::run_all(&self.inner, cancel, |segments| merge::force_merge(segments, max_segments))
    }

    /// What [`Writer::force_merge`] would do: for each merge its sources, what would be kept, requantized or
    /// resampled, and bytes to read and write.
    ///
    /// # Errors
    /// When a source cannot be read.
    pub fn plan_force_merge(&self, max_segments: usize) -> Result<Vec<Report>> {
        merging::plan_all(&self.inner, |segments| merge::force_merge(segments, max_segments))
    }

    /// Rewrites every segment whose share of deleted documents is above `above`.
    ///
    /// # Errors
    /// As [`Writer::force_merge`].
    pub fn expunge_deletes(&self, above: f64, cancel: &Cancel) -> Result<Vec<Report>> {
        self.refresh()?;
        merging::run_all(&self.inner, cancel, |segments| merge::expunge_deletes(segments, above))
    }

    /// What [`Writer::expunge_deletes`] would do.
    ///
    /// # Errors
    /// As [`Writer::plan_force_merge`].
    pub fn plan_expunge_deletes(&self, above: f64) -> Result<Vec<Report>> {
        merging::plan_all(&self.inner, |segments| merge::expunge_deletes(segments, above))
    }

    /// Rewrites, each alone, every segment that this release would write differently now: its formats, their
    /// versions, or the parameters of its fields. What changed becomes durable with the next commit. Returns
    /// the record of each rewrite; none when every segment is as it should be.
    ///
    /// # Errors
    /// As [`Writer::force_merge`].
    pub fn upgrade(&self, cancel: &Cancel) -> Result<Vec<Report>> {
        self.refresh()?;
        merging::run_all(&self.inner, cancel, merge::upgrade)
    }

    /// What [`Writer::upgrade`] would do.
    ///
    /// # Errors
    /// As [`Writer::plan_force_merge`].
    pub fn plan_upgrade(&self) -> Result<Vec<Report>> {
        merging::plan_all(&self.inner, merge::upgrade)
    }

    /// Waits until no background merge runs and the policy wants no more.
    pub fn wait_for_merges(&self) {
        self.inner.scheduler.wait_until_idle();
    }

    /// Asks running background merges to stop; their sources stay.
    pub fn cancel_merges(&self) {
        self.inner.scheduler.cancel_all();
    }

    /// Commits, waits for merges and closes: the lock is free, and every later call says
    /// [`Error::WriterClosed`]. Documents that other threads are adding are committed or refused, never lost. A
    /// writer that is closed already stays so, without an error.
    ///
    /// Dropping the writer instead stops merges and throws uncommitted documents away, with a `tracing` warning
    /// that counts them.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let index = lucerne::Index::create(folder.path(), lucerne::Schema::builder().build()?)?;
    /// let writer = std::sync::Arc::new(index.writer()?);
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| writer.add(&lucerne::Document::new()));
    /// });
    /// writer.close()?; // whoever else holds the writer
    /// assert!(matches!(writer.commit(), Err(lucerne::Error::WriterClosed)));
    /// index.writer()?;
    /// # Ok::<(), lucerne::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Writer::commit`]; the writer is closed all the same.
    pub fn close(&self) -> Result<()> {
        let mut closed = self.closed.lock();
        if *closed {
            return Ok(());
        }
        self.inner.begin_closing();
        let committed = self.commit_everything();
        self.shut_down();
        *closed = true;
        committed
    }

    fn commit_everything(&self) -> Result<()> {
        self.refresh()?;
        self.wait_for_merges();
        // Not through `commit`, which begins merges that nobody would commit.
        self.prepare_commit()?.commit().map(drop)
    }

    /// Stops merges and refuses further calls, and says how many documents that loses.
    fn shut_down(&self) {
        let documents = self.inner.uncommitted();
        if documents > 0 {
            let folder = self.inner.store.directory.path();
            tracing::warn!(?folder, documents, "a writer ends with uncommitted documents, which are lost");
        }
        self.inner.cancel.cancel();
        self.inner.stop(Stopped::Closed);
        self.inner.scheduler.close();
        self.inner.store.forget_latest();
        self.inner.directory.release();
    }

    /// Generation of the commit in force.
    pub fn generation(&self) -> u64 {
        self.committed.lock().own.generation
    }

    /// The index's folder, for files of its own.
    pub(crate) fn directory(&self) -> &OwnedDirectory {
        &self.inner.directory
    }

    /// Ids of all ready segments.
    pub(crate) fn segment_ids(&self) -> Vec<SegmentId> {
        self.inner.segments().iter().map(|entry| entry.reader.info().id).collect()
    }

    /// A name for a segment from elsewhere.
    pub(crate) fn take_segment_name(&self) -> String {
        manifest::segment_name(self.inner.take_segment_number())
    }

    /// Adds finished segments, all or none. For a writer without background merges.
    pub(crate) fn attach(&self, segments: Vec<NewSegment>, on_existing: OnExisting) -> Result<Attached> {
        self.inner.attach(segments, on_existing)
    }

    /// Starts the merges that a flush has made due, and waits while merges cannot keep up.
    fn merge_or_stall(&self) {
        if self.inner.take_flush_finished() {
            merging::maybe_merge(&self.inner);
            merging::stall_writes(&self.inner);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !*self.closed.lock() {
            self.shut_down();
        }
    }
}
