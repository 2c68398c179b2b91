//! The sparse vectors of one field, open for reading.

use super::lists::Lists;
use super::meta::FieldMeta;
use super::rows::Rows;
use lucerne_codec::sparse::{SparseRow, SparseVectors, WeightList};
use lucerne_codec::{DocId, Result};

/// One field of a segment.
pub(super) struct Field {
    pub(super) meta: FieldMeta,
    pub(super) rows: Rows,
    /// `None` when they are to be made again.
    pub(super) lists: Option<Lists>,
}

impl SparseVectors for Field {
    fn docs(&self) -> u32 {
        self.meta.docs
    }

    #[inline]
    fn row(&self, doc: DocId) -> Result<SparseRow<'_>> {
        self.rows.row(doc)
    }

    fn list(&self, dimension: u32) -> Result<Option<WeightList<'_>>> {
        match &self.lists {
            Some(lists) => lists.list(dimension),
            None => Ok(None),
        }
    }
}
