//! Documents that match words, and how well.
//!
//! A [`Scorer`] walks through matching documents in ascending order and bounds the scores ahead of it. Scorers
//! are put together as a query's clauses are; [`top_docs`] keeps the best documents of any of them.
//! [`any_term`] and [`all_terms`] do the same for plain words, faster: they skip whatever cannot be among the
//! best, by the bounds that postings keep of each block.

mod best;
mod bm25;
mod boolean;
mod clauses;
mod conjunction;
mod disjunction;
mod doc_set;
mod phrase;
mod term;
#[cfg(test)]
mod tests;

pub(crate) use best::{Best, top_docs};
pub(crate) use bm25::Bm25;
pub(crate) use boolean::{AllOf, AnyOf};
pub(crate) use clauses::{Constant, Except, Preferring, Scaled};
pub(crate) use conjunction::all_terms;
pub(crate) use disjunction::any_term;
pub(crate) use doc_set::{ScoredDocs, SetDocs};
pub(crate) use phrase::Phrase;
pub(crate) use term::TermScorer;

use lucerne_codec::{DocId, Result};

/// No document from the one asked for up to `last_doc` scores higher than `score`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// [`lucerne_codec::postings::NO_MORE_DOCS`] when it holds for all that are left.
    pub(crate) last_doc: DocId,
    pub(crate) score: f32,
}

/// Stands on a matching document, the first at the beginning, and moves forward.
pub(crate) trait Scorer {
    /// The document it stands on; [`lucerne_codec::postings::NO_MORE_DOCS`] beyond the last.
    fn doc(&self) -> DocId;

    /// Moves to the next matching document.
    fn advance(&mut self) -> Result<DocId>;

    /// Moves to the first matching document that is `target` or later; stays where that is here.
    fn seek(&mut self, target: DocId) -> Result<DocId>;

    /// The score of the document it stands on. It does not depend on the order of clauses.
    fn score(&mut self) -> Result<f32>;

    /// Bounds the scores from `target` on, which may be ahead of the document it stands on.
    fn bound(&mut self, target: DocId) -> Result<Bound>;

    /// About how many documents it would walk through.
    fn cost(&self) -> u64;
}
