//! Segments from elsewhere and for elsewhere: built by many processes and published by one, taken from other indexes, or
//! backed up.
//!
//! Building graphs is the expensive part of indexing, and it needs nothing from the index. So any number of processes,
//! on one machine or many, each build a segment with a [`SegmentBuilder`]; each sends its [`SegmentHandle`], a small
//! JSON document, to one process, which makes all of them visible in one commit ([`crate::Index::publish`]).
//!
//! ```
//! use lucerne::transfer::{SegmentBuilder, SegmentHandle};
//! use lucerne::{Document, Index, Schema, WriterOptions};
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
//! index.publish(&[handle], index.searcher()?.generation())?;
//! assert_eq!(index.searcher()?.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - **All or nothing.** The commit holds all segments or, when one of them has another schema, a wrong checksum, or a
//!   key that exists already, none. The generation that [`crate::Index::publish`] expects guards against a commit in
//!   between.
//! - **Keys are given.** Automatic keys would clash; a schema that has them is refused.
//! - **Crashes leave nothing.** A segment that was not finished, or never published, is seen by no index.
//!   [`crate::Index::sweep_orphans`] deletes its files once they are old enough.
//! - **Files are linked** where the file system can, else copied. A segment may be built in the index's own folder.
//! - **Whole indexes** of the same schema are added in the same manner by [`crate::Index::add_indexes`].
//!
//! Published segments are merged later as all others are.
//!
//! [`crate::Index::backup_to`] copies a commit to another folder while a writer goes on.

mod backup;
mod backup_folder;
mod builder;
mod copy;
mod handle;
mod publish;

pub use backup::BackupReport;
pub use builder::SegmentBuilder;
pub use handle::SegmentHandle;

use crate::error::Result;
use crate::index::Index;
use lucerne_codec::Cancel;
use std::path::Path;
use std::time::Duration;

/// How the name of every built segment begins. The writer of an index never touches such files.
const BUILT_PREFIX: &str = "built_";

impl Index {
    /// Makes segments that were built elsewhere part of the index, in one commit, all or nothing; returns
    /// its generation. Their files are linked, or copied where they cannot be.
    ///
    /// # Errors
    /// [`crate::Error::Locked`] while a writer is open, in this process too: close it first.
    /// [`crate::Error::GenerationMoved`] when the index is no longer at `expected_generation`; a typed error when a
    /// segment has another schema, a wrong checksum, a key that has a live document already, or is part of
    /// the index already. Nothing has changed then.
    pub fn publish(&self, handles: &[SegmentHandle], expected_generation: u64) -> Result<u64> {
        publish::publish(self, handles, expected_generation)
    }

    /// Adds all live documents of other indexes of the same schema, in one commit, all or nothing; returns
    /// its generation. Their files are linked, or copied where they cannot be; nothing is merged.
    ///
    /// # Errors
    /// As [`Index::publish`]; and when an index cannot be opened.
    pub fn add_indexes(&self, paths: &[&Path], cancel: &Cancel) -> Result<u64> {
        publish::add_indexes(self, paths, cancel)
    }

    /// Deletes files of built segments in the index's folder that were last written at least `older_than` ago, and
    /// returns the number of files. Published segments have files of their own, so only segments that nobody has
    /// published yet are lost: choose `older_than` longer than the time from building to publishing.
    ///
    /// # Errors
    /// When the folder cannot be read or a file cannot be deleted.
    pub fn sweep_orphans(&self, older_than: Duration) -> Result<usize> {
        publish::sweep(&*self.store.directory, older_than)
    }
}
