//! Hashes of a segment being written.

use super::encode::Hashes;
use super::file;
use crate::distance::GraphVectors;
use crate::encoding::raw::raw_graph_vectors;
use crate::encoding::rows::Rows;
use crate::encoding::traits::{EncodeContext, NewVectors, WrittenVectors};
use lucerne_codec::{Error, FieldInfo, Ordinal, Result};

/// Hashes, and the raw vectors they were made of.
pub(super) struct NewHashes<'a> {
    pub(super) field: &'a FieldInfo,
    pub(super) hashes: Hashes,
    pub(super) rows: &'a dyn Rows,
}

impl NewVectors for NewHashes<'_> {
    /// The raw vectors: hashes are too coarse to choose neighbors by.
    fn graph_vectors(&self) -> Result<Box<dyn GraphVectors + '_>> {
        raw_graph_vectors(self.field, self.rows)
    }

    fn write(&self, context: &EncodeContext<'_>, order: &[Ordinal]) -> Result<WrittenVectors> {
        let (file, meta) = file::write(context, &self.hashes, order)?;
        let meta = serde_json::to_value(meta).map_err(|error| Error::Invalid(error.to_string()))?;
        Ok(WrittenVectors { files: vec![file], meta, spare: Vec::new() })
    }
}
