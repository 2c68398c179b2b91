"""Indexes and Ray: a dataset into an index by many tasks, an index as a dataset, merges by many tasks. Needs `ray[data]`
(`pip install lucerne[ray]`).

    dataset.write_datasink(LucerneSink("/shared/notes.idx", schema))
    lucerne.ray.force_merge("/shared/notes.idx", max_segments=2)
    lucerne.ray.read("/shared/notes.idx").count()
    lucerne.ray.search(questions, "/shared/notes.idx", make_query, actors=4)

Tasks build segments, which nobody sees; the driver publishes all of them in one commit. What happens when a task, a worker or
the driver fails is told in `docs/cluster.md`.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence

import pyarrow as pa  # type: ignore[import-untyped,import-not-found,unused-ignore]
import ray  # type: ignore[import-untyped,import-not-found,unused-ignore]
import ray.data  # type: ignore[import-untyped,import-not-found,unused-ignore]
from ray.data import Datasink, Datasource  # type: ignore[import-untyped,import-not-found,unused-ignore]
from ray.data.block import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    BlockAccessor,
    BlockMetadata,
)
from ray.data.datasource import ReadTask  # type: ignore[import-untyped,import-not-found,unused-ignore]

import lucerne
from lucerne._tasks import Built, Path, Target, batches, key_of, ranges, remove, shard_paths

__all__ = ["LucerneSink", "force_merge", "read", "search"]


class LucerneSink(Datasink):  # type: ignore[misc,type-arg,unused-ignore]
    """Writes a dataset into an index: a segment for each write task, one commit for all of them.

    Columns are fields of their names; one of them is the key. No two rows may have the same key: which one is newer,
    nobody knows.

    Args:
        path: the folder of the index, or of an index in shards that exists: then each row goes to the shard of its key, a task
            builds a segment for each shard, and each shard has a commit of its own. Only the driver writes there, unless
            it is where segments are built.
        schema: of an index that is created when there is none.
        on_existing: `"fail"`, `"replace"` or `"skip"` rows whose keys the index has.
        staging: the folder in which tasks build segments, the same for all machines: a file system that they share. The
            index's own folder unless given.
        min_rows_per_segment: rows that a task takes at least; Ray decides otherwise. A task holds its rows in memory.
        threads: of a task, for building graphs.
        seed: of the graphs' levels.
        wait: seconds for which the driver waits while another writer or publisher has the index.
    """

    def __init__(
        self,
        path: Path,
        schema: lucerne.Schema | Mapping[str, Any] | str | None = None,
        *,
        on_existing: str = "fail",
        staging: Path | None = None,
        min_rows_per_segment: int | None = None,
        threads: int = 1,
        seed: int | None = None,
        wait: float = 600.0,
    ) -> None:
        self._target = Target.of(
            path, schema, on_existing=on_existing, staging=staging, threads=threads, seed=seed, wait=wait
        )
        self._min_rows = min_rows_per_segment
        self._built: list[Built] = []
        self.handles: list[dict[str, Any]] = []
        """The segments that were built, once all tasks are done."""
        self.published: dict[str, int] | None = None
        """What `lucerne.Index.publish` returned, once it has; of an index in shards the sums of it, without generations."""

    def on_write_start(self, schema: Any = None) -> None:
        self._target.index()

    def write(self, blocks: Iterable[Any], ctx: Any) -> list[Built]:
        return self._target.build(BlockAccessor.for_block(block).to_arrow() for block in blocks)

    def on_write_complete(self, write_result: Any) -> None:
        self._built = [one for built in write_result.write_returns for one in built]
        self.handles = [one.handle for one in self._built]
        docs = sum(handle["docs"] for handle in self.handles)
        if docs != write_result.num_rows:
            problem = f"the segments have {docs} documents, the dataset {write_result.num_rows} rows"
            raise lucerne.InternalError(f"{problem}; nothing was published")
        self.publish()

    def publish(self) -> dict[str, int]:
        """Publishes the segments. Called by Ray; call it again when that has failed: nothing is built again."""
        self.published = self._target.publish(self._built)
        return self.published

    def on_write_failed(self, error: Exception) -> None:
        """Deletes nothing: tasks may still be at work, and segments that are built can still be published. What nobody
        publishes goes by its age, with `Index.sweep_orphans`."""

    def get_name(self) -> str:
        return "Lucerne"

    @property
    def min_rows_per_write(self) -> int | None:
        return self._min_rows


def read(
    path: Path,
    *,
    filter: lucerne.Query | Mapping[str, Any] | None = None,
    lists: Sequence[str] = (),
    at: str | int | None = None,
    override_num_blocks: int | None = None,
    **options: Any,
) -> ray.data.Dataset:
    """The documents of a commit as a dataset, read by many tasks, each a range of keys.

    Args:
        path: the folder of the index, the same for all machines.
        filter: a query that they match, an object or a dict.
        lists: fields that become columns of lists, whatever is in the first documents of a task.
        at: a commit that is kept, by its tag or generation. The newest one unless given; a task that begins when that
            is gone fails with a `NotFoundError` and never reads another one. Tag what is read while others write.
        override_num_blocks: ranges. Ray decides unless given.
        options: further ones of `ray.data.read_datasource`.
    """
    index = lucerne.open(os.path.abspath(path))
    searcher = index.searcher() if at is None else index.open_at(at)
    source = _Source(searcher, key_of(index), filter, list(lists))
    dataset: ray.data.Dataset = ray.data.read_datasource(source, override_num_blocks=override_num_blocks, **options)
    return dataset


class _Source(Datasource):  # type: ignore[misc,unused-ignore]
    def __init__(self, searcher: lucerne.Searcher, key: str, filter: Any, lists: list[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call,unused-ignore]
        self._searcher, self._key, self._filter, self._lists = searcher, key, filter, lists

    def get_name(self) -> str:
        return "Lucerne"

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: Any = None
    ) -> list[Any]:
        # How many rows a range has is not known before they are read.
        metadata = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        parts = ranges(self._searcher, self._key, self._filter, parallelism)
        rows = [partial(_tables, self._searcher, query, self._lists) for query in parts]
        return [ReadTask(read, metadata, per_task_row_limit=per_task_row_limit) for read in rows]


def _tables(searcher: lucerne.Searcher, query: lucerne.Query, lists: list[str]) -> Iterator[pa.Table]:
    for batch in batches(searcher, query, lists):
        yield pa.Table.from_batches([batch])


def force_merge(
    path: Path,
    max_segments: int = 1,
    *,
    staging: Path | None = None,
    threads: int = 1,
    seed: int | None = None,
    wait: float = 600.0,
    attempts: int = 3,
    **options: Any,
) -> list[dict[str, Any]]:
    """Merges into at most `max_segments` segments of about the same size, by as many tasks, and publishes each merge as
    soon as it is made, with the deletes that came meanwhile. Others read, write and publish while tasks are at work.

    Returns what `Index.publish` returned for each merge; an empty list when there was nothing to merge.

    Args:
        path: the folder of the index, the same for all machines.
        max_segments: segments that are left, and tasks.
        staging: the folder in which merges are made, the same for all machines. The index's own folder unless given.
        threads: of a task, for building graphs; the CPUs that Ray gives it.
        seed: of the graphs' levels.
        wait: seconds for which the driver waits while another writer or publisher has the index.
        attempts: how often merges are planned: again when a segment was merged by somebody else meanwhile. The last
            time that is a `ConflictError`. At least 1.
        options: further ones of the tasks, as `ray.remote(...).options` takes them.
    """
    if attempts < 1:
        raise lucerne.UsageError(f"attempts is {attempts}, expected 1 or more")
    path = os.path.abspath(path)
    folder = path if staging is None else os.path.abspath(staging)
    index, published = lucerne.open(path), []
    merge = ray.remote(_merge).options(**{"num_cpus": threads, **options})
    for attempt in range(1, attempts + 1):
        plans = index.searcher().plan_even_merges(max_segments)
        names = [[source["segment"] for source in plan["sources"]] for plan in plans]
        left = [merge.remote(path, segments, folder, threads, seed) for segments in names]
        conflict = None
        while left:
            (done,), left = ray.wait(left)
            try:
                handle = ray.get(done)
                published.append(index.publish([handle], folders=[folder], wait=wait))
                remove(folder, [handle])
            except lucerne.ConflictError as error:
                conflict = error
        if conflict is None:
            return published
        if attempt == attempts:
            raise conflict
    return published


def _merge(path: str, segments: list[str], folder: str, threads: int, seed: int | None) -> dict[str, Any]:
    # Of the newest commit: the one that was planned with may be gone, and names are never used again.
    return lucerne.open(path).searcher().merge_segments(segments, folder, threads=threads, seed=seed)


def search(
    dataset: ray.data.Dataset,
    path: Path,
    query: Callable[[dict[str, Any]], Any],
    *,
    actors: int = 1,
    batch_size: int = 256,
    keywords: Mapping[str, Any] | None = None,
    **options: Any,
) -> ray.data.Dataset:
    """A search for each row, by a pool of actors that have the index open: the rows with two more columns, `keys` and `scores`, lists
    of the hits.

    Args:
        path: the folder of an index, in shards or not, the same for all machines.
        query: the query of a row, a dict: an object of the query classes, text, or JSON as a dict.
        actors: processes.
        batch_size: rows that an actor takes at once.
        keywords: further ones of `Searcher.search`: `limit`, `filter`.
        options: further ones of `Dataset.map_batches`.
    """
    arguments = (os.path.abspath(path), query, dict(keywords or {}))
    found: ray.data.Dataset = dataset.map_batches(
        _Searching,
        fn_constructor_args=arguments,
        concurrency=actors,
        batch_size=batch_size,
        batch_format="pyarrow",
        **options,
    )
    return found


class _Searching:
    def __init__(self, path: str, query: Callable[[dict[str, Any]], Any], keywords: dict[str, Any]) -> None:
        paths = shard_paths(path)
        searchers = [lucerne.open(shard).searcher() for shard in paths]
        self._searcher: Any = searchers[0] if len(paths) == 1 else lucerne.ShardedSearcher(searchers)
        self._query, self._keywords = query, keywords

    def __call__(self, rows: pa.Table) -> pa.Table:
        found = [self._searcher.search(self._query(row), **self._keywords) for row in rows.to_pylist()]
        keys = pa.array([hits.keys for hits in found], pa.list_(pa.string()))
        scores = pa.array([hits.scores.tolist() for hits in found], pa.list_(pa.float32()))
        return rows.append_column("keys", keys).append_column("scores", scores)
