//! The folder an index lives in, as promises.

use super::{Input, SharedWords};
use crate::Result;
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// A flat folder of write-once files.
///
/// What is **not** promised here is taken away by the simulated disk in tests: bytes before [`sync`]
/// may be lost, reordered or torn by a power cut; a name before [`sync_dir`] may be missing or old.
///
/// [`sync`]: Directory::sync
/// [`sync_dir`]: Directory::sync_dir
pub trait Directory: Send + Sync + fmt::Debug {
    /// Creates a file that must not exist yet. Neither its bytes nor its name are durable.
    fn create(&self, name: &str) -> Result<Box<dyn Output>>;

    /// Creates a file without a name, for bytes that are needed only while a segment is written. It is gone with its last
    /// view, or with the process. `None` when this directory has no such files; then the caller creates and deletes a
    /// file with a name.
    fn create_temporary(&self) -> Result<Option<Box<dyn TemporaryOutput>>> {
        Ok(None)
    }

    /// Opens a finished file. The view stays valid after the file is deleted.
    fn open(&self, name: &str) -> Result<Input>;

    /// Length of a file in bytes.
    fn file_len(&self, name: &str) -> Result<u64>;

    /// All file names, sorted. Sub-folders are not listed.
    fn list(&self) -> Result<Vec<String>>;

    /// Every name that a new file cannot have, sorted: also those of sub-folders and of links that lead nowhere.
    fn taken_names(&self) -> Result<Vec<String>> {
        self.list()
    }

    /// Removes a name. The removal may be undone by a power cut until [`Directory::sync_dir`].
    fn delete(&self, name: &str) -> Result<()>;

    /// Atomically gives a file a new name, replacing a file of that name. Durable only after
    /// [`Directory::sync_dir`].
    fn rename(&self, from: &str, to: &str) -> Result<()>;

    /// Makes a finished file's bytes durable (fsync). After an error the bytes are in an unknown state
    /// and must not be synced again: the kernel may have dropped them and report success.
    fn sync(&self, name: &str) -> Result<()>;

    /// Makes all creations, renames and deletions so far durable (fsync of the folder).
    fn sync_dir(&self) -> Result<()>;

    /// The folder in the file system, if it is one.
    fn path(&self) -> Option<&Path> {
        None
    }

    /// Gives a finished file of another folder a second name here (a hard link). False when this directory,
    /// or the two folders together, cannot do that; then it must be copied.
    fn link_from(&self, _folder: &Path, _file: &str, _name: &str) -> Result<bool> {
        Ok(false)
    }

    /// How long ago a file was last written; `None` when that is not known.
    fn age(&self, _name: &str) -> Result<Option<Duration>> {
        Ok(None)
    }

    /// Takes the named lock, or says who holds it ([`crate::Error::Locked`]). The lock dies with the
    /// process. `owner` is a short text kept beside the lock for that message.
    fn lock(&self, name: &str, owner: &str) -> Result<Box<dyn Lock>>;
}

/// A held lock; dropping it releases it.
pub trait Lock: Send + Sync + fmt::Debug {
    /// Proves that the lock still keeps others out of this very folder: that neither the folder nor the lock's file was
    /// moved, replaced or removed.
    ///
    /// # Errors
    /// [`crate::Error::LockLost`] when another process could hold the lock now, or already does.
    fn check(&self) -> Result<()>;
}

/// A file without a name: written strictly forward, then read.
pub trait TemporaryOutput: Send {
    /// Appends bytes. After an error the file is unusable.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Ends the writing; all bytes, to be read.
    fn finish(self: Box<Self>) -> Result<Input>;

    /// Ends the writing; all words, in the order of bytes of this machine, to be changed. A rest of less than a word is
    /// left out. `None` when this directory has no such files.
    fn finish_words(self: Box<Self>) -> Result<Option<SharedWords>> {
        Ok(None)
    }
}

/// A file being written, strictly forward.
pub trait Output: Send {
    /// Appends bytes. After an error the file is unusable.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Hands everything to the operating system and closes. Not durable before [`Directory::sync`].
    /// Dropping an output without `finish` leaves an incomplete file.
    fn finish(self: Box<Self>) -> Result<()>;
}
