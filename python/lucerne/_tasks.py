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

Path = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Target:
    """An index that tasks write to; sent to each of them."""

    path: str
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
        return cls(path, staging, _schema(path, staging, schema), on_existing, threads, seed, wait)

    def index(self) -> lucerne.Index:
        """In the driver: the index, which is created if there is none."""
        begun = time.monotonic()
        while True:
            try:
                return lucerne.open(self.path)
            except lucerne.NotFoundError:
                try:
                    return lucerne.create(self.path, self.schema)
                except (lucerne.AlreadyExistsError, lucerne.LockedError):
                    # Another driver creates it.
                    if time.monotonic() - begun > self.wait:
                        raise
            time.sleep(0.02)

    def build(self, tables: Iterable[pa.Table]) -> dict[str, Any] | None:
        """In a task: a segment of these rows, and its handle; None when there are none.

        The rows are read once, to their end: what fails here is done again by another task, from the beginning.
        """
        builder, rows = lucerne.SegmentBuilder(self.schema, self.staging, threads=self.threads, seed=self.seed), 0
        for table in tables:
            if table.num_rows > 0:
                builder.add_arrow(table)
            rows += table.num_rows
        if rows == 0:
            return None
        handle = builder.finish()
        if handle["docs"] != rows:
            raise lucerne.InternalError(f"segment {handle['name']} has {handle['docs']} documents of {rows} rows")
        return handle

    def publish(self, handles: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """In the driver: one commit of all segments. Their files go once it is done, and only then."""
        published = self.index().publish(
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
    key = index.schema["key"]
    return str(key if isinstance(key, str) else key["name"])


def batches(searcher: lucerne.Searcher, query: lucerne.Query, lists: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """What matches a query. A searcher that was pickled opens its own commit, or none."""
    yield from pa.RecordBatchReader.from_stream(searcher.to_arrow(query, lists=list(lists)))
