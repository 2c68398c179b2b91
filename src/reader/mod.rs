//! Reading: segments, and snapshots of them.

mod pins;
mod segment;
mod snapshot;
mod store;

pub(crate) use pins::Pins;
pub(crate) use segment::{SegmentReader, read_live_docs};
pub(crate) use snapshot::{PinnedCommit, Snapshot, SnapshotSegment, check_fields};
pub(crate) use store::Store;
