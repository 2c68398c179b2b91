//! Sparse vectors in memory, on their way into a segment.

use crate::document::Validated;
use crate::error::Result;
use crate::schema::Schema;
use lucerne_codec::format::WriteContext;
use lucerne_codec::segment_info::StructureInfo;
use lucerne_codec::sparse::{SparseField, SparseRow, SparseSource, TakeRow};
use lucerne_codec::{DocId, Registry};
use std::collections::BTreeMap;

/// Times a row's bytes that it takes now and will take while it is flushed.
const TIMES: usize = 2;
/// Bytes a row takes beside its own.
const BYTES_PER_ROW: usize = 24;

/// The rows of all fields, by field number.
#[derive(Debug, Default)]
pub(crate) struct SparseBuffer {
    fields: BTreeMap<u32, Rows>,
}

/// The rows of one field, one after the other.
#[derive(Debug, Default)]
struct Rows {
    bytes: Vec<u8>,
    /// The documents that have one, and where it ends.
    docs: Vec<(DocId, usize)>,
}

impl SparseBuffer {
    /// Adds a document's rows; returns the bytes they take.
    pub(super) fn push(&mut self, doc: DocId, document: &Validated) -> usize {
        let mut bytes = 0;
        for (field, row) in document.indexed.sparse.iter().filter(|(_, row)| !row.is_empty()) {
            let rows = self.fields.entry(*field).or_default();
            rows.bytes.extend_from_slice(row);
            rows.docs.push((doc, rows.bytes.len()));
            bytes += TIMES * row.len() + BYTES_PER_ROW;
        }
        bytes
    }
}

/// The rows of a buffer, as a format reads them.
struct BufferedSparse<'a> {
    schema: &'a Schema,
    sparse: &'a SparseBuffer,
}

impl SparseSource for BufferedSparse<'_> {
    fn fields(&self) -> Vec<SparseField> {
        let name = |number: u32| self.schema.fields().get(number as usize).map_or("", |field| field.name());
        let of = |&number: &u32| SparseField { number, name: name(number).to_owned() };
        self.sparse.fields.keys().map(of).collect()
    }

    fn each_row(&self, number: u32, take: &mut TakeRow<'_>) -> lucerne_codec::Result<()> {
        let Some(rows) = self.sparse.fields.get(&number) else { return Ok(()) };
        let mut start = 0;
        for &(doc, end) in &rows.docs {
            take(doc, SparseRow::new(rows.bytes.get(start..end).unwrap_or_default()))?;
            start = end;
        }
        Ok(())
    }
}

/// Writes the sparse vectors of a buffer, if there are any.
pub(in crate::writer) fn write(
    registry: &Registry,
    context: &WriteContext<'_>,
    schema: &Schema,
    sparse: &SparseBuffer,
) -> Result<Option<StructureInfo>> {
    if sparse.fields.is_empty() {
        return Ok(None);
    }
    let format = registry.default_sparse()?;
    let written = format.write(context, &BufferedSparse { schema, sparse })?;
    Ok(Some(StructureInfo::new(format.name(), written)))
}
