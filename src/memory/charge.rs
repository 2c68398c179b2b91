//! What is taken, given back when it is dropped.

use super::ledger::Ledger;
use std::sync::Arc;

/// What one buffer takes; nothing is counted without a ceiling.
#[derive(Default)]
pub(crate) struct Charge {
    ledger: Option<Arc<Ledger>>,
    bytes: u64,
}

impl std::fmt::Debug for Charge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Charge({})", self.bytes)
    }
}

impl Charge {
    pub(super) fn new(ledger: Option<Arc<Ledger>>) -> Self {
        Self { ledger, bytes: 0 }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// It takes so many bytes now.
    pub(crate) fn set(&mut self, bytes: u64) {
        if let Some(ledger) = &self.ledger {
            let before = std::mem::replace(&mut self.bytes, bytes);
            ledger.change(|used| used.buffers = (used.buffers + bytes).saturating_sub(before));
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// What takes something from its beginning to its end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taker {
    Merge,
    Search,
}

/// What a merge or a search takes; nothing is counted without a ceiling.
pub(crate) struct Reserved {
    taken: Option<(Arc<Ledger>, Taker, u64)>,
}

impl std::fmt::Debug for Reserved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.taken.as_ref().map_or(0, |(_, _, bytes)| *bytes);
        write!(f, "Reserved({bytes})")
    }
}

impl Reserved {
    pub(super) fn nothing() -> Self {
        Self { taken: None }
    }

    /// Takes so many bytes, if there is room.
    pub(super) fn take(ledger: &Arc<Ledger>, taker: Taker, bytes: u64) -> Option<Self> {
        let taken = match taker {
            Taker::Merge => {
                ledger.take(|shares, now| shares.takes_merge(now, bytes), |now| now.merges += bytes)
            }
            Taker::Search => {
                ledger.take(|shares, now| shares.takes_search(now, bytes), |now| now.searches += bytes)
            }
        };
        taken.then(|| Self { taken: Some((Arc::clone(ledger), taker, bytes)) })
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let Some((ledger, taker, bytes)) = self.taken.take() else { return };
        ledger.change(|used| {
            let taken = match taker {
                Taker::Merge => &mut used.merges,
                Taker::Search => &mut used.searches,
            };
            *taken = taken.saturating_sub(bytes);
        });
    }
}
