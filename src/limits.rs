//! Limits and defaults of searches and of the writer. Others are beside what they limit: those of keys and fields in
//! `schema`, of merges in `merge/policy`, of a vector field's parameters in its format.

/// Default of [`WriterOptions::ram_budget`](crate::WriterOptions::ram_budget) in bytes, 256 MiB. A first import of
/// 100,000 vectors then leaves few segments.
pub const DEFAULT_RAM_BUDGET: usize = 256 << 20;
/// Least value of [`WriterOptions::ram_budget`](crate::WriterOptions::ram_budget) in bytes, 1 MiB.
pub const MIN_RAM_BUDGET: usize = 1 << 20;
/// Maximum number of documents in a segment: their numbers have 31 bits.
pub const MAX_SEGMENT_DOCS: u32 = 1 << 31;
/// Maximum length of a document in bytes, 16 MiB: its stored fields as JSON, with the key and without vectors.
pub const MAX_DOCUMENT_BYTES: usize = lucerne_codec::stored::MAX_DOCUMENT;
/// Maximum of [`Knn::k`](crate::Knn::k) and of [`Search::limit`](crate::Search::limit).
pub const MAX_K: usize = 10_000;
/// Maximum of [`Knn::candidates`](crate::Knn::candidates).
pub const MAX_CANDIDATES: usize = 100_000;
/// Default of [`Knn::k`](crate::Knn::k) and of [`Search::limit`](crate::Search::limit).
pub const DEFAULT_K: usize = 10;
/// Default of [`Knn::recall`](crate::Knn::recall).
pub const DEFAULT_RECALL: f32 = 0.95;
/// Candidates of a search that probes a given number of lists and says nothing of candidates; also the default window
/// of [`Fuse`](crate::Fuse) and [`Rerank`](crate::Rerank).
pub const DEFAULT_CANDIDATES: usize = 100;
/// Maximum number of words of a [`Phrase`](crate::Phrase).
pub const MAX_PHRASE_WORDS: usize = 1_024;
/// Maximum number of dimensions of the vector of a [`Sparse`](crate::Sparse) query.
pub const MAX_SPARSE_DIMENSIONS: usize = 65_536;
/// Maximum number of vectors of a [`Rerank::max_sim`](crate::Rerank::max_sim).
pub const MAX_QUERY_VECTORS: usize = 1_024;
/// Maximum number of shards of an index: each search asks all of them.
pub const MAX_SHARDS: usize = 1_024;
/// Maximum depth of queries inside queries.
pub const MAX_QUERY_DEPTH: usize = 64;
/// Maximum depth of aggregations inside aggregations, the outermost included.
pub const MAX_AGGREGATION_DEPTH: usize = 4;
/// Maximum number of buckets that the aggregations of a search return, and of values that
/// [`Searcher::values`](crate::Searcher::values) returns.
pub const MAX_BUCKETS: usize = 65_536;
/// Maximum number of hits of a group ([`Search::group_by`](crate::Search::group_by)).
pub const MAX_GROUP_SIZE: usize = 100;
/// Seed of graphs when none is given.
pub(crate) const DEFAULT_SEED: u64 = 42;
/// The release, as segments and commits remember it.
pub(crate) const WRITTEN_BY: &str = concat!("lucerne ", env!("CARGO_PKG_VERSION"));
