//! Merge events, and who is called with them.

use lucerne_codec::Report;
use std::sync::Arc;

/// Something that happened to a merge.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MergeEvent {
    /// A merge has begun.
    Started {
        /// Name of the segment it will make.
        segment: String,
        /// Names of its sources.
        sources: Vec<String>,
        /// Live bytes of the sources.
        bytes: u64,
    },
    /// A merge goes on.
    Progress {
        /// Name of the segment it will make.
        segment: String,
        /// What it is doing.
        phase: &'static str,
        /// Units done.
        done: u64,
        /// Units in all.
        total: u64,
    },
    /// A merge is done; its segment has replaced its sources.
    Finished {
        /// Name of the segment.
        segment: String,
        /// The merge record, as kept in the segment (with seconds, whatever the options).
        record: Report,
    },
    /// A merge was cancelled or has failed; nothing has changed.
    Failed {
        /// Name of the segment it would have made.
        segment: String,
        /// Why.
        error: String,
        /// True when it was asked to stop.
        cancelled: bool,
    },
    /// Merges cannot keep up: threads that add documents wait until one is done.
    WriterSlowed {
        /// Merges running.
        running: usize,
    },
}

/// Is called with merge events, on the threads where they happen. It must be quick and must not call the writer.
pub trait MergeListener: Send + Sync {
    /// Called for every event, in the order of each merge.
    fn event(&self, event: &MergeEvent);
}

impl<F: Fn(&MergeEvent) + Send + Sync> MergeListener for F {
    fn event(&self, event: &MergeEvent) {
        self(event);
    }
}

/// A shared listener, if any.
#[derive(Clone, Default)]
pub struct MergeObserver(Option<Arc<dyn MergeListener>>);

impl MergeObserver {
    /// Notifies `listener`.
    pub fn new(listener: impl MergeListener + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    pub(crate) fn notify(&self, event: &MergeEvent) {
        if let Some(listener) = &self.0 {
            listener.event(event);
        }
    }
}

impl std::fmt::Debug for MergeObserver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "MergeObserver(set)" } else { "MergeObserver(none)" })
    }
}
