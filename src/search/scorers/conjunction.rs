//! Documents that match every one of several scorers.

use super::bm25::finite_score;
use super::pace::Pace;
use super::scorer::{ScoreBound, Scorer, sum_of_bounds};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{Cancel, DocId, Result};

/// Documents that match every clause; their scores add up.
pub(crate) struct ConjunctionScorer<'a> {
    /// Ascending by cost: the cheapest leads.
    clauses: Vec<Box<dyn Scorer + 'a>>,
    doc: DocId,
    pace: Pace<'a>,
}

impl<'a> ConjunctionScorer<'a> {
    /// Starts on the first document; without clauses there is none.
    pub(crate) fn new(mut clauses: Vec<Box<dyn Scorer + 'a>>, cancel: &'a Cancel) -> Result<Self> {
        clauses.sort_by_key(|clause| clause.cost());
        let mut all = Self { clauses, doc: NO_MORE_DOCS, pace: Pace::of_moves(cancel) };
        let first = all.clauses.first().map_or(NO_MORE_DOCS, |lead| lead.doc());
        all.find_match(first)?;
        Ok(all)
    }

    /// Moves from a document of the lead to the next one that all clauses match.
    fn find_match(&mut self, mut doc: DocId) -> Result<DocId> {
        if let Some((lead, others)) = self.clauses.split_first_mut() {
            'docs: while doc != NO_MORE_DOCS {
                for other in others.iter_mut() {
                    self.pace.step()?;
                    let found = other.seek(doc)?;
                    if found != doc {
                        doc = lead.seek(found)?;
                        continue 'docs;
                    }
                }
                break;
            }
        }
        self.doc = doc;
        Ok(doc)
    }
}

impl Scorer for ConjunctionScorer<'_> {
    fn doc(&self) -> DocId {
        self.doc
    }

    fn advance(&mut self) -> Result<DocId> {
        self.seek(self.doc.saturating_add(1))
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        if target <= self.doc {
            return Ok(self.doc);
        }
        let Some(lead) = self.clauses.first_mut() else { return Ok(NO_MORE_DOCS) };
        let doc = lead.seek(target)?;
        self.find_match(doc)
    }

    fn score(&mut self) -> Result<f32> {
        let mut sum = 0.0;
        for clause in &mut self.clauses {
            sum += f64::from(clause.score()?);
        }
        Ok(finite_score(sum))
    }

    fn bound(&mut self, target: DocId) -> Result<ScoreBound> {
        sum_of_bounds(&mut self.clauses, target)
    }

    fn cost(&self) -> u64 {
        self.clauses.first().map_or(0, |lead| lead.cost())
    }
}
