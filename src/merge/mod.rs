//! Merging segments: which (`policy`), when and how many at once (`scheduler`), how (`task`), at what speed
//! (`throttle`), and how the application learns of it (`report`).

mod policy;
mod report;
mod scheduler;
mod task;
mod throttle;

pub(crate) use policy::{MergeCandidate, SegmentMeta, expunge_deletes, force_merge, upgrade};
pub use policy::{MergePolicy, TieredOptions};
pub use report::{MergeEvent, MergeListener, MergeObserver};
pub(crate) use scheduler::Scheduler;
pub(crate) use task::{MergeRecord, Merged, Source, merge, plan};
pub(crate) use throttle::ThrottledDirectory;
