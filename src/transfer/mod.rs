//! Segments from elsewhere and for elsewhere: built by many processes and published by one, taken from other indexes, or
//! backed up.
//!
//! Building graphs is the expensive part of indexing, and it needs nothing from the index. So any number of processes,
//! on one machine or many, each build a segment with a [`SegmentBuilder`]; each sends its [`SegmentHandle`], a small
//! JSON document, to one process, which makes all of them visible in one commit ([`crate::Index::publish`]).
//!
//! ```
//! use lucerne::transfer::{PublishOptions, SegmentBuilder, SegmentHandle};
//! use lucerne::{Cancel, Document, Index, Schema, WriterOptions};
//!
//! let folder = tempfile::tempdir()?;
//! let schema = Schema::builder().key("id").text("title").build()?;
//! let index = Index::create(folder.path().join("index"), schema.clone())?;
//!
//! // In each building process:
//! let mut builder = SegmentBuilder::new(schema, folder.path().join("built"), WriterOptions::new())?;
//! builder.add(&Document::new().with("id", "a").with("title", "one"))?;
//! let sent = serde_json::to_string(&builder.finish()?)?;
//!
//! // In the publishing process:
//! let handle: SegmentHandle = serde_json::from_str(&sent)?;
//! let options = PublishOptions::new().folder(folder.path().join("built"));
//! let published = index.publish(&[handle], &options, &Cancel::new())?;
//! assert_eq!((published.docs, index.searcher()?.len()), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - **All or nothing.** The commit holds all segments or, when one of them has another schema, a wrong checksum, or another
//!   number of documents than its handle says, none.
//! - **Keys** are given, never automatic, and no two documents of one publish have the same: which one is newer, nobody
//!   knows. What of those that the index has, [`OnExisting`](crate::writer::OnExisting) says: they are an error, are
//!   replaced, or stay. Of two publishes that replace, the later one wins.
//! - **Many publishers.** Each takes the index's lock for as long as it publishes, the others wait
//!   ([`PublishOptions::wait`]). Whoever decided by a generation gives it ([`PublishOptions::expected_generation`]): after
//!   another commit nothing is published, and the same handles can be published again.
//! - **Merges** are built apart as well: [`merge_segments`], published in the same manner.
//! - **Crashes leave nothing.** A segment that was not finished, or never published, is seen by no index. Neither an error
//!   nor another publisher deletes its files; [`sweep_orphans`] does, by their age alone.
//! - **Files are linked** where the file system can, else copied. A segment may be built in the index's own folder.
//! - **Whole indexes** of the same schema are added in the same manner by [`crate::Index::add_indexes`].
//!
//! Published segments are merged later as all others are.
//!
//! [`crate::Index::backup_to`] copies a commit to another folder while a writer goes on. To and from places that are no
//! folders, [`crate::Index::commit_files`] gives the files of a commit, and [`receive`] takes them.

mod backup;
mod backup_folder;
mod builder;
mod commit_files;
mod copy;
mod handle;
mod incoming;
mod merge;
mod options;
mod orphans;
mod publish;
mod receive;

pub use backup::BackupReport;
pub use builder::SegmentBuilder;
pub use commit_files::{CommitFile, CommitFiles};
pub use handle::SegmentHandle;
pub use incoming::Incoming;
pub use merge::merge_segments;
pub use options::{PublishOptions, Published};
pub use receive::{ReceivedCommit, receive};

use crate::directory::FsDirectory;
use crate::error::Result;
use crate::index::Index;
use lucerne_codec::Cancel;
use std::path::Path;
use std::time::Duration;

/// How the name of every built segment begins. The writer of an index never touches such files.
const BUILT_PREFIX: &str = "built_";

/// Deletes files of built segments in a folder when nothing of a segment was written for `older_than`, and returns the
/// number of files. Published segments have files of their own, so only segments that nobody has published yet are lost:
/// choose `older_than` longer than building and publishing take together.
///
/// # Errors
/// When the folder cannot be read or a file cannot be deleted.
pub fn sweep_orphans(folder: impl AsRef<Path>, older_than: Duration) -> Result<usize> {
    orphans::sweep(&FsDirectory::open(folder)?, older_than)
}

impl Index {
    /// Makes segments that were built or merged elsewhere part of the index, in one commit, all or nothing. Their files are
    /// linked, or copied where they cannot be.
    ///
    /// # Errors
    /// [`crate::Error::Locked`] while a writer is open, in this process too: close it, or wait
    /// ([`PublishOptions::wait`]). [`crate::Error::GenerationMoved`] when the index is not at the generation that was
    /// expected, and [`crate::Error::SourcesGone`] when it has no source of a merge any more
    /// ([`ErrorKind::Conflict`](crate::ErrorKind::Conflict)). [`crate::Error::KeyTwice`] when two of the documents have the
    /// same key. A typed error when a segment has another schema, a wrong checksum, another number of documents than its
    /// handle says, a key that has a live document already (unless such are replaced or skipped), or is part of the index
    /// already. Nothing has changed then, and the files of the handles are still there.
    pub fn publish(
        &self,
        handles: &[SegmentHandle],
        options: &PublishOptions,
        cancel: &Cancel,
    ) -> Result<Published> {
        publish::publish(self, handles, options, cancel)
    }

    /// Adds all live documents of other indexes of the same schema, in one commit, all or nothing; returns
    /// its generation. Their files are linked, or copied where they cannot be; nothing is merged.
    ///
    /// # Errors
    /// As [`Index::publish`]; and when an index cannot be opened.
    pub fn add_indexes(&self, paths: &[&Path], cancel: &Cancel) -> Result<u64> {
        publish::add_indexes(self, paths, cancel)
    }

    /// [`sweep_orphans`] in the index's folder.
    ///
    /// # Errors
    /// When the folder cannot be read or a file cannot be deleted.
    pub fn sweep_orphans(&self, older_than: Duration) -> Result<usize> {
        orphans::sweep(&*self.store.directory, older_than)
    }
}
