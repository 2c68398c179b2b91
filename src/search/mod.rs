//! Runs searches on a snapshot.
//!
//! A query is resolved once into a tree of [`node::Node`]s (`resolve`: fields are looked up, texts analyzed, term
//! statistics gathered over all segments, kNN and fusion queries inside it run). Each segment then evaluates the
//! tree in one of two ways: as a bit set of matching documents (`matching`: filters, counts, sorting) or as a
//! scorer (`score`: the best documents). The best documents of all segments are merged into one `ranking`.
//!
//! Read path: [`Searcher::search`] → `resolve` → `rank` (`knn`, `fuse`, or `score` with `scorers`) →
//! `rerank` or `sort` → `stored` (fields of the hits).
//!
//! | file | what it does | compare with Lucene's |
//! |---|---|---|
//! | `node`, `resolve` | from a query to what every segment runs | `Query.rewrite`, `Weight` |
//! | `scorers`, `terms`, `score` | scorers and collectors | `Scorer`, `BulkScorer`, `TopScoreDocCollector` |
//! | `matching` | filters as bit sets | `DocIdSet` |
//! | `ranking`, `rank` | scored documents, merged over segments | `ScoreDoc`, `TopDocs.merge` |
//! | `knn`, `fuse`, `rerank`, `sort` | one kind of ranking each | `KnnFloatVectorQuery`, `TopDocs.rrf`, `Rescorer`, `Sort` |
//! | `explanation`, `explain` | why a document is or is not a hit | `Explanation` |
//!
//! Queries contain queries: a kNN query has a filter, a fusion has rankings. The one step back up, from `resolve` to
//! `rank`, goes through [`resolve::Resolver::rank_query`].

mod explain;
mod explanation;
mod fuse;
mod hits;
mod knn;
mod matching;
mod node;
mod rank;
mod ranking;
mod rerank;
mod resolve;
mod score;
mod scorers;
mod searcher;
mod sort;
mod stored;
mod terms;
#[cfg(test)]
mod tests;
mod values;

pub use explanation::Explanation;
pub use hits::{Hit, Hits, SegmentSearch};
pub use searcher::Searcher;
