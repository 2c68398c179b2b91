//! How a search is run, beside what it searches for.

use super::threads::{Pool, Threads};
use lucerne_codec::{Cancel, OnStop};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a search is run: for how long, what it returns when it is stopped, and on which threads. The default is without
/// end and on the thread that calls.
///
/// A search that is stopped ends within 10 ms, or returns with an error of kind
/// [`TimedOut`](crate::ErrorKind::TimedOut) or [`Cancelled`](crate::ErrorKind::Cancelled). Nothing is left behind; the
/// writer and other searches go on. What cannot be interrupted is a page fault: on a slow disk, a file that is not in
/// memory may take longer.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::search::SearchOptions;
/// use lucerne::{Cancel, Match};
/// use std::time::Duration;
///
/// let cancel = Cancel::new(); // A clone of it stops the search from another thread.
/// let options = SearchOptions::new().timeout(Duration::from_secs(5)).cancel(&cancel).partial().threads(2);
/// let hits = searcher.search_with(Match::new("title", "editor"), &options)?;
/// assert_eq!(hits.stopped, None, "it looked everywhere");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct SearchOptions {
    cancel: Cancel,
    timeout: Option<Duration>,
    pub(super) on_stop: OnStop,
    pub(super) threads: Threads,
}

impl SearchOptions {
    /// The default.
    pub fn new() -> Self {
        Self::default()
    }

    /// The longest time that a search may take. Default: no limit. Each search of
    /// [`Searcher::search_many`](crate::Searcher::search_many) has this time for itself, from when it begins.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What stops a search: [`Cancel::cancel`] on a clone, or its deadline ([`Cancel::until`]), which all searches with
    /// these options share.
    #[must_use]
    pub fn cancel(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// A search that is stopped returns the hits that it has found until then, marked by
    /// [`Hits::stopped`](crate::Hits::stopped). Without this it returns an error.
    ///
    /// These are hits with the scores, or the values they are sorted by, that they would have had; there may be better
    /// ones. A [`Fuse`](crate::Fuse), and rankings inside other queries, are of use only as a whole: a search that is
    /// stopped while they run has no hits.
    #[must_use]
    pub fn partial(mut self) -> Self {
        self.on_stop = OnStop::Partial;
        self
    }

    /// Searches on this number of threads: segments side by side, or the searches of
    /// [`Searcher::search_many`](crate::Searcher::search_many). The one that calls is one of them, the others are started
    /// for the call, which takes some ten microseconds each. The hits are the same whatever the number. Default: 1.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = NonZeroUsize::new(threads).map_or(Threads::Caller, Threads::Count);
        self
    }

    /// Searches on threads of the application instead.
    #[must_use]
    pub fn pool(mut self, pool: Arc<dyn Pool>) -> Self {
        self.threads = Threads::Pool(pool);
        self
    }

    /// The same with the flag and the deadline of a call that has begun, and without partial results.
    pub(super) fn whole(&self, cancel: &Cancel) -> Self {
        Self { cancel: cancel.clone(), timeout: None, on_stop: OnStop::Fail, threads: self.threads.clone() }
    }

    /// The same on the thread that calls.
    pub(super) fn on_caller(&self) -> Self {
        Self { threads: Threads::Caller, ..self.clone() }
    }

    /// Whether each search has a time of its own.
    pub(super) fn has_timeout(&self) -> bool {
        self.timeout.is_some()
    }

    /// What stops a search that begins now.
    pub(super) fn begin(&self) -> Cancel {
        match self.timeout.and_then(|timeout| Instant::now().checked_add(timeout)) {
            Some(deadline) => self.cancel.until(deadline),
            None => self.cancel.clone(),
        }
    }
}
