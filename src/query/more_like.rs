//! Documents like another one, by the words of its texts.

use serde::{Deserialize, Serialize};

/// What a [`MoreLike`] compares with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LikeWhat {
    /// The document with this key.
    Key(String),
    /// This text.
    Text(String),
}

/// Finds documents with the characteristic words of a document or a text (Lucene's `MoreLikeThis`).
///
/// These are the words with the largest tf · idf: frequent in it, rare in the index. Documents with more and rarer ones of
/// them score higher, by BM25. The document itself is not found.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::query::MoreLike;
///
/// assert_eq!(searcher.search(MoreLike::key("nano").fields(["title"]))?.keys(), ["vim"]);
/// assert_eq!(searcher.search(MoreLike::text("an editor, a small one").min_doc_freq(1))?.keys(), ["nano", "vim"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoreLike {
    pub(crate) like: LikeWhat,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<String>,
    #[serde(default = "max_terms")]
    pub(crate) max_terms: usize,
    #[serde(default = "min_term_freq")]
    pub(crate) min_term_freq: u32,
    #[serde(default = "min_doc_freq")]
    pub(crate) min_doc_freq: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_doc_freq: Option<u64>,
}

fn max_terms() -> usize {
    25
}

fn min_term_freq() -> u32 {
    1
}

fn min_doc_freq() -> u64 {
    2
}

impl MoreLike {
    /// Like the document with a key. Its texts must be stored.
    pub fn key(key: impl Into<String>) -> Self {
        Self::of(LikeWhat::Key(key.into()))
    }

    /// Like a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(LikeWhat::Text(text.into()))
    }

    fn of(like: LikeWhat) -> Self {
        let (max_terms, min_term_freq, min_doc_freq) = (max_terms(), min_term_freq(), min_doc_freq());
        Self { like, fields: Vec::new(), max_terms, min_term_freq, min_doc_freq, max_doc_freq: None }
    }

    /// The text fields to compare. Default: all text fields that are indexed and stored.
    #[must_use]
    pub fn fields<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// The number of words to search for, from 1 to 1,024. Default: 25.
    #[must_use]
    pub fn max_terms(mut self, terms: usize) -> Self {
        self.max_terms = terms;
        self
    }

    /// Passes over words that occur in it fewer times. Default: 1.
    #[must_use]
    pub fn min_term_freq(mut self, times: u32) -> Self {
        self.min_term_freq = times;
        self
    }

    /// Passes over words that fewer documents have. Default: 2, since a word that nobody else has finds nobody else.
    #[must_use]
    pub fn min_doc_freq(mut self, documents: u64) -> Self {
        self.min_doc_freq = documents;
        self
    }

    /// Passes over words that more documents have. Default: no limit.
    #[must_use]
    pub fn max_doc_freq(mut self, documents: u64) -> Self {
        self.max_doc_freq = Some(documents);
        self
    }
}
