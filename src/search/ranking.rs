//! Documents in the order of their scores.

use super::hits::SegmentSearch;
use super::total::Total;
use crate::reader::{Snapshot, SnapshotSegment};
use lucerne_codec::{DocId, Neighbor};
use std::cmp::Ordering;

/// A document of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct DocAddress {
    /// Position of the document's segment in the snapshot.
    pub(super) segment: usize,
    pub(super) doc: DocId,
}

/// A document with its score.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScoredDoc {
    pub(super) address: DocAddress,
    pub(super) score: f32,
    /// The document's nearest vector, when the score comes from a kNN query or a reranking by vector.
    pub(super) vector: Option<MatchedVector>,
}

/// A vector of a document with its distance to the query's vector.
#[derive(Clone, Copy, Debug)]
pub(super) struct MatchedVector {
    /// The vector field's number.
    pub(super) field: u32,
    pub(super) neighbor: Neighbor,
}

/// The best documents of a query.
pub(super) struct Ranking {
    /// Best first, ties in the order of keys.
    pub(super) docs: Vec<ScoredDoc>,
    /// False when distances are estimates from codes.
    pub(super) exact: bool,
    /// What was done in each segment.
    pub(super) segments: Vec<SegmentSearch>,
    /// How many documents the query finds.
    pub(super) total: Total,
}

impl Ranking {
    /// No documents.
    pub(super) fn none() -> Self {
        Self { docs: Vec::new(), exact: true, segments: Vec::new(), total: Total::default() }
    }

    /// The rank of a document, from 0.
    pub(super) fn rank_of(&self, address: DocAddress) -> Option<usize> {
        self.docs.iter().position(|doc| doc.address == address)
    }
}

/// Orders documents by the bytes of their keys.
pub(super) fn by_key(snapshot: &Snapshot, left: DocAddress, right: DocAddress) -> Ordering {
    if left.segment == right.segment {
        let segment = snapshot.segments.get(left.segment);
        return segment.map_or(Ordering::Equal, |segment| segment.reader.keys().order(left.doc, right.doc));
    }
    let key = |DocAddress { segment, doc }| snapshot.segments.get(segment)?.reader.keys().key(doc).ok();
    key(left).cmp(&key(right))
}

/// Orders documents by their scores, best first, ties by their keys.
pub(super) fn best_first(snapshot: &Snapshot) -> impl Fn(&ScoredDoc, &ScoredDoc) -> Ordering + Copy + '_ {
    move |left, right| {
        let by_score = right.score.total_cmp(&left.score);
        by_score.then_with(|| by_key(snapshot, left.address, right.address))
    }
}

/// Orders the documents of one segment by the bytes of their keys.
pub(super) fn key_order(segment: &SnapshotSegment) -> impl Fn(DocId, DocId) -> Ordering + Sync + '_ {
    |left, right| segment.reader.keys().order(left, right)
}
