"""Documents with vectors through Parquet files, written and read by polars, pandas and duckdb: every document equal, every
vector equal bit for bit; rows a second each way.

    python benchmarks/parquet.py DOCUMENTS.jsonl[.zst] VECTORS.npy
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

import lucerne

FIELDS = {"section": "keyword", "short": "text", "installed_size": "i64", "tags": "keyword"}
Libraries = dict[str, tuple[Callable[[Any, Path], object], Callable[[Path], Any]]]


def libraries() -> Libraries:
    """How each library writes a table that it takes through Arrow's interface, and reads the file again."""

    def duckdb_writes(table: Any, path: Path) -> object:
        reader = pa.RecordBatchReader.from_stream(table)
        return duckdb.from_arrow(reader).write_parquet(str(path))

    def pandas_writes(table: Any, path: Path) -> object:
        return pa.table(table).to_pandas(types_mapper=pd.ArrowDtype).to_parquet(path)

    return {
        "polars": (lambda table, path: pl.DataFrame(table).write_parquet(path), pl.read_parquet),
        "pandas": (pandas_writes, lambda path: pd.read_parquet(path, dtype_backend="pyarrow")),
        "duckdb": (duckdb_writes, lambda path: duckdb.read_parquet(str(path)).to_arrow_table()),
    }


def schema(dimension: int) -> lucerne.Schema:
    vector = lucerne.Vector(dimension, index="flat", quantization="none")
    return lucerne.Schema(key="name", embedding=vector, **FIELDS)


def load(lines: list[str], vectors: np.ndarray, folder: Path) -> lucerne.Index:
    """An index of the documents, as JSON and numpy have them."""
    index = lucerne.create(folder, schema(vectors.shape[1]))
    names = ["name", *FIELDS]
    given = ({name: value for name, value in json.loads(line).items() if name in names} for line in lines)
    with index.writer() as writer:
        writer.add_batch(given, vectors={"embedding": vectors})
    return index


def compare(index: lucerne.Index, other: lucerne.Index) -> int:
    """Fails where the two differ; returns the number of documents."""
    lists = ["tags"]
    one = pa.table(index.searcher().to_arrow(lists=lists))
    two = pa.table(other.searcher().to_arrow(lists=lists))
    assert one.column_names == two.column_names and one.num_rows == two.num_rows
    for name in one.column_names:
        if name != "embedding":
            assert one[name].to_pylist() == two[name].to_pylist(), name
    bits = [
        np.concatenate([chunk.values.to_numpy() for chunk in table["embedding"].chunks]).view(np.uint32)
        for table in (one, two)
    ]
    np.testing.assert_array_equal(*bits)
    return int(one.num_rows)


def round_trips(index: lucerne.Index, folder: Path) -> dict[str, tuple[int, float, float]]:
    """Documents, seconds of writing the file and seconds of reading it, for each library."""
    rows = {}
    for name, (write, read) in libraries().items():
        path = folder / f"{name}.parquet"
        begun = time.perf_counter()
        write(index.searcher().to_arrow(lists=["tags"]), path)
        written = time.perf_counter()
        dimension = next(field for field in index.schema["fields"] if field["name"] == "embedding")["dimension"]
        again = lucerne.create(folder / f"{name}.idx", schema(dimension))
        with again.writer() as writer:
            writer.add_arrow(read(path))
        reading = time.perf_counter() - written
        rows[name] = (compare(index, again), written - begun, reading)
    return rows


def main(documents: str, vectors: str) -> None:
    if documents.endswith(".zst"):
        import zstandard

        with open(documents, "rb") as file:
            text = zstandard.ZstdDecompressor().stream_reader(file).read().decode()
    else:
        text = Path(documents).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        rows = np.load(vectors)
        index = load(text.splitlines(), rows, Path(folder) / "documents.idx")
        for name, (count, writing, reading) in round_trips(index, Path(folder)).items():
            print(
                f"{name:8} {count:,} rows equal: to Parquet {count / writing:,.0f} rows a second, "
                f"into an index {count / reading:,.0f}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:3])
