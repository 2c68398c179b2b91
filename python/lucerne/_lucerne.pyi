"""The compiled half of the package."""

import datetime
import os
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import disjoint_base

from .reports import MergeReport
from .schema import Schema

__all__ = [
    "All",
    "ArrowTable",
    "Bool",
    "Boost",
    "Constant",
    "DisMax",
    "Exists",
    "Fuse",
    "Fuzzy",
    "Group",
    "Highlight",
    "Hit",
    "Hits",
    "Index",
    "Knn",
    "Match",
    "Memory",
    "MoreLike",
    "MultiMatch",
    "Phrase",
    "Prefix",
    "Query",
    "Range",
    "Regex",
    "Rerank",
    "ScannedDocument",
    "Scanner",
    "Searcher",
    "SegmentBuilder",
    "ShardedSearch",
    "ShardedSearcher",
    "Sparse",
    "Term",
    "Terms",
    "Wildcard",
    "Writer",
    "_create_shards",
    "_merge_report_html",
    "_shard_paths",
    "check",
    "create",
    "open",
    "repair",
    "shard_of",
]

_Queries = Query | Mapping[str, Any] | Sequence[Query | Mapping[str, Any]]
_QueryLike = Query | Mapping[str, Any]
_SearchLike = Query | Mapping[str, Any] | str
_SortLike = str | tuple[str, str] | list[str | tuple[str, str]]
_Value = Any
_Vector = ArrayLike | bytes | str
_Progress = Callable[[str, int, int], bool | None]
_Edits = int | str
_Minimum = int | str
_Highlights = str | Highlight | Mapping[str, Any] | Sequence[str | Highlight | Mapping[str, Any]]
_Facets = str | Sequence[str] | Mapping[str, int]

def create(
    path: str | os.PathLike[str],
    schema: Schema | Mapping[str, Any] | str,
    *,
    memory: Memory | int | None = None,
) -> Index: ...
def open(path: str | os.PathLike[str], *, memory: Memory | int | None = None) -> Index: ...
def shard_of(key: str, shards: int) -> int: ...
def _create_shards(
    path: str | os.PathLike[str], schema: Schema | Mapping[str, Any] | str, shards: int
) -> list[Path]: ...
def _shard_paths(path: str | os.PathLike[str]) -> list[Path]: ...
def check(path: str | os.PathLike[str], *, progress: _Progress | None = None) -> dict[str, Any]: ...
def _merge_report_html(merges: Sequence[Mapping[str, Any]]) -> str: ...
def repair(
    path: str | os.PathLike[str],
    *,
    dry_run: bool = False,
    keep_lost: bool = False,
    damaged_to: str | os.PathLike[str] | None = None,
    ram_budget: int | None = None,
    threads: int | None = None,
    progress: _Progress | None = None,
) -> dict[str, Any]: ...

@final
class Memory:
    def __new__(cls, ceiling: int) -> Memory: ...
    @property
    def ceiling(self) -> int: ...
    @property
    def in_use(self) -> dict[str, int]: ...
    @property
    def peak(self) -> int: ...

@final
class Index:
    @property
    def path(self) -> str: ...
    @property
    def schema(self) -> dict[str, Any]: ...
    def searcher(self) -> Searcher: ...
    def writer(
        self,
        *,
        ram_budget: int | None = None,
        flush_docs: int | None = None,
        threads: int | None = None,
        seed: int | None = None,
        merge_threads: int | None = None,
        merge_bytes_per_second: int | None = None,
        merge_policy: str = "tiered",
        keep_commits: int | None = None,
        on_merge: Callable[[dict[str, Any]], object] | None = None,
    ) -> Writer: ...
    def search(
        self,
        query: _SearchLike,
        *,
        limit: int | None = None,
        offset: int = 0,
        filter: _SearchLike | None = None,
        fields: Sequence[str] | None = None,
        vectors: Sequence[str] | None = None,
        highlight: _Highlights | None = None,
        sort: _SortLike | None = None,
        rerank: Rerank | None = None,
        mmr: str | tuple[str, float] | None = None,
        decay: dict[str, Any] | None = None,
        group_by: str | tuple[str, int] | None = None,
        facets: _Facets | None = None,
        aggs: dict[str, Any] | None = None,
        total: bool = False,
        min_score: float | None = None,
        explain: bool = False,
        timeout: float | None = None,
        partial: bool = False,
        threads: int | None = None,
        default_field: str | Sequence[str] | None = None,
        params: dict[str, Any] | None = None,
        lenient: bool = False,
    ) -> Hits: ...
    def scan(
        self,
        filter: _SearchLike | None = None,
        *,
        after: str | None = None,
        fields: Sequence[str] | None = None,
        vectors: Sequence[str] | None = None,
    ) -> Scanner: ...
    def get(self, key: str) -> dict[str, Any] | None: ...
    def count(self, query: _SearchLike | None = None) -> int: ...
    def stats(self) -> dict[str, Any]: ...
    def backup_to(self, path: str | os.PathLike[str], *, progress: _Progress | None = None) -> dict[str, int]: ...
    def tags(self) -> dict[str, int]: ...
    def commits(self) -> list[int]: ...
    def open_at(self, at: str | int) -> Searcher: ...
    def publish(
        self,
        handles: Iterable[Mapping[str, Any]],
        *,
        on_existing: str = "fail",
        folders: Sequence[str | os.PathLike[str]] = ...,
        expected_generation: int | None = None,
        wait: float = 0.0,
    ) -> dict[str, int]: ...
    def add_indexes(self, paths: Sequence[str | os.PathLike[str]]) -> int: ...
    def sweep_orphans(self, older_than: float, *, folder: str | os.PathLike[str] | None = None) -> int: ...
    def inspect(self) -> dict[str, Any]: ...
    def to_arrow(self, filter: _SearchLike | None = None, *, lists: Sequence[str] = ...) -> ArrowTable: ...
    def __len__(self) -> int: ...
    def _repr_html_(self) -> str: ...
    def __reduce__(self) -> tuple[Any, tuple[str]]: ...

@final
class ShardedSearcher:
    def __new__(cls, searchers: Sequence[Searcher]) -> ShardedSearcher: ...
    @property
    def generations(self) -> list[int]: ...
    def search(
        self,
        query: _SearchLike,
        *,
        limit: int | None = None,
        offset: int = 0,
        filter: _SearchLike | None = None,
        fields: Sequence[str] | None = None,
        vectors: Sequence[str] | None = None,
        highlight: _Highlights | None = None,
        sort: _SortLike | None = None,
        rerank: Rerank | None = None,
        mmr: str | tuple[str, float] | None = None,
        decay: dict[str, Any] | None = None,
        group_by: str | tuple[str, int] | None = None,
        facets: _Facets | None = None,
        aggs: dict[str, Any] | None = None,
        total: bool = False,
        min_score: float | None = None,
        explain: bool = False,
        timeout: float | None = None,
        partial: bool = False,
        threads: int | None = None,
        default_field: str | Sequence[str] | None = None,
        params: dict[str, Any] | None = None,
        lenient: bool = False,
    ) -> Hits: ...
    def count(self, query: _SearchLike | None = None) -> int: ...
    def get(self, key: str) -> dict[str, Any] | None: ...
    def __len__(self) -> int: ...

@final
class ShardedSearch:
    def __new__(cls, query: _SearchLike, schema: Any, shards: int, **keywords: Any) -> ShardedSearch: ...
    def requests(self) -> list[str | None] | None: ...
    def answered(self, answers: Sequence[str | None]) -> None: ...
    def hits(self) -> Hits: ...

@final
class Searcher:
    @property
    def generation(self) -> int: ...
    def answer(
        self, request: str, *, timeout: float | None = None, partial: bool = False, threads: int | None = None
    ) -> str: ...
    @property
    def segment_count(self) -> int: ...
    def search(
        self,
        query: _SearchLike,
        *,
        limit: int | None = None,
        offset: int = 0,
        filter: _SearchLike | None = None,
        fields: Sequence[str] | None = None,
        vectors: Sequence[str] | None = None,
        highlight: _Highlights | None = None,
        sort: _SortLike | None = None,
        rerank: Rerank | None = None,
        mmr: str | tuple[str, float] | None = None,
        decay: dict[str, Any] | None = None,
        group_by: str | tuple[str, int] | None = None,
        facets: _Facets | None = None,
        aggs: dict[str, Any] | None = None,
        total: bool = False,
        min_score: float | None = None,
        explain: bool = False,
        timeout: float | None = None,
        partial: bool = False,
        threads: int | None = None,
        default_field: str | Sequence[str] | None = None,
        params: dict[str, Any] | None = None,
        lenient: bool = False,
    ) -> Hits: ...
    def search_batch(
        self,
        field: str,
        vectors: ArrayLike,
        *,
        k: int = 10,
        recall: float | None = None,
        candidates: int | None = None,
        rescore: float | None = None,
        exact: bool = False,
        filter: _SearchLike | None = None,
        threads: int | None = None,
        timeout: float | None = None,
    ) -> tuple[NDArray[np.object_], NDArray[np.float32]]: ...
    def values(self, field: str, *, prefix: str = "", limit: int = 100) -> list[tuple[Any, int]]: ...
    def recommend(
        self, field: str, liked: Sequence[str], disliked: Sequence[str] = ..., *, k: int | None = None
    ) -> Knn: ...
    def scan(
        self,
        filter: _SearchLike | None = None,
        *,
        after: str | None = None,
        fields: Sequence[str] | None = None,
        vectors: Sequence[str] | None = None,
    ) -> Scanner: ...
    def count(self, query: _SearchLike | None = None) -> int: ...
    def get(self, key: str) -> dict[str, Any] | None: ...
    def vector(self, key: str, field: str) -> NDArray[np.float32] | None: ...
    def decoded_vector(self, key: str, field: str) -> NDArray[np.float32] | None: ...
    def explain(self, query: _SearchLike, key: str) -> dict[str, Any]: ...
    def inspect(self) -> dict[str, Any]: ...
    def segment_of(self, key: str) -> str | None: ...
    def top_terms(self, field: str, *, limit: int = 20) -> list[tuple[str, int]]: ...
    def vector_figures(self, field: str, *, sample: int = 4_096) -> list[dict[str, Any]]: ...
    def sample_vectors(self, field: str, *, sample: int = 1_000) -> list[tuple[str, str, NDArray[np.float32]]]: ...
    def plan_force_merge(self, max_segments: int = 1) -> MergeReport: ...
    def to_arrow(self, filter: _SearchLike | None = None, *, lists: Sequence[str] = ...) -> ArrowTable: ...
    def split_keys(self, parts: int) -> list[str]: ...
    def plan_even_merges(self, max_segments: int = 1) -> list[dict[str, Any]]: ...
    def merge_segments(
        self,
        segments: Sequence[str],
        folder: str | os.PathLike[str],
        *,
        threads: int | None = None,
        seed: int | None = None,
        progress: _Progress | None = None,
    ) -> dict[str, Any]: ...
    def __len__(self) -> int: ...
    def __contains__(self, key: str, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, int]]: ...

@final
class Writer:
    @property
    def generation(self) -> int: ...
    def add(self, document: object) -> str: ...
    def upsert(self, document: object) -> str: ...
    def add_batch(self, documents: Iterable[object], *, vectors: Mapping[str, ArrayLike] | None = None) -> int: ...
    def upsert_batch(self, documents: Iterable[object], *, vectors: Mapping[str, ArrayLike] | None = None) -> int: ...
    def add_arrow(self, data: object, *, on_existing: str = "fail") -> int: ...
    def update(
        self,
        key: str,
        set: object | None = None,
        *,
        increment: dict[str, float] | None = None,
        remove: Sequence[str] | None = None,
    ) -> None: ...
    def update_by_query(
        self,
        query: _SearchLike,
        *,
        set: object | None = None,
        increment: dict[str, float] | None = None,
        remove: Sequence[str] | None = None,
        progress: _Progress | None = None,
    ) -> dict[str, Any]: ...
    def delete_by_query(self, query: _SearchLike) -> dict[str, Any]: ...
    def delete_expired(
        self, field: str, now: datetime.datetime | datetime.date | str | None = None
    ) -> dict[str, Any]: ...
    def delete(self, key: str) -> bool: ...
    def refresh(self) -> None: ...
    def commit(self) -> int: ...
    def tag(self, name: str, *, at: str | int | None = None) -> int: ...
    def untag(self, name: str) -> int: ...
    def restore(self, at: str | int) -> int: ...
    def drop_raw(self, field: str) -> None: ...
    def rollback(self) -> None: ...
    def set_schema(self, schema: Schema | Mapping[str, Any] | str) -> None: ...
    def force_merge(self, max_segments: int = 1, *, progress: _Progress | None = None) -> MergeReport: ...
    def plan_force_merge(self, max_segments: int = 1) -> MergeReport: ...
    def expunge_deletes(self, above: float = 0.0, *, progress: _Progress | None = None) -> MergeReport: ...
    def upgrade(self, *, progress: _Progress | None = None) -> MergeReport: ...
    def wait_for_merges(self) -> None: ...
    def cancel_merges(self) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Writer: ...
    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool: ...
    def __reduce__(self) -> Any: ...

@final
class SegmentBuilder:
    def __new__(
        cls,
        schema: Schema | Mapping[str, Any] | str,
        folder: str | os.PathLike[str],
        *,
        threads: int | None = None,
        seed: int | None = None,
    ) -> SegmentBuilder: ...
    @property
    def schema(self) -> dict[str, Any]: ...
    def add(self, document: object) -> None: ...
    def add_batch(self, documents: Iterable[object], *, vectors: Mapping[str, ArrayLike] | None = None) -> int: ...
    def add_arrow(self, data: object) -> int: ...
    def finish(self) -> dict[str, Any]: ...
    def __len__(self) -> int: ...

@final
class ArrowTable:
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any: ...
    def __len__(self) -> int: ...

@final
class Hit:
    @property
    def key(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def distance(self) -> float | None: ...
    @property
    def vector(self) -> int | None: ...
    @property
    def fields(self) -> dict[str, Any] | None: ...
    @property
    def explanation(self) -> dict[str, Any] | None: ...
    @property
    def group(self) -> Group | None: ...
    @property
    def vectors(self) -> dict[str, NDArray[np.float32] | None]: ...
    @property
    def highlights(self) -> dict[str, list[str]]: ...
    def __getitem__(self, key: str, /) -> Any: ...

@final
class Group:
    @property
    def value(self) -> Any: ...
    @property
    def next(self) -> list[Hit]: ...

@final
class ScannedDocument:
    @property
    def key(self) -> str: ...
    @property
    def fields(self) -> dict[str, Any]: ...
    @property
    def vectors(self) -> dict[str, NDArray[np.float32] | None]: ...
    def __getitem__(self, key: str, /) -> Any: ...

@final
class Scanner:
    def __iter__(self) -> Scanner: ...
    def __next__(self) -> ScannedDocument: ...

@final
class Highlight:
    def __new__(
        cls,
        field: str,
        *,
        fragments: int = 3,
        size: int = 150,
        tags: tuple[str, str] = ("<b>", "</b>"),
        escape_html: bool = False,
    ) -> Highlight: ...

@final
class Hits:
    @property
    def shards(self) -> tuple[int, int] | None: ...
    @property
    def exact(self) -> bool: ...
    @property
    def stopped(self) -> str | None: ...
    @property
    def total(self) -> int: ...
    @property
    def total_is_exact(self) -> bool: ...
    @property
    def facets(self) -> dict[str, list[tuple[Any, int]]]: ...
    @property
    def aggregations(self) -> dict[str, Any]: ...
    @property
    def warnings(self) -> list[str]: ...
    @property
    def took(self) -> float: ...
    @property
    def segments(self) -> list[dict[str, Any]]: ...
    @property
    def unknown_fields(self) -> list[str]: ...
    @property
    def keys(self) -> list[str]: ...
    @property
    def scores(self) -> NDArray[np.float32]: ...
    def to_dicts(self) -> list[dict[str, Any]]: ...
    def to_pandas(self) -> Any: ...
    def to_polars(self) -> Any: ...
    def to_arrow(self) -> Any: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Hit]: ...
    @overload
    def __getitem__(self, key: int, /) -> Hit: ...
    @overload
    def __getitem__(self, key: slice, /) -> list[Hit]: ...
    def _repr_html_(self) -> str: ...

@disjoint_base
class Query:
    @staticmethod
    def from_json(query: Mapping[str, Any] | str) -> Query: ...
    def to_json(self) -> dict[str, Any]: ...
    def __and__(self, value: _QueryLike, /) -> Query: ...
    def __or__(self, value: _QueryLike, /) -> Query: ...
    def __rand__(self, value: _QueryLike, /) -> Query: ...
    def __ror__(self, value: _QueryLike, /) -> Query: ...
    def __invert__(self) -> Query: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __reduce__(self) -> Any: ...

@final
class All(Query):
    def __new__(cls) -> All: ...

@final
class Knn(Query):
    def __new__(
        cls,
        field: str,
        vector: _Vector,
        *,
        k: int | None = None,
        recall: float | None = None,
        candidates: int | None = None,
        nprobe: int | None = None,
        rescore: float | None = None,
        exact: bool = False,
        filter: _QueryLike | None = None,
        post_filter: bool = False,
        min_score: float | None = None,
    ) -> Knn: ...

@final
class Match(Query):
    def __new__(
        cls,
        field: str,
        text: str,
        *,
        operator: str = "or",
        minimum_should_match: _Minimum | None = None,
        fuzziness: _Edits | None = None,
    ) -> Match: ...

@final
class MultiMatch(Query):
    def __new__(
        cls,
        text: str,
        fields: Sequence[str],
        *,
        type: str = "best_fields",
        tie_breaker: float = 0.0,
        operator: str = "or",
        minimum_should_match: _Minimum | None = None,
        fuzziness: _Edits | None = None,
    ) -> MultiMatch: ...

@final
class Fuzzy(Query):
    def __new__(
        cls,
        field: str,
        word: str,
        *,
        edits: _Edits | None = None,
        prefix_length: int = 0,
        transpositions: bool = True,
        max_expansions: int = 50,
    ) -> Fuzzy: ...

@final
class Wildcard(Query):
    def __new__(cls, field: str, pattern: str) -> Wildcard: ...

@final
class Regex(Query):
    def __new__(cls, field: str, pattern: str) -> Regex: ...

@final
class MoreLike(Query):
    def __new__(
        cls,
        *,
        key: str | None = None,
        text: str | None = None,
        fields: Sequence[str] | None = None,
        max_terms: int = 25,
        min_term_freq: int = 1,
        min_doc_freq: int = 2,
        max_doc_freq: int | None = None,
    ) -> MoreLike: ...

@final
class Phrase(Query):
    def __new__(cls, field: str, text: str, *, slop: int = 0) -> Phrase: ...

@final
class Sparse(Query):
    def __new__(cls, field: str, vector: Any) -> Sparse: ...

@final
class Prefix(Query):
    def __new__(cls, field: str, prefix: str) -> Prefix: ...

@final
class Term(Query):
    def __new__(cls, field: str, value: _Value) -> Term: ...

@final
class Terms(Query):
    def __new__(cls, field: str, values: Iterable[_Value]) -> Terms: ...

@final
class Range(Query):
    def __new__(
        cls,
        field: str,
        *,
        gt: _Value | None = None,
        gte: _Value | None = None,
        lt: _Value | None = None,
        lte: _Value | None = None,
    ) -> Range: ...

@final
class Exists(Query):
    def __new__(cls, field: str) -> Exists: ...

@final
class Bool(Query):
    def __new__(
        cls,
        *,
        must: _Queries | None = None,
        should: _Queries | None = None,
        must_not: _Queries | None = None,
        filter: _Queries | None = None,
        minimum_should_match: _Minimum | None = None,
    ) -> Bool: ...

@final
class DisMax(Query):
    def __new__(cls, *queries: _QueryLike, tie_breaker: float = 0.0) -> DisMax: ...

@final
class Boost(Query):
    def __new__(cls, query: _QueryLike, boost: float) -> Boost: ...

@final
class Constant(Query):
    def __new__(cls, query: _QueryLike, score: float = 1.0) -> Constant: ...

@final
class Fuse(Query):
    def __new__(
        cls,
        *queries: _QueryLike | tuple[_QueryLike, float],
        method: str = "rrf",
        constant: float = 60.0,
        window: int | None = None,
    ) -> Fuse: ...

@final
class Rerank:
    @staticmethod
    def vector(
        field: str,
        vector: _Vector,
        *,
        window: int | None = None,
        weight: float | None = None,
        multiply: bool = False,
        compat_topk: int | None = None,
    ) -> Rerank: ...
    @staticmethod
    def max_sim(
        field: str,
        vectors: Any,
        *,
        window: int | None = None,
        weight: float | None = None,
        multiply: bool = False,
        replace: bool = False,
    ) -> Rerank: ...
    @staticmethod
    def query(
        query: _QueryLike, *, window: int | None = None, weight: float | None = None, multiply: bool = False
    ) -> Rerank: ...
    @staticmethod
    def mmr(field: str, lambda_: float = 0.5, *, window: int | None = None) -> Rerank: ...
    @staticmethod
    def decay(
        field: str,
        origin: _Value,
        scale: float | str | datetime.timedelta,
        *,
        offset: float | str | datetime.timedelta | None = None,
        decay: float = 0.5,
        shape: str = "gauss",
        window: int | None = None,
        weight: float | None = None,
        multiply: bool = False,
    ) -> Rerank: ...
    @staticmethod
    def field_value(
        field: str,
        *,
        factor: float = 1.0,
        modifier: str = "none",
        missing: float = 0.0,
        window: int | None = None,
        weight: float | None = None,
        multiply: bool = False,
    ) -> Rerank: ...
