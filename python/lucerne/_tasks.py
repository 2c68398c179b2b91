"""What adapters for engines that run tasks (Ray, Spark) have in common: segments built by tasks and published by the driver,
and a snapshot read in ranges of keys."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Mapping, Sequence, Union

import pyarrow as pa  # type: ignore[import-untyped,import-not-found,unused-ignore]

import lucerne
from lucerne.shards import key_name

Path = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Built:
    """A segment that was built, and the shard it is for."""

    shard: int
    handle: dict[str, Any]


def shard_paths(path: str) -> tuple[str, ...]:
    """The folders of the shards of an index; of one that is not in shards its own."""
    if os.path.exists(os.path.join(path, "shards.json")):
        return tuple(str(shard) for shard in lucerne._lucerne._shard_paths(path))
    return (path,)


@dataclass(frozen=True)
class Target:
    """An index that tasks write to; sent to each of them."""

    paths: tuple[str, ...]
    """Its folder; of an index in shards those of the shards."""
    staging: str
    schema: dict[str, Any]
    on_existing: str
    threads: int
    seed: int | None
    wait: float

    @classmethod
    def of(
        cls,
        path: Path,
        schema: lucerne.Schema | Mapping[str, Any] | str | None,
        *,
        on_existing: str,
        staging: Path | None,
        threads: int,
        seed: int | None,
        wait: float,
    ) -> Target:
        """In the driver: refuses what would be refused when everything is built."""
        if on_existing not in ("fail", "replace", "skip"):
            raise lucerne.UsageError(f'on_existing is {on_existing!r}, expected "fail", "replace" or "skip"')
        path = os.path.abspath(path)
        staging = path if staging is None else os.path.abspath(staging)
        paths = shard_paths(path)
        return cls(paths, staging, _schema(paths[0], staging, schema), on_existing, threads, seed, wait)

    def index(self, shard: int = 0) -> lucerne.Index:
        """In the driver: the index, which is created if there is none, or one of its shards."""
        begun = time.monotonic()
        while True:
            try:
                return lucerne.open(self.paths[shard])
            except lucerne.NotFoundError:
                try:
                    return lucerne.create(self.paths[shard], self.schema)
                except (lucerne.AlreadyExistsError, lucerne.LockedError):
                    # Another driver creates it.
                    if time.monotonic() - begun > self.wait:
                        raise
            time.sleep(0.02)

    def build(self, tables: Iterable[pa.Table]) -> list[Built]:
        """In a task: a segment of these rows, or one for each shard that has some of them.

        The rows are read once, to their end: what fails here is done again by another task, from the beginning.
        """
        builders: dict[int, lucerne.SegmentBuilder] = {}
        rows: dict[int, int] = {}
        for table in tables:
            for shard, part in self._parts(table):
                if shard not in builders:
                    builders[shard] = lucerne.SegmentBuilder(
                        self.schema, self.staging, threads=self.threads, seed=self.seed
                    )
                builders[shard].add_arrow(part)
                rows[shard] = rows.get(shard, 0) + part.num_rows
        built = []
        for shard, builder in sorted(builders.items()):
            handle = builder.finish()
            if handle["docs"] != rows[shard]:
                problem = f"has {handle['docs']} documents of {rows[shard]} rows"
                raise lucerne.InternalError(f"segment {handle['name']} {problem}")
            built.append(Built(shard, handle))
        return built

    def _parts(self, table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
        """The rows of each shard."""
        if table.num_rows == 0:
            return
        if len(self.paths) == 1:
            yield 0, table
            return
        name = key_name(self.schema)
        if name not in table.column_names:
            raise lucerne.UsageError(f"no column {name!r}, the key, which says the shard of a row")
        keys = table.column(name).to_pylist()
        of_row = [lucerne.shard_of(key, len(self.paths)) if isinstance(key, str) else 0 for key in keys]
        for shard in sorted(set(of_row)):
            yield shard, table.take([row for row, own in enumerate(of_row) if own == shard])

    def publish(self, built: Sequence[Built]) -> dict[str, int]:
        """In the driver: one commit of all segments, or one for each shard. Their files go once it is done, and only then."""
        if len(self.paths) == 1:
            return self._publish(0, [one.handle for one in built])
        sum_: dict[str, int] = {}
        for shard in sorted({one.shard for one in built}):
            published = self._publish(shard, [one.handle for one in built if one.shard == shard])
            for name, number in published.items():
                if name != "generation":
                    sum_[name] = sum_.get(name, 0) + number
        return sum_

    def _publish(self, shard: int, handles: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        published = self.index(shard).publish(
            handles, on_existing=self.on_existing, folders=[self.staging], wait=self.wait
        )
        remove(self.staging, handles)
        return published


def _schema(path: str, staging: str, given: Any) -> dict[str, Any]:
    """The schema of the index, which is the one given if there are both."""
    made = None if given is None else lucerne.SegmentBuilder(given, staging).schema
    try:
        schema = lucerne.open(path).schema
    except lucerne.NotFoundError:
        if made is None:
            raise
        return made
    if made is not None and _uncalibrated(made) != _uncalibrated(schema):
        raise lucerne.UsageError(f"{path}: the index has another schema than the one given; leave it out")
    return schema


def _uncalibrated(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Without what `calibrate` has found, which changes no segment."""
    fields = [{name: value for name, value in field.items() if name != "calibration"} for field in schema["fields"]]
    return {**schema, "fields": fields}


def remove(folder: str, handles: Sequence[Mapping[str, Any]]) -> None:
    """Deletes the files of segments that were published: the index has files of its own."""
    names = {handle["name"] for handle in handles}
    for file in os.listdir(folder):
        if file.split(".")[0] in names:
            with suppress(OSError):  # It is published all the same, and what stays is swept.
                os.remove(os.path.join(folder, file))


def ranges(searcher: lucerne.Searcher, key: str, filter: Any, parts: int) -> list[lucerne.Query]:
    """Queries for what matches a filter, each for a range of keys; together they match every document once."""
    ends: list[str | None] = [*searcher.split_keys(max(parts, 1)), None]

    def within(after: str | None, end: str | None) -> lucerne.Query:
        clauses = [] if filter is None else [filter]
        if after is not None:
            clauses.append(lucerne.Range(key, gt=after))
        if end is not None:
            clauses.append(lucerne.Range(key, lte=end))
        return lucerne.Bool(filter=clauses) if clauses else lucerne.All()

    return [within(after, end) for after, end in zip([None, *ends], ends)]


def key_of(index: lucerne.Index) -> str:
    """The name of the key field."""
    return key_name(index.schema)


def batches(searcher: lucerne.Searcher, query: lucerne.Query, lists: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """What matches a query. A searcher that was pickled opens its own commit, or none."""
    yield from pa.RecordBatchReader.from_stream(searcher.to_arrow(query, lists=list(lists)))
