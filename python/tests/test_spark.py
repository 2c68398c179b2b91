"""Data frames of Spark into an index and out of it: written, aborted, run again, committed."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("pyspark.sql.datasource", reason="Spark is not installed: pip install lucerne[spark]")

from pyspark.sql import SparkSession  # noqa: E402

import lucerne  # noqa: E402
import lucerne.spark  # noqa: E402

DIMENSION = 8
SCHEMA = lucerne.Schema(n="i64", tags="keyword", v=lucerne.Vector(DIMENSION))


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.execution.arrow.pyspark.enabled", "true").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    session.dataSource.register(lucerne.spark.LucerneSource)
    yield session
    session.stop()


def table(count: int, version: int = 0) -> pa.Table:
    vectors = np.random.default_rng(version).standard_normal((count, DIMENSION)).astype("f4")
    columns = {
        "id": [f"k{row:05}" for row in range(count)],
        "n": np.full(count, version, dtype="i8"),
        "tags": [["even", "all"] if row % 2 == 0 else ["all"] for row in range(count)],
        "v": pa.array(list(vectors), pa.list_(pa.float32())),
    }
    return pa.table(columns)


def write(spark: SparkSession, rows: pa.Table, path: Path, parts: int = 4, **options: Any) -> None:
    frame = spark.createDataFrame(rows).repartition(parts)
    frame.write.format("lucerne").mode("append").options(**options).save(str(path))


def assert_all_once(path: Path, rows: pa.Table) -> None:
    found = pa.table(lucerne.open(path).to_arrow(lists=["tags"])).select(rows.column_names)
    assert found.cast(rows.schema).equals(rows) and lucerne.check(path)["ok"]


def built(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith("built_")]


def test_a_frame_is_written_aborted_run_again_and_read(spark: SparkSession, tmp_path: Path) -> None:
    path, staging, rows = tmp_path / "a.idx", tmp_path / "built", table(2_000)
    given = {"schema": json.dumps(SCHEMA.to_json()), "staging": str(staging), "seed": "1"}
    # A row that is no document, in one task of four: what the others have built is not published, and stays.
    wrong = rows.set_column(3, "v", pa.array([[1.0]] + rows["v"].to_pylist()[1:], pa.list_(pa.float32())))
    with pytest.raises(Exception, match="8 components"):
        write(spark, wrong, path, **given)
    assert not path.exists() and built(staging)
    write(spark, rows, path, **given)
    assert_all_once(path, rows)
    index = lucerne.open(path)
    assert index.searcher().segment_count == 4
    assert index.sweep_orphans(3_600, folder=staging) == 0 and index.sweep_orphans(0, folder=staging) > 0
    assert built(staging) == []

    # Again: refused, replaced, skipped.
    with pytest.raises(Exception, match="exists already"):
        write(spark, rows, path)
    newer = table(2_000, 1)
    write(spark, newer, path, on_existing="replace")
    assert_all_once(path, newer)
    write(spark, rows, path, on_existing="skip")
    assert_all_once(path, newer)
    write(spark, rows.slice(0, 0), path)
    with pytest.raises(Exception, match="not overwritten"):
        spark.createDataFrame(rows).write.format("lucerne").mode("overwrite").save(str(path))

    read = spark.read.format("lucerne").options(lists="tags", partitions="3").load(str(path))
    assert read.rdd.getNumPartitions() == 3 and read.count() == 2_000
    found = read.toArrow().sort_by("id").select(rows.column_names)
    assert found.cast(newer.schema).equals(newer)
    even = lucerne.Term("tags", "even").to_json()
    some = spark.read.format("lucerne").options(filter=json.dumps(even), lists="tags").load(str(path))
    assert some.count() == 1_000
