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
    /// Sums of scores: exact, so that the order of adding does not matter.
    pub(super) scores: [f64; BLOCK_LEN],
}

impl Default for Scored {
    fn default() -> Self {
        Self { docs: [0; BLOCK_LEN], scores: [0.0; BLOCK_LEN] }
    }
}

impl Scored {
    /// The first `count` documents.
    pub(super) fn first(&self, count: usize) -> impl Iterator<Item = (DocId, f64)> {
        self.docs.iter().copied().zip(self.scores.iter().copied()).take(count)
    }

    fn set(&mut self, at: usize, doc: DocId, score: f64) {
        if let (Some(to), Some(sum)) = (self.docs.get_mut(at), self.scores.get_mut(at)) {
            (*to, *sum) = (doc, score);
        }
    }

    /// Keeps those of the first `count` documents that `keep` accepts; returns how many there are.
    #[inline]
    pub(super) fn retain(&mut self, count: usize, keep: impl Fn(DocId, f64) -> bool) -> usize {
        let mut kept = 0;
        for at in 0..count {
            let (Some(&doc), Some(&score)) = (self.docs.get(at), self.scores.get(at)) else { break };
            self.set(kept, doc, score);
            kept += usize::from(keep(doc, score));
        }
        kept
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

    /// Whether going to `doc` reads no block.
    pub(super) fn has_loaded(&self, doc: DocId) -> bool {
        self.cursor.rest_of_block().0.last().is_none_or(|&last| doc <= last)
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
            *score = self.weight.score(freq as f32, self.lengths.get(doc)).into();
        }
        Ok((count, next))
    }

    /// Keeps those of the first `count` documents that hold this term too, and adds its scores; returns how many
    /// there are.
    pub(super) fn intersect(&mut self, scored: &mut Scored, count: usize) -> Result<usize> {
        let (mut kept, mut at) = (0, 0);
        while let Some(&doc) = scored.docs.get(at).filter(|_| at < count) {
            self.cursor.seek(doc)?;
            let (docs, freqs) = self.cursor.rest_of_block();
            let Some(&end) = docs.last() else { break };
            // All that are in the loaded block, without moving the cursor for each.
            let mut place = 0;
            while let (Some(&doc), Some(&score)) = (scored.docs.get(at), scored.scores.get(at)) {
                if at >= count || doc > end {
                    break;
                }
                place += gallop(docs.get(place..).unwrap_or_default(), doc);
                if let (Some(found), Some(&freq)) = (docs.get(place), freqs.get(place))
                    && *found == doc
                {
                    let own = self.weight.score(freq as f32, self.lengths.get(doc));
                    scored.set(kept, doc, score + f64::from(own));
                    kept += 1;
                }
                at += 1;
            }
        }
        Ok(kept)
    }
}

/// How many of ascending `docs` are before `target`, which is near the front as a rule.
#[inline]
fn gallop(docs: &[DocId], target: DocId) -> usize {
    let (mut low, mut step) = (0, 1);
    while docs.get(low + step - 1).is_some_and(|&doc| doc < target) {
        low += step;
        step *= 2;
    }
    let high = (low + step - 1).min(docs.len());
    low + docs.get(low..high).unwrap_or_default().partition_point(|&doc| doc < target)
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
