//! Documents of one scorer that another one does not match.

use super::pace::Pace;
use super::scorer::{ScoreBound, Scorer};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{Cancel, DocId, Result};

/// The documents of one scorer that another one does not match.
pub(crate) struct ReqExclScorer<'a> {
    required: Box<dyn Scorer + 'a>,
    excluded: Box<dyn Scorer + 'a>,
    pace: Pace<'a>,
}

impl<'a> ReqExclScorer<'a> {
    /// Starts on the first document of `required` that `excluded` does not match.
    pub(crate) fn new(
        required: Box<dyn Scorer + 'a>,
        excluded: Box<dyn Scorer + 'a>,
        cancel: &'a Cancel,
    ) -> Result<Self> {
        let mut scorer = Self { required, excluded, pace: Pace::of_moves(cancel) };
        scorer.skip_excluded()?;
        Ok(scorer)
    }

    fn skip_excluded(&mut self) -> Result<DocId> {
        let mut doc = self.required.doc();
        while doc != NO_MORE_DOCS && self.excluded.seek(doc)? == doc {
            self.pace.step()?;
            doc = self.required.advance()?;
        }
        Ok(doc)
    }
}

impl Scorer for ReqExclScorer<'_> {
    fn doc(&self) -> DocId {
        self.required.doc()
    }

    fn advance(&mut self) -> Result<DocId> {
        self.required.advance()?;
        self.skip_excluded()
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        self.required.seek(target)?;
        self.skip_excluded()
    }

    fn score(&mut self) -> Result<f32> {
        self.required.score()
    }

    fn bound(&mut self, target: DocId) -> Result<ScoreBound> {
        self.required.bound(target)
    }

    fn cost(&self) -> u64 {
        self.required.cost()
    }
}
