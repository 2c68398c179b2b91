//! Scorers that change what another one finds, or how it is scored.

use super::bm25::SLACK;
use super::{Bound, Scorer};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{DocId, Result};

/// The documents of a scorer, their scores multiplied.
pub(crate) struct Scaled<'a> {
    /// The scorer.
    pub(crate) of: Box<dyn Scorer + 'a>,
    /// Not negative.
    pub(crate) factor: f32,
}

impl Scorer for Scaled<'_> {
    fn doc(&self) -> DocId {
        self.of.doc()
    }

    fn advance(&mut self) -> Result<DocId> {
        self.of.advance()
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        self.of.seek(target)
    }

    fn score(&mut self) -> Result<f32> {
        Ok(self.of.score()? * self.factor)
    }

    fn bound(&mut self, target: DocId) -> Result<Bound> {
        let bound = self.of.bound(target)?;
        Ok(Bound { score: bound.score * self.factor, ..bound })
    }

    fn cost(&self) -> u64 {
        self.of.cost()
    }
}

/// The documents of a scorer, all with the same score.
pub(crate) struct Constant<'a> {
    /// The scorer.
    pub(crate) of: Box<dyn Scorer + 'a>,
    /// The score.
    pub(crate) score: f32,
}

impl Scorer for Constant<'_> {
    fn doc(&self) -> DocId {
        self.of.doc()
    }

    fn advance(&mut self) -> Result<DocId> {
        self.of.advance()
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        self.of.seek(target)
    }

    fn score(&mut self) -> Result<f32> {
        Ok(self.score)
    }

    fn bound(&mut self, _target: DocId) -> Result<Bound> {
        Ok(Bound { last_doc: NO_MORE_DOCS, score: self.score * SLACK })
    }

    fn cost(&self) -> u64 {
        self.of.cost()
    }
}

/// The documents of one scorer that another one does not match.
pub(crate) struct Except<'a> {
    of: Box<dyn Scorer + 'a>,
    without: Box<dyn Scorer + 'a>,
}

impl<'a> Except<'a> {
    /// Stands on the first document of `of` that `without` does not match.
    pub(crate) fn new(of: Box<dyn Scorer + 'a>, without: Box<dyn Scorer + 'a>) -> Result<Self> {
        let mut except = Self { of, without };
        except.settle()?;
        Ok(except)
    }

    fn settle(&mut self) -> Result<DocId> {
        let mut doc = self.of.doc();
        while doc != NO_MORE_DOCS && self.without.seek(doc)? == doc {
            doc = self.of.advance()?;
        }
        Ok(doc)
    }
}

impl Scorer for Except<'_> {
    fn doc(&self) -> DocId {
        self.of.doc()
    }

    fn advance(&mut self) -> Result<DocId> {
        self.of.advance()?;
        self.settle()
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        self.of.seek(target)?;
        self.settle()
    }

    fn score(&mut self) -> Result<f32> {
        self.of.score()
    }

    fn bound(&mut self, target: DocId) -> Result<Bound> {
        self.of.bound(target)
    }

    fn cost(&self) -> u64 {
        self.of.cost()
    }
}

/// The documents of one scorer; those that another one matches score higher by that.
pub(crate) struct Preferring<'a> {
    /// Decides which documents there are.
    pub(crate) of: Box<dyn Scorer + 'a>,
    /// Adds to their scores.
    pub(crate) preferred: Box<dyn Scorer + 'a>,
}

impl Scorer for Preferring<'_> {
    fn doc(&self) -> DocId {
        self.of.doc()
    }

    fn advance(&mut self) -> Result<DocId> {
        self.of.advance()
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        self.of.seek(target)
    }

    fn score(&mut self) -> Result<f32> {
        let own = f64::from(self.of.score()?);
        let doc = self.of.doc();
        match self.preferred.seek(doc)? == doc {
            true => Ok((own + f64::from(self.preferred.score()?)) as f32),
            false => Ok(own as f32),
        }
    }

    fn bound(&mut self, target: DocId) -> Result<Bound> {
        let (own, preferred) = (self.of.bound(target)?, self.preferred.bound(target)?);
        let score = (f64::from(own.score) + f64::from(preferred.score.max(0.0))) as f32;
        Ok(Bound { last_doc: own.last_doc.min(preferred.last_doc), score })
    }

    fn cost(&self) -> u64 {
        self.of.cost()
    }
}
