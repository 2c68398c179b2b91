"""Indexes and Spark: a data frame into an index by many tasks, and an index as a data frame. Needs Spark 4.1 or newer
(`pip install lucerne[spark]`).

    spark.dataSource.register(lucerne.spark.LucerneSource)
    frame.write.format("lucerne").mode("append").option("schema", json.dumps(schema.to_json())).save("/shared/notes.idx")
    spark.read.format("lucerne").load("/shared/notes.idx")

Tasks build segments, which nobody sees; the driver publishes all of them in one commit. What happens when a task or the driver
fails is told in `docs/cluster.md`.

Options of a write, all text: `schema`, in JSON, of an index that is created; `on_existing` (`fail`, `replace`, `skip`);
`staging`, a folder that all machines have, in which tasks build segments; `threads`, `seed`, `wait` in seconds. Options of a
read: `at`, a tag or generation; `filter`, a query in JSON; `lists`, names of fields with commas between them; `partitions`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, Iterator, Sequence

import pyarrow as pa  # type: ignore[import-untyped,import-not-found,unused-ignore]
from pyspark.sql.datasource import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    DataSource,
    DataSourceArrowWriter,
    DataSourceReader,
    InputPartition,
    WriterCommitMessage,
)
from pyspark.sql.pandas.types import from_arrow_schema  # type: ignore[import-untyped,import-not-found,unused-ignore]

import lucerne
from lucerne._tasks import Built, Target, batches, key_of, ranges

__all__ = ["LucerneSource"]


class LucerneSource(DataSource):  # type: ignore[misc,unused-ignore]
    """The format `lucerne`; `spark.dataSource.register(LucerneSource)` makes it known."""

    @classmethod
    def name(cls) -> str:
        return "lucerne"

    def schema(self) -> Any:
        return from_arrow_schema(_plain_schema(self._documents(lucerne.All())))

    def reader(self, schema: Any) -> DataSourceReader:
        searcher, key = self._searcher()
        given = self.options.get("filter")
        filter = None if given is None else lucerne.Query.from_json(given)
        queries = ranges(searcher, key, filter, int(self.options.get("partitions", "8")))
        return _Reader(searcher, self._lists(), queries)

    def writer(self, schema: Any, overwrite: bool) -> DataSourceArrowWriter:
        if overwrite:
            raise lucerne.UsageError('an index is not overwritten: use mode("append"), with on_existing')
        seed = self.options.get("seed")
        target = Target.of(
            self._path(),
            self.options.get("schema"),
            on_existing=self.options.get("on_existing", "fail"),
            staging=self.options.get("staging"),
            threads=int(self.options.get("threads", "1")),
            seed=None if seed is None else int(seed),
            wait=float(self.options.get("wait", "600")),
        )
        return _Writer(target)

    def _path(self) -> str:
        path = self.options.get("path")
        if path is None:
            raise lucerne.UsageError('give the folder of the index: save("/path") or load("/path")')
        return os.path.abspath(str(path))

    def _lists(self) -> list[str]:
        return [name.strip() for name in self.options.get("lists", "").split(",") if name.strip()]

    def _searcher(self) -> tuple[lucerne.Searcher, str]:
        index, at = lucerne.open(self._path()), self.options.get("at")
        if at is None:
            return index.searcher(), key_of(index)
        return index.open_at(int(at) if at.isdecimal() else at), key_of(index)

    def _documents(self, query: lucerne.Query) -> pa.Schema:
        searcher, _ = self._searcher()
        return pa.RecordBatchReader.from_stream(searcher.to_arrow(query, lists=self._lists())).schema


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    """With lists of any size, which Spark has, for those of a fixed size, which it has not."""

    def plain(given: pa.DataType) -> pa.DataType:
        if pa.types.is_fixed_size_list(given) or pa.types.is_list(given):
            return pa.list_(plain(given.value_type))
        return pa.binary() if pa.types.is_fixed_size_binary(given) else given

    return pa.schema([pa.field(field.name, plain(field.type), field.nullable) for field in schema])


@dataclass
class _Built(WriterCommitMessage):  # type: ignore[misc,unused-ignore]
    """The segments of a task, as a list of shards and handles in JSON; it is empty when it had no rows."""

    segments: str


class _Writer(DataSourceArrowWriter):  # type: ignore[misc,unused-ignore]
    def __init__(self, target: Target) -> None:
        self._target = target

    def write(self, iterator: Iterator[pa.RecordBatch]) -> _Built:
        built = self._target.build(pa.Table.from_batches([batch]) for batch in iterator)
        return _Built(json.dumps([[one.shard, one.handle] for one in built]))

    def commit(self, messages: Sequence[Any]) -> None:
        if None in messages:
            raise lucerne.InternalError("a task has sent no message; nothing was published")
        of_tasks = [json.loads(message.segments) for message in messages]
        self._target.publish([Built(shard, handle) for segments in of_tasks for shard, handle in segments])

    def abort(self, messages: Sequence[Any]) -> None:
        """Deletes nothing: tasks may still be at work. What nobody publishes goes by its age, with
        `Index.sweep_orphans`."""


class _Range(InputPartition):  # type: ignore[misc,unused-ignore]
    def __init__(self, query: lucerne.Query) -> None:
        self.query = query.to_json()


class _Reader(DataSourceReader):  # type: ignore[misc,unused-ignore]
    def __init__(self, searcher: lucerne.Searcher, lists: list[str], queries: list[lucerne.Query]) -> None:
        self._searcher, self._lists, self._queries = searcher, lists, [_Range(query) for query in queries]

    def partitions(self) -> Sequence[InputPartition]:
        return self._queries

    def read(self, partition: Any) -> Iterator[pa.RecordBatch]:
        for batch in batches(self._searcher, lucerne.Query.from_json(partition.query), self._lists):
            yield from pa.Table.from_batches([batch]).cast(_plain_schema(batch.schema)).to_batches()
