//! Limits and defaults of writers and searches.

/// 256 MiB: large enough that a first import of 100,000 vectors leaves few segments.
pub const DEFAULT_RAM_BUDGET: usize = 256 << 20;
/// Below this a buffer would hold next to nothing.
pub const MIN_RAM_BUDGET: usize = 1 << 20;
/// Documents of one segment at most: ids fit in 31 bits.
pub const MAX_SEGMENT_DOCS: u32 = 1 << 31;
/// Neighbours a search may ask for at most.
pub const MAX_K: usize = 10_000;
/// Candidates a search may keep at most.
pub const MAX_CANDIDATES: usize = 100_000;
/// Hits a search returns unless told otherwise.
pub const DEFAULT_K: usize = 10;
/// Candidates a search keeps per segment unless told otherwise (or `k`, when that is more).
pub const DEFAULT_CANDIDATES: usize = 100;
/// Words of a phrase at most.
pub const MAX_PHRASE_WORDS: usize = 1_024;
/// How deep queries may be nested in queries.
pub const MAX_QUERY_DEPTH: usize = 64;
/// Seed of graphs when none is given.
pub(crate) const DEFAULT_SEED: u64 = 42;
/// The release, as segments and commits remember it.
pub(crate) const WRITTEN_BY: &str = concat!("lucerne ", env!("CARGO_PKG_VERSION"));
