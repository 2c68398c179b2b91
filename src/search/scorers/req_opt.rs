//! Documents of one scorer, which score higher when another one matches them too.

use super::bm25::finite_score;
use super::scorer::{ScoreBound, Scorer};
use lucerne_codec::{DocId, Result};

/// The documents of a required scorer; the scores of an optional scorer are added where it matches.
pub(crate) struct ReqOptScorer<'a> {
    /// Decides which documents match.
    pub(crate) required: Box<dyn Scorer + 'a>,
    /// Adds to their scores only.
    pub(crate) optional: Box<dyn Scorer + 'a>,
}

impl Scorer for ReqOptScorer<'_> {
    fn doc(&self) -> DocId {
        self.required.doc()
    }

    fn advance(&mut self) -> Result<DocId> {
        self.required.advance()
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        self.required.seek(target)
    }

    fn score(&mut self) -> Result<f32> {
        let own = f64::from(self.required.score()?);
        let doc = self.required.doc();
        if self.optional.seek(doc)? == doc {
            return Ok(finite_score(own + f64::from(self.optional.score()?)));
        }
        Ok(own as f32)
    }

    fn bound(&mut self, target: DocId) -> Result<ScoreBound> {
        let (own, optional) = (self.required.bound(target)?, self.optional.bound(target)?);
        let score = (f64::from(own.score) + f64::from(optional.score.max(0.0))) as f32;
        Ok(ScoreBound { last_doc: own.last_doc.min(optional.last_doc), score })
    }

    fn cost(&self) -> u64 {
        self.required.cost()
    }
}
