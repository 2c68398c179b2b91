//! Words with typing errors.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many edits a word may be away. An edit inserts, deletes or replaces a character, or swaps two neighbors.
///
/// In JSON, `"auto"` or a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fuzziness {
    /// By the length of the word in characters, as Elasticsearch's AUTO: none up to 2, one up to 5, two beyond.
    #[default]
    Auto,
    /// At most this number, from 0 to 2.
    Edits(u8),
}

impl Fuzziness {
    /// The edits for a word of this length.
    pub(crate) fn edits(self, characters: usize) -> u8 {
        match (self, characters) {
            (Self::Edits(edits), _) => edits,
            (Self::Auto, ..=2) => 0,
            (Self::Auto, ..=5) => 1,
            (Self::Auto, _) => 2,
        }
    }
}

impl From<u8> for Fuzziness {
    fn from(edits: u8) -> Self {
        Self::Edits(edits)
    }
}

impl Serialize for Fuzziness {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => to.serialize_str("auto"),
            Self::Edits(edits) => to.serialize_u8(*edits),
        }
    }
}

impl<'de> Deserialize<'de> for Fuzziness {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(from)?;
        let edits = value.as_u64().and_then(|edits| u8::try_from(edits).ok());
        match (value.as_str(), edits) {
            (Some("auto" | "AUTO"), _) => Ok(Self::Auto),
            (_, Some(edits)) => Ok(Self::Edits(edits)),
            _ => Err(serde::de::Error::custom(format!("expected \"auto\", 0, 1 or 2, found {value}"))),
        }
    }
}

/// Finds documents with a word that is at most some edits away from a given one: `edtior` finds `editor`.
///
/// In a text field the word is analyzed as the field is; of several words (`vim-tiy`) all are required. At most
/// [`Fuzzy::max_expansions`] terms of the index take part: the most similar ones, equals in the order of their bytes. A
/// document scores by BM25 as in Lucene: each of these terms it has counts with its similarity, which is 1 less the edits
/// by the length of the shorter word, and all of them are taken to be in as many documents as the most frequent one, so
/// that a rare misspelling does not score higher than the word itself. A term that is as many edits away as the shorter
/// word has characters is not found: nothing of the word would be left in it.
///
/// In keyword and key fields, and in those that a dynamic schema does not declare, all values within the edits are found,
/// as they are, and each document scores 1.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Fuzzy;
///
/// assert_eq!(searcher.search(Fuzzy::new("title", "Edtior"))?.keys(), ["vim", "nano"]);
/// assert_eq!(searcher.search(Fuzzy::new("section", "gamse").edits(1))?.keys(), ["chess"]);
/// assert!(searcher.search(Fuzzy::new("section", "gamse").edits(1).transpositions(false))?.hits.is_empty());
/// assert!(searcher.search(Fuzzy::new("title", "oard").prefix_length(1))?.hits.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fuzzy {
    pub(crate) field: String,
    pub(crate) word: String,
    #[serde(default)]
    pub(crate) edits: Fuzziness,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) prefix_length: usize,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub(crate) transpositions: bool,
    #[serde(default = "most", skip_serializing_if = "is_most")]
    pub(crate) max_expansions: usize,
}

/// As in Lucene and Elasticsearch.
const MAX_EXPANSIONS: usize = 50;

fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn yes() -> bool {
    true
}

fn is_yes(truth: &bool) -> bool {
    *truth
}

fn most() -> usize {
    MAX_EXPANSIONS
}

fn is_most(number: &usize) -> bool {
    *number == MAX_EXPANSIONS
}

impl Fuzzy {
    /// Documents whose `field` has something like `word`, with [`Fuzziness::Auto`].
    pub fn new(field: impl Into<String>, word: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            word: word.into(),
            edits: Fuzziness::Auto,
            prefix_length: 0,
            transpositions: true,
            max_expansions: MAX_EXPANSIONS,
        }
    }

    /// The maximum number of edits, from 0 to 2, or [`Fuzziness::Auto`], the default.
    #[must_use]
    pub fn edits(mut self, edits: impl Into<Fuzziness>) -> Self {
        self.edits = edits.into();
        self
    }

    /// How many characters at the beginning are the same in all words that are found. Default: 0. With one or two, fewer
    /// terms are looked at.
    #[must_use]
    pub fn prefix_length(mut self, characters: usize) -> Self {
        self.prefix_length = characters;
        self
    }

    /// Whether two swapped neighbors are one edit (the default) or two.
    #[must_use]
    pub fn transpositions(mut self, as_one_edit: bool) -> Self {
        self.transpositions = as_one_edit;
        self
    }

    /// The maximum number of terms of a text field that the word stands for, from 1 to 1,000. Default: 50.
    #[must_use]
    pub fn max_expansions(mut self, terms: usize) -> Self {
        self.max_expansions = terms;
        self
    }
}
