//! Scorers: iterators over the matching documents of one segment, in ascending order, each with a score.
//!
//! [`Scorer`] is Lucene's `Scorer` and tantivy's `DocSet` in one trait: the next document, its score, and an upper
//! bound on the scores ahead, which lets a collector skip documents that cannot be among the best. Scorers
//! are composed as the clauses of a query are:
//!
//! | file | documents |
//! |---|---|
//! | `term`, `phrase` | of a term, of a phrase, scored by `bm25` |
//! | `conjunction`, `disjunction` | that match all, or at least some number, of several scorers |
//! | `dis_max` | that match any of several scorers, with the best score |
//! | `req_excl`, `req_opt` | of a required scorer, without or preferring those of another one |
//! | `synonyms` | of any of several terms, scored as one |
//! | `boost` | of another scorer, with scores multiplied or replaced |
//! | `sparse` | that have a dimension of a sparse vector, scored by inner product (`sparse_lists`) |
//! | `doc_lists` | of a bit set, or of a list with scores |
//!
//! `pace` says when a scorer looks whether the search was stopped: in every loop that a document may take long in.
//! `collector` keeps the best documents of any scorer. For the two most frequent queries, plain words of which one
//! or all must match, `max_score` and `block_max_and` collect whole blocks of postings instead and skip blocks by
//! the bounds that the postings keep of them. For a sparse vector alone `sparse_top` takes blocks of documents in the
//! order of their bounds; `sparse_candidates` keeps those of their documents that may be among the best.

mod block_max_and;
mod bm25;
mod boost;
mod collector;
mod conjunction;
mod dis_max;
mod disjunction;
mod doc_lists;
mod max_score;
mod pace;
mod phrase;
mod req_excl;
mod req_opt;
mod scorer;
mod sparse;
mod sparse_candidates;
mod sparse_lists;
mod sparse_top;
mod synonyms;
mod term;
#[cfg(test)]
mod tests;

pub(crate) use block_max_and::collect_all_terms;
pub(crate) use bm25::{Bm25, finite_score};
pub(crate) use boost::{BoostScorer, ConstantScorer};
pub(crate) use collector::{TopDocsCollector, collect_scorer};
pub(crate) use conjunction::ConjunctionScorer;
pub(crate) use dis_max::DisMaxScorer;
pub(crate) use disjunction::DisjunctionScorer;
pub(crate) use doc_lists::{BitSetScorer, ScoredDocsScorer};
pub(crate) use max_score::collect_any_term;
pub(crate) use phrase::PhraseScorer;
pub(crate) use req_excl::ReqExclScorer;
pub(crate) use req_opt::ReqOptScorer;
pub(crate) use scorer::Scorer;
pub(crate) use sparse::SparseScorer;
pub(crate) use sparse_lists::SparseLists;
pub(crate) use sparse_top::collect_sparse;
pub(crate) use synonyms::SynonymScorer;
pub(crate) use term::TermScorer;
