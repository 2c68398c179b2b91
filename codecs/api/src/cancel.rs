//! Stopping long work, and reporting its progress.

use crate::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Cancels or pauses a long operation that it was passed to. All clones act on the same operation.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    cancelled: AtomicBool,
    paused: AtomicBool,
}

/// How often paused work looks whether it may go on.
const PAUSE_STEP: Duration = Duration::from_millis(5);

impl Cancel {
    /// Neither cancelled nor paused.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the operation to stop. It stops at its next [`Cancel::check`].
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// True once [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// Asks the work to wait (`true`) or to go on (`false`).
    pub fn pause(&self, paused: bool) {
        self.0.paused.store(paused, Ordering::Relaxed);
    }

    /// [`Error::Cancelled`] once cancelled; waits while paused. Long loops call this at least every few
    /// milliseconds.
    pub fn check(&self) -> Result<()> {
        while self.0.paused.load(Ordering::Relaxed) && !self.is_cancelled() {
            std::thread::sleep(PAUSE_STEP);
        }
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// [`Cancel::check`] before every `step`-th item, the first included: for loops over many short items, of
    /// which `done` are finished.
    #[inline]
    pub fn check_every(&self, step: usize, done: usize) -> Result<()> {
        if done.is_multiple_of(step) { self.check() } else { Ok(()) }
    }
}

/// Is called with the progress of long work.
pub trait Progress: Sync {
    /// `done` of `total` units of `phase` (`"graph"`, `"raw vectors"`, …) are finished.
    fn report(&self, phase: &'static str, done: u64, total: u64);
}

/// Progress is not reported.
impl Progress for () {
    fn report(&self, _phase: &'static str, _done: u64, _total: u64) {}
}
