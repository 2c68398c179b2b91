"""Segments that several processes build, one process publishes; whole indexes added."""

import json
import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
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
    folders = [folder for folder, _ in parts]
    with pytest.raises(lucerne.ConflictError, match="generation"):
        index.publish(handles, folders=folders, expected_generation=before + 1)
    with pytest.raises(lucerne.NotFoundError):
        index.publish(handles)
    published = index.publish(handles, folders=folders, expected_generation=before)
    assert published == {"generation": before + 1, "docs": 900, "replaced": 0, "skipped": 0, "merged": 0}
    assert index.searcher().generation == before + 1 and len(index) == 900
    for part in range(3):
        _, rows = _documents(part)
        np.testing.assert_array_equal(index.searcher().vector(f"{part}-7", "v"), rows[7])
        assert index.search(lucerne.Knn("v", rows[0], k=1)).keys == [f"{part}-0"]
    with pytest.raises(lucerne.UsageError, match="already"):
        index.publish(handles, folders=folders)
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
        other.publish([handle], folders=[tmp_path / "built"])
    for wrong in ([{"name": "x"}], [5]):
        with pytest.raises(lucerne.UsageError, match="handle"):
            other.publish(wrong)  # type: ignore[list-item]
    with pytest.raises(lucerne.UsageError, match="automatic"):
        lucerne.SegmentBuilder(lucerne.Schema(key=None, body="text"), tmp_path / "built")


def _built(folder: Path, body: str, *keys: str) -> dict[str, Any]:
    builder = lucerne.SegmentBuilder(SCHEMA, folder, threads=1)
    assert builder.schema["fields"][1]["dimension"] == 8
    assert builder.add_arrow(pa.table({"id": keys, "body": [body] * len(keys)})) == len(keys)
    return builder.finish()


def test_keys_that_are_there_are_refused_replaced_or_skipped(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", SCHEMA)
    folders = [tmp_path]
    index.publish([_built(tmp_path, "old", "a", "b")], folders=folders)
    newer = _built(tmp_path, "new", "b", "c")
    with pytest.raises(lucerne.AlreadyExistsError, match='"b" exists'):
        index.publish([newer], folders=folders)
    counts = index.publish([newer], folders=folders, on_existing="replace")
    assert (counts["docs"], counts["replaced"], index.get("b")["body"], len(index)) == (2, 1, "new", 3)  # type: ignore[index]
    counts = index.publish([_built(tmp_path, "late", "c", "d")], folders=folders, on_existing="skip")
    assert (counts["docs"], counts["skipped"], index.get("c")["body"], len(index)) == (1, 1, "new", 4)  # type: ignore[index]
    for wrong in ({"on_existing": "upsert"}, {"wait": -1.0}):
        with pytest.raises(lucerne.UsageError):
            index.publish([], **wrong)  # type: ignore[arg-type]
    twins = [_built(tmp_path, "one", "e"), _built(tmp_path, "two", "e")]
    with pytest.raises(lucerne.AlreadyExistsError, match="twice"):
        index.publish(twins, folders=folders, on_existing="replace")
    with index.writer() as writer:
        with pytest.raises(lucerne.LockedError):
            index.publish(twins[:1], folders=folders, wait=0.05)
        writer.delete("a")
    assert index.publish(twins[:1], folders=folders, wait=60)["docs"] == 1 and len(index) == 4


def test_merges_are_made_apart_and_take_the_place_of_their_sources(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", SCHEMA)
    for part in range(4):
        index.publish([_built(tmp_path, f"b{part}", f"{part}x", f"{part}y")], folders=[tmp_path])
    searcher = index.searcher()
    assert searcher.split_keys(2) == ["1y"] and len(pa.table(index.to_arrow(lucerne.Range("id", gt="1y")))) == 4
    assert len(searcher.to_arrow("body:b0")) == 2
    plans = searcher.plan_even_merges(2)
    names = [[source["segment"] for source in plan["sources"]] for plan in plans]
    assert [plan["docs"] for plan in plans] == [4, 4] and len(set(sum(names, []))) == 4
    steps: list[str] = []
    report = lambda phase, done, total: steps.append(phase)  # noqa: E731
    handles = [searcher.merge_segments(given, tmp_path, threads=1, seed=1, progress=report) for given in names]
    assert len(handles[0]["sources"]) == 2 and "verify" in steps
    with index.writer(merge_policy="none") as writer:
        writer.delete("2x")
    assert index.publish(handles, folders=[tmp_path])["merged"] == 4
    assert index.searcher().segment_count == 2 and len(index) == 7 and index.get("2x") is None
    with pytest.raises(lucerne.ConflictError, match="plan and merge again"):
        index.searcher().merge_segments(names[0], tmp_path)
    assert lucerne.check(index.path)["ok"]


def test_what_nobody_published_is_swept(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", SCHEMA)
    builder = lucerne.SegmentBuilder(SCHEMA, index.path)
    builder.add({"id": "a"})
    builder.finish()
    assert index.sweep_orphans(3_600) == 0 and index.sweep_orphans(0.0) > 0
    _built(tmp_path, "elsewhere", "b")
    assert index.sweep_orphans(0) == 0 and index.sweep_orphans(0, folder=tmp_path) > 0
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
