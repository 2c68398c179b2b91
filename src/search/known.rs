//! What a search knows before it begins, from a call that makes it together with others.

use super::effort::Asked;
use lucerne_codec::BitSet;
use lucerne_codec::vector::VectorHits;

/// The field's number, how many neighbors are wanted of each segment, and how much is asked of it.
type Looked = (u32, usize, Asked);

/// What searches of one kind share, and what each has found. Made for one snapshot.
pub(super) struct Shared {
    looked: Looked,
    /// By segment: the documents that their filters accept; `None` without filters.
    accepted: Vec<Option<BitSet>>,
    /// By search: its vector's bytes, and what is found in each segment, if that was looked for together.
    found: Vec<(Vec<u8>, Vec<Option<VectorHits>>)>,
}

impl Shared {
    /// Of searches for the neighbors of `rows`, no segment yet.
    pub(super) fn new(looked: Looked, rows: Vec<Vec<u8>>) -> Self {
        let found = rows.into_iter().map(|row| (row, Vec::new())).collect();
        Self { looked, accepted: Vec::new(), found }
    }

    /// Adds what is known of the next segment; the hits are by search.
    pub(super) fn add(&mut self, accepted: Option<BitSet>, hits: Option<Vec<VectorHits>>) {
        self.accepted.push(accepted);
        let mut hits = hits.into_iter().flatten();
        self.found.iter_mut().for_each(|(_, found)| found.push(hits.next()));
    }

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
        self.shared.accepted.get(segment)?.as_ref()
    }

    /// What the search for the neighbors of a vector has found in a segment, if that is the one.
    pub(super) fn hits(&self, looked: Looked, row: &[u8], segment: usize) -> Option<VectorHits> {
        let (its_row, hits) = self.shared.found.get(self.search)?;
        let is_same = (self.shared.looked, &its_row[..]) == (looked, row);
        hits.get(segment).filter(|_| is_same)?.clone()
    }
}
