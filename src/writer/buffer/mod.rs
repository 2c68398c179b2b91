//! Documents in memory, on their way into a segment.

pub(super) mod columns;
pub(super) mod sparse;
pub(super) mod terms;

use super::segment_state::SegmentState;
use crate::document::Validated;
use crate::memory::Charge;
use columns::NumbersBuffer;
use lucerne_codec::DocId;
use lucerne_codec::vector::VectorRows;
use sparse::SparseBuffer;
use std::collections::BTreeMap;
use std::sync::Arc;
use terms::TermsBuffer;

/// The vectors of one field.
#[derive(Debug, Default)]
pub(crate) struct BufferedVectors {
    rows: Vec<u8>,
    docs: Vec<DocId>,
}

impl BufferedVectors {
    pub(crate) fn rows(&self) -> VectorRows<'_> {
        VectorRows { rows: &self.rows, docs: &self.docs }
    }
}

/// Validated documents of one thread at a time.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    pub(crate) state: Arc<SegmentState>,
    keys: Vec<Box<str>>,
    stored: Vec<u8>,
    stored_ends: Vec<usize>,
    vectors: BTreeMap<u32, BufferedVectors>,
    pub(super) terms: TermsBuffer,
    pub(super) numbers: NumbersBuffer,
    pub(super) sparse: SparseBuffer,
    /// Bytes it takes now and will take while it is flushed.
    bytes: usize,
    /// Bytes it may take before it is flushed; 0 when that is not known.
    budget: usize,
    /// Where these bytes are counted.
    charge: Charge,
}

/// Memory a document takes beside its key, stored bytes and vectors: offsets, map entry, allocations.
const BYTES_PER_DOC: usize = 160;
/// About what a byte of a stored document takes with the terms made of it.
const BYTES_PER_STORED: usize = 5;

impl Buffer {
    /// A buffer that is flushed when it takes about `budget` bytes.
    pub(crate) fn with_budget(budget: usize, charge: Charge) -> Self {
        let mut buffer = Self { budget, charge, ..Self::default() };
        reserve(&mut buffer.stored, budget / 4);
        buffer
    }

    /// Takes a document and returns its id. `vector_bytes(field)` is the number of bytes that one vector of a field costs
    /// until it is flushed.
    pub(crate) fn push(
        &mut self,
        key: &str,
        document: &Validated,
        vector_bytes: impl Fn(u32) -> usize,
    ) -> DocId {
        let doc = self.keys.len() as DocId;
        self.keys.push(key.into());
        self.stored.extend_from_slice(&document.stored);
        self.stored_ends.push(self.stored.len());
        self.bytes += BYTES_PER_DOC + 2 * key.len() + document.stored.len();
        self.bytes += self.terms.push(doc, document) + self.numbers.push(doc, document);
        self.bytes += self.sparse.push(doc, document);
        for (field, row) in &document.vectors {
            let bytes = vector_bytes(*field);
            let vectors = self.vectors.entry(*field).or_insert_with(|| {
                let mut vectors = BufferedVectors::default();
                reserve(&mut vectors.rows, self.budget / bytes.max(1) * row.len());
                vectors
            });
            vectors.rows.extend_from_slice(row);
            vectors.docs.push(doc);
            self.bytes += bytes;
        }
        self.charge.set(self.bytes as u64);
        doc
    }

    /// About the bytes that a document will take, before its terms are counted.
    pub(crate) fn needs(document: &Validated, vector_bytes: impl Fn(u32) -> usize) -> u64 {
        let vectors: usize = document.vectors.iter().map(|(field, _)| vector_bytes(*field)).sum();
        (BYTES_PER_DOC + BYTES_PER_STORED * document.stored.len() + vectors) as u64
    }

    pub(crate) fn len(&self) -> u32 {
        self.keys.len() as u32
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn keys(&self) -> &[Box<str>] {
        &self.keys
    }

    pub(crate) fn stored(&self, doc: DocId) -> &[u8] {
        let doc = doc as usize;
        let start = doc.checked_sub(1).and_then(|before| self.stored_ends.get(before)).copied().unwrap_or(0);
        let end = self.stored_ends.get(doc).copied().unwrap_or(start);
        self.stored.get(start..end).unwrap_or_default()
    }

    /// The stored rows of a document with their field's number, in the order they were given.
    pub(crate) fn vectors_of(&self, doc: DocId) -> Vec<(u32, Vec<u8>)> {
        let mut found = Vec::new();
        for (field, BufferedVectors { rows, docs }) in &self.vectors {
            let row_len = rows.len() / docs.len().max(1);
            let own = docs.partition_point(|other| *other < doc)..docs.partition_point(|other| *other <= doc);
            let rows = own.filter_map(|at| rows.get(at * row_len..(at + 1) * row_len));
            found.extend(rows.map(|row| (*field, row.to_vec())));
        }
        found
    }

    /// Vector fields that at least one document has, by number.
    pub(crate) fn vectors(&self) -> impl Iterator<Item = (u32, &BufferedVectors)> {
        self.vectors.iter().map(|(field, vectors)| (*field, vectors))
    }
}

/// Sets address space aside, so that growing neither copies nor leaves holes in the heap: memory counts only
/// once it is written to. Without it the vector grows as vectors do.
fn reserve(bytes: &mut Vec<u8>, capacity: usize) {
    let _ = bytes.try_reserve_exact(capacity);
}
