"""Segments that several processes build, one process publishes; whole indexes added."""

import json
import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucerne

SCHEMA = lucerne.Schema(body="text", v=lucerne.Vector(8))


def _documents(part: int) -> tuple[list[dict[str, Any]], np.ndarray]:
    rows = np.random.default_rng(part).standard_normal((300, 8)).astype("f4")
    return [{"id": f"{part}-{row}", "body": f"part {part}"} for row in range(300)], rows


def _build(given: tuple[str, int]) -> dict[str, Any]:
    folder, part = given
    documents, rows = _documents(part)
    builder = lucerne.SegmentBuilder(SCHEMA, folder, threads=1, seed=1)
    assert builder.add_batch(documents[1:], vectors={"v": rows[1:]}) == 299
    builder.add({**documents[0], "v": rows[0]})
    assert len(builder) == 300 and "300 documents" in repr(builder)
    return builder.finish()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_build_and_one_publishes(tmp_path: Path, method: str) -> None:
    index = lucerne.create(tmp_path / "a.idx", SCHEMA)
    parts = [(str(tmp_path / f"built{part}"), part) for part in range(3)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        handles = pool.map(_build, parts)
    assert [handle["docs"] for handle in handles] == [300] * 3
    assert json.loads(json.dumps(handles)) == handles == pickle.loads(pickle.dumps(handles))
    before = index.searcher().generation
    with pytest.raises(lucerne.LucerneError, match="generation"):
        index.publish(handles, expected_generation=before + 1)
    generation = index.publish(handles, expected_generation=before)
    assert index.searcher().generation == generation > before and len(index) == 900
    for part in range(3):
        _, rows = _documents(part)
        np.testing.assert_array_equal(index.searcher().vector(f"{part}-7", "v"), rows[7])
        assert index.search(lucerne.Knn("v", rows[0], k=1)).keys == [f"{part}-0"]
    with pytest.raises(lucerne.LucerneError):
        index.publish(handles)
    assert len(index) == 900 and lucerne.check(index.path)["ok"]


def test_a_builder_refuses_what_cannot_be_published(tmp_path: Path) -> None:
    builder = lucerne.SegmentBuilder(SCHEMA, tmp_path / "built")
    builder.add({"id": "a"})
    with pytest.raises(lucerne.AlreadyExistsError, match="is given twice"):
        builder.add({"id": "a"})
    handle = builder.finish()
    with pytest.raises(lucerne.ClosedError):
        builder.add({"id": "b"})
    with pytest.raises(lucerne.ClosedError):
        builder.finish()
    other = lucerne.create(tmp_path / "other.idx", lucerne.Schema(body="text"))
    with pytest.raises(lucerne.LucerneError, match="schema"):
        other.publish([handle])
    for wrong in ([{"name": "x"}], [5]):
        with pytest.raises(lucerne.UsageError, match="handle"):
            other.publish(wrong)  # type: ignore[list-item]
    with pytest.raises(lucerne.UsageError, match="automatic"):
        lucerne.SegmentBuilder(lucerne.Schema(key=None, body="text"), tmp_path / "built")


def test_what_nobody_published_is_swept(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", SCHEMA)
    builder = lucerne.SegmentBuilder(SCHEMA, index.path)
    builder.add({"id": "a"})
    builder.finish()
    assert index.sweep_orphans(3_600) == 0 and index.sweep_orphans(0.0) > 0
    with pytest.raises(lucerne.UsageError, match="older_than"):
        index.sweep_orphans(-1)


def test_whole_indexes_are_added(tmp_path: Path) -> None:
    paths = []
    for part in range(2):
        documents, rows = _documents(part)
        paths.append(tmp_path / f"{part}.idx")
        with lucerne.create(paths[-1], SCHEMA).writer() as writer:
            writer.add_batch(documents, vectors={"v": rows})
    index = lucerne.create(tmp_path / "all.idx", SCHEMA)
    index.add_indexes(paths)
    assert len(index) == 600
    with pytest.raises(lucerne.LucerneError, match="already"):
        index.add_indexes(paths[:1])
    assert len(index) == 600
