"""Lucerne: an embedded vector and full-text search engine.

>>> import lucerne, tempfile, os
>>> path = os.path.join(tempfile.mkdtemp(), "notes.idx")
>>> index = lucerne.create(path, lucerne.Schema(key="id", body="text", embedding=lucerne.Vector(4)))
>>> with index.writer() as writer:
...     _ = writer.upsert({"id": "vim", "body": "a text editor", "embedding": [0.1, 0.7, 0.2, 0.4]})
>>> index.search(lucerne.Knn("embedding", [0.1, 0.6, 0.2, 0.5], k=1)).keys
['vim']
>>> index.search("body:editor", fields=["body"])[0]["body"]
'a text editor'
"""

from ._lucerne import (
    All,
    ArrowTable,
    Bool,
    Boost,
    Constant,
    DisMax,
    Exists,
    Fuse,
    Fuzzy,
    Group,
    Highlight,
    Hit,
    Hits,
    Index,
    Knn,
    Match,
    Memory,
    MoreLike,
    MultiMatch,
    Phrase,
    Prefix,
    Query,
    Range,
    Regex,
    Rerank,
    ScannedDocument,
    Scanner,
    Searcher,
    SegmentBuilder,
    ShardedSearch,
    ShardedSearcher,
    Sparse,
    Term,
    Terms,
    Wildcard,
    Writer,
    check,
    create,
    open,
    repair,
    shard_of,
)
from .errors import (
    AlreadyExistsError,
    CancelledError,
    ClosedError,
    ConflictError,
    CorruptError,
    DiskFullError,
    IncompatibleError,
    InternalError,
    LockedError,
    LucerneError,
    NotFoundError,
    StorageError,
    TimedOutError,
    UsageError,
)
from .reports import MergeReport
from .schema import BinaryVector, Field, Keyword, Schema, SparseVector, Text, Vector
from .shards import ShardedIndex, ShardedWriter

__version__ = "0.1.0"


def _reopened_searcher(path: str, generation: int) -> Searcher:
    """What a pickled searcher becomes: one of the same commit, or an error when that is not kept."""
    return open(path).open_at(generation)


__all__ = [
    "All",
    "AlreadyExistsError",
    "ArrowTable",
    "BinaryVector",
    "Bool",
    "Boost",
    "CancelledError",
    "ClosedError",
    "Constant",
    "ConflictError",
    "CorruptError",
    "DisMax",
    "DiskFullError",
    "Exists",
    "Field",
    "Fuse",
    "Fuzzy",
    "Group",
    "Highlight",
    "Hit",
    "Hits",
    "IncompatibleError",
    "Index",
    "InternalError",
    "Keyword",
    "Knn",
    "LockedError",
    "LucerneError",
    "Match",
    "Memory",
    "MergeReport",
    "MoreLike",
    "MultiMatch",
    "NotFoundError",
    "Phrase",
    "Prefix",
    "Query",
    "Range",
    "Regex",
    "Rerank",
    "ScannedDocument",
    "Scanner",
    "Schema",
    "Searcher",
    "SegmentBuilder",
    "ShardedIndex",
    "ShardedSearch",
    "ShardedSearcher",
    "ShardedWriter",
    "Sparse",
    "SparseVector",
    "StorageError",
    "Term",
    "Terms",
    "Text",
    "TimedOutError",
    "UsageError",
    "Vector",
    "Wildcard",
    "Writer",
    "check",
    "create",
    "open",
    "repair",
    "shard_of",
]
