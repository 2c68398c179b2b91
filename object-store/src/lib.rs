//! Commits of an index in an object store: S3, Google Cloud Storage, Azure, or a folder.
//!
//! A machine that writes pushes commits of its index; machines that search pull them into a folder of their own, and open
//! that. Only new files travel, in both directions.
//!
//! ```
//! use lucerne::{Cancel, Document, Index, Schema};
//! use lucerne_object_store::{PullOptions, PushOptions, Remote, object_store::memory::InMemory, open, push};
//! use std::sync::Arc;
//!
//! # let folder = tempfile::tempdir()?;
//! # let (live, cache) = (folder.path().join("live"), folder.path().join("cache"));
//! let remote = Remote::new(Arc::new(InMemory::new()), "indexes/notes")?; // or Remote::from_url("s3://bucket/indexes/notes")
//!
//! // Where it is written:
//! let index = Index::create(&live, Schema::builder().key("id").build()?)?;
//! let writer = index.writer()?;
//! writer.add(&Document::new().with("id", "a"))?;
//! writer.commit()?;
//! let pushed = push(&index, &remote, &PushOptions::new(), &Cancel::new(), &())?;
//! assert_eq!(pushed.uploaded_files, 3);
//!
//! // Where it is searched:
//! let (index, pulled) = open(&remote, &cache, &PullOptions::new(), &Cancel::new(), &())?;
//! assert_eq!((index.searcher()?.len(), pulled.generation), (1, pushed.generation));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is in the store, below the prefix:
//!
//! ```text
//! commits/0000000007.commit                                   one object for each commit pushed, counted from 1
//! files/<segment id>/<name of the file>.<its checksum>        the files of segments, each once
//! clock                                                       empty; when it was written is the time of the last sweep
//! ```
//!
//! - **Atomic.** Files never change and have names that no other file can have. A commit object is created last, on
//!   condition that there is none of its number ([`object_store::PutMode::Create`]; S3: `If-None-Match: *`). So a reader sees a
//!   commit whole or not at all, and of two pushers at once one gets [`Error::Conflict`].
//! - **Verified.** A file is verified before it is pushed, and every byte of it after it was pulled, before the pulled commit
//!   takes the place of the one before it. Nothing from the store is trusted.
//! - **Interrupted** pushes and pulls go on where they were when they are begun again, file by file. What nobody names is
//!   deleted by [`sweep`], by its age alone.
//! - All calls block, also when they are made from async code; requests run on two threads of [`Remote`]. Nothing is read
//!   from the environment but in [`Remote::from_url`].
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

mod commits;
mod download;
mod error;
mod from_url;
mod layout;
mod pull;
mod push;
mod record;
mod remote;
mod retry;
mod run;
mod sweep;
mod upload;

pub use commits::{RemoteCommit, list_commits};
pub use error::{Error, Result};
pub use object_store;
pub use pull::{PullOptions, PullReport, open, pull};
pub use push::{PushOptions, PushReport, push};
pub use remote::Remote;
pub use retry::Retries;
pub use sweep::{SHORTEST_AGE, SweepReport, sweep};

/// The guide, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/object-storage.md")]
struct Guide;
