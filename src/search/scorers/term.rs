//! The documents of one term.

use super::bm25::Weight;
use super::scorer::{ScoreBound, Scorer};
use lucerne_codec::postings::{
    BLOCK_LEN, FieldPostings, Lengths, Members, NO_MORE_DOCS, PostingsCursor, TermEntry,
};
use lucerne_codec::{DocId, Result};

/// How many blocks [`TermScorer::bound_over`] looks at before it falls back to the maximum score.
const BLOCKS_BOUNDED: usize = 8;

/// Scores the documents of a term.
pub(crate) struct TermScorer<'a> {
    cursor: PostingsCursor<'a>,
    /// Of a frequent term: documents that have it.
    members: Option<Members<'a>>,
    lengths: Lengths<'a>,
    weight: Weight,
    doc_freq: u32,
    max_score: f32,
    /// The last bound, and the first document it holds for.
    bound: ScoreBound,
    bound_from: DocId,
}

/// A block of documents with their scores.
pub(super) struct ScoredBlock {
    pub(super) docs: [DocId; BLOCK_LEN],
    /// Sums of scores: f64, so that the order of adding does not matter.
    pub(super) scores: [f64; BLOCK_LEN],
}

/// What a document's score for one term must reach where others add at most `rest`: a bit less, for the rounding of sums.
#[inline]
pub(super) fn own_least(least: f32, rest: f64) -> f64 {
    let least = f64::from(least);
    least - rest - least.abs() * 1e-6
}

impl Default for ScoredBlock {
    fn default() -> Self {
        Self { docs: [0; BLOCK_LEN], scores: [0.0; BLOCK_LEN] }
    }
}

impl ScoredBlock {
    /// The first `count` documents.
    pub(super) fn first(&self, count: usize) -> impl Iterator<Item = (DocId, f64)> {
        self.docs.iter().copied().zip(self.scores.iter().copied()).take(count)
    }

    fn set(&mut self, at: usize, doc: DocId, score: f64) {
        if let (Some(to), Some(sum)) = (self.docs.get_mut(at), self.scores.get_mut(at)) {
            (*to, *sum) = (doc, score);
        }
    }

    /// Keeps those of the first `count` documents that `keep` accepts; returns how many are kept.
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
    /// Starts on the first document of a term of `field`.
    pub(crate) fn new(field: &'a dyn FieldPostings, term: &TermEntry, weight: Weight) -> Result<Self> {
        let cursor = field.cursor(term)?;
        let max_score = weight.bound(cursor.whole().pairs());
        let bound = ScoreBound { last_doc: 0, score: 0.0 };
        let lengths = field.lengths();
        Ok(Self {
            cursor,
            members: field.members(term)?,
            lengths,
            weight,
            doc_freq: term.doc_freq,
            max_score,
            bound,
            bound_from: DocId::MAX,
        })
    }

    /// The maximum score: no document of the term scores higher.
    pub(super) fn max_score(&self) -> f32 {
        self.max_score
    }

    /// Blocks of its documents.
    pub(super) fn blocks(&self) -> usize {
        (self.doc_freq as usize).div_ceil(BLOCK_LEN)
    }

    /// The documents that have the term, where they are kept as a set.
    pub(super) fn members(&self) -> Option<Members<'a>> {
        self.members
    }

    /// False when a document has not the term: it is known of frequent ones without a seek, and of documents passed.
    #[inline]
    fn may_have(&self, doc: DocId) -> bool {
        self.cursor.doc() <= doc && self.members.is_none_or(|members| members.contains(doc))
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
        Ok(if bound.last_doc >= last { score } else { self.max_score })
    }

    /// Scores the documents from `first` to `last`, at most one block: all that score `least` or more, and few others; of
    /// these, those that are `among` all of some sets. Returns how many were scored and, when there may be more, the document
    /// to continue from. The cursor stays on the block that was read.
    #[inline]
    pub(super) fn score_block(
        &mut self,
        first: DocId,
        last: DocId,
        (least, among): (f64, &[Members<'_>]),
        into: &mut ScoredBlock,
    ) -> Result<(usize, Option<DocId>)> {
        self.cursor.seek(first)?;
        let (docs, freqs) = self.cursor.rest_with_freqs()?;
        let (count, next) = match docs.last() {
            Some(&end) if end < last => (docs.len(), Some(end + 1)),
            _ => (docs.partition_point(|&doc| doc <= last), None),
        };
        let docs = docs.get(..count).unwrap_or_default();
        if least <= 0.0 && among.is_empty() {
            into.docs.iter_mut().zip(docs).for_each(|(to, doc)| *to = *doc);
            // In runs that a compiler makes vectors of: first the lengths, which lie scattered, then the scores.
            let mut lengths = [0; BLOCK_LEN];
            self.lengths.take(docs, &mut lengths);
            let lengths = lengths.get(..count).unwrap_or_default();
            self.weight.scores(freqs, lengths, &mut into.scores);
            return Ok((count, next));
        }
        // Without branches: which documents are kept is not foreseeable.
        let limits = self.weight.length_limits(least);
        let (mut kept_at, mut kept) = ([0u8; BLOCK_LEN], 0);
        let freqs = freqs.get(..count).unwrap_or_default();
        self.lengths.each(docs, |at, length| {
            if let (Some(slot), Some(&freq)) = (kept_at.get_mut(kept % BLOCK_LEN), freqs.get(at)) {
                *slot = at as u8;
                kept += usize::from(limits.may_reach(freq, length));
            }
        });
        for members in among {
            let found = std::mem::take(&mut kept);
            for nth in 0..found {
                let Some(&at) = kept_at.get(nth) else { break };
                let is_member = docs.get(usize::from(at)).is_some_and(|doc| members.contains(*doc));
                kept_at.get_mut(kept).into_iter().for_each(|slot| *slot = at);
                kept += usize::from(is_member);
            }
        }
        for (to, &at) in kept_at.iter().take(kept).enumerate() {
            let at = usize::from(at);
            if let (Some(&doc), Some(&freq)) = (docs.get(at), freqs.get(at)) {
                into.set(to, doc, self.weight.score(freq as f32, self.lengths.get(doc)).into());
            }
        }
        Ok((kept, next))
    }

    /// The score of a document that is not before those asked for earlier; `None` when it has not the term.
    #[inline]
    pub(super) fn score_of(&mut self, doc: DocId) -> Result<Option<f32>> {
        if !self.may_have(doc) {
            return Ok(None);
        }
        let known = match self.members {
            Some(_) => self.cursor.member_freq(doc)?,
            None => None,
        };
        let freq = match known {
            Some(freq) => freq,
            None if self.cursor.seek(doc)? == doc => self.cursor.freq()?,
            None => return Ok(None),
        };
        Ok(Some(self.weight.score(freq as f32, self.lengths.get(doc))))
    }

    /// Keeps those of the first `count` documents that have this term too and adds its scores; returns how many are kept.
    /// Those that do not reach `least`, even with `rest` from other terms, are not looked up.
    pub(super) fn intersect(
        &mut self,
        scored: &mut ScoredBlock,
        count: usize,
        least: f32,
        rest: f64,
    ) -> Result<usize> {
        let mut kept = 0;
        for at in 0..count {
            let (Some(&doc), Some(&score)) = (scored.docs.get(at), scored.scores.get(at)) else { break };
            // Where it is known which documents have the term, a bound would save little.
            if self.members.is_none() && least > f32::NEG_INFINITY && self.may_have(doc) {
                let bound = self.bound(doc)?;
                if bound.last_doc == NO_MORE_DOCS {
                    break;
                }
                if ((score + f64::from(bound.score) + rest) as f32) < least {
                    continue;
                }
            }
            if let Some(own) = self.score_of(doc)? {
                scored.set(kept, doc, score + f64::from(own));
                kept += 1;
            }
        }
        Ok(kept)
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
        let freq = self.cursor.freq()? as f32;
        Ok(self.weight.score(freq, self.lengths.get(self.cursor.doc())))
    }

    #[inline]
    fn bound(&mut self, target: DocId) -> Result<ScoreBound> {
        if !(self.bound_from..=self.bound.last_doc).contains(&target) {
            let impact = self.cursor.impact(target)?;
            self.bound_from = target;
            self.bound = ScoreBound {
                last_doc: impact.last_doc.max(target),
                score: self.weight.bound(impact.pairs()),
            };
        }
        Ok(self.bound)
    }

    fn cost(&self) -> u64 {
        self.doc_freq.into()
    }
}
