//! An index in memory.

use super::{HeldLocks, check_data_name, check_lock_name, check_name, holder_text};
use lucerne_codec::{Directory, Error, Input, Lock, Output, Result};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

/// A folder in memory, for tests and throwaway indexes. Clones share it; it ends with the last clone.
///
/// It keeps the promises of [`Directory`] for as long as the process lives: `sync` and `sync_dir` have
/// nothing to do. A file's bytes appear when its output is finished; until then it reads as empty.
#[derive(Clone, Default)]
pub struct RamDirectory {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, RamFile>,
    locks: HeldLocks,
}

/// A file apart from its name, so that it can be renamed or deleted while it is written.
type RamFile = Arc<Mutex<Arc<Vec<u8>>>>;

impl RamDirectory {
    /// An empty folder.
    pub fn new() -> Self {
        Self::default()
    }

    fn find(&self, name: &str, action: &'static str) -> Result<Arc<Vec<u8>>> {
        let state = self.state.lock();
        let file = state.files.get(name).ok_or_else(|| not_found(name, action))?;
        let bytes = Arc::clone(&file.lock());
        Ok(bytes)
    }
}

impl fmt::Debug for RamDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RamDirectory({} files)", self.state.lock().files.len())
    }
}

impl Directory for RamDirectory {
    fn create(&self, name: &str) -> Result<Box<dyn Output>> {
        check_data_name(name)?;
        let mut state = self.state.lock();
        if state.files.contains_key(name) {
            return Err(Error::io(name, "create", io::ErrorKind::AlreadyExists.into()));
        }
        let file = RamFile::default();
        state.files.insert(name.to_owned(), Arc::clone(&file));
        let bytes = Vec::new();
        Ok(Box::new(RamOutput { file, bytes }))
    }

    fn open(&self, name: &str) -> Result<Input> {
        check_data_name(name)?;
        Ok(Input::new(name, self.find(name, "open")?))
    }

    fn file_len(&self, name: &str) -> Result<u64> {
        check_name(name)?;
        Ok(self.find(name, "read the length")?.len() as u64)
    }

    fn list(&self) -> Result<Vec<String>> {
        Ok(self.state.lock().files.keys().cloned().collect())
    }

    fn delete(&self, name: &str) -> Result<()> {
        check_data_name(name)?;
        let removed = self.state.lock().files.remove(name);
        removed.map(drop).ok_or_else(|| not_found(name, "delete"))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        check_data_name(from)?;
        check_data_name(to)?;
        let mut state = self.state.lock();
        let file = state.files.remove(from).ok_or_else(|| not_found(from, "rename"))?;
        state.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn sync(&self, name: &str) -> Result<()> {
        check_data_name(name)?;
        self.find(name, "sync").map(drop)
    }

    fn sync_dir(&self) -> Result<()> {
        Ok(())
    }

    fn lock(&self, name: &str, owner: &str) -> Result<Box<dyn Lock>> {
        check_lock_name(name)?;
        let mut state = self.state.lock();
        let taken = state.locks.take(name, holder_text(owner));
        let token = taken.map_err(|holder| Error::Locked { file: name.to_owned(), holder })?;
        state.files.entry(name.to_owned()).or_default();
        Ok(Box::new(RamLock { directory: self.clone(), name: name.to_owned(), token }))
    }
}

fn not_found(name: &str, action: &'static str) -> Error {
    Error::io(name, action, io::ErrorKind::NotFound.into())
}

struct RamOutput {
    file: RamFile,
    bytes: Vec<u8>,
}

impl Output for RamOutput {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.bytes.shrink_to_fit();
        *self.file.lock() = Arc::new(std::mem::take(&mut self.bytes));
        Ok(())
    }
}

#[derive(Debug)]
struct RamLock {
    directory: RamDirectory,
    name: String,
    token: u64,
}

impl Lock for RamLock {
    fn check(&self) -> Result<()> {
        self.directory.state.lock().locks.check(&self.name, self.token)
    }
}

impl Drop for RamLock {
    fn drop(&mut self) {
        self.directory.state.lock().locks.release(&self.name, self.token);
    }
}
