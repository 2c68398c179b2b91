//! Documents that match all, or enough, of several clauses.

use super::{Bound, Scorer};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{DocId, Result};

/// Documents that match every clause; their scores add up.
pub(crate) struct AllOf<'a> {
    /// Ascending by cost: the first leads.
    clauses: Vec<Box<dyn Scorer + 'a>>,
    doc: DocId,
}

impl<'a> AllOf<'a> {
    /// Stands on the first document; without clauses there is none.
    pub(crate) fn new(mut clauses: Vec<Box<dyn Scorer + 'a>>) -> Result<Self> {
        clauses.sort_by_key(|clause| clause.cost());
        let mut all = Self { clauses, doc: NO_MORE_DOCS };
        let first = all.clauses.first().map_or(NO_MORE_DOCS, |lead| lead.doc());
        all.agree(first)?;
        Ok(all)
    }

    /// From a document of the lead to the next one of all.
    fn agree(&mut self, mut doc: DocId) -> Result<DocId> {
        if let Some((lead, others)) = self.clauses.split_first_mut() {
            'docs: while doc != NO_MORE_DOCS {
                for other in others.iter_mut() {
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

impl Scorer for AllOf<'_> {
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
        self.agree(doc)
    }

    fn score(&mut self) -> Result<f32> {
        let mut sum = 0.0;
        for clause in &mut self.clauses {
            sum += f64::from(clause.score()?);
        }
        Ok(sum as f32)
    }

    fn bound(&mut self, target: DocId) -> Result<Bound> {
        together(&mut self.clauses, target)
    }

    fn cost(&self) -> u64 {
        self.clauses.first().map_or(0, |lead| lead.cost())
    }
}

/// A bound on the sum of clauses, of those that match.
fn together(clauses: &mut [Box<dyn Scorer + '_>], target: DocId) -> Result<Bound> {
    let (mut last_doc, mut sum) = (NO_MORE_DOCS, 0.0);
    for clause in clauses {
        let bound = clause.bound(target)?;
        last_doc = last_doc.min(bound.last_doc);
        sum += f64::from(bound.score.max(0.0));
    }
    Ok(Bound { last_doc, score: sum as f32 })
}

/// Documents that match at least `required` clauses; the scores of those they match add up.
pub(crate) struct AnyOf<'a> {
    /// A binary heap: the clause with the lowest document is first.
    clauses: Vec<Box<dyn Scorer + 'a>>,
    required: usize,
    doc: DocId,
}

impl<'a> AnyOf<'a> {
    /// Stands on the first document; `required` is at least 1.
    pub(crate) fn new(clauses: Vec<Box<dyn Scorer + 'a>>, required: usize) -> Result<Self> {
        let mut any = Self { clauses, required: required.max(1), doc: NO_MORE_DOCS };
        for at in (0..any.clauses.len() / 2).rev() {
            any.sift_down(at);
        }
        any.settle()?;
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

    /// Calls `each` with every clause that is on `doc`, the lowest document of all.
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

    /// Goes on, from the lowest document, to one with enough clauses.
    fn settle(&mut self) -> Result<DocId> {
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
            self.pass(self.doc.saturating_add(1))?;
        }
    }

    /// Moves every clause to `target` or beyond.
    fn pass(&mut self, target: DocId) -> Result<()> {
        while self.doc_at(0) < target {
            if let Some(clause) = self.clauses.first_mut() {
                clause.seek(target)?;
            }
            self.sift_down(0);
        }
        Ok(())
    }
}

impl Scorer for AnyOf<'_> {
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
        self.pass(target)?;
        self.settle()
    }

    fn score(&mut self) -> Result<f32> {
        let mut sum = 0.0;
        self.matching(self.doc, &mut |clause| {
            sum += f64::from(clause.score()?);
            Ok(())
        })?;
        Ok(sum as f32)
    }

    fn bound(&mut self, target: DocId) -> Result<Bound> {
        together(&mut self.clauses, target)
    }

    fn cost(&self) -> u64 {
        self.clauses.iter().map(|clause| clause.cost()).sum()
    }
}
