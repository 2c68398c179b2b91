//! The trait of scorers.

use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{DocId, Result};

/// An upper bound on scores: no document from the one asked about up to `last_doc` scores higher than `score`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScoreBound {
    /// [`NO_MORE_DOCS`] when the bound holds for all remaining documents.
    pub(crate) last_doc: DocId,
    pub(crate) score: f32,
}

/// Iterates over the matching documents of a segment in ascending order. A new scorer is on its first document.
pub(crate) trait Scorer {
    /// The current document; [`NO_MORE_DOCS`] after the last one.
    fn doc(&self) -> DocId;

    /// Moves to the next matching document.
    fn advance(&mut self) -> Result<DocId>;

    /// Moves to the first matching document that is `target` or later; does not move when the current one is.
    fn seek(&mut self, target: DocId) -> Result<DocId>;

    /// The score of the current document. It does not depend on the order of clauses.
    fn score(&mut self) -> Result<f32>;

    /// Bounds the scores from `target` on, which may be ahead of the current document.
    fn bound(&mut self, target: DocId) -> Result<ScoreBound>;

    /// From now on documents that score lower are of no use. True when the scorer will pass over those of which it can tell
    /// beforehand; by default it does not.
    fn set_min_score(&mut self, least: f32) -> bool {
        let _ = least;
        false
    }

    /// About how many documents the scorer would iterate over.
    fn cost(&self) -> u64;
}

/// A bound on the sum of the scores of `scorers`, of those that match.
pub(super) fn sum_of_bounds(scorers: &mut [Box<dyn Scorer + '_>], target: DocId) -> Result<ScoreBound> {
    let (mut last_doc, mut sum) = (NO_MORE_DOCS, 0.0);
    for scorer in scorers {
        let bound = scorer.bound(target)?;
        last_doc = last_doc.min(bound.last_doc);
        sum += f64::from(bound.score.max(0.0));
    }
    Ok(ScoreBound { last_doc, score: sum as f32 })
}
