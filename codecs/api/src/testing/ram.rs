//! A directory in memory, for tests of formats: nothing durable, every file's bytes in reach.

use crate::io::ByteView;
use crate::{Directory, Error, Input, Lock, Output, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A [`Directory`] held in memory. Clones share the files. Unlike a real one it lets a test replace a
/// file's bytes ([`MemoryDirectory::put`]); views that are already open keep the old ones.
#[derive(Clone, Debug, Default)]
pub struct MemoryDirectory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Arc<Vec<u8>>>,
    locks: BTreeMap<String, String>,
    unfinished: BTreeSet<String>,
}

struct Shared(Arc<Vec<u8>>);

impl ByteView for Shared {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl MemoryDirectory {
    /// An empty directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every finished file with its bytes.
    pub fn files(&self) -> BTreeMap<String, Arc<Vec<u8>>> {
        self.state().files.clone()
    }

    /// The bytes of one finished file.
    pub fn get(&self, name: &str) -> Option<Arc<Vec<u8>>> {
        self.state().files.get(name).cloned()
    }

    /// Sets a file's bytes, for corruption tests.
    pub fn put(&self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.state().files.insert(name.to_owned(), Arc::new(bytes.into()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, name: &str, action: &'static str) -> Result<Arc<Vec<u8>>> {
        self.get(name).ok_or_else(|| Error::io(name, action, io::ErrorKind::NotFound.into()))
    }
}

impl Directory for MemoryDirectory {
    fn create(&self, name: &str) -> Result<Box<dyn Output>> {
        let mut state = self.state();
        if state.files.contains_key(name) || !state.unfinished.insert(name.to_owned()) {
            return Err(Error::io(name, "create", io::ErrorKind::AlreadyExists.into()));
        }
        Ok(Box::new(MemoryOutput { directory: self.clone(), name: name.to_owned(), bytes: Vec::new() }))
    }

    fn open(&self, name: &str) -> Result<Input> {
        let bytes = self.find(name, "open")?;
        Ok(Input::new(name, Arc::new(Shared(bytes))))
    }

    fn file_len(&self, name: &str) -> Result<u64> {
        Ok(self.find(name, "measure")?.len() as u64)
    }

    fn list(&self) -> Result<Vec<String>> {
        let state = self.state();
        let mut names: Vec<String> = state.files.keys().chain(&state.unfinished).cloned().collect();
        names.sort();
        Ok(names)
    }

    fn delete(&self, name: &str) -> Result<()> {
        let mut state = self.state();
        if state.files.remove(name).is_none() && !state.unfinished.remove(name) {
            return Err(Error::io(name, "delete", io::ErrorKind::NotFound.into()));
        }
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let mut state = self.state();
        let bytes = state
            .files
            .remove(from)
            .ok_or_else(|| Error::io(from, "rename", io::ErrorKind::NotFound.into()))?;
        state.files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn sync(&self, name: &str) -> Result<()> {
        self.find(name, "sync").map(|_| ())
    }

    fn sync_dir(&self) -> Result<()> {
        Ok(())
    }

    fn lock(&self, name: &str, owner: &str) -> Result<Box<dyn Lock>> {
        let mut state = self.state();
        if let Some(holder) = state.locks.get(name) {
            return Err(Error::Locked { file: name.to_owned(), holder: holder.clone() });
        }
        state.locks.insert(name.to_owned(), owner.to_owned());
        Ok(Box::new(MemoryLock { directory: self.clone(), name: name.to_owned() }))
    }
}

struct MemoryOutput {
    directory: MemoryDirectory,
    name: String,
    bytes: Vec<u8>,
}

impl Output for MemoryOutput {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let mut state = self.directory.state();
        state.unfinished.remove(&self.name);
        state.files.insert(self.name, Arc::new(self.bytes));
        Ok(())
    }
}

#[derive(Debug)]
struct MemoryLock {
    directory: MemoryDirectory,
    name: String,
}

impl Lock for MemoryLock {
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.directory.state().locks.remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_once_renamed_listed_and_deleted() {
        let directory = MemoryDirectory::new();
        let mut output = directory.create("a").unwrap();
        output.write(b"xy").unwrap();
        assert!(directory.create("a").is_err());
        assert!(directory.open("a").unwrap_err().is_not_found());
        output.finish().unwrap();
        assert!(directory.create("a").is_err());
        let view = directory.open("a").unwrap();
        directory.rename("a", "b").unwrap();
        assert_eq!(directory.list().unwrap(), ["b"]);
        directory.delete("b").unwrap();
        assert_eq!(view.bytes(), b"xy");
        assert!(directory.delete("b").unwrap_err().is_not_found());
    }

    #[test]
    fn a_lock_is_held_by_one() {
        let directory = MemoryDirectory::new();
        let held = directory.lock("l", "me").unwrap();
        let error = directory.clone().lock("l", "you").unwrap_err();
        assert!(matches!(error, Error::Locked { holder, .. } if holder == "me"));
        drop(held);
        directory.lock("l", "you").unwrap();
    }
}
