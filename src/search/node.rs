//! The resolved query: a tree with fields looked up, texts analyzed, term statistics gathered and kNN queries run.

use super::scorers::Bm25;
use super::term_sets::TermSet;
use lucerne_codec::DocId;
use lucerne_codec::postings::TermEntry;
use std::ops::{Bound, RangeInclusive};

/// A resolved query. Every segment evaluates it without further lookups except for terms.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Every document.
    All,
    /// No document.
    None,
    /// No document, because the text has no terms: passed over among the clauses of a boolean query.
    NoTerms,
    /// Documents of these keys.
    Keys(Vec<String>),
    /// Documents whose key is in a range.
    KeyRange(TermRange),
    /// Documents with one of these terms.
    AnyTerm { field: u32, terms: Vec<Vec<u8>> },
    /// Documents with a term in a range.
    TermRange { field: u32, range: TermRange },
    /// Documents with a term of a set.
    TermSet { field: u32, terms: TermSet },
    /// Documents whose key is in a set.
    KeySet(TermSet),
    /// Documents with a column value in a range.
    Numbers { field: u32, range: RangeInclusive<i64> },
    /// Documents with any value in the field of this number.
    Exists(u32),
    /// Documents with at least `required` of these words.
    Words { words: Vec<Word>, required: usize },
    /// Documents with any of these words of one field, scored as one; they have the same document frequency.
    Synonyms(Vec<Word>),
    /// Documents with words at given offsets from each other.
    Phrase { phrase: Box<PhraseNode> },
    /// Documents with words and a term that begins as given, at given offsets from each other.
    PhrasePrefix(Box<PhrasePrefixNode>),
    /// Documents with one of the dimensions of a sparse vector.
    Sparse(Box<SparseNode>),
    /// Documents that match the clauses.
    Bool(Box<BoolNode>),
    /// Documents of any of the nodes, with the best of their scores and a factor times the others.
    DisMax(Vec<Node>, f32),
    /// A node whose scores are multiplied by a factor.
    Boost(Box<Node>, f32),
    /// A node whose scores are replaced by a constant.
    Constant(Box<Node>, f32),
    /// The documents of a kNN or fusion query: for each segment, ascending with their scores.
    Found(Vec<Vec<(DocId, f32)>>),
}

/// A range of terms, in the order of their bytes.
#[derive(Clone, Debug)]
pub(super) struct TermRange {
    pub(super) from: Bound<Vec<u8>>,
    pub(super) to: Bound<Vec<u8>>,
}

impl TermRange {
    /// Terms that begin with `prefix`.
    pub(super) fn prefix(prefix: Vec<u8>) -> Self {
        // The upper bound is the prefix with its last byte that is not 0xff incremented.
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

    /// The lower bound, where an iteration over terms starts.
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

/// A field's statistics over all segments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    /// Number of documents with the field.
    pub(super) docs: u64,
    /// Number of tokens in these documents.
    pub(super) tokens: u64,
}

/// A term of a text field, with the statistics to score it.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) field: u32,
    pub(super) term: Vec<u8>,
    /// Where its documents are, by segment of the snapshot.
    pub(super) entries: Vec<Option<TermEntry>>,
    /// Number of documents of the snapshot with the term, deleted ones included.
    pub(super) doc_freq: u64,
    pub(super) totals: Totals,
    /// Multiplies the score.
    pub(super) weight: f32,
    /// The field's BM25 parameters.
    pub(super) bm25: Bm25,
}

impl Word {
    /// Another term with the same statistics, which the segment of this number has.
    pub(super) fn of_segment(&self, term: &[u8], segment: usize, entry: TermEntry) -> Self {
        let entries = (0..=segment).map(|index| (index == segment).then_some(entry)).collect();
        Self { term: term.to_vec(), entries, ..self.clone() }
    }
}

/// Words at given offsets.
#[derive(Clone, Debug)]
pub(super) struct PhraseNode {
    /// Each word with its offset in the phrase.
    pub(super) words: Vec<(Word, u32)>,
    pub(super) slop: u32,
}

/// Words at given offsets, followed by the beginning of one.
#[derive(Clone, Debug)]
pub(super) struct PhrasePrefixNode {
    /// Each word with its offset in the phrase.
    pub(super) words: Vec<(Word, u32)>,
    /// The last word: its terms have no statistics.
    pub(super) last: (Word, u32),
    /// The terms that the last word may be.
    pub(super) terms: TermRange,
}

/// A sparse vector that is searched for.
#[derive(Clone, Debug)]
pub(super) struct SparseNode {
    pub(super) field: u32,
    /// Dimensions, ascending, with weights above zero.
    pub(super) query: Vec<(u32, f32)>,
}

/// The clauses of a boolean query.
#[derive(Clone, Debug, Default)]
pub(super) struct BoolNode {
    pub(super) must: Vec<Node>,
    pub(super) should: Vec<Node>,
    pub(super) must_not: Vec<Node>,
    pub(super) filter: Vec<Node>,
    /// How many of `should` have to match.
    pub(super) required: usize,
}
