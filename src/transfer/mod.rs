//! Segments from elsewhere: built by many processes and published by one, or taken from other indexes.
//!
//! [`SegmentBuilder`] writes one segment into any folder and returns a [`SegmentHandle`];
//! [`crate::Index::publish`] makes any number of them visible in one commit, all or nothing;
//! [`crate::Index::add_indexes`] does the same with whole indexes; [`crate::Index::sweep_orphans`] removes
//! what was built and never published.

mod builder;
mod copy;
mod handle;
mod publish;

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

    /// Deletes built segments in the index's folder that were last written at least `older_than` ago:
    /// published ones are no longer needed, the others will not be any more. Returns how many files.
    ///
    /// # Errors
    /// When the folder cannot be read or a file cannot be deleted.
    pub fn sweep_orphans(&self, older_than: Duration) -> Result<usize> {
        publish::sweep(&*self.store.directory, older_than)
    }
}
