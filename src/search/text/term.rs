//! The documents of one word.

use super::bm25::Weight;
use super::{Bound, Scorer};
use lucerne_codec::postings::{BLOCK_LEN, FieldPostings, Lengths, PostingsCursor, TermEntry};
use lucerne_codec::{DocId, Result};

/// Blocks looked at for a bound on many.
const BLOCKS_BOUNDED: usize = 8;

/// Scores the documents of a term.
pub(crate) struct TermScorer<'a> {
    cursor: PostingsCursor<'a>,
    lengths: Lengths<'a>,
    weight: Weight,
    doc_freq: u32,
    whole: f32,
    /// The last bound and the first document it holds for.
    bound: Bound,
    bound_from: DocId,
}

/// Documents with their scores.
pub(super) struct Scored {
    pub(super) docs: [DocId; BLOCK_LEN],
    pub(super) scores: [f32; BLOCK_LEN],
}

impl Default for Scored {
    fn default() -> Self {
        Self { docs: [0; BLOCK_LEN], scores: [0.0; BLOCK_LEN] }
    }
}

impl<'a> TermScorer<'a> {
    /// Stands on the first document of a term that was found in `field`.
    pub(crate) fn new(field: &'a dyn FieldPostings, term: &TermEntry, weight: Weight) -> Result<Self> {
        let cursor = field.cursor(term)?;
        let whole = weight.bound(cursor.whole().pairs());
        let bound = Bound { last_doc: 0, score: 0.0 };
        let lengths = field.lengths();
        Ok(Self { cursor, lengths, weight, doc_freq: term.doc_freq, whole, bound, bound_from: DocId::MAX })
    }

    /// No document of the term scores higher.
    pub(super) fn whole(&self) -> f32 {
        self.whole
    }

    /// A bound on the documents from `first` to `last`.
    pub(super) fn bound_over(&mut self, first: DocId, last: DocId) -> Result<f32> {
        let mut bound = self.bound(first)?;
        let mut score = bound.score;
        for _ in 0..BLOCKS_BOUNDED {
            if bound.last_doc >= last {
                return Ok(score);
            }
            bound = self.bound(bound.last_doc + 1)?;
            score = score.max(bound.score);
        }
        Ok(if bound.last_doc >= last { score } else { self.whole })
    }

    /// Scores the documents from `first` to `last`, but at most one block. Returns how many there were, and
    /// where to go on when there may be more. The term is left where it was read last.
    #[inline]
    pub(super) fn score_block(
        &mut self,
        first: DocId,
        last: DocId,
        into: &mut Scored,
    ) -> Result<(usize, Option<DocId>)> {
        self.cursor.seek(first)?;
        let (docs, freqs) = self.cursor.rest_of_block();
        let (count, next) = match docs.last() {
            Some(&end) if end < last => (docs.len(), Some(end + 1)),
            _ => (docs.partition_point(|&doc| doc <= last), None),
        };
        let targets = into.docs.iter_mut().zip(&mut into.scores);
        for ((&doc, &freq), (to, score)) in docs.iter().zip(freqs).take(count).zip(targets) {
            *to = doc;
            *score = self.weight.score(freq as f32, self.lengths.get(doc));
        }
        Ok((count, next))
    }
}

impl Scorer for TermScorer<'_> {
    #[inline]
    fn doc(&self) -> DocId {
        self.cursor.doc()
    }

    #[inline]
    fn advance(&mut self) -> Result<DocId> {
        self.cursor.advance()
    }

    #[inline]
    fn seek(&mut self, target: DocId) -> Result<DocId> {
        self.cursor.seek(target)
    }

    #[inline]
    fn score(&mut self) -> Result<f32> {
        Ok(self.weight.score(self.cursor.freq() as f32, self.lengths.get(self.cursor.doc())))
    }

    #[inline]
    fn bound(&mut self, target: DocId) -> Result<Bound> {
        if !(self.bound_from..=self.bound.last_doc).contains(&target) {
            let impact = self.cursor.impact(target)?;
            self.bound_from = target;
            self.bound =
                Bound { last_doc: impact.last_doc.max(target), score: self.weight.bound(impact.pairs()) };
        }
        Ok(self.bound)
    }

    fn cost(&self) -> u64 {
        self.doc_freq.into()
    }
}
