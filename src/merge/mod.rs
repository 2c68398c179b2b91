//! Merging segments: which (`policy`), when and how many at once (`scheduler`), how (`task`), at what speed
//! (`throttle`), and what is told about it (`report`).

mod policy;
mod report;
mod scheduler;
mod task;
mod throttle;

pub(crate) use policy::{Intention, SegmentMeta, expunge_deletes, force_merge, upgrade};
pub use policy::{MergePolicy, TieredOptions};
pub use report::{MergeEvent, MergeListener, MergeObserver};
pub(crate) use scheduler::Scheduler;
pub(crate) use task::{Merged, Source, Task, merge, plan, structure};
pub(crate) use throttle::ThrottledDirectory;
