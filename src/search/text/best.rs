//! The best documents of a segment.

use super::Scorer;
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::top_k::TieBreak;
use lucerne_codec::{Accept, Cancel, DocId, Neighbor, Result, TopK};

/// Documents between two looks at the cancel flag.
const CANCEL_STEP: u32 = 1 << 12;

/// Keeps the best documents offered: the highest scores, ties in the order given.
pub(crate) struct Best<'a> {
    /// Nearest is best: a distance is a score below zero.
    top: TopK<'a>,
    accept: Accept<'a>,
    floor: f32,
    cancel: &'a Cancel,
    visited: u64,
}

impl<'a> Best<'a> {
    /// Keeps at most `k` documents that `accept` accepts.
    pub(crate) fn new(k: usize, accept: Accept<'a>, ties: &'a TieBreak<'a>, cancel: &'a Cancel) -> Self {
        Self { top: TopK::new(k, ties), accept, floor: f32::NEG_INFINITY, cancel, visited: 0 }
    }

    /// Scores below `floor` need not be kept: enough better ones are known from elsewhere.
    #[must_use]
    pub(crate) fn with_floor(mut self, floor: f32) -> Self {
        self.floor = floor;
        self
    }

    /// The lowest score that may still be kept.
    #[inline]
    pub(super) fn competitive(&self) -> f32 {
        self.floor.max(-self.top.threshold())
    }

    #[inline]
    pub(super) fn accepts(&self, doc: DocId) -> bool {
        self.accept.accepts(doc)
    }

    /// Offers a document that is accepted.
    #[inline]
    pub(super) fn offer(&mut self, doc: DocId, score: f32) {
        self.visited += 1;
        if score >= self.floor {
            self.top.offer(Neighbor { distance: -score, ordinal: doc, doc });
        }
    }

    pub(super) fn check_cancelled(&self) -> Result<()> {
        self.cancel.check()
    }

    /// Documents that were scored in full.
    pub(crate) fn visited(&self) -> u64 {
        self.visited
    }

    /// The best documents with their scores, best first.
    pub(crate) fn into_sorted(self) -> Vec<(DocId, f32)> {
        // Not −0: a score of zero is 0.
        self.top.into_sorted().into_iter().map(|best| (best.doc, 0.0 - best.distance)).collect()
    }
}

/// Offers every document of `scorer` that may be among the best.
pub(crate) fn top_docs(scorer: &mut dyn Scorer, best: &mut Best<'_>) -> Result<()> {
    let (mut doc, mut steps) = (scorer.doc(), 0u32);
    // The document up to which the bound was found to be high enough for the score `looked_for`.
    let (mut good_to, mut looked_for) = (None, f32::NEG_INFINITY);
    while doc != NO_MORE_DOCS {
        steps = steps.wrapping_add(1);
        if steps.is_multiple_of(CANCEL_STEP) {
            best.check_cancelled()?;
        }
        let least = best.competitive();
        if least > looked_for || (least > f32::NEG_INFINITY && good_to < Some(doc)) {
            let bound = scorer.bound(doc)?;
            if bound.score < least {
                if bound.last_doc == NO_MORE_DOCS {
                    return Ok(());
                }
                doc = scorer.seek(bound.last_doc + 1)?;
                continue;
            }
            (good_to, looked_for) = (Some(bound.last_doc), least);
        }
        if best.accepts(doc) {
            let score = scorer.score()?;
            best.offer(doc, score);
        }
        doc = scorer.advance()?;
    }
    Ok(())
}
