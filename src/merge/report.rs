//! Merge events, and who is called with them.

use lucerne_codec::Report;
use std::sync::Arc;

/// A step in the life of a merge.
///
/// ```
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::merge::MergeEvent;
/// use lucerne::{Cancel, Document, Schema, WriterOptions};
/// use std::sync::{Arc, Mutex};
///
/// let finished = Arc::new(Mutex::new(0));
/// let counter = Arc::clone(&finished);
/// let options = WriterOptions::new().on_merge(move |event: &MergeEvent| {
///     if let MergeEvent::Finished { record, .. } = event {
///         assert_eq!(record["docs"], 2);
///         *counter.lock().unwrap() += 1;
///     }
/// });
/// let directory = Arc::new(RamDirectory::new());
/// let index = IndexBuilder::new().create(directory, Schema::builder().build()?)?;
/// let writer = index.writer_with(options)?;
/// for _ in 0..2 {
///     writer.add(&Document::new())?;
///     writer.commit()?;
/// }
/// writer.force_merge(1, &Cancel::new())?;
/// assert_eq!(*finished.lock().unwrap(), 1);
/// # Ok::<(), lucerne::Error>(())
/// ```
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
    /// A merge has made progress.
    Progress {
        /// Name of the segment it will make.
        segment: String,
        /// The step it is at: `verify`, `graph`, ….
        phase: &'static str,
        /// Units done.
        done: u64,
        /// Units of this phase.
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

/// Holds the [`MergeListener`] of a writer, or none; set it with
/// [`WriterOptions::on_merge`](crate::WriterOptions::on_merge).
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
