//! Documents that match any of several scorers, and score as in the best one.

use super::bm25::finite_score;
use super::pace::Pace;
use super::scorer::{ScoreBound, Scorer};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{Cancel, DocId, Result};

/// Documents of any clause. Their score is the best of those of the clauses they match, and `tie_breaker` (0 to 1)
/// times the others. The clauses are few, so that all are looked at for each document.
pub(crate) struct DisMaxScorer<'a> {
    clauses: Vec<Box<dyn Scorer + 'a>>,
    tie_breaker: f64,
    pace: Pace<'a>,
}

impl<'a> DisMaxScorer<'a> {
    pub(crate) fn new(clauses: Vec<Box<dyn Scorer + 'a>>, tie_breaker: f32, cancel: &'a Cancel) -> Self {
        Self { clauses, tie_breaker: tie_breaker.into(), pace: Pace::of_moves(cancel) }
    }

    /// The greatest of some numbers, and the others with less weight.
    fn joined(&self, greatest: f64, sum: f64) -> f64 {
        greatest + self.tie_breaker * (sum - greatest)
    }
}

impl Scorer for DisMaxScorer<'_> {
    fn doc(&self) -> DocId {
        self.clauses.iter().map(|clause| clause.doc()).min().unwrap_or(NO_MORE_DOCS)
    }

    fn advance(&mut self) -> Result<DocId> {
        self.seek(self.doc().saturating_add(1))
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        for clause in &mut self.clauses {
            if clause.doc() < target {
                self.pace.step()?;
                clause.seek(target)?;
            }
        }
        Ok(self.doc())
    }

    fn score(&mut self) -> Result<f32> {
        let doc = self.doc();
        let (mut greatest, mut scores) = (None, Vec::with_capacity(self.clauses.len()));
        for clause in self.clauses.iter_mut().filter(|clause| clause.doc() == doc) {
            let score = f64::from(clause.score()?);
            greatest = Some(greatest.map_or(score, |greatest: f64| greatest.max(score)));
            scores.push(score);
        }
        Ok(finite_score(self.joined(greatest.unwrap_or(0.0), scores.iter().sum())))
    }

    fn bound(&mut self, target: DocId) -> Result<ScoreBound> {
        let (mut last_doc, mut greatest, mut sum) = (NO_MORE_DOCS, 0.0f64, 0.0);
        for clause in &mut self.clauses {
            let bound = clause.bound(target)?;
            last_doc = last_doc.min(bound.last_doc);
            // A clause that does not match takes nothing away.
            let score = f64::from(bound.score.max(0.0));
            (greatest, sum) = (greatest.max(score), sum + score);
        }
        Ok(ScoreBound { last_doc, score: self.joined(greatest, sum) as f32 * super::bm25::SLACK })
    }

    fn cost(&self) -> u64 {
        self.clauses.iter().map(|clause| clause.cost()).sum()
    }
}
