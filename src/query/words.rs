//! Queries for words of a text.

use serde::{Deserialize, Serialize};

/// How many of the words must be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// One is enough; more score higher.
    #[default]
    Or,
    /// All.
    And,
}

/// Documents with words of a text, analyzed as the field is; scored by BM25, the field's weight included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    pub(crate) field: String,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) operator: Operator,
    /// Words that must be there at least, with [`Operator::Or`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) minimum_should_match: Option<u32>,
}

impl Match {
    /// Documents with at least one word of `text` in text field `field`.
    pub fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        let (field, text) = (field.into(), text.into());
        Self { field, text, operator: Operator::Or, minimum_should_match: None }
    }

    /// Documents with all words of `text`.
    pub fn all(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { operator: Operator::And, ..Self::new(field, text) }
    }

    /// How many different words must be there at least; no more than there are.
    #[must_use]
    pub fn minimum_should_match(mut self, words: u32) -> Self {
        self.minimum_should_match = Some(words);
        self
    }
}

/// Documents with the words of a text one after the other, in this order; scored by BM25 as one term that
/// occurs as often as the phrase does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrase {
    pub(crate) field: String,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) slop: u32,
}

impl Phrase {
    /// Documents with the words of `text` one after the other in text field `field`.
    pub fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: field.into(), text: text.into(), slop: 0 }
    }

    /// By how many places in all the words may be off theirs. Default 0.
    #[must_use]
    pub fn slop(mut self, places: u32) -> Self {
        self.slop = places;
        self
    }
}
