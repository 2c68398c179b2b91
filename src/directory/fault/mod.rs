//! The simulated disk: a [`Directory`] that takes away whatever a directory does not promise.
//!
//! A typical test cuts the power at each operation in turn:
//!
//! ```
//! use lucerne::directory::fault::{FaultDirectory, Model, is_power_cut};
//! use lucerne_codec::{Directory, Result};
//!
//! fn publish(disk: &FaultDirectory) -> Result<()> {
//!     let mut output = disk.create("pending")?;
//!     output.write(b"a commit")?;
//!     output.finish()?;
//!     disk.sync("pending")?;
//!     disk.sync_dir()?;
//!     disk.rename("pending", "commit")?;
//!     disk.sync_dir()
//! }
//!
//! for n in 1.. {
//!     let disk = FaultDirectory::new();
//!     disk.cut_at(n);
//!     let result = publish(&disk);
//!     for seed in 0..100 {
//!         let after = disk.crash(Model::PosixMinimal, seed);
//!         match after.open("commit") {
//!             Ok(input) => assert_eq!(input.bytes(), b"a commit"),
//!             Err(_) => assert!(result.is_err(), "an acknowledged commit is lost"),
//!         }
//!     }
//!     match result {
//!         Ok(()) => break,
//!         Err(error) => assert!(is_power_cut(&error)),
//!     }
//! }
//! ```

mod crash;
mod disk;
mod plan;
#[cfg(test)]
mod tests;

pub use crash::Model;
pub use plan::{Fault, Operation, Times, is_injected, is_power_cut};

use super::output::{BufferedOutput, Sink};
use super::{check_data_name, check_lock_name, check_name, holder_text};
use disk::{Disk, InodeRef};
use lucerne_codec::{Directory, Input, Lock, Output, Result};
use parking_lot::Mutex;
use plan::Trigger;
use std::fmt;
use std::io;
use std::sync::Arc;

/// Bytes an output gathers before they are one [`Operation::Write`].
const WRITE_STEP: usize = 4096;

/// A folder on a simulated disk, the twin of [`super::FsDirectory`]. Clones share it.
///
/// What it does beside keeping the promises of [`Directory`]:
///
/// - It numbers and logs every operation, successful or not.
/// - [`crash`](Self::crash) returns what a power cut may leave. Bytes not covered by a successful `sync`
///   are, sector by sector, new, zero, garbage or another file's, and the file may be shorter; names changed
///   since the last successful `sync_dir` follow the [`Model`]. Synced bytes under synced names are always
///   there.
/// - After a failed `sync` the file's unsynced bytes count as written although they are not: they can still
///   be read, a later `sync` succeeds, and a power cut may take them (as Linux does it).
/// - [`cut_at`](Self::cut_at) and [`inject`](Self::inject) make operations fail;
///   [`set_capacity`](Self::set_capacity) fills the disk up.
///
/// As in the real folder, an output gathers small writes, so that an error may be reported by a later write
/// or by `finish`.
#[derive(Clone, Default)]
pub struct FaultDirectory {
    disk: Arc<Mutex<Disk>>,
}

/// One operation in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its number; the first is 1.
    pub number: u64,
    /// What it was.
    pub operation: Operation,
    /// The file; for a rename `old -> new`, for the whole folder empty.
    pub name: String,
}

impl fmt::Display for Logged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.number, self.operation, self.name)
    }
}

impl FaultDirectory {
    /// An empty disk without limits or faults.
    pub fn new() -> Self {
        Self::default()
    }

    fn from_disk(disk: Disk) -> Self {
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// How many operations there were, the failed ones included. Operations after a power cut are none.
    pub fn operations(&self) -> u64 {
        self.disk.lock().log.len() as u64
    }

    /// All operations so far, for messages.
    pub fn log(&self) -> Vec<Logged> {
        self.disk.lock().log.clone()
    }

    /// The `n`-th operation from now (the next one is the first) never happens: it and all later ones fail
    /// with an error that [`is_power_cut`] knows. [`crash`](Self::crash) or [`kill`](Self::kill) goes on.
    pub fn cut_at(&self, n: u64) {
        self.cut_at_nth(n, Operation::ALL);
    }

    /// Like [`cut_at`](Self::cut_at), counting only some operations.
    pub fn cut_at_nth(&self, n: u64, operations: &'static [Operation]) {
        self.disk.lock().cut = Some(Trigger::new(n, operations));
    }

    /// True once the power is cut.
    pub fn power_is_cut(&self) -> bool {
        self.disk.lock().power_is_cut
    }

    /// The `n`-th operation from now (the next one is the first) fails.
    pub fn fail_at(&self, n: u64, times: Times, error: io::ErrorKind) {
        self.inject(Fault::at(n, times, error));
    }

    /// Adds a fault to those that are planned.
    pub fn inject(&self, fault: Fault) {
        self.disk.lock().faults.push(fault);
    }

    /// Forgets every planned fault and cut; a power cut that has happened stays.
    pub fn clear_faults(&self) {
        let mut disk = self.disk.lock();
        disk.faults.clear();
        disk.cut = None;
    }

    /// The disk holds this many bytes of files (names are free); a write beyond it writes what fits and
    /// fails with [`io::ErrorKind::StorageFull`]. Deleted files give their space back at once.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.disk.lock().capacity = bytes;
    }

    /// Bytes of files on the disk.
    pub fn used(&self) -> u64 {
        self.disk.lock().used
    }

    /// True when a file was synced again after a failed sync. Code that does so trusts bytes that may be
    /// gone.
    pub fn sync_retried_after_failure(&self) -> bool {
        !self.disk.lock().sync_retries.is_empty()
    }

    /// The disk after a power cut at this moment: one of the states it may be in, chosen by `seed`, the
    /// same for the same history. Faults, locks and log do not pass over, the capacity does. This disk
    /// stays as it is, so that many seeds can be tried.
    pub fn crash(&self, model: Model, seed: u64) -> FaultDirectory {
        Self::from_disk(crash::after_power_cut(&self.disk.lock(), model, seed))
    }

    /// The disk after the process was killed at this moment: everything handed to the operating system is
    /// there and can be read, and nothing is more durable than before; locks are free. Outputs lose what
    /// they had gathered. What a recovering process trusts now may still go in a later
    /// [`crash`](Self::crash). This disk stays as it is.
    pub fn kill(&self) -> FaultDirectory {
        Self::from_disk(crash::after_kill(&self.disk.lock()))
    }

    /// Frees every lock although its holder is alive, as when somebody removes the lock file or puts another folder in
    /// this one's place. Not an operation.
    pub fn lose_locks(&self) {
        self.disk.lock().locks.lose_all();
    }

    /// Puts a durable file in place, replacing one of that name: damage, or another program's work. Not an
    /// operation.
    pub fn plant(&self, name: &str, bytes: Vec<u8>) {
        self.disk.lock().plant(name, bytes);
    }
}

impl fmt::Debug for FaultDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let disk = self.disk.lock();
        write!(f, "FaultDirectory({} files, {} operations)", disk.live.len(), disk.log.len())
    }
}

impl Directory for FaultDirectory {
    fn create(&self, name: &str) -> Result<Box<dyn Output>> {
        check_data_name(name)?;
        let inode = self.disk.lock().run(Operation::Create, name, |disk| disk.create(name))?;
        let sink = FaultSink { disk: Arc::clone(&self.disk), inode, name: name.to_owned() };
        Ok(Box::new(BufferedOutput::new(sink, WRITE_STEP, WRITE_STEP)))
    }

    /// A snapshot of the file's bytes.
    fn open(&self, name: &str) -> Result<Input> {
        check_data_name(name)?;
        let bytes = self.disk.lock().run(Operation::Open, name, |disk| {
            disk.find(name).map(|inode| Arc::clone(&inode.lock().bytes))
        })?;
        Ok(Input::new(name, bytes))
    }

    fn file_len(&self, name: &str) -> Result<u64> {
        check_name(name)?;
        self.disk.lock().run(Operation::FileLen, name, |disk| {
            disk.find(name).map(|inode| inode.lock().bytes.len() as u64)
        })
    }

    fn list(&self) -> Result<Vec<String>> {
        self.disk.lock().run(Operation::List, "", |disk| Ok(disk.live.keys().cloned().collect()))
    }

    fn delete(&self, name: &str) -> Result<()> {
        check_data_name(name)?;
        self.disk.lock().run(Operation::Delete, name, |disk| disk.delete(name))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        check_data_name(from)?;
        check_data_name(to)?;
        self.disk.lock().run(Operation::Rename, &format!("{from} -> {to}"), |disk| disk.rename(from, to))
    }

    fn sync(&self, name: &str) -> Result<()> {
        check_data_name(name)?;
        self.disk.lock().sync(name)
    }

    fn sync_dir(&self) -> Result<()> {
        self.disk.lock().sync_dir()
    }

    fn lock(&self, name: &str, owner: &str) -> Result<Box<dyn Lock>> {
        check_lock_name(name)?;
        let token = self.disk.lock().lock(name, holder_text(owner))?;
        Ok(Box::new(FaultLock { directory: self.clone(), name: name.to_owned(), token }))
    }
}

/// A file open for writing.
struct FaultSink {
    disk: Arc<Mutex<Disk>>,
    inode: InodeRef,
    name: String,
}

impl Sink for FaultSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.disk.lock().write(&self.name, &self.inode, bytes)
    }

    fn close(self) -> Result<()> {
        self.disk.lock().run(Operation::Finish, &self.name, |_| Ok(()))
    }
}

/// A held lock of the simulated disk.
#[derive(Debug)]
struct FaultLock {
    directory: FaultDirectory,
    name: String,
    token: u64,
}

impl Lock for FaultLock {
    /// Not an operation.
    fn check(&self) -> Result<()> {
        self.directory.disk.lock().locks.check(&self.name, self.token)
    }
}

impl Drop for FaultLock {
    fn drop(&mut self) {
        self.directory.disk.lock().locks.release(&self.name, self.token);
    }
}
