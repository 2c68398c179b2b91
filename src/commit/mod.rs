//! Commits: which files are an index, how a new point in time is published, found again after a crash,
//! and how files nobody needs are removed.
//!
//! ```text
//! prepare   sync every new file → sync folder → write pending_segments_N → sync it → sync folder
//! publish   rename pending_segments_N to segments_N → sync folder      ← acknowledged here
//! collect   delete what no commit, snapshot or writer names
//! ```
//! A name is durable only after its folder was synced, and nothing the previous commit needs is deleted
//! before the new one is durable; so a crash or a power cut anywhere leaves one of the two commits whole.

pub(crate) mod gc;
pub(crate) mod history;
pub(crate) mod lock;
pub(crate) mod manifest;
mod new_files;
mod owned;
pub(crate) mod publish;
pub(crate) mod recover;

pub(crate) use new_files::NewFiles;
pub(crate) use owned::OwnedDirectory;
