"""Merges: their plans, their progress, their events, and what stops them."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucerne

ROWS = np.random.default_rng(1).standard_normal((3_000, 32)).astype("f4")


@pytest.fixture()
def segments(tmp_path: Path) -> lucerne.Index:
    """Three segments of 1,000 documents."""
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(v=lucerne.Vector(32)))
    with index.writer(merge_policy="none", flush_docs=1_000) as writer:
        writer.add_batch(({"id": str(row)} for row in range(3_000)), vectors={"v": ROWS})
    assert index.searcher().segment_count == 3
    return index


def test_a_forced_merge_says_what_it_will_do_and_how_far_it_is(segments: lucerne.Index) -> None:
    seen: list[tuple[str, int, int]] = []
    with segments.writer(merge_policy="none") as writer:
        (plan,) = writer.plan_force_merge(1)
        assert segments.searcher().segment_count == 3
        (report,) = writer.force_merge(1, progress=lambda *call: seen.append(call))
        assert writer.plan_force_merge(1) == []
    assert plan["sources"] and report["docs"] == 3_000
    assert segments.searcher().segment_count == 1
    phases = {phase for phase, _, _ in seen}
    assert {"verify", "codes", "stored documents"} <= phases
    assert all(0 <= done <= total for _, done, total in seen)


def test_a_forced_merge_is_cancelled_by_its_progress(segments: lucerne.Index) -> None:
    with segments.writer(merge_policy="none") as writer:
        with pytest.raises(lucerne.CancelledError):
            writer.force_merge(1, progress=lambda phase, done, total: False)
        assert segments.searcher().segment_count == 3
        writer.force_merge(2)
        assert segments.searcher().segment_count == 2
    assert len(segments) == 3_000


def test_merges_are_told_to_a_callable(segments: lucerne.Index) -> None:
    events: list[dict[str, Any]] = []
    with segments.writer(merge_policy="none", on_merge=events.append) as writer:
        writer.force_merge(1)
    kinds = [event["event"] for event in events]
    assert kinds[0] == "started" and kinds[-1] == "finished" and "progress" in kinds
    assert len(events[0]["sources"]) == 3 and events[0]["bytes"] > 0
    assert events[-1]["segment"] == events[0]["segment"] and events[-1]["record"]["docs"] == 3_000


def test_merges_in_the_background_are_told_from_their_threads(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(v=lucerne.Vector(32)))
    seen: list[tuple[str, int]] = []
    told = lambda event: seen.append((event["event"], threading.get_ident()))  # noqa: E731
    writer = index.writer(flush_docs=100, on_merge=told, merge_threads=1)
    for row in range(3_000):
        writer.add({"id": str(row), "v": ROWS[row]})
    writer.commit()
    writer.wait_for_merges()
    writer.cancel_merges()
    assert {"started", "finished"} <= {kind for kind, _ in seen}
    assert threading.get_ident() not in {thread for _, thread in seen}
    # Dropped while merges may run and wait for the GIL.
    for row in range(3_000):
        writer.add({"id": f"b{row}", "v": ROWS[row]})
    del writer
    assert len(index) == 3_000


def test_an_exception_in_a_listener_stops_no_merge(
    segments: lucerne.Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable = []
    monkeypatch.setattr("sys.unraisablehook", lambda problem: unraisable.append(problem.exc_type))

    def listener(event: dict[str, Any]) -> None:
        raise RuntimeError(event["event"])

    with segments.writer(merge_policy="none", on_merge=listener) as writer:
        writer.force_merge(1)
    assert segments.searcher().segment_count == 1 and RuntimeError in unraisable


def test_deletes_are_expunged_and_old_segments_upgraded(segments: lucerne.Index) -> None:
    with segments.writer(merge_policy="none", merge_bytes_per_second=1 << 30, merge_threads=0) as writer:
        for row in range(100):
            writer.delete(str(row))
        writer.commit()
        assert writer.expunge_deletes(0.5) == []
        seen: list[str] = []
        reports = writer.expunge_deletes(progress=lambda phase, done, total: seen.append(phase))
        assert [report["docs"] for report in reports] == [924] and seen  # A segment is two batches of 512.
        assert writer.upgrade() == []
    assert len(segments) == 2_900


def test_a_schema_grows(segments: lucerne.Index) -> None:
    schema = lucerne.Schema.from_json(segments.schema)
    wider = lucerne.Schema.from_json(
        {**schema.to_json(), "fields": [*schema.to_json()["fields"], {"name": "body", "type": "text"}]}
    )
    with segments.writer() as writer:
        writer.set_schema(wider)
        writer.upsert({"id": "new", "body": "a new field"})
    assert segments.search("body:new").keys == ["new"]
    with segments.writer() as writer, pytest.raises(lucerne.UsageError):
        writer.set_schema(lucerne.Schema(v=lucerne.Vector(16)))


def test_wrong_options_are_refused(segments: lucerne.Index) -> None:
    with pytest.raises(lucerne.UsageError, match="merge_policy"):
        segments.writer(merge_policy="log")
