//! The metadata a segment info keeps of its columns.

use super::{BLOCK_DOCS, ENTRY_LEN};
use lucerne_codec::columns::{ColumnField, ColumnKind};
use lucerne_codec::format::OpenContext;
use lucerne_codec::{Error, Metadata, Result};
use serde::{Deserialize, Serialize};

/// Everything needed to open the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meta {
    /// By ascending field number.
    pub(super) columns: Vec<ColumnMeta>,
}

/// A column.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnMeta {
    pub(super) field: ColumnField,
    /// Where it starts in the file.
    pub(super) at: u64,
    /// Its length in bytes.
    pub(super) len: u64,
    /// Documents with a value.
    pub(super) docs: u32,
    /// Values.
    pub(super) values: u64,
    /// The least number; of keywords: position in the dictionary.
    pub(super) least: i64,
    /// The greatest.
    pub(super) greatest: i64,
    /// Blocks.
    pub(super) blocks: u32,
    /// Keywords only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dictionary: Option<DictionaryMeta>,
}

/// A dictionary.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DictionaryMeta {
    pub(super) terms: u32,
    /// Length of all terms together, in bytes.
    pub(super) bytes: u64,
}

impl Meta {
    pub(super) fn to_metadata(&self) -> Result<Metadata> {
        serde_json::to_value(self).map_err(|error| Error::Invalid(error.to_string()))
    }

    /// Reads the metadata of `file` and holds them against the segment and against each other; that
    /// the columns fill the file and that their parts fit into them is for those who cut them out.
    pub(super) fn read(context: &OpenContext<'_>, file: &str) -> Result<Self> {
        let refuse = |problem: String| Error::corrupt(file, 0, format!("segment info: {problem}"));
        let meta = Self::deserialize(context.meta).map_err(|error| refuse(error.to_string()))?;
        if !meta.columns.is_sorted_by(|left, right| left.field.number < right.field.number) {
            return Err(refuse("columns are out of order".to_owned()));
        }
        for column in &meta.columns {
            if let Some(problem) = column.problem(context.max_doc) {
                return Err(refuse(format!("column of field {}: {problem}", column.field.number)));
            }
        }
        Ok(meta)
    }
}

impl ColumnMeta {
    fn problem(&self, max_doc: u32) -> Option<String> {
        let (docs, blocks) = (self.docs, self.blocks);
        if docs == 0 || docs > max_doc || self.values < docs.into() {
            return Some(format!("{docs} documents with {} values, of {max_doc} in all", self.values));
        }
        if blocks == 0 || blocks > docs || blocks > max_doc.div_ceil(BLOCK_DOCS) {
            return Some(format!("{blocks} blocks for {docs} documents"));
        }
        if self.least > self.greatest {
            return Some(format!("values from {} to {}", self.least, self.greatest));
        }
        match (self.field.kind, self.dictionary) {
            (ColumnKind::Numbers, None) => None,
            (ColumnKind::Keywords, Some(dictionary)) => {
                let DictionaryMeta { terms, bytes } = dictionary;
                // All terms differ, so one of them at most is empty.
                let most = self.values.min(bytes.saturating_add(1));
                let positions = (0, i64::from(terms) - 1);
                let sound = (self.least, self.greatest) == positions && u64::from(terms) <= most;
                (!sound).then(|| format!("{terms} terms of {bytes} bytes in {} values", self.values))
            }
            _ => Some("a dictionary is missing or too many".to_owned()),
        }
    }

    /// Length of the table of blocks.
    pub(super) fn table_len(&self) -> u64 {
        u64::from(self.blocks) * ENTRY_LEN
    }
}
