//! The face of an open vector field: what the engine calls.

use super::search::{self, Scratch};
use super::segment::VectorSegment;
use super::{figures, report, self_search, verify};
use crate::encoding::EncodedVectors;
use crate::hnsw::file::GraphFile;
use lucerne_codec::format::Problem;
use lucerne_codec::vector::{Effort, SelfSearches, VectorHits, VectorReader, VectorSearch};
use lucerne_codec::{Cancel, DocId, Neighbor, Ordinal, Report, Result};
use parking_lot::Mutex;
use std::any::Any;
use std::borrow::Cow;

/// The reader of every built-in vector format.
pub struct VectorFieldReader {
    pub(super) segment: VectorSegment,
    /// Memory of searches that have ended, for the next ones.
    scratch: Mutex<Vec<Scratch>>,
}

impl VectorFieldReader {
    pub(super) fn new(segment: VectorSegment) -> Self {
        Self { segment, scratch: Mutex::default() }
    }

    /// The reader behind a trait object, if it is one of these.
    pub(super) fn of(reader: &dyn VectorReader) -> Option<&Self> {
        reader.as_any().downcast_ref()
    }

    /// The encoded vectors, if they are of type `T`.
    pub fn encoded<T: EncodedVectors + 'static>(&self) -> Option<&T> {
        self.segment.encoded.as_any().downcast_ref()
    }

    /// The graph, when there are enough vectors for one.
    pub fn graph(&self) -> Option<&GraphFile> {
        self.segment.graph()
    }
}

impl VectorReader for VectorFieldReader {
    fn len(&self) -> usize {
        self.segment.len
    }

    fn doc(&self, ordinal: Ordinal) -> Result<DocId> {
        self.segment.map.doc(ordinal)
    }

    fn ordinal(&self, doc: DocId) -> Result<Option<Ordinal>> {
        Ok(self.segment.map.ordinal(doc))
    }

    fn ordinals(&self, doc: DocId, into: &mut Vec<Ordinal>) -> Result<()> {
        into.clear();
        into.extend(self.segment.map.ordinals(doc));
        Ok(())
    }

    fn row(&self, ordinal: Ordinal) -> Result<&[u8]> {
        self.segment.raw()?.row(ordinal)
    }

    fn keeps_raw(&self) -> bool {
        self.segment.raw.is_some()
    }

    fn vector(&self, ordinal: Ordinal) -> Result<Cow<'_, [u8]>> {
        self.segment.vector(ordinal)
    }

    fn search(&self, request: &VectorSearch<'_>) -> Result<VectorHits> {
        self.segment.check_query(request.query)?;
        if !request.goes_on()? {
            return Ok(VectorHits { partial: true, strategy: "none", ..VectorHits::default() });
        }
        let mut scratch = self.scratch.lock().pop().unwrap_or_default();
        let hits = search::run(&self.segment, request, &mut scratch);
        self.scratch.lock().push(scratch);
        hits
    }

    fn search_together(
        &self,
        queries: &[&[u8]],
        search: &VectorSearch<'_>,
    ) -> Result<Option<Vec<VectorHits>>> {
        queries.iter().try_for_each(|query| self.segment.check_query(query))?;
        search::search_together(&self.segment, queries, search)
    }

    fn candidates(&self, k: usize, effort: Effort) -> Option<usize> {
        search::candidates(&self.segment, k, effort)
    }

    fn default_candidates(&self, k: usize) -> Option<usize> {
        self.segment.encoded.default_candidates(k)
    }

    fn rescore(&self, query: &[u8], neighbors: &mut [Neighbor]) -> Result<()> {
        self.segment.check_query(query)?;
        search::rescore_neighbors(&self.segment, query, neighbors)
    }

    fn inspect(&self) -> Report {
        report::inspect(&self.segment)
    }

    fn figures(&self, sample: &[Ordinal], cancel: &Cancel) -> Result<Report> {
        figures::figures(&self.segment, sample, cancel)
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        verify::verify(&self.segment, cancel)
    }

    fn search_selves(&self, cancel: &Cancel) -> Result<Option<SelfSearches>> {
        self_search::search_selves(&self.segment, cancel)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
