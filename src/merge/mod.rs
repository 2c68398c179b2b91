//! Merging segments in the background: the [`MergePolicy`] chooses which, and a [`MergeListener`] is told about each
//! merge. Both are set in [`WriterOptions`](crate::WriterOptions), as are the number of threads and the bandwidth.
//! [`Writer::force_merge`](crate::Writer::force_merge) merges on request.
//!
//! In this module's source, `policy` chooses segments, `scheduler` starts merges, `task` runs one, `memory` says what it
//! takes, `outdated` says which segments are of older formats, `throttle` limits its speed, and `report` has the events.

mod memory;
mod outdated;
mod policy;
mod report;
mod scheduler;
mod task;
mod throttle;

pub(crate) use memory::memory;
pub(crate) use outdated::is_outdated;
pub(crate) use policy::{MergeCandidate, SegmentMeta, expunge_deletes, force_merge, upgrade};
pub use policy::{MergePolicy, TieredOptions};
pub use report::{MergeEvent, MergeListener, MergeObserver};
pub(crate) use scheduler::Scheduler;
pub(crate) use task::{MergeRecord, Merged, Source, merge, needs, plan};
pub(crate) use throttle::ThrottledDirectory;
