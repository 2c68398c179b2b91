"""Indexes in shards: several indexes in one folder, each with some of the documents, written and searched as one.

>>> import lucerne, tempfile, os
>>> path = os.path.join(tempfile.mkdtemp(), "notes")
>>> index = lucerne.ShardedIndex.create(path, lucerne.Schema(key="id", body="text"), shards=4)
>>> with index.writer() as writer:
...     _ = writer.upsert_batch([{"id": "vim", "body": "a text editor"}, {"id": "go", "body": "a board game"}])
>>> index.search("body:editor").keys
['vim']
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Iterable, Mapping, Union

from . import _lucerne
from .schema import Schema

__all__ = ["ShardedIndex", "ShardedWriter"]

Path = Union[str, "os.PathLike[str]"]

# Documents that are given to the writers at once.
_BATCH = 2_048


class ShardedIndex:
    """An index in shards. A document is in the shard that its key says (`lucerne.shard_of`); each shard is a `lucerne.Index` in a
    folder of its own.

    Open one with `ShardedIndex(path)`, make one with `ShardedIndex.create(path, schema, shards)`.
    """

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)
        self._shards = [_lucerne.open(shard) for shard in _lucerne._shard_paths(self._path)]

    @classmethod
    def create(cls, path: Path, schema: Schema | Mapping[str, Any] | str, shards: int) -> ShardedIndex:
        """Creates an index of so many shards (1 to 1,024), which stays their number. Keys must be given, not automatic."""
        _lucerne._create_shards(os.fspath(path), schema, shards)
        return cls(path)

    @property
    def path(self) -> str:
        """The folder."""
        return self._path

    @property
    def shards(self) -> list[_lucerne.Index]:
        """The shards, in the order of their numbers."""
        return list(self._shards)

    @property
    def schema(self) -> dict[str, Any]:
        """The schema, in JSON form as a dict."""
        return self._shards[0].schema

    def searcher(self) -> _lucerne.ShardedSearcher:
        """The newest point in time of each shard."""
        return _lucerne.ShardedSearcher([shard.searcher() for shard in self._shards])

    def search(self, query: Any, **keywords: Any) -> _lucerne.Hits:
        """`index.searcher().search(…)`, which takes what `Searcher.search` takes."""
        return self.searcher().search(query, **keywords)

    def count(self, query: Any = None) -> int:
        """`index.searcher().count(query)`."""
        return self.searcher().count(query)

    def get(self, key: str) -> dict[str, Any] | None:
        """The stored document with a key."""
        return self._shards[_lucerne.shard_of(key, len(self._shards))].get(key)

    def writer(self, **options: Any) -> ShardedWriter:
        """The writers of all shards, each with the options of `Index.writer`."""
        return ShardedWriter([shard.writer(**options) for shard in self._shards], key_name(self.schema))

    def __len__(self) -> int:
        return len(self.searcher())

    def __repr__(self) -> str:
        return f"ShardedIndex({self._path!r}, {len(self._shards)} shards)"

    def __reduce__(self) -> tuple[type[ShardedIndex], tuple[str]]:
        return (ShardedIndex, (self._path,))


class ShardedWriter:
    """Writes documents to the shards of their keys. Use it with `with`: it commits at the end of the block and closes; when the
    block raises, it rolls back."""

    def __init__(self, writers: list[_lucerne.Writer], key: str) -> None:
        self._writers, self._key = writers, key

    @property
    def writers(self) -> list[_lucerne.Writer]:
        """The writers, in the order of the shards' numbers: for what is done to each shard by itself."""
        return list(self._writers)

    def _shard(self, document: Any) -> int:
        key = document.get(self._key) if isinstance(document, Mapping) else getattr(document, self._key, None)
        # Without a key: its shard refuses it.
        return _lucerne.shard_of(key, len(self._writers)) if isinstance(key, str) else 0

    def add(self, document: Any) -> str:
        """Adds a document and returns its key. A key that exists is an `AlreadyExistsError`."""
        return self._writers[self._shard(document)].add(document)

    def upsert(self, document: Any) -> str:
        """Adds a document, or replaces the one with its key. Returns the key."""
        return self._writers[self._shard(document)].upsert(document)

    def add_batch(self, documents: Iterable[Any]) -> int:
        """Adds many documents and returns their number. After an error some of them may be added."""
        return self._batches(documents, replace=False)

    def upsert_batch(self, documents: Iterable[Any]) -> int:
        """Like `add_batch`, but replaces documents whose keys exist."""
        return self._batches(documents, replace=True)

    def _batches(self, documents: Iterable[Any], replace: bool) -> int:
        parts: list[list[Any]] = [[] for _ in self._writers]
        count = waiting = 0

        def write() -> None:
            for writer, part in zip(self._writers, parts):
                if part:
                    (writer.upsert_batch if replace else writer.add_batch)(part)
                    part.clear()

        for document in documents:
            parts[self._shard(document)].append(document)
            count, waiting = count + 1, waiting + 1
            if waiting == _BATCH:
                write()
                waiting = 0
        write()
        return count

    def update(self, key: str, set: Any = None, **changes: Any) -> None:
        """Changes fields of the document with a key, as `Writer.update`."""
        self._of(key).update(key, set, **changes)

    def delete(self, key: str) -> bool:
        """Deletes the document with a key; False when there is none."""
        return self._of(key).delete(key)

    def _of(self, key: str) -> _lucerne.Writer:
        return self._writers[_lucerne.shard_of(key, len(self._writers))]

    def refresh(self) -> None:
        """Makes changes visible to new searchers of the same `ShardedIndex`, without making them durable."""
        for writer in self._writers:
            writer.refresh()

    def commit(self) -> list[int]:
        """Commits shard after shard, and returns the generation of each. It is not atomic over shards: whoever opens a searcher
        meanwhile may see the new commit of some and the last one of others."""
        return [writer.commit() for writer in self._writers]

    def rollback(self) -> None:
        """Drops what was changed since the last commits."""
        for writer in self._writers:
            writer.rollback()

    def close(self) -> None:
        """Commits and closes."""
        for writer in self._writers:
            writer.close()

    def __enter__(self) -> ShardedWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.rollback()
        self.close()


def key_name(schema: Mapping[str, Any]) -> str:
    """The name of the key field of a schema in JSON form."""
    key = schema["key"]
    return str(key if isinstance(key, str) else key["name"])
