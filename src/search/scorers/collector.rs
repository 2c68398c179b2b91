//! The collector of the best documents of a segment.

use super::scorer::Scorer;
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::top_k::TieBreak;
use lucerne_codec::{Accept, BitSet, Cancel, DocId, Neighbor, Result, TopK};

/// The cancel flag is checked once in so many documents: one of a query with many clauses may take long.
const CANCEL_STEP: u32 = 32;

/// Keeps the best of the documents it collects: those with the highest scores, ties decided by a [`TieBreak`].
pub(crate) struct TopDocsCollector<'a> {
    /// Keeps the smallest distances; a distance here is a negated score.
    top: TopK<'a>,
    k: usize,
    accept: Accept<'a>,
    min_score: f32,
    cancel: &'a Cancel,
    visited: u64,
    skipped: bool,
}

impl<'a> TopDocsCollector<'a> {
    /// Keeps at most `k` documents that `accept` accepts.
    pub(crate) fn new(k: usize, accept: Accept<'a>, ties: &'a TieBreak<'a>, cancel: &'a Cancel) -> Self {
        Self {
            top: TopK::new(k, ties),
            k,
            accept,
            min_score: f32::NEG_INFINITY,
            cancel,
            visited: 0,
            skipped: false,
        }
    }

    /// Does not keep scores below `min_score`: enough documents of other segments are known to be better.
    #[must_use]
    pub(crate) fn with_min_score(mut self, min_score: f32) -> Self {
        self.min_score = min_score;
        self
    }

    /// The lowest score that a document needs to be kept.
    #[inline]
    pub(super) fn min_competitive_score(&self) -> f32 {
        self.min_score.max(-self.top.threshold())
    }

    #[inline]
    pub(super) fn accepts(&self, doc: DocId) -> bool {
        self.accept.accepts(doc)
    }

    /// Whether any of the documents from `first`, a multiple of 64, is accepted, up to `words` times 64 of them.
    #[inline]
    pub(super) fn accepts_any(&self, first: DocId, words: usize) -> bool {
        let at = (first / 64) as usize;
        self.accept.docs().is_none_or(|docs| docs.words().iter().skip(at).take(words).any(|word| *word != 0))
    }

    /// Collects a document that is accepted.
    #[inline]
    pub(super) fn collect(&mut self, doc: DocId, score: f32) {
        self.visited += 1;
        // Words alone are added up without a scorer of their sum.
        let score = score.min(f32::MAX);
        if score >= self.min_score {
            self.top.offer(Neighbor { distance: -score, ordinal: doc, doc });
        }
    }

    /// How many documents are kept at most, and which are accepted.
    pub(crate) fn wanted(&self) -> (usize, Option<&'a BitSet>) {
        (self.k, self.accept.docs())
    }

    /// Collects `count` accepted documents with the same score, of which `first` are those that ties are decided for.
    pub(crate) fn collect_equal(&mut self, first: Vec<DocId>, count: u32, score: f32) {
        self.visited += u64::from(count).saturating_sub(first.len() as u64);
        first.into_iter().for_each(|doc| self.collect(doc, score));
    }

    #[inline]
    pub(super) fn check_cancelled_every(&self, step: u32, done: u32) -> Result<()> {
        self.cancel.check_every(step as usize, done as usize)
    }

    #[inline]
    pub(super) fn check_cancelled(&self) -> Result<()> {
        self.cancel.check()
    }

    /// How many documents were scored in full.
    pub(crate) fn visited(&self) -> u64 {
        self.visited
    }

    /// Whether documents may have been passed over that match.
    pub(crate) fn has_skipped(&self) -> bool {
        self.skipped
    }

    /// Notes that documents were passed over if any could be: those with scores that are too low to be kept.
    pub(crate) fn may_have_skipped(&mut self) {
        self.skipped |= self.min_competitive_score() > f32::NEG_INFINITY;
    }

    /// The best documents with their scores, in no order: sorting many takes long.
    pub(crate) fn into_unsorted(self) -> impl Iterator<Item = (DocId, f32)> {
        // Not −0: a score of zero is 0.
        self.top.into_unsorted().into_iter().map(|best| (best.doc, 0.0 - best.distance))
    }

    /// The best documents with their scores, best first.
    #[cfg(test)]
    pub(crate) fn into_sorted(self) -> Vec<(DocId, f32)> {
        // Not −0: a score of zero is 0.
        self.top.into_sorted().into_iter().map(|best| (best.doc, 0.0 - best.distance)).collect()
    }
}

/// Collects every document of `scorer` that may be among the best.
pub(crate) fn collect_scorer(scorer: &mut dyn Scorer, collector: &mut TopDocsCollector<'_>) -> Result<()> {
    let (mut doc, mut steps) = (scorer.doc(), 0u32);
    // The last bound that was high enough for the score `bound_for` holds up to this document.
    let (mut bound_to, mut bound_for) = (None, f32::NEG_INFINITY);
    while doc != NO_MORE_DOCS {
        steps = steps.wrapping_add(1);
        collector.check_cancelled_every(CANCEL_STEP, steps)?;
        let least = collector.min_competitive_score();
        if least > bound_for || (least > f32::NEG_INFINITY && bound_to < Some(doc)) {
            if least > bound_for {
                collector.skipped |= scorer.set_min_score(least);
            }
            let bound = scorer.bound(doc)?;
            if bound.score < least {
                collector.skipped = true;
                if bound.last_doc == NO_MORE_DOCS {
                    return Ok(());
                }
                doc = scorer.seek(bound.last_doc + 1)?;
                continue;
            }
            (bound_to, bound_for) = (Some(bound.last_doc), least);
        }
        if collector.accepts(doc) {
            let score = scorer.score()?;
            collector.collect(doc, score);
        }
        doc = scorer.advance()?;
    }
    Ok(())
}
