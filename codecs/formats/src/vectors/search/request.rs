//! What is searched for, and where.

use super::collector::Collector;
use super::cost;
use super::work::Work;
use crate::hnsw::graph::SearchScratch;
use crate::vectors::documents::Documents;
use crate::vectors::segment::VectorSegment;
use lucerne_codec::Ordinal;
use lucerne_codec::vector::VectorSearch;

/// A search in one segment.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) segment: &'a VectorSegment,
    /// The documents of its vectors.
    pub(super) map: Documents<'a>,
    pub(super) request: &'a VectorSearch<'a>,
    /// How much to do.
    pub(super) work: Work,
    /// How many vectors are accepted, about.
    pub(super) accepted: f64,
    /// Whether a document is to be found once; candidates to be rescored are vectors.
    pub(super) documents: bool,
    /// A vector that the search does not see: the one whose row is the query, when recall is measured.
    pub(super) hidden: Option<Ordinal>,
}

impl<'a> Search<'a> {
    pub(super) fn new(segment: &'a VectorSegment, request: &'a VectorSearch<'a>, work: Work) -> Self {
        let accepted = cost::accepted_vectors(segment, &request.accept);
        let (map, documents) = (segment.map.documents(), segment.params.multiple);
        Self { segment, map, request, work, accepted, documents, hidden: None }
    }

    /// The same search for candidates: vectors, not documents.
    pub(super) fn for_candidates(&self, request: &'a VectorSearch<'a>) -> Self {
        Self { request, documents: false, ..*self }
    }

    /// An empty collector of what is wanted.
    pub(super) fn collector(&self) -> Collector<'a> {
        if self.documents {
            Collector::documents(self.request.k, self.request.ties)
        } else {
            Collector::vectors(self.request.k, self.request.ties)
        }
    }

    /// How many nearest a graph search watches: it ends when they have not changed for a while.
    pub(super) fn watched(&self) -> usize {
        self.work.watched.unwrap_or(self.request.k)
    }

    /// As many as can be found.
    pub(super) fn wanted(&self) -> usize {
        self.request.k.min(self.request.accept.count() as usize)
    }

    /// Whether a vector's document may be returned.
    #[inline]
    pub(super) fn accepts(&self, ordinal: Ordinal) -> bool {
        self.hidden != Some(ordinal) && self.map.accepts(&self.request.accept, ordinal)
    }
}

/// What differs in a search that measures recall.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::vectors) struct Measured {
    /// See [`Search::hidden`].
    pub(in crate::vectors) hidden: Option<Ordinal>,
    /// See [`Work::watched`].
    pub(in crate::vectors) watched: Option<usize>,
}

/// Memory kept from one search to the next.
#[derive(Debug, Default)]
pub(in crate::vectors) struct Scratch {
    pub(super) graph: SearchScratch,
    /// Vectors that a graph search found.
    pub(super) found: Vec<(f32, Ordinal)>,
    pub(super) ordinals: Vec<Ordinal>,
    pub(super) distances: Vec<f32>,
}
