//! How segments are published, and what came of it.

use crate::writer::OnExisting;
use std::path::PathBuf;
use std::time::Duration;

/// How [`Index::publish`](crate::Index::publish) makes segments part of an index.
///
/// ```
/// use lucerne::transfer::PublishOptions;
/// use lucerne::writer::OnExisting;
/// use std::time::Duration;
///
/// let options = PublishOptions::new().on_existing(OnExisting::Replace).wait(Duration::from_secs(60));
/// assert_eq!(options.expected_generation, None);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PublishOptions {
    /// The generation that the index must be at. Default: any.
    pub expected_generation: Option<u64>,
    /// What happens to a document whose key has a live document in the index. Default: it is an error.
    pub on_existing: OnExisting,
    /// Folders in which the segments' files are looked for, after the index's own.
    pub folders: Vec<PathBuf>,
    /// How long to wait while another writer or publisher has the index. Default: not at all.
    pub wait: Duration,
}

impl PublishOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`PublishOptions::expected_generation`].
    #[must_use]
    pub fn expected_generation(mut self, generation: u64) -> Self {
        self.expected_generation = Some(generation);
        self
    }

    /// Sets [`PublishOptions::on_existing`].
    #[must_use]
    pub fn on_existing(mut self, on_existing: OnExisting) -> Self {
        self.on_existing = on_existing;
        self
    }

    /// Adds to [`PublishOptions::folders`].
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folders.push(folder.into());
        self
    }

    /// Sets [`PublishOptions::wait`].
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }
}

/// What [`Index::publish`](crate::Index::publish) has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// Generation of the commit that has them.
    pub generation: u64,
    /// Documents added, those that replace others included. Documents of merges are not new.
    pub docs: u64,
    /// Documents of the index that were replaced.
    pub replaced: u64,
    /// Documents left out, because their keys have documents in the index.
    pub skipped: u64,
    /// Segments that merged ones have taken the place of.
    pub merged: u64,
}
