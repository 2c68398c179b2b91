//! The rows of one field, open for reading.

use super::meta::FieldMeta;
use lucerne_codec::io::bytes::u64_at;
use lucerne_codec::sparse::SparseRow;
use lucerne_codec::{DocId, Input, Result};

#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub(super) rows: Input,
    starts: Input,
}

impl Rows {
    /// Bytes that a field takes in the file.
    pub(super) fn len(meta: &FieldMeta, max_doc: u32) -> u64 {
        meta.rows() + (u64::from(max_doc) + 1) * 8
    }

    /// The rows that begin at `at` of a file.
    pub(super) fn open(file: &Input, at: u64, meta: &FieldMeta, max_doc: u32) -> Result<Self> {
        let part = file.sub(at, Self::len(meta, max_doc))?;
        let rows = part.sub(0, meta.rows())?;
        Ok(Self { rows, starts: part.sub(meta.rows(), (u64::from(max_doc) + 1) * 8)? })
    }

    /// The bytes of a document's row.
    #[inline]
    pub(super) fn bounds(&self, doc: DocId) -> Result<(u64, u64)> {
        let table = self.starts.bytes();
        let (start, end) = (u64_at(table, doc as usize), u64_at(table, doc as usize + 1));
        let sound =
            |(start, end): &(u64, u64)| start <= end && (end - start) % SparseRow::ENTRY_LEN as u64 == 0;
        start.zip(end).filter(sound).ok_or_else(|| {
            self.starts.corrupt(u64::from(doc) * 8, format!("no row of document {doc} can be here"))
        })
    }

    #[inline]
    pub(super) fn row(&self, doc: DocId) -> Result<SparseRow<'_>> {
        let (start, end) = self.bounds(doc)?;
        Ok(SparseRow::new(self.rows.slice(start, end - start)?))
    }
}
