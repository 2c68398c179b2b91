//! A vector format, as the registry knows it.

use super::format::{IndexKind, VectorFieldFormat};
use super::params::check_component;
use super::reader::VectorFieldReader;
use super::segment::VectorSegment;
use super::{merge, salvage, write};
use crate::hnsw::graph::bulk_bytes;
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::{Metadata, OpenContext, Working, WriteContext, Written};
use lucerne_codec::vector::{SalvagedVectors, VectorFormat, VectorKind, VectorReader, VectorRows};
use lucerne_codec::{Cancel, FieldInfo, MergeInput, Report, Result};

/// Bytes of a vector in a merge, its links apart.
const MERGE_BYTES: u64 = 56;

impl VectorFieldFormat {
    /// Bytes of heap that building the graph of so many vectors in bulk takes besides.
    fn bulk_bytes(&self, field: &FieldInfo, vectors: usize, m: usize, working: Working) -> usize {
        let is_bulk_built = self.index == IndexKind::Hnsw && self.encoding.compares_panels(field);
        if is_bulk_built { bulk_bytes(vectors, m, working) } else { 0 }
    }
}

impl VectorFormat for VectorFieldFormat {
    fn name(&self) -> &'static str {
        self.name
    }

    fn serves(&self) -> Option<VectorKind> {
        let (index, encoding) = (self.index.name(), self.encoding.name());
        Some(VectorKind { component: self.component, index, encoding })
    }

    fn check(&self, field: &FieldInfo) -> Result<()> {
        self.params(field).map(|_| ())
    }

    /// The row and its document id in the buffer; while flushing the encoded vector, and for the graph two copies
    /// (building, renumbering) with half a row more for the upper levels and the distances that a graph under
    /// construction keeps with its links, or what building in bulk takes, whichever is more.
    fn buffered_bytes(&self, field: &FieldInfo) -> usize {
        let m = self.params(field).map_or(16, |params| params.m);
        let copies = 2 * m * 4 * 4;
        // Of as many as a buffer may well have.
        let many = 1 << 20;
        let built = self.bulk_bytes(field, many, m, Working::Heap) / many + 2 * m * 4 * 2;
        let graph = if self.index == IndexKind::Hnsw { copies.max(built) } else { 0 };
        field.row_len() + 4 + self.encoding.buffered_bytes(field) + graph + 16
    }

    /// Beside the graph places, documents and corrections; rows are in files, and codes if they are many.
    fn merge_bytes(&self, field: &FieldInfo, vectors: u64, working: Working) -> u64 {
        let m = self.params(field).map_or(16, |params| params.m as u64);
        let graph = match (self.index, working) {
            (IndexKind::Hnsw, Working::Heap) => 16 * m,
            // Levels above 0, where every m-th vector is.
            (IndexKind::Hnsw, Working::Files) => (8 * m + 12) / (m - 1).max(1),
            _ => 0,
        };
        let encoded = self.encoding.merge_bytes(field, vectors, working);
        let in_bulk =
            self.bulk_bytes(field, usize::try_from(vectors).unwrap_or(usize::MAX), m as usize, working);
        vectors.saturating_mul(graph + MERGE_BYTES).saturating_add(encoded).saturating_add(in_bulk as u64)
    }

    fn write(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        vectors: VectorRows<'_>,
        previous: Option<&dyn VectorReader>,
    ) -> Result<Written> {
        let previous = previous.and_then(VectorFieldReader::of);
        write::flush(self, context, field, vectors, previous)
    }

    fn open(&self, context: &OpenContext<'_>, field: &FieldInfo) -> Result<Box<dyn VectorReader>> {
        check_component(self.name, self.component, field)?;
        let segment = VectorSegment::open(self.name, self.index, &*self.encoding, context, field)?;
        Ok(Box::new(VectorFieldReader::new(segment)))
    }

    fn salvage(
        &self,
        context: &OpenContext<'_>,
        field: &FieldInfo,
        cancel: &Cancel,
    ) -> Result<SalvagedVectors> {
        check_component(self.name, self.component, field)?;
        salvage::salvage(self, context, field, cancel)
    }

    fn without_raw(
        &self,
        field: &FieldInfo,
        files: &[FileEntry],
        meta: &Metadata,
    ) -> Result<Option<Written>> {
        write::without_raw(self, field, files, meta)
    }

    fn plan_merge(&self, field: &FieldInfo, sources: &[MergeInput<'_, dyn VectorReader>]) -> Result<Report> {
        merge::plan(self, field, sources, &Cancel::new())
    }

    fn merge(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        sources: &[MergeInput<'_, dyn VectorReader>],
    ) -> Result<(Written, Report)> {
        merge::merge(self, context, field, sources)
    }
}
