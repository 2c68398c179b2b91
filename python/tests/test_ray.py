"""Datasets of Ray into an index and out of it, merges by tasks; workers and drivers that are killed, drivers that come at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ray.data", reason="Ray is not installed: pip install lucerne[ray]")

import pyarrow as pa  # noqa: E402
import ray  # noqa: E402

import lucerne  # noqa: E402
import lucerne.ray  # noqa: E402

# Workers cannot import this file.
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])

# How often a worker is killed in each phase.
KILLS = int(os.environ.get("LUCERNE_KILLS", "1"))
DIMENSION = 24
SCHEMA = lucerne.Schema(part="i64", v=lucerne.Vector(DIMENSION))


def rows(count: int, version: int = 0) -> tuple[pa.Table, np.ndarray]:
    """Documents with clustered vectors, the same ones each time."""
    rng = np.random.default_rng(version)
    centers = rng.standard_normal((50, DIMENSION))
    vectors = (centers[rng.integers(0, 50, count)] + 0.6 * rng.standard_normal((count, DIMENSION))).astype("f4")
    columns = {
        "id": [f"k{row:06}" for row in range(count)],
        "part": np.full(count, version, dtype="i8"),
        "v": pa.FixedSizeListArray.from_arrays(vectors.reshape(-1), DIMENSION),
    }
    return pa.table(columns), vectors


def dataset(table: pa.Table, blocks: int) -> ray.data.Dataset:
    step = -(-table.num_rows // blocks)
    return ray.data.from_arrow([table.slice(start, step) for start in range(0, table.num_rows, step)])


def start_ray(cpus: int) -> None:
    ray.init(num_cpus=cpus, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    start_ray(2)
    yield
    ray.shutdown()


def assert_all_once(path: Path, table: pa.Table) -> None:
    index = lucerne.open(path)
    found = pa.table(index.to_arrow())
    assert found.select(table.column_names).cast(table.schema).equals(table.sort_by("id"))
    assert lucerne.check(path)["ok"]


def built(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith("built_")]


def recall(index: lucerne.Index, queries: np.ndarray) -> float:
    searcher = index.searcher()
    truth, _ = searcher.search_batch("v", queries, exact=True)
    found, _ = searcher.search_batch("v", queries)
    return float(np.mean([len(set(row) & set(exact)) / 10 for row, exact in zip(found, truth)]))


@pytest.mark.parametrize("blocks", [2, 8])
def test_every_row_is_written_once_whatever_the_number_of_tasks(tmp_path: Path, blocks: int) -> None:
    table, _ = rows(3_000)
    sink = lucerne.ray.LucerneSink(tmp_path / "a.idx", SCHEMA, staging=tmp_path / "built", seed=1)
    dataset(table, blocks).write_datasink(sink)
    assert sink.published == {"generation": 2, "docs": 3_000, "replaced": 0, "skipped": 0, "merged": 0}
    assert len(sink.handles) == blocks == lucerne.open(tmp_path / "a.idx").searcher().segment_count
    assert_all_once(tmp_path / "a.idx", table)
    assert built(tmp_path / "built") == []
    # An existing index needs no schema, and refuses another one before anything is built.
    with pytest.raises(lucerne.UsageError, match="another schema"):
        lucerne.ray.LucerneSink(tmp_path / "a.idx", lucerne.Schema(v=lucerne.Vector(8)))
    again = lucerne.ray.LucerneSink(tmp_path / "a.idx", on_existing="skip", min_rows_per_segment=5_000)
    dataset(table, blocks).write_datasink(again)
    assert again.published is not None and again.published["skipped"] == 3_000 and len(again.handles) == 1
    assert_all_once(tmp_path / "a.idx", table)


def test_recall_is_that_of_one_process_after_publishing_and_after_merges(tmp_path: Path) -> None:
    table, vectors = rows(6_000)
    queries = vectors[::12] + 0.05
    with lucerne.create(tmp_path / "one.idx", SCHEMA).writer(seed=1, threads=1) as writer:
        writer.add_arrow(table)
    one = recall(lucerne.open(tmp_path / "one.idx"), queries)
    path = tmp_path / "many.idx"
    dataset(table, 8).write_datasink(lucerne.ray.LucerneSink(path, SCHEMA, seed=1))
    many = recall(lucerne.open(path), queries)
    merged = []
    for segments in (2, 1):
        reports = lucerne.ray.force_merge(path, segments, seed=1)
        assert sum(report["merged"] for report in reports) == (8 if segments == 2 else 2)
        assert lucerne.open(path).searcher().segment_count == segments
        merged.append(recall(lucerne.open(path), queries))
    assert lucerne.ray.force_merge(path) == []
    with pytest.raises(ValueError, match="attempts is 0"):
        lucerne.ray.force_merge(path, attempts=0)
    assert min(many, *merged) >= one - 0.005, (one, many, merged)
    assert_all_once(path, table)
    assert built(path) == []


class Killed(lucerne.ray.LucerneSink):
    """A sink of which one task is killed in a phase, once."""

    def __init__(self, phase: str, marker: Path, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._phase, self._marker = phase, str(marker)

    def _first(self) -> bool:
        try:
            os.close(os.open(self._marker, os.O_CREAT | os.O_EXCL))
            return True
        except FileExistsError:
            return False

    def write(self, blocks: Iterable[Any], ctx: Any) -> dict[str, Any] | None:
        phase = self._phase if self._first() else None
        if phase == "reading":
            blocks = (kill() if number == 0 else block for number, block in enumerate(blocks))
        if phase == "writing":
            before = set(built(Path(self._target.staging)))
            threading.Thread(target=kill_when, args=(lambda: set(built(Path(self._target.staging))) - before,)).start()
        handle = super().write(blocks, ctx)
        if phase is not None:
            kill()
        return handle


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_when(condition: Any) -> None:
    while not condition():
        time.sleep(0.0005)
    kill()


@pytest.mark.parametrize("phase", ["reading", "writing", "written"])
def test_a_killed_worker_loses_nothing_and_leaves_what_is_swept_by_age(tmp_path: Path, phase: str) -> None:
    table, _ = rows(4_000)
    for run in range(KILLS):
        path, staging = tmp_path / f"{run}.idx", tmp_path / f"{run}.built"
        sink = Killed(phase, tmp_path / f"{run}.killed", path, SCHEMA, staging=staging)
        dataset(table, 4).write_datasink(sink)
        assert (tmp_path / f"{run}.killed").exists()
        assert_all_once(path, table)
        left = built(staging)
        assert bool(left) == (phase != "reading"), left
        index = lucerne.open(path)
        assert index.sweep_orphans(3_600, folder=staging) == 0
        assert index.sweep_orphans(0, folder=staging) == len(left) and built(staging) == []
        assert_all_once(path, table)


def test_a_killed_merge_is_made_again(tmp_path: Path) -> None:
    table, _ = rows(8_000)
    path, staging = tmp_path / "a.idx", tmp_path / "merged"
    staging.mkdir()
    dataset(table, 4).write_datasink(lucerne.ray.LucerneSink(path, SCHEMA))
    killed = threading.Thread(target=_kill_the_first_merge, args=(staging,))
    killed.start()
    reports = lucerne.ray.force_merge(path, 2, staging=staging)
    killed.join()
    assert [report["merged"] for report in reports] == [2, 2]
    assert_all_once(path, table)
    assert built(staging), "of the one that was killed"
    assert lucerne.open(path).sweep_orphans(0, folder=staging) > 0


def _kill_the_first_merge(staging: Path) -> None:
    """Kills the first task that is seen to write a file of a merge: one that has written nothing, or all, would leave nothing."""

    def writes(process: int) -> bool:
        try:
            if not Path(f"/proc/{process}/cmdline").read_bytes().startswith(b"ray::_merge"):
                return False
            files = [os.readlink(file) for file in Path(f"/proc/{process}/fd").iterdir()]
        except OSError:
            return False
        return any(Path(file).parent == staging for file in files)

    while True:
        for process in map(int, filter(str.isdigit, os.listdir("/proc"))):
            if writes(process):
                os.kill(process, signal.SIGSTOP)
                # Between the look and the signal it may have come to the end.
                if writes(process):
                    os.kill(process, signal.SIGKILL)
                    return
                os.kill(process, signal.SIGCONT)


DRIVER = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import lucerne.ray, ray, test_ray

class Sink(lucerne.ray.LucerneSink):
    def publish(self):
        if {die}:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().publish()

test_ray.start_ray(1)
table, _ = test_ray.rows(2_000)
part = table.slice({start}, 1_000)
test_ray.dataset(part, 2).write_datasink(Sink({path!r}, test_ray.SCHEMA))
"""


def drive(path: Path, start: int, *, die: bool = False) -> subprocess.Popen[bytes]:
    script = DRIVER.format(tests=str(Path(__file__).parent), path=str(path), start=start, die=die)
    return subprocess.Popen([sys.executable, "-c", script])


def test_a_driver_killed_before_it_publishes_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    path, (table, _) = tmp_path / "a.idx", rows(2_000)
    assert drive(path, 0, die=True).wait(120) == -signal.SIGKILL
    assert len(lucerne.open(path)) == 0 and len({name.split(".")[0] for name in built(path)}) == 2
    dataset(table.slice(0, 1_000), 2).write_datasink(lucerne.ray.LucerneSink(path))
    assert_all_once(path, table.slice(0, 1_000))
    assert lucerne.open(path).sweep_orphans(0) > 0 and built(path) == []
    assert_all_once(path, table.slice(0, 1_000))


def test_two_drivers_that_publish_at_once_both_succeed(tmp_path: Path) -> None:
    path, (table, _) = tmp_path / "a.idx", rows(2_000)
    drivers = [drive(path, start) for start in (0, 1_000)]
    assert [driver.wait(120) for driver in drivers] == [0, 0]
    assert_all_once(path, table)


def test_a_reader_sees_every_upsert_whole_and_the_last_version_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.idx"
    dataset(rows(1_000)[0], 2).write_datasink(lucerne.ray.LucerneSink(path, SCHEMA))
    seen, stop = set(), threading.Event()

    def search() -> None:
        index = lucerne.open(path)
        while not stop.is_set():
            counts = {version: index.count(lucerne.Term("part", version)) for version in range(4)}
            searcher = index.searcher()
            counts = {version: searcher.count(lucerne.Term("part", version)) for version in range(4)}
            assert sorted(counts.values()) == [0, 0, 0, 1_000], counts
            hits = searcher.search(lucerne.Knn("v", np.ones(DIMENSION, "f4"), k=10))
            assert len(set(hits.keys)) == 10
            seen.update(version for version, count in counts.items() if count)

    failed: list[BaseException] = []
    reader = threading.Thread(target=lambda: _noting(search, failed))
    reader.start()
    for version in (1, 2, 3):
        sink = lucerne.ray.LucerneSink(path, on_existing="replace")
        table, _ = rows(1_000, version)
        dataset(table, 2).write_datasink(sink)
        assert sink.published is not None and sink.published["replaced"] == 1_000
        lucerne.ray.force_merge(path)
    stop.set()
    reader.join()
    assert not failed and {1, 2} & seen, (failed, seen)
    assert_all_once(path, table)


def _noting(work: Any, failed: list[BaseException]) -> None:
    try:
        work()
    except BaseException as error:  # noqa: BLE001
        failed.append(error)


def test_what_cannot_be_published_changes_nothing_and_is_not_built_again(tmp_path: Path) -> None:
    path, (table, _) = tmp_path / "a.idx", rows(500)
    lucerne.create(path, SCHEMA)
    # Two rows of a key, in one task and in two.
    for blocks in (1, 2):
        with pytest.raises(Exception, match="is given twice"):
            dataset(pa.concat_tables([table, table]), blocks).write_datasink(lucerne.ray.LucerneSink(path))
    with pytest.raises(Exception, match="no field of this name"):
        dataset(table.append_column("other", table["part"]), 2).write_datasink(lucerne.ray.LucerneSink(path))
    assert len(lucerne.open(path)) == 0
    # Somebody writes for longer than the driver waits.
    sink = lucerne.ray.LucerneSink(path, wait=0.2)
    with lucerne.open(path).writer() as writer:
        with pytest.raises(lucerne.LockedError):
            dataset(table, 2).write_datasink(sink)
        assert len(sink.handles) == 2
        writer.add({"id": "other"})
    assert sink.publish()["docs"] == 500 and len(lucerne.open(path)) == 501
    with pytest.raises(lucerne.UsageError, match="on_existing"):
        lucerne.ray.LucerneSink(path, on_existing="upsert")
    with pytest.raises(lucerne.NotFoundError):
        lucerne.ray.LucerneSink(tmp_path / "none.idx")


def test_a_dataset_reads_one_commit_whatever_is_written_meanwhile(tmp_path: Path) -> None:
    path, (table, _) = tmp_path / "a.idx", rows(2_000)
    dataset(table, 3).write_datasink(lucerne.ray.LucerneSink(path, SCHEMA))
    read = lucerne.ray.read(path, override_num_blocks=4).materialize()
    assert read.num_blocks() == 4 and read.count() == 2_000
    found = pa.concat_tables(ray.get(read.to_arrow_refs())).select(table.column_names).cast(table.schema)
    assert found.sort_by("id").equals(table)
    some = lucerne.ray.read(path, filter=lucerne.Range("id", lt="k000010"), override_num_blocks=2)
    assert sorted(row["id"] for row in some.take_all()) == [f"k{row:06}" for row in range(10)]
    # A dataset reads when it is used: its commit must still be there.
    later = lucerne.ray.read(path)
    with lucerne.open(path).writer() as writer:
        writer.tag("whole")
        tagged = lucerne.ray.read(path, at="whole")
        writer.delete("k000000")
    with pytest.raises(Exception, match="no commit"):
        later.count()
    assert tagged.count() == 2_000 and lucerne.ray.read(path).count() == 1_999
