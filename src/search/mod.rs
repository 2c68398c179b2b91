//! Searching: the [`Searcher`], its [`Hits`], and [`Explanation`]s of them. What to search for is in
//! [`query`](crate::query).
//!
//! # How a search runs, for readers of the source
//!
//! A query is resolved once into a tree that every segment can evaluate: fields are looked up, texts analyzed, term
//! statistics gathered over all segments, and the kNN and fusion queries inside it run. Each segment then evaluates
//! the tree as a bit set of matching documents (filters, counts, sorting) or as a scorer (the best documents). The
//! best documents of all segments are merged into one ranking, which may be reranked.
//!
//! | file | what it does | in Lucene |
//! |---|---|---|
//! | `run` | the order of things | `IndexSearcher.search` |
//! | `options`, `stop`, `threads` | deadlines, cancelling, segments side by side | `QueryTimeout`, `TaskExecutor` |
//! | `node`, `resolve` | resolves a query | `Query.rewrite`, `Weight` |
//! | `scorers`, `terms`, `score` | scores documents and collects the best | `Scorer`, `BulkScorer`, `TopScoreDocCollector` |
//! | `sparse` | sparse vectors of queries: their lists, matches and explanations | |
//! | `matching` | evaluates filters | `DocIdSet` |
//! | `ranking`, `rank` | ranks documents over all segments | `ScoreDoc`, `TopDocs.merge` |
//! | `together`, `known` | what searches of one call share, and what each knows of it | |
//! | `knn`, `fuse` | rank by distance, by several rankings | `KnnFloatVectorQuery`, `TopDocs.rrf` |
//! | `rerank`, `function`, `max_sim`, `mmr`, `sort`, `sorted_runs` | change the order | `Rescorer`, `Sort` |
//! | `ranked`, `group` | the ranking of a search; its groups | `TopGroups` |
//! | `tally`, `aggregate`, `field_values`, `total` | all documents found: how many, counts and numbers of their values | `TotalHits`, `Facets` |
//! | `unknown_fields` | names that may be misspelt | |
//! | `page`, `stored` | read documents back | `StoredFields` |
//! | `more_like`, `recommend` | queries made of documents that are there | `MoreLikeThis` |
//! | `scan` | all documents in the order of their keys | |
//! | `statistics`, `given`, `shard` | searches over several indexes | `TermStatistics`, Elasticsearch's search phases |
//! | `explanation`, `explain` | explains a hit or a miss | `Explanation` |
//!
//! Read path: [`Searcher::search`] → `run` → `resolve` → `rank` (`knn`, `fuse`, or `score` with `scorers`) → `rerank` or
//! `sort` → `group` → `tally` with `aggregate` → `page` → `stored`. Queries contain queries: `resolve` calls back `rank` for those that are rankings of their own,
//! through a function that the `Resolver` carries.

mod aggregate;
mod effort;
mod explain;
mod explanation;
mod field_values;
mod function;
mod fuse;
mod given;
mod group;
mod heap;
mod helpers;
mod highlight;
mod hits;
mod knn;
mod known;
mod matches;
mod matching;
mod max_sim;
mod mmr;
mod more_like;
mod node;
mod options;
mod page;
mod part;
mod phases;
mod rank;
mod ranked;
mod ranking;
mod recommend;
mod rerank;
mod resolve;
mod run;
mod scan;
mod score;
mod scorers;
mod searcher;
mod shard;
mod sort;
mod sorted_runs;
mod sparse;
mod split;
mod statistics;
mod stop;
mod stored;
mod synonyms;
mod tally;
mod term_sets;
mod terms;
#[cfg(test)]
mod tests;
mod threads;
mod together;
mod total;
mod unknown_fields;
mod values;
mod words;

pub use aggregate::{Aggregate, Bucket, Buckets, Percentile, Stats};
pub use explanation::Explanation;
pub use hits::{Group, Hit, Hits, SegmentSearch, Shards};
pub(crate) use matches::matches;
pub use options::SearchOptions;
pub use phases::Timings;
pub use scan::{Scan, ScannedDocument, Scanner};
pub use searcher::{AnalyzedTerm, Searcher};
pub use shard::{ShardAnswer, ShardRequest, ShardedSearch};
pub(crate) use shard::{check_number as check_number_of_shards, search_shards};
pub use statistics::TextStatistics;
pub use stop::Stopped;
pub use threads::Pool;
pub use total::Total;
