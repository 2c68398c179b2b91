//! Full-text queries.

use super::{Fuzziness, Minimum};
use serde::{Deserialize, Serialize};

/// How many words of a [`Match`] a document must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// At least one; documents with more of them score higher.
    #[default]
    Or,
    /// All of them.
    And,
}

/// Finds documents with words of a text, which is analyzed as the field is. Documents are scored by BM25 with the
/// parameters and the weight of the field.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Match;
///
/// // Any of the words; documents with more of them, and with rarer ones, score higher.
/// assert_eq!(searcher.search(Match::new("title", "small editor"))?.keys(), ["nano", "vim"]);
/// assert_eq!(searcher.search(Match::all("title", "small editor"))?.keys(), ["nano"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    pub(crate) field: String,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) operator: Operator,
    /// The minimum number of words, with [`Operator::Or`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) minimum_should_match: Option<Minimum>,
    /// How many edits each word may be away; `None` when it must be the word itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fuzziness: Option<Fuzziness>,
}

impl Match {
    /// Documents with at least one word of `text` in the text field `field`.
    pub fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        let (field, text) = (field.into(), text.into());
        Self { field, text, operator: Operator::Or, minimum_should_match: None, fuzziness: None }
    }

    /// Documents with all words of `text` in the text field `field`.
    pub fn all(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { operator: Operator::And, ..Self::new(field, text) }
    }

    /// How many different words a document must have, at least one and no more than `text` has: a number, or a share of
    /// them ([`Minimum::Percent`]).
    #[must_use]
    pub fn minimum_should_match(mut self, words: impl Into<Minimum>) -> Self {
        self.minimum_should_match = Some(words.into());
        self
    }

    /// Finds words with typing errors, too: each stands for the words of the index that are at most so many edits away,
    /// as with [`Fuzzy`](super::Fuzzy).
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
    /// use lucerne::Match;
    /// use lucerne::query::Fuzziness;
    ///
    /// let typed = Match::all("title", "smal edtior").fuzziness(Fuzziness::Auto);
    /// assert_eq!(searcher.search(typed)?.keys(), ["nano"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn fuzziness(mut self, edits: impl Into<Fuzziness>) -> Self {
        self.fuzziness = Some(edits.into());
        self
    }
}

/// Finds documents with the words of a text next to each other, in their order. The text is analyzed as the field is.
/// Documents are scored by BM25, the phrase as one term that occurs as often as the phrase does.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Phrase;
///
/// assert_eq!(searcher.search(Phrase::new("title", "text editor"))?.keys(), ["vim", "nano"]);
/// assert!(searcher.search(Phrase::new("title", "small editor"))?.hits.is_empty());
/// assert_eq!(searcher.search(Phrase::new("title", "small editor").slop(1))?.keys(), ["nano"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrase {
    pub(crate) field: String,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) slop: u32,
}

impl Phrase {
    /// Documents with the words of `text` next to each other in the text field `field`.
    pub fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: field.into(), text: text.into(), slop: 0 }
    }

    /// By how many positions words may be moved, as in Lucene. Default: 0.
    ///
    /// Each word's place in the phrase is subtracted from its position in the text; a match may spread these differences
    /// over `places`. So gaps are filled (`a b` with 1 finds `a x b`), and with 2 neighbors are swapped (`b a`). A match
    /// whose differences spread over `w` counts as 1 / (1 + w) occurrences, unless a narrower one lies within it.
    #[must_use]
    pub fn slop(mut self, places: u32) -> Self {
        self.slop = places;
        self
    }
}
