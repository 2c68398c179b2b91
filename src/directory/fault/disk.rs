//! The state of the simulated disk: inodes, names, and the gate every operation passes.

use super::super::HeldLocks;
use super::Logged;
use super::plan::{Fault, Injected, Operation, PowerCut, Times, Trigger, disk_error};
use lucerne_codec::random::mix;
use lucerne_codec::{Error, Result};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// A file apart from its name.
pub(super) type InodeRef = Arc<Mutex<Inode>>;

/// A file's bytes as the running system sees them, and which of them are safe.
#[derive(Clone, Default)]
pub(super) struct Inode {
    pub(super) bytes: Arc<Vec<u8>>,
    /// Bytes before this are not dirty: durable, or in `lost`.
    pub(super) clean_to: usize,
    /// The length that is safe on the platter.
    pub(super) durable_len: usize,
    /// Parts a failed sync marked clean although they never reached the platter.
    pub(super) lost: Vec<Range<usize>>,
    /// True once a sync of it failed.
    pub(super) sync_failed: bool,
    /// True while a live name leads to it.
    pub(super) linked: bool,
}

impl Inode {
    /// A file whose every byte is durable.
    pub(super) fn durable(bytes: Arc<Vec<u8>>) -> Self {
        Self { clean_to: bytes.len(), durable_len: bytes.len(), linked: true, bytes, ..Self::default() }
    }

    /// The parts a power cut may damage.
    pub(super) fn unsynced(&self) -> Vec<Range<usize>> {
        let mut ranges = self.lost.clone();
        if self.clean_to < self.bytes.len() {
            ranges.push(self.clean_to..self.bytes.len());
        }
        ranges
    }

    fn sync(&mut self) {
        self.clean_to = self.bytes.len();
        self.durable_len = self.bytes.len();
    }

    /// What the kernel does when a write-back fails: the pages count as clean, and a later sync succeeds
    /// without writing them.
    fn lose_unsynced(&mut self) {
        if self.clean_to < self.bytes.len() {
            self.lost.push(self.clean_to..self.bytes.len());
        }
        self.clean_to = self.bytes.len();
    }
}

/// A change of names that is not durable yet. A rename is both halves.
#[derive(Clone)]
pub(super) struct NameChange {
    pub(super) removed: Option<String>,
    pub(super) put: Option<(String, InodeRef)>,
}

pub(super) type Names = BTreeMap<String, InodeRef>;

/// The whole simulated disk.
#[derive(Default)]
pub(super) struct Disk {
    pub(super) live: Names,
    pub(super) durable: Names,
    pub(super) pending: Vec<NameChange>,
    pub(super) locks: HeldLocks,
    pub(super) capacity: Option<u64>,
    pub(super) used: u64,
    pub(super) log: Vec<Logged>,
    pub(super) cut: Option<Trigger>,
    pub(super) faults: Vec<Fault>,
    pub(super) power_is_cut: bool,
    pub(super) sync_retries: Vec<String>,
}

impl Disk {
    /// Counts an operation and runs it, unless the plan says that it fails.
    pub(super) fn run<T>(
        &mut self,
        operation: Operation,
        name: &str,
        run: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> Result<T> {
        self.run_or(operation, name, run, |_| ())
    }

    /// Like [`Disk::run`], with the effect of a failure.
    fn run_or<T>(
        &mut self,
        operation: Operation,
        name: &str,
        run: impl FnOnce(&mut Self) -> io::Result<T>,
        fail: impl FnOnce(&mut Self),
    ) -> Result<T> {
        let error = |source| disk_error(operation, name, source);
        match self.strike(operation, name)? {
            None => run(self).map_err(error),
            Some((source, true)) => run(self).and(Err(source)).map_err(error),
            Some((source, false)) => {
                fail(self);
                Err(error(source))
            }
        }
    }

    /// The injected error of this operation, and whether it takes effect all the same.
    fn strike(&mut self, operation: Operation, name: &str) -> Result<Option<(io::Error, bool)>> {
        let cut = || disk_error(operation, name, io::Error::other(PowerCut));
        if self.power_is_cut {
            return Err(cut());
        }
        let number = self.log.len() as u64 + 1;
        self.log.push(Logged { number, operation, name: name.to_owned() });
        if self.cut.as_mut().is_some_and(|trigger| trigger.strikes(operation)) {
            self.power_is_cut = true;
            return Err(cut());
        }
        let mut struck = None;
        self.faults.retain_mut(|fault| {
            if !fault.trigger.strikes(operation) {
                return true;
            }
            let source = io::Error::new(fault.error, Injected(number));
            struck.get_or_insert((source, fault.applied));
            fault.times == Times::Forever
        });
        Ok(struck)
    }

    pub(super) fn find(&self, name: &str) -> io::Result<&InodeRef> {
        self.live.get(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Gives a new, empty inode a name.
    pub(super) fn create(&mut self, name: &str) -> io::Result<InodeRef> {
        if self.live.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = InodeRef::default();
        self.put(name, Arc::clone(&inode));
        self.pending.push(NameChange { removed: None, put: Some((name.to_owned(), Arc::clone(&inode))) });
        Ok(inode)
    }

    pub(super) fn delete(&mut self, name: &str) -> io::Result<()> {
        let inode = self.live.remove(name).ok_or(io::ErrorKind::NotFound)?;
        self.unlink(&inode);
        self.pending.push(NameChange { removed: Some(name.to_owned()), put: None });
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let inode = self.live.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.put(to, Arc::clone(&inode));
        if from != to {
            self.pending
                .push(NameChange { removed: Some(from.to_owned()), put: Some((to.to_owned(), inode)) });
        }
        Ok(())
    }

    /// Puts a durable file in place, in the past as well: no pending change of that name is left.
    pub(super) fn plant(&mut self, name: &str, bytes: Vec<u8>) {
        for change in &mut self.pending {
            change.removed.take_if(|removed| removed == name);
            change.put.take_if(|(put, _)| put == name);
        }
        self.used += bytes.len() as u64;
        let inode = InodeRef::new(Mutex::new(Inode::durable(Arc::new(bytes))));
        self.durable.insert(name.to_owned(), Arc::clone(&inode));
        self.put(name, inode);
    }

    fn put(&mut self, name: &str, inode: InodeRef) {
        inode.lock().linked = true;
        if let Some(replaced) = self.live.insert(name.to_owned(), inode) {
            self.unlink(&replaced);
        }
    }

    /// Gives the space of a file without a name back.
    fn unlink(&mut self, inode: &InodeRef) {
        let mut inode = inode.lock();
        inode.linked = false;
        self.used = self.used.saturating_sub(inode.bytes.len() as u64);
    }

    /// Appends to a file, as much as there is room for.
    pub(super) fn write(&mut self, name: &str, inode: &InodeRef, bytes: &[u8]) -> Result<()> {
        // A failed write leaves a part of it, a different one each time.
        let part = mix(self.log.len() as u64) as usize % (bytes.len() + 1);
        self.run_or(
            Operation::Write,
            name,
            |disk| disk.append(inode, bytes),
            |disk| {
                let part = bytes.get(..part).unwrap_or_default();
                // The room may end even earlier; the operation fails in any case.
                let _ = disk.append(inode, part);
            },
        )
    }

    fn append(&mut self, inode: &InodeRef, bytes: &[u8]) -> io::Result<()> {
        let mut inode = inode.lock();
        let room = self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.used));
        let fits = bytes.get(..usize::try_from(room).unwrap_or(usize::MAX));
        let written = fits.unwrap_or(bytes);
        Arc::make_mut(&mut inode.bytes).extend_from_slice(written);
        if inode.linked {
            self.used += written.len() as u64;
        }
        if written.len() == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    pub(super) fn sync(&mut self, name: &str) -> Result<()> {
        let inode = self.live.get(name).cloned();
        if inode.as_ref().is_some_and(|inode| inode.lock().sync_failed) && !self.power_is_cut {
            self.sync_retries.push(name.to_owned());
        }
        let result = self.run_or(
            Operation::Sync,
            name,
            |disk| disk.find(name).map(|inode| inode.lock().sync()),
            |_| {
                if let Some(inode) = &inode {
                    inode.lock().lose_unsynced();
                }
            },
        );
        if let (Err(_), Some(inode), false) = (&result, &inode, self.power_is_cut) {
            inode.lock().sync_failed = true;
        }
        result
    }

    /// A failed sync of the folder leaves its changes pending: journals stop at a failure, they do not
    /// skip changes.
    pub(super) fn sync_dir(&mut self) -> Result<()> {
        self.run(Operation::SyncDir, "", |disk| {
            disk.durable.clone_from(&disk.live);
            disk.pending.clear();
            Ok(())
        })
    }

    /// Takes a lock, whose file appears beside the data; returns what proves that it is held.
    pub(super) fn lock(&mut self, name: &str, holder: String) -> Result<u64> {
        let taken = self.run(Operation::Lock, name, |disk| {
            let taken = disk.locks.take(name, holder);
            if taken.is_ok() && !disk.live.contains_key(name) {
                disk.create(name)?;
            }
            Ok(taken)
        });
        taken?.map_err(|holder| Error::Locked { file: name.to_owned(), holder })
    }
}
