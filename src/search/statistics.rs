//! What BM25 scores words by: how many documents and tokens a field has, and how many documents have a word. It is
//! gathered over an index or, where an index is one of several shards, given for all of them.

use super::node::Totals;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Statistics of the words that a search looks for, of one index or of several together. As JSON they can be sent to
/// other processes.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Match;
///
/// let one = searcher.text_statistics(Match::new("title", "editor"))?;
/// let mut both = one.clone();
/// both.add(&one);
/// assert_eq!((one.doc_freq("title", "editor"), both.doc_freq("title", "editor")), (Some(2), Some(4)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextStatistics {
    /// By the name of the text field.
    fields: BTreeMap<String, OfField>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfField {
    /// Documents with a token in the field, deleted ones included, as in all numbers of documents here.
    docs: u64,
    tokens: u64,
    /// How many documents have each word.
    terms: BTreeMap<String, u64>,
    /// The words that are similar to a word, by the word and what similar means.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    similar: BTreeMap<String, BTreeMap<String, Similar>>,
}

/// A word that is similar to another one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Similar {
    pub(super) similarity: f32,
    pub(super) doc_freq: u64,
}

impl TextStatistics {
    /// Adds those of another shard for the same search.
    pub fn add(&mut self, other: &Self) {
        for (name, theirs) in &other.fields {
            let own = self.fields.entry(name.clone()).or_default();
            own.docs = own.docs.saturating_add(theirs.docs);
            own.tokens = own.tokens.saturating_add(theirs.tokens);
            for (term, docs) in &theirs.terms {
                let sum = own.terms.entry(term.clone()).or_default();
                *sum = sum.saturating_add(*docs);
            }
            for (word, similar) in &theirs.similar {
                let known = own.similar.entry(word.clone()).or_default();
                for (term, theirs) in similar {
                    let sum = known.entry(term.clone()).or_insert(Similar { doc_freq: 0, ..*theirs });
                    sum.doc_freq = sum.doc_freq.saturating_add(theirs.doc_freq);
                }
            }
        }
    }

    /// How many documents have a word in a text field; `None` when the search does not look for it.
    pub fn doc_freq(&self, field: &str, term: &str) -> Option<u64> {
        self.fields.get(field)?.terms.get(term).copied()
    }

    fn note_word(&mut self, field: &str, term: &str, totals: Totals, doc_freq: u64) {
        let own = self.fields.entry(field.to_owned()).or_default();
        (own.docs, own.tokens) = (totals.docs, totals.tokens);
        own.terms.insert(term.to_owned(), doc_freq);
    }
}

/// Where the statistics of words come from.
#[derive(Clone, Copy)]
pub(super) enum Statistics<'a> {
    /// This index.
    Own,
    /// This index, and they are noted.
    Noted(&'a Mutex<TextStatistics>),
    /// All shards.
    Given(&'a TextStatistics),
}

impl Statistics<'_> {
    /// Those of a word, from those of this index.
    pub(super) fn of_word(&self, field: &str, term: &str, own: (Totals, u64)) -> (Totals, u64) {
        match self {
            Self::Own => own,
            Self::Noted(noted) => {
                noted.lock().note_word(field, term, own.0, own.1);
                own
            }
            Self::Given(given) => {
                let known = given.fields.get(field);
                let known = known.and_then(|all| Some((all, all.terms.get(term)?)));
                known.map_or(own, |(all, docs)| (Totals { docs: all.docs, tokens: all.tokens }, *docs))
            }
        }
    }

    /// The words that are similar to a word, from those of this index. `word` says what similar means, too.
    pub(super) fn of_similar(
        &self,
        field: &str,
        word: &str,
        own: BTreeMap<String, Similar>,
    ) -> BTreeMap<String, Similar> {
        match self {
            Self::Own => own,
            Self::Noted(noted) => {
                let mut noted = noted.lock();
                let similar = &mut noted.fields.entry(field.to_owned()).or_default().similar;
                similar.insert(word.to_owned(), own.clone());
                own
            }
            Self::Given(given) => {
                let known = given.fields.get(field).and_then(|all| all.similar.get(word));
                known.cloned().unwrap_or(own)
            }
        }
    }
}
