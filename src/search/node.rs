//! A query made ready: fields looked up, texts analyzed, statistics gathered, neighbours found.

use super::text::Bm25;
use lucerne_codec::DocId;
use std::ops::{Bound, RangeInclusive};

/// A query that every segment can run without looking anything up but terms.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Every document.
    All,
    /// No document.
    None,
    /// Documents of these keys.
    Keys(Vec<String>),
    /// Documents whose key is in a range.
    KeyRange(TermRange),
    /// Documents with one of these terms.
    AnyTerm { field: u32, terms: Vec<Vec<u8>> },
    /// Documents with a term in a range.
    TermRange { field: u32, range: TermRange },
    /// Documents with a number in a range.
    Numbers { field: u32, range: RangeInclusive<i64> },
    /// Documents with any number, keyword or term in a column or in postings, or any vector.
    Exists(u32),
    /// Documents with at least `required` of these words.
    Words { words: Vec<Word>, required: usize },
    /// Documents with these words at these distances from each other.
    Phrase { phrase: Box<PhraseNode> },
    /// Clauses.
    Bool(Box<BoolNode>),
    /// Scores multiplied.
    Boost(Box<Node>, f32),
    /// Scores replaced.
    Constant(Box<Node>, f32),
    /// Documents found before: for each segment, ascending with their scores.
    Found(Vec<Vec<(DocId, f32)>>),
}

/// Terms between two.
#[derive(Clone, Debug)]
pub(super) struct TermRange {
    pub(super) from: Bound<Vec<u8>>,
    pub(super) to: Bound<Vec<u8>>,
}

impl TermRange {
    /// Terms that begin with `prefix`.
    pub(super) fn prefix(prefix: Vec<u8>) -> Self {
        // The least term that is greater than all that begin so: the last byte that is not 0xff, plus one.
        let mut end = prefix.clone();
        while end.last() == Some(&u8::MAX) {
            end.pop();
        }
        let to = match end.last_mut() {
            None => Bound::Unbounded,
            Some(last) => {
                *last += 1;
                Bound::Excluded(end)
            }
        };
        Self { from: Bound::Included(prefix), to }
    }

    /// The first term there may be.
    pub(super) fn first(&self) -> &[u8] {
        match &self.from {
            Bound::Included(from) | Bound::Excluded(from) => from,
            Bound::Unbounded => &[],
        }
    }

    /// Whether a term at or after [`TermRange::first`] is beyond the range.
    pub(super) fn is_after(&self, term: &[u8]) -> bool {
        match &self.to {
            Bound::Included(to) => term > &**to,
            Bound::Excluded(to) => term >= &**to,
            Bound::Unbounded => false,
        }
    }

    pub(super) fn contains(&self, term: &[u8]) -> bool {
        let begun = match &self.from {
            Bound::Included(from) => term >= &**from,
            Bound::Excluded(from) => term > &**from,
            Bound::Unbounded => true,
        };
        begun && !self.is_after(term)
    }
}

/// A field's counts over all segments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    /// Documents with the field.
    pub(super) docs: u64,
    /// Tokens of all of them.
    pub(super) tokens: u64,
}

/// One term of a text field.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) field: u32,
    pub(super) term: Vec<u8>,
    /// Documents of the snapshot that hold it.
    pub(super) doc_freq: u64,
    pub(super) totals: Totals,
    /// What its score is multiplied by.
    pub(super) weight: f32,
    /// The field's BM25 parameters.
    pub(super) bm25: Bm25,
}

/// Words one after the other.
#[derive(Clone, Debug)]
pub(super) struct PhraseNode {
    /// Each word with its place in the phrase.
    pub(super) words: Vec<(Word, u32)>,
    pub(super) slop: u32,
}

/// Clauses.
#[derive(Clone, Debug, Default)]
pub(super) struct BoolNode {
    pub(super) must: Vec<Node>,
    pub(super) should: Vec<Node>,
    pub(super) must_not: Vec<Node>,
    pub(super) filter: Vec<Node>,
    /// How many of `should` must match.
    pub(super) required: usize,
}
