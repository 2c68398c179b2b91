//! Stopping long work, and saying how far it has come.

use crate::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that asks long work to stop. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop; it does at its next [`Cancel::check`].
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// True once [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// [`Error::Cancelled`] once cancelled. Long loops call this at least every few milliseconds.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }
}

/// Hears how far long work has come.
pub trait Progress: Sync {
    /// `done` of `total` units of `phase` (`"graph"`, `"raw vectors"`, …) are finished.
    fn report(&self, phase: &'static str, done: u64, total: u64);
}

/// Nobody listens.
impl Progress for () {
    fn report(&self, _phase: &'static str, _done: u64, _total: u64) {}
}
