//! Stopping long work: when somebody asks, or at a deadline. Reporting its progress.

use crate::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Cancels or pauses a long operation that it was passed to, or ends it at a deadline. All clones act on the same
/// operation; each has the deadline it was made with.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    flags: Arc<Flags>,
    deadline: Option<Instant>,
}

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

    /// The same with a deadline, after which [`Cancel::check`] fails with [`Error::TimedOut`]. Of two deadlines the earlier
    /// one counts. The flags are shared: what cancels or pauses one, does so to the other.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        let deadline = self.deadline.map_or(deadline, |own| own.min(deadline));
        Self { flags: Arc::clone(&self.flags), deadline: Some(deadline) }
    }

    /// When the operation ends, if it has a deadline.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Asks the operation to stop. It stops at its next [`Cancel::check`].
    pub fn cancel(&self) {
        self.flags.cancelled.store(true, Ordering::Relaxed);
    }

    /// True once [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.flags.cancelled.load(Ordering::Relaxed)
    }

    /// Asks the work to wait (`true`) or to go on (`false`).
    pub fn pause(&self, paused: bool) {
        self.flags.paused.store(paused, Ordering::Relaxed);
    }

    /// [`Error::Cancelled`] once cancelled, [`Error::TimedOut`] beyond the deadline; waits while paused. Long loops call
    /// this at least every millisecond. The clock is read only where there is a deadline.
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.flags.paused.load(Ordering::Relaxed) {
            self.wait_while_paused();
        }
        if self.is_cancelled() {
            return Err(Error::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Error::TimedOut),
            _ => Ok(()),
        }
    }

    #[cold]
    fn wait_while_paused(&self) {
        let is_over = || self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        while self.flags.paused.load(Ordering::Relaxed) && !self.is_cancelled() && !is_over() {
            std::thread::sleep(PAUSE_STEP);
        }
    }

    /// [`Cancel::check`] before every `step`-th item, the first included: for loops over many short items, of
    /// which `done` are finished.
    #[inline]
    pub fn check_every(&self, step: usize, done: usize) -> Result<()> {
        if done.is_multiple_of(step) { self.check() } else { Ok(()) }
    }
}

/// What is returned of work that was cancelled, or whose deadline has passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnStop {
    /// The error.
    #[default]
    Fail,
    /// What was found until then, marked as such.
    Partial,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_deadlines_the_earlier_counts_and_flags_are_shared() {
        let (now, hour) = (Instant::now(), Duration::from_secs(3_600));
        let all = Cancel::new();
        let late = all.until(now + hour);
        assert!(all.check().is_ok() && late.check().is_ok());
        assert!(matches!(late.until(now).check(), Err(Error::TimedOut)));
        assert!(matches!(all.until(now).until(now + hour).check(), Err(Error::TimedOut)));
        assert_eq!(late.until(now + 2 * hour).deadline(), Some(now + hour));
        late.cancel();
        assert!(matches!(all.check(), Err(Error::Cancelled)), "the flags are shared");
    }

    #[test]
    fn a_pause_ends_with_the_deadline() {
        let paused = Cancel::new().until(Instant::now() + Duration::from_millis(20));
        paused.pause(true);
        assert!(matches!(paused.check(), Err(Error::TimedOut)));
    }
}
