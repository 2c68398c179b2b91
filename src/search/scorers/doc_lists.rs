//! Scorers of documents that are known already.

use super::bm25::SLACK;
use super::scorer::{ScoreBound, Scorer};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{BitSet, DocId, Result};
use std::borrow::Cow;

/// The documents of a bit set, all with the same score.
pub(crate) struct BitSetScorer<'a> {
    set: Cow<'a, BitSet>,
    score: f32,
    doc: DocId,
    cost: u64,
}

impl<'a> BitSetScorer<'a> {
    /// Starts on the first document of the set.
    pub(crate) fn new(set: impl Into<Cow<'a, BitSet>>, score: f32) -> Self {
        let set = set.into();
        Self { score, doc: next_member(&set, 0), cost: set.count().into(), set }
    }
}

/// The first member that is `from` or later.
fn next_member(set: &BitSet, from: DocId) -> DocId {
    let words = set.words();
    let mut at = (from / 64) as usize;
    let mut word = words.get(at).map_or(0, |word| word & (u64::MAX << (from % 64)));
    while word == 0 {
        at += 1;
        match words.get(at) {
            Some(&next) => word = next,
            None => return NO_MORE_DOCS,
        }
    }
    at as u32 * 64 + word.trailing_zeros()
}

impl Scorer for BitSetScorer<'_> {
    fn doc(&self) -> DocId {
        self.doc
    }

    fn advance(&mut self) -> Result<DocId> {
        self.seek(self.doc.saturating_add(1))
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        if target > self.doc {
            self.doc = next_member(&self.set, target);
        }
        Ok(self.doc)
    }

    fn score(&mut self) -> Result<f32> {
        Ok(self.score)
    }

    fn bound(&mut self, _target: DocId) -> Result<ScoreBound> {
        Ok(ScoreBound { last_doc: NO_MORE_DOCS, score: self.score * SLACK })
    }

    fn cost(&self) -> u64 {
        self.cost
    }
}

/// A list of ascending documents, each with its score.
pub(crate) struct ScoredDocsScorer<'a> {
    docs: &'a [(DocId, f32)],
    at: usize,
    max_score: f32,
}

impl<'a> ScoredDocsScorer<'a> {
    /// Starts on the first document.
    pub(crate) fn new(docs: &'a [(DocId, f32)]) -> Self {
        let max_score = docs.iter().map(|doc| doc.1).fold(0.0, f32::max) * SLACK;
        Self { docs, at: 0, max_score }
    }
}

impl Scorer for ScoredDocsScorer<'_> {
    fn doc(&self) -> DocId {
        self.docs.get(self.at).map_or(NO_MORE_DOCS, |doc| doc.0)
    }

    fn advance(&mut self) -> Result<DocId> {
        self.at = (self.at + 1).min(self.docs.len());
        Ok(self.doc())
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        self.at += self.docs.get(self.at..).unwrap_or_default().partition_point(|doc| doc.0 < target);
        Ok(self.doc())
    }

    fn score(&mut self) -> Result<f32> {
        Ok(self.docs.get(self.at).map_or(0.0, |doc| doc.1))
    }

    fn bound(&mut self, _target: DocId) -> Result<ScoreBound> {
        Ok(ScoreBound { last_doc: NO_MORE_DOCS, score: self.max_score })
    }

    fn cost(&self) -> u64 {
        self.docs.len() as u64
    }
}
