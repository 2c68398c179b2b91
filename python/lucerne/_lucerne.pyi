"""The compiled half of the package."""

import os
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import disjoint_base

from .schema import Schema

__all__ = [
    "All",
    "Bool",
    "Boost",
    "Constant",
    "Exists",
    "Fuse",
    "Hit",
    "Hits",
    "Index",
    "Knn",
    "Match",
    "Phrase",
    "Prefix",
    "Query",
    "Range",
    "Rerank",
    "Searcher",
    "Term",
    "Terms",
    "Writer",
    "check",
    "create",
    "open",
]

_Queries = Query | Mapping[str, Any] | Sequence[Query | Mapping[str, Any]]
_QueryLike = Query | Mapping[str, Any]
_SearchLike = Query | Mapping[str, Any] | str
_SortLike = str | tuple[str, str] | list[str | tuple[str, str]]
_Value = Any
_Vector = ArrayLike | bytes | str
_Progress = Callable[[str, int, int], bool | None]

def create(path: str | os.PathLike[str], schema: Schema | Mapping[str, Any] | str) -> Index: ...
def open(path: str | os.PathLike[str]) -> Index: ...
def check(path: str | os.PathLike[str], *, progress: _Progress | None = None) -> dict[str, Any]: ...

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
    ) -> Writer: ...
    def search(
        self,
        query: _SearchLike,
        *,
        limit: int | None = None,
        offset: int = 0,
        filter: _SearchLike | None = None,
        fields: Sequence[str] | None = None,
        sort: _SortLike | None = None,
        rerank: Rerank | None = None,
        min_score: float | None = None,
        explain: bool = False,
    ) -> Hits: ...
    def get(self, key: str) -> dict[str, Any] | None: ...
    def count(self, query: _SearchLike | None = None) -> int: ...
    def inspect(self) -> dict[str, Any]: ...
    def __len__(self) -> int: ...
    def _repr_html_(self) -> str: ...
    def __reduce__(self) -> tuple[Any, tuple[str]]: ...

@final
class Searcher:
    @property
    def generation(self) -> int: ...
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
        sort: _SortLike | None = None,
        rerank: Rerank | None = None,
        min_score: float | None = None,
        explain: bool = False,
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
    ) -> tuple[NDArray[np.object_], NDArray[np.float32]]: ...
    def count(self, query: _SearchLike | None = None) -> int: ...
    def get(self, key: str) -> dict[str, Any] | None: ...
    def vector(self, key: str, field: str) -> NDArray[np.float32] | None: ...
    def explain(self, query: _SearchLike, key: str) -> dict[str, Any]: ...
    def inspect(self) -> dict[str, Any]: ...
    def __len__(self) -> int: ...
    def __contains__(self, key: str, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str]]: ...

@final
class Writer:
    @property
    def generation(self) -> int: ...
    def add(self, document: object) -> str: ...
    def upsert(self, document: object) -> str: ...
    def add_batch(self, documents: Iterable[object], *, vectors: Mapping[str, ArrayLike] | None = None) -> int: ...
    def upsert_batch(self, documents: Iterable[object], *, vectors: Mapping[str, ArrayLike] | None = None) -> int: ...
    def update(self, key: str, fields: object) -> None: ...
    def delete(self, key: str) -> bool: ...
    def refresh(self) -> None: ...
    def commit(self) -> int: ...
    def rollback(self) -> None: ...
    def force_merge(self, max_segments: int = 1, *, progress: _Progress | None = None) -> list[dict[str, Any]]: ...
    def wait_for_merges(self) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Writer: ...
    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool: ...
    def __reduce__(self) -> Any: ...

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
    def __getitem__(self, key: str, /) -> Any: ...

@final
class Hits:
    @property
    def exact(self) -> bool: ...
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
        cls, field: str, text: str, *, operator: str = "or", minimum_should_match: int | None = None
    ) -> Match: ...

@final
class Phrase(Query):
    def __new__(cls, field: str, text: str, *, slop: int = 0) -> Phrase: ...

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
        minimum_should_match: int | None = None,
    ) -> Bool: ...

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
    def vector(field: str, vector: _Vector, *, window: int | None = None, weight: float | None = None) -> Rerank: ...
    @staticmethod
    def query(query: _QueryLike, *, window: int | None = None, weight: float | None = None) -> Rerank: ...
