//! What the segment info keeps of sparse vectors.

use lucerne_codec::format::OpenContext;
use lucerne_codec::sparse::{SparseField, SparseRow};
use lucerne_codec::{Error, Metadata, Result};
use serde::{Deserialize, Serialize};

/// The metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meta {
    /// By ascending number.
    pub(super) fields: Vec<FieldMeta>,
}

/// A field with vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldMeta {
    pub(super) field: SparseField,
    /// Documents with a vector that is not empty.
    pub(super) docs: u32,
    /// Weights of all documents.
    pub(super) entries: u64,
    /// Different dimensions.
    pub(super) dimensions: u32,
    /// Bytes of all lists.
    pub(super) lists: u64,
}

impl Meta {
    pub(super) fn to_metadata(&self) -> Result<Metadata> {
        serde_json::to_value(self).map_err(|error| Error::Invalid(format!("sparse_v1: {error}")))
    }

    /// Reads the metadata of vectors whose first file is `file`; they are as untrusted as any byte.
    pub(super) fn read(context: &OpenContext<'_>, file: &str) -> Result<Self> {
        let refuse = |problem: String| Error::corrupt(file, 0, format!("segment info: {problem}"));
        let meta = Self::deserialize(context.meta).map_err(|error| refuse(error.to_string()))?;
        if !meta.fields.is_sorted_by(|left, right| left.field.number < right.field.number) {
            return Err(refuse("fields of sparse vectors are out of order".to_owned()));
        }
        for field in &meta.fields {
            let FieldMeta { docs, entries, dimensions, .. } = *field;
            let possible = (1..=context.max_doc).contains(&docs)
                && (u64::from(docs)..=u64::MAX / 64).contains(&entries)
                && (1..=entries).contains(&u64::from(dimensions));
            if !possible {
                let number = field.field.number;
                let problem = format!("{entries} weights of {dimensions} dimensions in {docs} documents");
                return Err(refuse(format!("field {number}: {problem}")));
            }
        }
        Ok(meta)
    }
}

impl FieldMeta {
    /// Bytes of all rows.
    pub(super) fn rows(&self) -> u64 {
        self.entries * SparseRow::ENTRY_LEN as u64
    }
}
