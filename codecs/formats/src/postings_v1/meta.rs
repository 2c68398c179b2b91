//! What the segment info keeps of postings: by field, counts and where things are.

use super::TERMS_PER_BLOCK;
use super::dictionary::DictionaryAt;
use super::spellings::SpellingsAt;
use lucerne_codec::postings::{FieldStats, PostingsField};
use lucerne_codec::{Error, Metadata, Result};
use serde::{Deserialize, Serialize};

/// The metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meta {
    /// By ascending number.
    pub(super) fields: Vec<FieldMeta>,
    /// Bytes of each file, in order.
    pub(super) files: Vec<u64>,
}

/// A field with terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldMeta {
    pub(super) field: PostingsField,
    pub(super) stats: FieldStats,
    /// Where the terms start in `.terms`, and the index of their blocks.
    pub(super) dictionary: u64,
    pub(super) index: u64,
    /// Where the lengths are in `.len`; only with positions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lengths: Option<LengthsAt>,
    /// The filter of the terms, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) spellings: Option<SpellingsAt>,
}

/// Where the lengths of a field's documents are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LengthsAt {
    pub(super) start: u64,
    /// Bytes of one: 1, 2 or 4.
    pub(super) width: u8,
}

impl FieldMeta {
    pub(super) fn dictionary(&self) -> DictionaryAt {
        DictionaryAt { start: self.dictionary, index: self.index, terms: self.stats.terms }
    }
}

impl Meta {
    pub(super) fn to_metadata(&self) -> Result<Metadata> {
        serde_json::to_value(self).map_err(|error| Error::Invalid(format!("postings_v1: {error}")))
    }

    /// Reads the metadata of postings whose first file is `file`; they are as untrusted as any byte.
    pub(super) fn from_metadata(metadata: &Metadata, file: &str, max_doc: u32) -> Result<Self> {
        let corrupt = |problem: String| Error::corrupt(file, 0, format!("metadata of postings: {problem}"));
        let meta: Self =
            serde_json::from_value(metadata.clone()).map_err(|error| corrupt(error.to_string()))?;
        if !meta.fields.is_sorted_by(|left, right| left.field.number < right.field.number) {
            return Err(corrupt("fields out of order".to_owned()));
        }
        for field in &meta.fields {
            let stats = field.stats;
            let lengths = field.lengths.map(|lengths| matches!(lengths.width, 1 | 2 | 4));
            let expected = field.field.positions.then_some(true);
            let possible = (1..=u64::MAX - TERMS_PER_BLOCK).contains(&stats.terms)
                && (1..=max_doc).contains(&stats.docs)
                && (field.field.positions || stats.tokens == 0);
            if lengths != expected || !possible {
                return Err(corrupt(format!("field {} cannot be so", field.field.number)));
            }
        }
        Ok(meta)
    }

    /// Whether there are files of positions and lengths.
    pub(super) fn positions(&self) -> bool {
        self.fields.iter().any(|field| field.field.positions)
    }
}
