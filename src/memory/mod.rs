//! One ceiling on memory for any number of indexes of a process.
//!
//! Writers, merges and searches say what they take before they take it. Who finds no room has the largest buffer of all
//! writers flushed, or waits; a merge that would wait works in files instead of on the heap. `shares` says how the ceiling is
//! divided.

mod charge;
mod ledger;
mod shares;

use charge::Taker;
pub(crate) use charge::{Charge, Reserved};
use ledger::Ledger;
pub use shares::MemoryUse;
use shares::Shares;

use crate::error::{Error, Result};
use lucerne_codec::Cancel;
use lucerne_codec::format::Working;
use parking_lot::Mutex;
use std::fmt;
use std::sync::{Arc, Weak};

/// A ceiling on the heap that indexes of this process take together: buffered documents, flushes, merges and searches.
///
/// Give it to each index that is to stay below it ([`IndexBuilder::memory`](crate::index::IndexBuilder::memory)); clones
/// are the same ceiling. Buffers are flushed earlier, merges and searches wait for each other, and merges keep their graphs
/// in temporary files of the index's folder when the heap has no room for them: all is slower rather than larger. Results do
/// not depend on it. Files that are read are mapped, and temporary ones too: their pages are in the system's page cache, which
/// gives them up when memory is short, and do not count.
///
/// ```
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::{Document, Memory, Schema};
/// use std::sync::Arc;
///
/// let memory = Memory::ceiling(64 << 20);
/// let tenant = |_| {
///     let schema = Schema::builder().key("id").text("title").build()?;
///     IndexBuilder::new().memory(&memory).create(Arc::new(RamDirectory::new()), schema)
/// };
/// let tenants = (0..3).map(tenant).collect::<lucerne::Result<Vec<_>>>()?;
/// let writers = tenants.iter().map(|index| index.writer()).collect::<lucerne::Result<Vec<_>>>()?;
/// for writer in &writers {
///     writer.add(&Document::new().with("id", "a").with("title", "of each tenant"))?;
/// }
/// assert!(memory.in_use().buffers > 0);
/// writers.iter().try_for_each(|writer| writer.close())?;
/// assert_eq!(memory.in_use().total(), 0);
/// assert!(memory.peak() < 64 << 20);
/// # Ok::<(), lucerne::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Memory(Option<Arc<Shared>>);

struct Shared {
    ledger: Arc<Ledger>,
    writers: Mutex<Vec<Weak<dyn Sheds>>>,
}

/// Who can give up memory: a writer, by flushing.
pub(crate) trait Sheds: Send + Sync {
    /// Bytes of its largest buffer that takes documents; 0 when there is none, or nobody knows at the moment.
    fn largest(&self) -> u64;

    /// Flushes that buffer; false when there is none. Waits for nobody's locks.
    fn shed(&self) -> Result<bool>;
}

/// Bytes of heap that a merge takes at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MergeNeeds {
    /// With everything on the heap.
    pub(crate) heap: u64,
    /// With what is largest in files.
    pub(crate) files: u64,
}

impl Memory {
    /// A ceiling of so many bytes; at least 8 MiB.
    pub fn ceiling(bytes: u64) -> Self {
        let ledger = Arc::new(Ledger::new(Shares::of(bytes)));
        Self(Some(Arc::new(Shared { ledger, writers: Mutex::default() })))
    }

    /// No ceiling; what each writer takes is limited by its options alone. This is the default.
    pub fn unlimited() -> Self {
        Self(None)
    }

    /// The ceiling in bytes, if there is one.
    pub fn limit(&self) -> Option<u64> {
        self.0.as_ref().map(|shared| shared.ledger.shares.ceiling)
    }

    /// What is taken now; zeros without a ceiling.
    pub fn in_use(&self) -> MemoryUse {
        self.0.as_ref().map(|shared| shared.ledger.now()).unwrap_or_default()
    }

    /// The most bytes that were taken at a time; 0 without a ceiling.
    pub fn peak(&self) -> u64 {
        self.0.as_ref().map_or(0, |shared| shared.ledger.peak())
    }

    /// Bytes that one writer's buffers take at most.
    pub(crate) fn buffer_limit(&self) -> usize {
        self.0.as_ref().map_or(usize::MAX, |shared| shared.ledger.shares.most_of_buffers() as usize)
    }

    /// From now on buffers of this writer may be flushed when others need room.
    pub(crate) fn register(&self, writer: Weak<dyn Sheds>) {
        let Some(shared) = &self.0 else { return };
        let mut writers = shared.writers.lock();
        writers.retain(|other| other.strong_count() > 0);
        writers.push(writer);
    }

    /// What a new buffer will be charged to.
    pub(crate) fn charge(&self) -> Charge {
        Charge::new(self.0.as_ref().map(|shared| Arc::clone(&shared.ledger)))
    }

    /// Makes room for so many bytes in a buffer: flushes others' buffers, or waits. Takes nothing yet. `check` says whether
    /// to go on.
    pub(crate) fn make_room(&self, needs: u64, check: impl Fn() -> Result<()>) -> Result<()> {
        let Some(shared) = &self.0 else { return Ok(()) };
        let most = shared.ledger.shares.most_of_buffers();
        shared.check("adding these documents", needs, most)?;
        while !self.has_room(needs) {
            check()?;
            shared.shed_or_wait(0)?;
        }
        Ok(())
    }

    /// Whether a buffer can take so many bytes now.
    pub(crate) fn has_room(&self, needs: u64) -> bool {
        let takes = |shared: &Arc<Shared>| shared.ledger.shares.takes_buffer(&shared.ledger.now(), needs);
        self.0.as_ref().is_none_or(takes)
    }

    /// An error when a merge can never run under the ceiling.
    pub(crate) fn check_merge(&self, needs: MergeNeeds) -> Result<()> {
        let Some(shared) = &self.0 else { return Ok(()) };
        shared.check("this merge", needs.files, shared.ledger.shares.most_of_merges())
    }

    /// Waits until a merge may run, and says how.
    pub(crate) fn admit_merge(&self, needs: MergeNeeds, cancel: &Cancel) -> Result<(Reserved, Working)> {
        let Some(shared) = &self.0 else { return Ok((Reserved::nothing(), Working::Heap)) };
        self.check_merge(needs)?;
        loop {
            cancel.check()?;
            for (bytes, working) in [(needs.heap, Working::Heap), (needs.files, Working::Files)] {
                if let Some(reserved) = Reserved::take(&shared.ledger, Taker::Merge, bytes) {
                    return Ok((reserved, working));
                }
            }
            shared.shed_or_wait(shared.ledger.shares.reserved)?;
        }
    }

    /// Waits until a search may run. What it needs is asked for only where there is a ceiling.
    pub(crate) fn admit_search(&self, needs: impl FnOnce() -> u64, cancel: &Cancel) -> Result<Reserved> {
        let Some(shared) = &self.0 else { return Ok(Reserved::nothing()) };
        let needs = needs();
        shared.check("this search", needs, shared.ledger.shares.most_of_searches())?;
        loop {
            if let Some(reserved) = Reserved::take(&shared.ledger, Taker::Search, needs) {
                return Ok(reserved);
            }
            cancel.check()?;
            shared.shed_or_wait(shared.ledger.shares.reserved)?;
        }
    }
}

impl Shared {
    fn check(&self, what: &'static str, needs: u64, most: u64) -> Result<()> {
        let ceiling = self.ledger.shares.ceiling;
        if needs <= most { Ok(()) } else { Err(Error::MemoryCeiling { what, needs, most, ceiling }) }
    }

    /// Flushes the largest buffer of all writers where buffers take more than they can always have; else waits a little.
    fn shed_or_wait(&self, least: u64) -> Result<()> {
        if self.ledger.now().buffers > least {
            let writers: Vec<Arc<dyn Sheds>> = self.writers.lock().iter().filter_map(Weak::upgrade).collect();
            let largest = writers.iter().map(|writer| (writer.largest(), writer));
            let largest = largest.filter(|(bytes, _)| *bytes > 0).max_by_key(|(bytes, _)| *bytes);
            if let Some((_, writer)) = largest
                && writer.shed()?
            {
                return Ok(());
            }
        }
        self.ledger.wait();
        Ok(())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("limit", &self.limit()).field("in_use", &self.in_use()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
    use std::time::Duration;

    const MIB: u64 = 1 << 20;

    fn needs(heap: u64, files: u64) -> MergeNeeds {
        MergeNeeds { heap: heap * MIB, files: files * MIB }
    }

    #[test]
    fn a_merge_works_in_files_when_the_heap_has_no_room_and_is_refused_when_nothing_helps() {
        let memory = Memory::ceiling(128 * MIB);
        let cancel = Cancel::new();
        let (first, working) = memory.admit_merge(needs(60, 10), &cancel).unwrap();
        assert_eq!((working, memory.in_use().merges), (Working::Heap, 60 * MIB));
        let (second, working) = memory.admit_merge(needs(60, 10), &cancel).unwrap();
        assert_eq!((working, memory.in_use().merges), (Working::Files, 70 * MIB));
        drop((first, second));
        assert_eq!((memory.in_use().total(), memory.peak()), (0, 70 * MIB));
        let refused = memory.admit_merge(needs(900, 120), &cancel).unwrap_err();
        assert!(matches!(refused, Error::MemoryCeiling { needs, .. } if needs == 120 * MIB), "{refused}");
    }

    #[test]
    fn who_finds_no_room_waits_until_there_is_some_and_can_be_cancelled() {
        let memory = Memory::ceiling(128 * MIB);
        let cancel = Cancel::new();
        let (held, _) = memory.admit_merge(needs(90, 90), &cancel).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| memory.admit_merge(needs(50, 50), &Cancel::new()).map(drop));
            let stopped = Cancel::new();
            let searching = scope.spawn(|| memory.admit_search(|| 60 * MIB, &Cancel::new()).map(drop));
            stopped.cancel();
            assert!(memory.admit_merge(needs(50, 50), &stopped).is_err());
            std::thread::sleep(Duration::from_millis(20));
            assert!(!waiting.is_finished() && !searching.is_finished());
            drop(held);
            waiting.join().unwrap().unwrap();
            searching.join().unwrap().unwrap();
        });
        assert_eq!(memory.in_use().total(), 0);
    }

    struct Buffered {
        charge: Mutex<Charge>,
        flushed: AtomicU64,
    }

    impl Sheds for Buffered {
        fn largest(&self) -> u64 {
            self.charge.lock().bytes()
        }

        fn shed(&self) -> Result<bool> {
            self.flushed.fetch_add(1, SeqCst);
            self.charge.lock().set(0);
            Ok(true)
        }
    }

    #[test]
    fn the_largest_buffer_of_all_writers_makes_room_for_any_of_them() {
        let memory = Memory::ceiling(128 * MIB);
        let buffered: Vec<Arc<Buffered>> = [10 * MIB, 13 * MIB, 8 * MIB]
            .map(|bytes| {
                let mut charge = memory.charge();
                charge.set(bytes);
                Arc::new(Buffered { charge: Mutex::new(charge), flushed: AtomicU64::new(0) })
            })
            .into();
        for writer in &buffered {
            let weak: Weak<Buffered> = Arc::downgrade(writer);
            memory.register(weak);
        }
        memory.make_room(2 * MIB, || Ok(())).unwrap();
        let flushed = || buffered.iter().map(|writer| writer.flushed.load(SeqCst)).collect::<Vec<_>>();
        assert_eq!(flushed(), [0, 1, 0]);
        memory.make_room(2 * MIB, || Ok(())).unwrap();
        assert_eq!(flushed(), [0, 1, 0]);
        let refused = memory.make_room(33 * MIB, || Ok(()));
        assert!(matches!(refused, Err(Error::MemoryCeiling { .. })), "{refused:?}");
    }
}
