//! Documents that match enough of several scorers.

use super::bm25::finite_score;
use super::pace::Pace;
use super::scorer::{ScoreBound, Scorer, sum_of_bounds};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{Cancel, DocId, Result};

/// Documents that match at least `required` clauses; the scores of those they match add up.
pub(crate) struct DisjunctionScorer<'a> {
    /// A binary heap: the clause with the lowest document is first.
    clauses: Vec<Box<dyn Scorer + 'a>>,
    required: usize,
    doc: DocId,
    pace: Pace<'a>,
}

impl<'a> DisjunctionScorer<'a> {
    /// Starts on the first document. `required` below 1 means 1.
    pub(crate) fn new(
        clauses: Vec<Box<dyn Scorer + 'a>>,
        required: usize,
        cancel: &'a Cancel,
    ) -> Result<Self> {
        let (required, pace) = (required.max(1), Pace::of_moves(cancel));
        let mut any = Self { clauses, required, doc: NO_MORE_DOCS, pace };
        for at in (0..any.clauses.len() / 2).rev() {
            any.sift_down(at);
        }
        any.find_match()?;
        Ok(any)
    }

    fn doc_at(&self, at: usize) -> DocId {
        self.clauses.get(at).map_or(NO_MORE_DOCS, |clause| clause.doc())
    }

    fn sift_down(&mut self, mut at: usize) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let child = if self.doc_at(right) < self.doc_at(left) { right } else { left };
            if child >= self.clauses.len() || self.doc_at(child) >= self.doc_at(at) {
                return;
            }
            self.clauses.swap(at, child);
            at = child;
        }
    }

    /// Calls `each` with every clause that is on `doc`, the lowest document of all clauses.
    fn matching(&mut self, doc: DocId, each: &mut dyn FnMut(&mut dyn Scorer) -> Result<()>) -> Result<()> {
        // Those on the lowest document are together at the top of the heap.
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            if let Some(clause) = self.clauses.get_mut(at)
                && clause.doc() == doc
            {
                each(&mut **clause)?;
                open.extend([2 * at + 1, 2 * at + 2]);
            }
        }
        Ok(())
    }

    /// Moves from the lowest document of all clauses to the first one that enough of them match.
    fn find_match(&mut self) -> Result<DocId> {
        loop {
            self.doc = self.doc_at(0);
            if self.doc == NO_MORE_DOCS || self.required == 1 {
                return Ok(self.doc);
            }
            let mut count = 0;
            self.matching(self.doc, &mut |_| {
                count += 1;
                Ok(())
            })?;
            if count >= self.required {
                return Ok(self.doc);
            }
            self.seek_all(self.doc.saturating_add(1))?;
        }
    }

    /// Moves every clause to `target` or beyond.
    fn seek_all(&mut self, target: DocId) -> Result<()> {
        while self.doc_at(0) < target {
            self.pace.step()?;
            if let Some(clause) = self.clauses.first_mut() {
                clause.seek(target)?;
            }
            self.sift_down(0);
        }
        Ok(())
    }
}

impl Scorer for DisjunctionScorer<'_> {
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
        self.seek_all(target)?;
        self.find_match()
    }

    fn score(&mut self) -> Result<f32> {
        let mut sum = 0.0;
        self.matching(self.doc, &mut |clause| {
            sum += f64::from(clause.score()?);
            Ok(())
        })?;
        Ok(finite_score(sum))
    }

    fn bound(&mut self, target: DocId) -> Result<ScoreBound> {
        sum_of_bounds(&mut self.clauses, target)
    }

    fn cost(&self) -> u64 {
        self.clauses.iter().map(|clause| clause.cost()).sum()
    }
}
