"""asyncio: the calls of an index on threads, so that the event loop goes on.

>>> import asyncio, lucerne, tempfile, os
>>> from lucerne import aio
>>> async def main():
...     path = os.path.join(tempfile.mkdtemp(), "a.idx")
...     index = await aio.create(path, lucerne.Schema(key="id", body="text"))
...     async with await index.writer() as writer:
...         await writer.upsert({"id": "vim", "body": "a text editor"})
...     return (await index.search("body:editor")).keys
>>> asyncio.run(main())
['vim']
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from itertools import islice
from types import TracebackType
from typing import Any

import lucerne

__all__ = ["Index", "Searcher", "Writer", "check", "create", "open", "repair"]

_SCANNED = 256
"""Documents of a scan that a thread reads at once."""


class _Threaded:
    """Methods of `_calls` run on threads."""

    _calls: frozenset[str] = frozenset()

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._calls:
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await asyncio.to_thread(found, *args, **kwargs)

        call.__name__, call.__doc__ = name, found.__doc__
        return call

    def __repr__(self) -> str:
        return f"aio.{self._inner!r}"

    def __len__(self) -> int:
        return len(self._inner)


async def _scanned(inner: Any, *args: Any, **kwargs: Any) -> AsyncIterator[lucerne.ScannedDocument]:
    scanner = await asyncio.to_thread(inner.scan, *args, **kwargs)
    while batch := await asyncio.to_thread(lambda: list(islice(scanner, _SCANNED))):
        for document in batch:
            yield document


class Searcher(_Threaded):
    """A `lucerne.Searcher` whose searches are awaited."""

    _calls = frozenset(
        {
            "search",
            "search_batch",
            "values",
            "recommend",
            "count",
            "get",
            "vector",
            "decoded_vector",
            "explain",
            "inspect",
            "segment_of",
            "top_terms",
            "vector_figures",
            "sample_vectors",
            "plan_force_merge",
            "split_keys",
            "plan_even_merges",
            "merge_segments",
            "answer",
        }
    )

    def scan(self, *args: Any, **kwargs: Any) -> AsyncIterator[lucerne.ScannedDocument]:
        """`lucerne.Searcher.scan`, for `async for`."""
        return _scanned(self._inner, *args, **kwargs)


class Writer(_Threaded):
    """A `lucerne.Writer` whose calls are awaited; `async with` commits or rolls back."""

    _calls = frozenset(
        {
            "add",
            "upsert",
            "add_batch",
            "upsert_batch",
            "add_arrow",
            "update",
            "update_by_query",
            "delete",
            "delete_by_query",
            "delete_expired",
            "refresh",
            "commit",
            "rollback",
            "tag",
            "untag",
            "restore",
            "drop_raw",
            "set_schema",
            "force_merge",
            "plan_force_merge",
            "expunge_deletes",
            "upgrade",
            "wait_for_merges",
            "cancel_merges",
            "close",
        }
    )

    async def __aenter__(self) -> Writer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._inner.__exit__, kind, error, trace)


class Index(_Threaded):
    """A `lucerne.Index` whose calls are awaited."""

    _calls = frozenset(
        {
            "search",
            "get",
            "count",
            "inspect",
            "backup_to",
            "tags",
            "commits",
            "publish",
            "add_indexes",
            "sweep_orphans",
        }
    )

    def scan(self, *args: Any, **kwargs: Any) -> AsyncIterator[lucerne.ScannedDocument]:
        """`lucerne.Index.scan`, for `async for`."""
        return _scanned(self._inner, *args, **kwargs)

    async def searcher(self) -> Searcher:
        return Searcher(await asyncio.to_thread(self._inner.searcher))

    async def open_at(self, at: str | int) -> Searcher:
        return Searcher(await asyncio.to_thread(self._inner.open_at, at))

    async def writer(self, **options: Any) -> Writer:
        return Writer(await asyncio.to_thread(lambda: self._inner.writer(**options)))


async def create(
    path: str | os.PathLike[str], schema: Any, *, memory: lucerne.Memory | int | None = None
) -> Index:
    """`lucerne.create`."""
    return Index(await asyncio.to_thread(lambda: lucerne.create(path, schema, memory=memory)))


async def open(path: str | os.PathLike[str], *, memory: lucerne.Memory | int | None = None) -> Index:
    """`lucerne.open`."""
    return Index(await asyncio.to_thread(lambda: lucerne.open(path, memory=memory)))


async def check(path: str | os.PathLike[str]) -> dict[str, Any]:
    """`lucerne.check`."""
    return await asyncio.to_thread(lucerne.check, path)


async def repair(path: str | os.PathLike[str], **options: Any) -> dict[str, Any]:
    """`lucerne.repair`."""
    return await asyncio.to_thread(lambda: lucerne.repair(path, **options))
