//! Merging segments in the background: the [`MergePolicy`] chooses which, and a [`MergeListener`] is told about each
//! merge. Both are set in [`WriterOptions`](crate::WriterOptions), as are the number of threads and the bandwidth.
//! [`Writer::force_merge`](crate::Writer::force_merge) merges on request.
//!
//! In this module's source, `policy` chooses segments, `scheduler` starts merges, `task` runs one, `memory` says what it
//! takes, `segment_meta` what policies are told of a segment, `throttle` limits its speed, and `report` has the events.

mod memory;
mod policy;
mod report;
mod scheduler;
mod segment_meta;
mod task;
mod throttle;

pub(crate) use memory::memory;
pub(crate) use policy::{MergeCandidate, SegmentMeta, even_merges, expunge_deletes, force_merge, upgrade};
pub use policy::{MergePolicy, TieredOptions};
pub use report::{MergeEvent, MergeListener, MergeObserver};
pub(crate) use scheduler::Scheduler;
pub(crate) use segment_meta::segment_meta;
pub(crate) use task::{MergeRecord, Merged, Source, merge, needs, plan};
pub(crate) use throttle::ThrottledDirectory;
