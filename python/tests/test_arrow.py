"""Tables in and out: polars, pandas, pyarrow and duckdb, also through Parquet files."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucerne

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pl = pytest.importorskip("polars")
pd = pytest.importorskip("pandas")


@pytest.fixture()
def rows() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {
        "id": [f"{number:05}" for number in range(5_000)],
        "body": [f"text number {number}" if number % 3 else None for number in range(5_000)],
        "n": list(range(5_000)),
        "when": [datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(hours=n) for n in range(5_000)],
        "v": rng.standard_normal((5_000, 8)).astype("f4"),
    }


def _new(folder: Path) -> lucerne.Index:
    schema = lucerne.Schema(body="text", n="i64", when="date", v=lucerne.Vector(8, similarity="euclidean"))
    return lucerne.create(folder, schema)


def _check(index: lucerne.Index, rows: dict[str, Any]) -> None:
    """Equal documents and bit-equal vectors, read back by two libraries."""
    table = pa.table(index.to_arrow())
    assert table["id"].to_pylist() == rows["id"] and table["body"].to_pylist() == rows["body"]
    assert table["n"].to_pylist() == rows["n"] and table["when"].to_pylist() == rows["when"]
    got = np.stack(table["v"].to_numpy(zero_copy_only=False))
    np.testing.assert_array_equal(got, rows["v"])
    frame = pl.DataFrame(index.searcher().to_arrow())
    assert frame["id"].to_list() == rows["id"]
    np.testing.assert_array_equal(frame["v"].to_numpy(), rows["v"])


def _tables(rows: dict[str, Any], folder: Path) -> dict[str, Any]:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows["v"].ravel()), 8)
    table = pa.table({**rows, "v": vectors})
    pq.write_table(table, folder / "t.parquet")
    lists = pa.table({**rows, "v": pa.array([row.astype("f8") for row in rows["v"]])})
    return {
        "pyarrow": table,
        "chunked": pa.concat_tables([table.slice(0, 1_234), table.slice(1_234)]),
        "reader": table.to_reader(max_chunksize=777),
        "float64 lists": lists,
        "polars": pl.DataFrame(table),
        "polars parquet": pl.read_parquet(folder / "t.parquet"),
        "pandas": pd.DataFrame({**rows, "v": list(rows["v"])}),
        "pyarrow parquet": pq.ParquetFile(folder / "t.parquet").read(),
    }


def test_tables_of_every_library_round_trip(rows: dict[str, Any], tmp_path: Path) -> None:
    for name, table in _tables(rows, tmp_path).items():
        index = _new(tmp_path / f"{name}.idx")
        with index.writer() as writer:
            assert writer.add_arrow(table) == 5_000, name
        _check(index, rows)


def test_duckdb_reads_an_index_and_fills_one(rows: dict[str, Any], tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    index = _new(tmp_path / "a.idx")
    with index.writer() as writer:
        writer.add_arrow(_tables(rows, tmp_path)["pyarrow"])
    documents = pa.table(index.to_arrow())
    assert duckdb.sql("select count(*), max(n) from documents where n >= 4000").fetchall() == [(1_000, 4_999)]
    again = _new(tmp_path / "b.idx")
    with again.writer() as writer:
        writer.add_arrow(duckdb.sql(f"select * from '{tmp_path / 't.parquet'}'").to_arrow_table())
    _check(again, rows)


def test_half_precision_and_replacing(tmp_path: Path) -> None:
    index = _new(tmp_path / "a.idx")
    halves = np.arange(8, dtype="f2")
    table = pa.table({"id": ["a"], "v": pa.FixedSizeListArray.from_arrays(pa.array(halves), 8)})
    with index.writer() as writer:
        writer.add_arrow(table)
        with pytest.raises(lucerne.AlreadyExistsError):
            writer.add_arrow(table)
        assert writer.add_arrow(table, on_existing="replace") == 1
        with pytest.raises(lucerne.UsageError, match="on_existing"):
            writer.add_arrow(table, on_existing="skip")
    np.testing.assert_array_equal(index.searcher().vector("a", "v"), halves.astype("f4"))


def test_wrong_tables_are_refused_by_column(tmp_path: Path) -> None:
    index = _new(tmp_path / "a.idx")
    with index.writer() as writer:
        for table, said in [
            ({"id": ["a"], "nn": [1]}, 'column "nn".*schema has: id, body'),
            ({"id": ["a"], "v": [[1.0, None] * 4]}, "null component"),
            ({"id": ["a"], "v": [[1.0, 2.0]]}, "8 components"),
            ({"id": ["a"], "v": ["x"]}, "no vectors"),
        ]:
            with pytest.raises(lucerne.UsageError, match=said):
                writer.add_arrow(pa.table(table))
        with pytest.raises(lucerne.UsageError, match="__arrow_c_stream__"):
            writer.add_arrow([1, 2])
        assert writer.add_arrow(pa.table({"id": pa.array([], pa.string())})) == 0
    assert len(index) == 0 and pa.table(index.to_arrow()).num_rows == 0 and "0 documents" in repr(index.to_arrow())
    assert len(index.to_arrow(lists=["body"])) == 0
