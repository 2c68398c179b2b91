//! What is taken of a ceiling now.

use super::shares::{MemoryUse, Shares};
use parking_lot::{Condvar, Mutex};
use std::time::Duration;

/// Who waits looks again at least this often.
const LOOK: Duration = Duration::from_millis(50);

pub(super) struct Ledger {
    pub(super) shares: Shares,
    used: Mutex<Used>,
    /// Notified when something was given back.
    less: Condvar,
}

#[derive(Default)]
struct Used {
    now: MemoryUse,
    peak: u64,
}

impl Ledger {
    pub(super) fn new(shares: Shares) -> Self {
        Self { shares, used: Mutex::default(), less: Condvar::new() }
    }

    pub(super) fn now(&self) -> MemoryUse {
        self.used.lock().now
    }

    pub(super) fn peak(&self) -> u64 {
        self.used.lock().peak
    }

    /// Changes what is taken if the shares allow it.
    pub(super) fn take(
        &self,
        allows: impl FnOnce(&Shares, &MemoryUse) -> bool,
        change: impl FnOnce(&mut MemoryUse),
    ) -> bool {
        let mut used = self.used.lock();
        let allowed = allows(&self.shares, &used.now);
        if allowed {
            change(&mut used.now);
            used.peak = used.peak.max(used.now.total());
        }
        allowed
    }

    /// Changes what is taken, and wakes up who waits.
    pub(super) fn change(&self, change: impl FnOnce(&mut MemoryUse)) {
        self.take(|_, _| true, change);
        self.less.notify_all();
    }

    /// Waits until something is given back, but not for long.
    pub(super) fn wait(&self) {
        self.less.wait_for(&mut self.used.lock(), LOOK);
    }
}
