//! Options of a writer.

use crate::limits::{DEFAULT_RAM_BUDGET, MIN_RAM_BUDGET};
use crate::merge::{MergeListener, MergeObserver, MergePolicy};

/// Options of a writer: memory, threads, and merges.
///
/// ```
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::merge::MergePolicy;
/// use lucerne::{Schema, WriterOptions};
/// use std::sync::Arc;
///
/// let directory = Arc::new(RamDirectory::new());
/// let index = IndexBuilder::new().create(directory, Schema::builder().build()?)?;
/// let options = WriterOptions::new().ram_budget(64 << 20).threads(2).merge_policy(MergePolicy::None);
/// assert_eq!(options.ram_budget, 67_108_864);
/// index.writer_with(options)?.close()?;
/// # Ok::<(), lucerne::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WriterOptions {
    /// Bytes for buffered documents and for flushing them, over all threads. At least 1 MiB; default 256 MiB.
    pub ram_budget: usize,
    /// A buffer is flushed at this many documents, if set, even when memory is left. Default: not set.
    pub flush_docs: Option<u32>,
    /// Threads that build one segment's structures: what they build does not depend on it. Default: the cores of the machine.
    pub threads: usize,
    /// Seed of everything random. With a seed and the same calls from one thread, the files are the same byte for byte (with
    /// merges: `merge_threads` 0). Default: graphs are seeded with a constant, segment ids come from the system.
    pub seed: Option<u64>,
    /// Number of commits that are kept, the newest included; tagged ones stay beside them ([`crate::Writer::tag`]). It is
    /// kept with the index: later writers that do not set it go on with it. Default: not set, and 1 in a new index.
    pub keep_commits: Option<u32>,
    /// Which merges run in the background. Default: tiered.
    pub merge_policy: MergePolicy,
    /// Background merges that run at once; further ones may have begun and are paused. With 0, merges run on the thread
    /// that flushes. Default: half the cores, at least 1.
    pub merge_threads: usize,
    /// Bytes per second that one merge writes at most. Default: no limit.
    pub merge_bytes_per_second: Option<u64>,
    /// Is called with what happens to merges.
    pub merge_observer: MergeObserver,
}

impl Default for WriterOptions {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Self {
            ram_budget: DEFAULT_RAM_BUDGET,
            flush_docs: None,
            threads,
            seed: None,
            keep_commits: None,
            merge_policy: MergePolicy::default(),
            merge_threads: (threads / 2).max(1),
            merge_bytes_per_second: None,
            merge_observer: MergeObserver::default(),
        }
    }
}

impl WriterOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`WriterOptions::ram_budget`]; at least 1 MiB is used.
    #[must_use]
    pub fn ram_budget(mut self, bytes: usize) -> Self {
        self.ram_budget = bytes.max(MIN_RAM_BUDGET);
        self
    }

    /// Sets [`WriterOptions::flush_docs`]; at least 1.
    #[must_use]
    pub fn flush_docs(mut self, docs: u32) -> Self {
        self.flush_docs = Some(docs.max(1));
        self
    }

    /// Sets [`WriterOptions::threads`]; at least 1.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Sets [`WriterOptions::seed`].
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets [`WriterOptions::keep_commits`]; at least 1. It counts from the next commit on.
    #[must_use]
    pub fn keep_commits(mut self, commits: u32) -> Self {
        self.keep_commits = Some(commits.max(1));
        self
    }

    /// Sets [`WriterOptions::merge_policy`].
    #[must_use]
    pub fn merge_policy(mut self, policy: MergePolicy) -> Self {
        self.merge_policy = policy;
        self
    }

    /// Sets [`WriterOptions::merge_threads`].
    #[must_use]
    pub fn merge_threads(mut self, threads: usize) -> Self {
        self.merge_threads = threads;
        self
    }

    /// Sets [`WriterOptions::merge_bytes_per_second`].
    #[must_use]
    pub fn merge_bytes_per_second(mut self, bytes: u64) -> Self {
        self.merge_bytes_per_second = Some(bytes);
        self
    }

    /// Sets [`WriterOptions::merge_observer`].
    #[must_use]
    pub fn on_merge(mut self, listener: impl MergeListener + 'static) -> Self {
        self.merge_observer = MergeObserver::new(listener);
        self
    }
}
