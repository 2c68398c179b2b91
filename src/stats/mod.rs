//! Watching: counters and latencies of what an open index does, in this process. With the feature `metrics` the same go to
//! the recorder that the application has installed for the crate of that name.
//!
//! [`Index::stats`](crate::Index::stats) returns them as they are; two of them taken some time apart say what happened in
//! between ([`Stats::since`]). Counting needs no lock and no reading of the clock beyond one at the beginning and end of
//! each operation.

mod exported;
mod latency;

use exported::Exported;
pub use latency::Latency;
pub(crate) use latency::Timer;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What an open index has done since it was opened, by all handles on it in this process: clones of the
/// [`Index`](crate::Index), its searchers and its writers.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// use lucerne::{Document, Index, Match, Schema};
///
/// # let folder = tempfile::tempdir().unwrap();
/// let index = Index::create(folder.path(), Schema::builder().key("id").text("title").build()?)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "vim").with("title", "text editor"))?;
/// writer.commit()?;
/// let before = index.stats();
/// index.searcher()?.search(Match::new("title", "editor"))?;
///
/// let stats = index.stats();
/// assert_eq!((stats.documents_added, stats.commits.count()), (1, 1));
/// let minute = stats.since(&before);
/// assert_eq!((minute.searches.count(), minute.hits, minute.commits.count()), (1, 1, 0));
/// assert!(minute.searches.percentile(0.99) >= minute.searches.percentile(0.5));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Searches that have ended, with whatever result.
    pub searches: Latency,
    /// Searches that ended with an error, other than those that were stopped.
    pub failed_searches: u64,
    /// Searches that ended at their deadline, with an error or with a part of their hits.
    pub timed_out_searches: u64,
    /// Searches that were cancelled.
    pub cancelled_searches: u64,
    /// Hits returned.
    pub hits: u64,
    /// Documents taken: added, replaced or updated.
    pub documents_added: u64,
    /// Documents deleted by their key, without those that were replaced.
    pub documents_deleted: u64,
    /// Buffers written as segments.
    pub flushes: Latency,
    /// Commits published; the time is that of preparing and of publishing.
    pub commits: Latency,
    /// Merges that have put a segment in the place of others.
    pub merges: Latency,
    /// Merges that were cancelled or have failed.
    pub failed_merges: u64,
    /// Bytes of the segments that flushes have written.
    pub bytes_flushed: u64,
    /// Bytes of the segments that merges have written.
    pub bytes_merged: u64,
}

impl Stats {
    /// What happened since `earlier`, which was taken of the same open index. The greatest latency is that of all time.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let less = |now: u64, then: u64| now.saturating_sub(then);
        Self {
            searches: self.searches.since(&earlier.searches),
            failed_searches: less(self.failed_searches, earlier.failed_searches),
            timed_out_searches: less(self.timed_out_searches, earlier.timed_out_searches),
            cancelled_searches: less(self.cancelled_searches, earlier.cancelled_searches),
            hits: less(self.hits, earlier.hits),
            documents_added: less(self.documents_added, earlier.documents_added),
            documents_deleted: less(self.documents_deleted, earlier.documents_deleted),
            flushes: self.flushes.since(&earlier.flushes),
            commits: self.commits.since(&earlier.commits),
            merges: self.merges.since(&earlier.merges),
            failed_merges: less(self.failed_merges, earlier.failed_merges),
            bytes_flushed: less(self.bytes_flushed, earlier.bytes_flushed),
            bytes_merged: less(self.bytes_merged, earlier.bytes_merged),
        }
    }
}

/// Counts up.
#[derive(Debug)]
pub(crate) struct Counter {
    count: AtomicU64,
    exported: Exported,
}

impl Counter {
    fn new(name: &'static str) -> Self {
        Self { count: AtomicU64::default(), exported: Exported::new(name) }
    }

    pub(crate) fn add(&self, count: u64) {
        self.count.fetch_add(count, Relaxed);
        self.exported.count(count);
    }

    fn get(&self) -> u64 {
        self.count.load(Relaxed)
    }
}

/// How a search has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchEnd {
    Whole,
    TimedOut,
    Cancelled,
    Failed,
}

/// The counters of an open index.
#[derive(Debug)]
pub(crate) struct Counters {
    searches: Timer,
    failed_searches: Counter,
    timed_out_searches: Counter,
    cancelled_searches: Counter,
    hits: Counter,
    pub(crate) documents_added: Counter,
    pub(crate) documents_deleted: Counter,
    flushes: Timer,
    pub(crate) commits: Timer,
    merges: Timer,
    pub(crate) failed_merges: Counter,
    bytes_flushed: Counter,
    bytes_merged: Counter,
}

/// Nothing was done yet. The names are those of `docs/monitoring.md`.
impl Default for Counters {
    fn default() -> Self {
        Self {
            searches: Timer::new("lucerne_search_seconds"),
            failed_searches: Counter::new("lucerne_failed_searches_total"),
            timed_out_searches: Counter::new("lucerne_timed_out_searches_total"),
            cancelled_searches: Counter::new("lucerne_cancelled_searches_total"),
            hits: Counter::new("lucerne_hits_total"),
            documents_added: Counter::new("lucerne_documents_added_total"),
            documents_deleted: Counter::new("lucerne_documents_deleted_total"),
            flushes: Timer::new("lucerne_flush_seconds"),
            commits: Timer::new("lucerne_commit_seconds"),
            merges: Timer::new("lucerne_merge_seconds"),
            failed_merges: Counter::new("lucerne_failed_merges_total"),
            bytes_flushed: Counter::new("lucerne_flushed_bytes_total"),
            bytes_merged: Counter::new("lucerne_merged_bytes_total"),
        }
    }
}

impl Counters {
    /// A search has ended.
    pub(crate) fn searched(&self, took: Duration, end: SearchEnd, hits: usize) {
        self.searches.record(took);
        self.hits.add(hits as u64);
        match end {
            SearchEnd::Whole => {}
            SearchEnd::TimedOut => self.timed_out_searches.add(1),
            SearchEnd::Cancelled => self.cancelled_searches.add(1),
            SearchEnd::Failed => self.failed_searches.add(1),
        }
    }

    /// A buffer was written as a segment of `bytes`.
    pub(crate) fn flushed(&self, took: Duration, bytes: u64) {
        self.flushes.record(took);
        self.bytes_flushed.add(bytes);
    }

    /// Segments were merged into one of `bytes`.
    pub(crate) fn merged(&self, took: Duration, bytes: u64) {
        self.merges.record(took);
        self.bytes_merged.add(bytes);
    }

    /// The counters as they are; others may be counted meanwhile.
    pub(crate) fn read(&self) -> Stats {
        Stats {
            searches: self.searches.read(),
            failed_searches: self.failed_searches.get(),
            timed_out_searches: self.timed_out_searches.get(),
            cancelled_searches: self.cancelled_searches.get(),
            hits: self.hits.get(),
            documents_added: self.documents_added.get(),
            documents_deleted: self.documents_deleted.get(),
            flushes: self.flushes.read(),
            commits: self.commits.read(),
            merges: self.merges.read(),
            failed_merges: self.failed_merges.get(),
            bytes_flushed: self.bytes_flushed.get(),
            bytes_merged: self.bytes_merged.get(),
        }
    }
}
