//! The compiled half of the Python package `lucerne`: classes over the engine's types. What needs no engine (schemas,
//! adapters for frameworks, asyncio) is written in Python, in `lucerne/`.

mod admin;
mod aggregations;
mod arrays;
#[allow(unsafe_code, reason = "the pointers of Arrow's C interface")]
mod arrow;
mod batch;
mod call;
mod changes;
mod commit_at;
mod dates;
mod document;
mod errors;
mod figures;
mod highlight;
mod hits;
mod index;
mod json;
mod memory;
mod merge_events;
mod queries;
mod reading;
mod rerank;
mod rows;
mod scan;
mod schema;
mod search;
mod searcher;
mod shard_answer;
mod shards;
mod sparse;
mod transfer;
mod writer;

/// Rust classes and functions, re-exported by `lucerne/__init__.py`.
#[pyo3::pymodule(gil_used = false)]
mod _lucerne {
    #[pymodule_export]
    use crate::admin::{check, repair};
    #[pymodule_export]
    use crate::arrow::ArrowTable;
    #[pymodule_export]
    use crate::figures::_merge_report_html;
    #[pymodule_export]
    use crate::highlight::Highlight;
    #[pymodule_export]
    use crate::hits::{Group, Hit, Hits};
    #[pymodule_export]
    use crate::index::{Index, create, open};
    #[pymodule_export]
    use crate::memory::Memory;
    #[pymodule_export]
    use crate::queries::{
        All, Bool, Boost, Constant, DisMax, Exists, Fuse, Fuzzy, Knn, Match, MoreLike, MultiMatch, Phrase,
        Prefix, Query, Range, Regex, Sparse, Term, Terms, Wildcard,
    };
    #[pymodule_export]
    use crate::rerank::Rerank;
    #[pymodule_export]
    use crate::scan::{ScannedDocument, Scanner};
    #[pymodule_export]
    use crate::searcher::Searcher;
    #[pymodule_export]
    use crate::shards::{_create_shards, _shard_paths, ShardedSearch, ShardedSearcher, shard_of};
    #[pymodule_export]
    use crate::transfer::SegmentBuilder;
    #[pymodule_export]
    use crate::writer::Writer;
}
