//! Where the files of an index live: a folder, memory, or (feature `testing`) a simulated disk.
//!
//! This is the only module that calls the file system. The promises are those of
//! [`lucerne_codec::Directory`]; every kind keeps the same ones, and one test suite runs over all of them.
//! Besides those promises, all kinds agree on this:
//!
//! - Names are plain: a name that could leave the folder is refused ([`Error::Invalid`]), so a hostile
//!   metadata file cannot make the engine touch anything outside of it.
//! - A lock's name ends in `.lock`. Its file stays in the folder for ever (it is listed), because removing
//!   the file of a held lock would let a second holder in: creating, opening, syncing, renaming and
//!   deleting such names is refused.
//! - After an output's first error every later call on it fails, and dropping it writes nothing more.

#[cfg(feature = "testing")]
pub mod fault;
mod fs;
mod lock;
mod mmap;
mod output;
mod ram;

pub use fs::FsDirectory;
pub use ram::RamDirectory;

use lucerne_codec::{Directory, Error, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// How every lock's name ends.
const LOCK_SUFFIX: &str = ".lock";

/// Longest file name, in bytes; common file systems allow no more.
const MAX_NAME_LEN: usize = 255;

/// Refuses names that are not plain file names inside the folder.
fn check_name(name: &str) -> Result<()> {
    let plain = !name.is_empty()
        && name.len() <= MAX_NAME_LEN
        && name != "."
        && name != ".."
        && !name.contains(|c: char| matches!(c, '/' | '\\' | ':') || c.is_control());
    if plain {
        return Ok(());
    }
    let shown: String = name.chars().take(MAX_NAME_LEN).collect();
    Err(Error::Invalid(format!(
        "{shown:?} is not a plain file name (1 to {MAX_NAME_LEN} bytes, no '/', '\\', ':' or control characters)"
    )))
}

/// Like [`check_name`], for operations that must leave lock files alone.
fn check_data_name(name: &str) -> Result<()> {
    check_name(name)?;
    if name.ends_with(LOCK_SUFFIX) {
        return Err(Error::Invalid(format!(
            "{name:?} is a lock's name: lock files cannot be created, opened, synced, renamed or deleted"
        )));
    }
    Ok(())
}

/// Like [`check_name`], for locks.
fn check_lock_name(name: &str) -> Result<()> {
    check_name(name)?;
    if !name.ends_with(LOCK_SUFFIX) {
        return Err(Error::Invalid(format!("{name:?} is not a lock's name: it must end in {LOCK_SUFFIX:?}")));
    }
    Ok(())
}

/// Where a directory is, for messages.
pub(crate) fn place(directory: &dyn Directory) -> String {
    directory.path().map_or_else(|| format!("{directory:?}"), |path| path.display().to_string())
}

/// Whether a path, which need not exist, is a directory's folder or inside of it.
pub(crate) fn is_inside(directory: &dyn Directory, path: &Path) -> bool {
    directory.path().is_some_and(|folder| fs::is_inside(folder, path))
}

/// The locks of a folder in memory: who holds which.
#[derive(Default)]
struct HeldLocks {
    held: BTreeMap<String, (u64, String)>,
    taken: u64,
}

impl HeldLocks {
    /// Takes a lock and returns what proves it, or else the words of its holder.
    fn take(&mut self, name: &str, holder: String) -> std::result::Result<u64, String> {
        if let Some((_, holder)) = self.held.get(name) {
            return Err(holder.clone());
        }
        self.taken += 1;
        self.held.insert(name.to_owned(), (self.taken, holder));
        Ok(self.taken)
    }

    fn check(&self, name: &str, token: u64) -> Result<()> {
        match self.held.get(name) {
            Some((held, _)) if *held == token => Ok(()),
            _ => Err(Error::LockLost {
                file: name.to_owned(),
                problem: "the lock file was removed".to_owned(),
            }),
        }
    }

    fn release(&mut self, name: &str, token: u64) {
        if self.check(name, token).is_ok() {
            self.held.remove(name);
        }
    }

    /// Frees every lock under its holder's feet.
    #[cfg(feature = "testing")]
    fn lose_all(&mut self) {
        self.held.clear();
    }
}

/// What a lock file says about its holder.
fn holder_text(owner: &str) -> String {
    format!("process {}, {owner}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_the_folder() {
        for name in ["segments_1", "_0.sq8", "..a", "a..b", "ünïcode", ".hidden"] {
            check_name(name).unwrap();
        }
        let long = "x".repeat(256);
        for name in ["", ".", "..", "a/b", "/a", "../a", "a\\b", "C:a", "a\0", "a\n", &long] {
            let error = check_name(name).unwrap_err();
            assert!(matches!(error, Error::Invalid(_)), "{name:?}: {error}");
        }
        assert!(check_data_name("write.lock").is_err());
        assert!(check_lock_name("segments_1").is_err());
    }
}
