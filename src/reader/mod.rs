//! Reading: segments, and snapshots of them.

mod pins;
mod segment;
mod snapshot;
mod store;
mod without_raw;

pub(crate) use pins::Pins;
pub(crate) use segment::{SegmentReader, VectorSegment, open_context, read_live_docs};
pub(crate) use snapshot::{PinnedCommit, Snapshot, SnapshotSegment, check_fields};
pub(crate) use store::Store;
pub(crate) use without_raw::info_without_raw;
