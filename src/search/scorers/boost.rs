//! Scorers that change the scores of another one.

use super::bm25::{SLACK, finite_score};
use super::scorer::{ScoreBound, Scorer};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{DocId, Result};

/// The documents of a scorer, their scores multiplied by a factor.
pub(crate) struct BoostScorer<'a> {
    pub(crate) scorer: Box<dyn Scorer + 'a>,
    /// Not negative.
    pub(crate) factor: f32,
}

impl Scorer for BoostScorer<'_> {
    fn doc(&self) -> DocId {
        self.scorer.doc()
    }

    fn advance(&mut self) -> Result<DocId> {
        self.scorer.advance()
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        self.scorer.seek(target)
    }

    fn score(&mut self) -> Result<f32> {
        Ok(finite_score(f64::from(self.scorer.score()?) * f64::from(self.factor)))
    }

    fn bound(&mut self, target: DocId) -> Result<ScoreBound> {
        let bound = self.scorer.bound(target)?;
        // No score is infinite, though a bound may be.
        Ok(ScoreBound { score: bound.score.min(f32::MAX) * self.factor, ..bound })
    }

    fn cost(&self) -> u64 {
        self.scorer.cost()
    }
}

/// The documents of a scorer, all with the same score.
pub(crate) struct ConstantScorer<'a> {
    pub(crate) scorer: Box<dyn Scorer + 'a>,
    pub(crate) score: f32,
}

impl Scorer for ConstantScorer<'_> {
    fn doc(&self) -> DocId {
        self.scorer.doc()
    }

    fn advance(&mut self) -> Result<DocId> {
        self.scorer.advance()
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        self.scorer.seek(target)
    }

    fn score(&mut self) -> Result<f32> {
        Ok(self.score)
    }

    fn bound(&mut self, _target: DocId) -> Result<ScoreBound> {
        Ok(ScoreBound { last_doc: NO_MORE_DOCS, score: self.score * SLACK })
    }

    fn cost(&self) -> u64 {
        self.scorer.cost()
    }
}
