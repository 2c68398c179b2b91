//! What a search knows before it begins, from a call that makes it together with others.

use super::effort::Asked;
use lucerne_codec::BitSet;
use lucerne_codec::vector::VectorHits;

/// The field's number, how many neighbors are wanted of each segment, and how much is asked of it.
type Looked = (u32, usize, Asked);

/// What searches of one kind share, and what each has found. Made for one snapshot.
pub(super) struct Shared {
    pub(super) looked: Looked,
    /// By search: its vector's bytes.
    pub(super) rows: Vec<Vec<u8>>,
    pub(super) segments: Vec<InSegment>,
}

/// What is known of a segment.
pub(super) struct InSegment {
    /// The documents that the filters accept; `None` without filters.
    pub(super) accepted: Option<BitSet>,
    /// By search, if that was looked for together.
    pub(super) hits: Option<Vec<VectorHits>>,
}

impl Shared {
    /// What the search of this number knows.
    pub(super) fn known(&self, search: usize) -> Known<'_> {
        Known { shared: self, search }
    }
}

/// What one of the searches made together knows.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    shared: &'a Shared,
    search: usize,
}

impl<'a> Known<'a> {
    /// The documents of a segment that the search's filters accept, if it has filters.
    pub(super) fn accepted(&self, segment: usize) -> Option<&'a BitSet> {
        self.shared.segments.get(segment)?.accepted.as_ref()
    }

    /// What the search for the neighbors of a vector has found in a segment, if that is the one.
    pub(super) fn hits(&self, looked: Looked, row: &[u8], segment: usize) -> Option<VectorHits> {
        let Shared { looked: its_looked, rows, segments } = self.shared;
        let is_same = *its_looked == looked && rows.get(self.search)? == row;
        let hits = segments.get(segment)?.hits.as_ref().filter(|_| is_same)?;
        hits.get(self.search).cloned()
    }
}
