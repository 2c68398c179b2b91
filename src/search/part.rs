//! A segment in which a search runs.

use crate::reader::SnapshotSegment;
use lucerne_codec::Cancel;

/// Documents of a plain loop between two looks at the cancel flag.
pub(super) const CANCEL_STEP: usize = 4_096;

/// A segment in which a search runs, and what stops it.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// Position of the segment in the snapshot.
    pub(super) index: usize,
    pub(super) segment: &'a SnapshotSegment,
    pub(super) cancel: &'a Cancel,
}
