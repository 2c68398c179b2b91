"""Writers, snapshots, errors, processes, signals and threads."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import lucerne


def test_a_block_commits_and_an_exception_rolls_back(index: lucerne.Index) -> None:
    with pytest.raises(RuntimeError), index.writer() as writer:
        writer.delete("vim")
        raise RuntimeError
    assert "vim" in index.searcher()
    with index.writer() as writer:
        assert writer.delete("vim") and not writer.delete("vim")
        writer.update("sed", {"year": 1973})
        with pytest.raises(lucerne.NotFoundError):
            writer.update("emacs", {"year": 1976})
        with pytest.raises(lucerne.AlreadyExistsError):
            writer.add({"id": "gcc"})
    assert len(index) == 2 and index.get("sed")["year"] == 1973
    with pytest.raises(lucerne.ClosedError):
        writer.commit()


def test_a_snapshot_stays_and_a_refresh_shows_changes(index: lucerne.Index) -> None:
    before = index.searcher()
    writer = index.writer(threads=1, seed=7, flush_docs=2, ram_budget=1 << 24, merge_threads=1)
    writer.upsert({"id": "awk", "body": "a language"})
    assert len(index) == 3
    writer.refresh()
    assert len(index) == 4 and len(before) == 3
    writer.rollback()
    assert len(index) == 3
    generation = writer.generation
    writer.upsert({"id": "awk", "body": "a language"})
    assert writer.commit() > generation
    writer.wait_for_merges()
    writer.force_merge(1)
    writer.close()
    assert index.searcher().segment_count == 1
    assert index.inspect()["docs"] == 4 and "Index(" in repr(index) and "<table>" in index._repr_html_()


def test_errors_have_types_and_say_what_to_do(index: lucerne.Index, tmp_path: Path) -> None:
    with pytest.raises(lucerne.NotFoundError):
        lucerne.open(tmp_path / "nothing")
    with pytest.raises(lucerne.AlreadyExistsError):
        lucerne.create(index.path, lucerne.Schema())
    writer = index.writer()
    with pytest.raises(lucerne.LockedError, match="this process|share"):
        index.writer()
    writer.close()
    for wrong in ({"key": "id", "fields": [{"name": "a", "type": "txt"}]}, "not json", {"fields": 5}):
        with pytest.raises(lucerne.UsageError):
            lucerne.create(tmp_path / "b.idx", wrong)
    with pytest.raises(ValueError, match="no field"):
        index.search("nope:x")
    assert issubclass(lucerne.DiskFullError, OSError) and issubclass(lucerne.NotFoundError, LookupError)
    damaged = next(Path(index.path).glob("*.stored"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    report = lucerne.check(index.path)
    assert not report["ok"] and report["problems"][0]["file"] == damaged.name


def test_a_full_check_reports_progress_and_can_be_stopped(index: lucerne.Index) -> None:
    seen = []
    assert lucerne.check(index.path, progress=lambda *report: seen.append(report))["ok"] and seen
    with pytest.raises(lucerne.CancelledError):
        lucerne.check(index.path, progress=lambda *report: False)


def test_backups_are_indexes_and_copy_only_what_is_new(index: lucerne.Index, tmp_path: Path) -> None:
    first = index.backup_to(tmp_path / "backup")
    assert first["docs"] == 3 and first["copied_files"] == first["files"] > 0
    assert index.backup_to(tmp_path / "backup")["copied_files"] == 0
    with index.writer() as writer:
        writer.upsert({"id": "awk", "body": "a language"})
    second = index.backup_to(tmp_path / "backup", progress=lambda *report: None)
    assert 0 < second["copied_files"] < second["files"]
    assert len(lucerne.open(tmp_path / "backup")) == 4 and lucerne.check(tmp_path / "backup")["ok"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file.txt").write_text("mine")
    with pytest.raises(lucerne.LucerneError):
        index.backup_to(tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["file.txt"]


def test_commits_with_tags_stay_and_can_be_restored(index: lucerne.Index) -> None:
    with index.writer(keep_commits=1) as writer:
        tagged = writer.tag("before")
        writer.delete("vim")
        later = writer.commit()
        writer.tag("without-vim", at=later)
        assert index.tags() == {"before": tagged, "without-vim": later}
        assert tagged in index.commits() and len(index.open_at("before")) == 3 and len(index.open_at(later)) == 2
        writer.untag("without-vim")
        writer.restore("before")
        with pytest.raises(lucerne.LucerneError, match="nope"):
            writer.restore("nope")
        for wrong in (1.0, True, -1, None):
            with pytest.raises(lucerne.UsageError, match="is no commit; expected a tag"):
                writer.restore(wrong)  # type: ignore[arg-type]
        with pytest.raises(lucerne.UsageError, match=r"1\.0 is no commit"):
            writer.tag("x", at=1.0)  # type: ignore[arg-type]
    assert "vim" in index.searcher() and list(index.tags()) == ["before"]


def test_raw_vectors_can_be_dropped_and_nothing_pretends_to_be_exact(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(v=lucerne.Vector(32)))
    rows = np.random.default_rng(1).standard_normal((2_000, 32))
    with index.writer() as writer:
        writer.add_batch(({"id": str(i)} for i in range(2_000)), vectors={"v": rows})
        writer.drop_raw("v")
    assert index.search(lucerne.Knn("v", rows[5], k=1)).keys == ["5"]
    with pytest.raises(lucerne.UsageError, match="raw"):
        index.search(lucerne.Knn("v", rows[5], exact=True))
    with pytest.raises(lucerne.UsageError, match="raw"):
        index.searcher().vector("5", "v")
    decoded = index.searcher().decoded_vector("5", "v")
    assert decoded is not None and np.abs(decoded - rows[5] / np.linalg.norm(rows[5])).max() < 0.02


def test_handles_are_pickled_by_path_and_writers_are_not(index: lucerne.Index) -> None:
    again = pickle.loads(pickle.dumps(index))
    assert len(again) == 3 and again.path == index.path
    assert len(pickle.loads(pickle.dumps(index.searcher()))) == 3
    with index.writer() as writer:
        writer.tag("before")
        writer.delete("vim")
    older = index.open_at("before")
    assert len(pickle.loads(pickle.dumps(older))) == 3 and len(index) == 2
    query = lucerne.Knn("embedding", [1, 0, 0, 0], k=1)
    assert pickle.loads(pickle.dumps(query)) == query
    writer = index.writer()
    with pytest.raises(lucerne.UsageError, match="pickled"):
        pickle.dumps(writer)
    writer.close()


def test_a_search_has_a_deadline_and_marks_what_is_partial(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(v=lucerne.Vector(256, index="flat")))
    rng = np.random.default_rng(1)
    with index.writer() as writer:
        writer.add_batch(({"id": str(i)} for i in range(20_000)), vectors={"v": rng.random((20_000, 256))})
    searcher, query = index.searcher(), lucerne.Knn("v", rng.random(256), k=10, exact=True)
    with pytest.raises(lucerne.TimedOutError, match="partial result"):
        searcher.search(query, timeout=0)
    assert searcher.search(query, timeout=0, partial=True).stopped == "timed out"
    with pytest.raises(TimeoutError):
        searcher.search_batch("v", rng.random((5_000, 256)), exact=True, timeout=0.05)
    whole = searcher.search(query, timeout=60.0, partial=True, threads=2)
    assert whole.stopped is None and whole.keys == searcher.search(query).keys and whole.took > 0
    for wrong in (-1.0, float("nan")):
        with pytest.raises(lucerne.UsageError, match="timeout"):
            searcher.search(query, timeout=wrong)
    stats = index.stats()
    assert stats["timed_out_searches"] >= 2 and stats["searches"]["count"] >= 4
    assert stats["documents_added"] == 20_000 and stats["commits"]["p99"] > 0


def test_ctrl_c_stops_a_batch_of_searches_at_once(tmp_path: Path) -> None:
    code = f"""
import lucerne, numpy as np, time
index = lucerne.create({str(tmp_path / "a.idx")!r}, lucerne.Schema(v=lucerne.Vector(256, index="flat")))
rng = np.random.default_rng(1)
with index.writer() as writer:
    writer.add_batch(({{"id": str(i)}} for i in range(5_000)), vectors={{"v": rng.random((5_000, 256))}})
searcher = index.searcher()
queries = rng.random((100_000, 256))
print("go", flush=True)
try:
    searcher.search_batch("v", queries, exact=True)
except KeyboardInterrupt:
    print("stopped", time.time(), flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout and process.stdout.readline() == "go\n"
    time.sleep(0.5)
    sent = time.time()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert out.startswith("stopped") and float(out.split()[1]) - sent < 2.0


def _search(index: lucerne.Index) -> list[str]:
    return index.search("body:editor", sort="id").keys


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_indexes_work_in_other_processes(index: lucerne.Index, method: str) -> None:
    index.searcher()
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_search, [index] * 4) == [["sed", "vim"]] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_that_ends_leaves_the_lock_to_its_parent(index: lucerne.Index) -> None:
    writer = index.writer()
    child = os.fork()
    if child == 0:
        del writer
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with pytest.raises(lucerne.LockedError):
        index.writer()
    writer.close()


def test_an_exception_takes_back_what_cannot_be_undone_later(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(v=lucerne.Vector(32)))
    rows = np.random.default_rng(1).standard_normal((1_000, 32))
    with index.writer() as writer:
        writer.add_batch(({"id": str(i)} for i in range(1_000)), vectors={"v": rows})
    with pytest.raises(RuntimeError), index.writer() as writer:
        writer.drop_raw("v")
        raise RuntimeError
    assert index.search(lucerne.Knn("v", rows[5], k=1, exact=True)).keys == ["5"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_has_no_writer(index: lucerne.Index) -> None:
    writer = index.writer()
    child = os.fork()
    if child == 0:
        try:
            writer.commit()
            os._exit(1)
        except lucerne.ClosedError:
            os._exit(0 if len(index) == 3 else 2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    writer.upsert({"id": "awk"})
    writer.close()
    assert len(index) == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_the_lock_of_a_killed_parent_is_explained(index: lucerne.Index) -> None:
    code = f"""
import lucerne, os, time
writer = lucerne.open({index.path!r}).writer()
if os.fork() == 0:
    print(os.getpid(), flush=True)
    time.sleep(60)
os.kill(os.getpid(), 9)
"""
    folder = Path(index.path).parent
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=folder)
    assert process.stdout
    child = int(process.stdout.readline())
    process.wait(timeout=60)
    try:
        with pytest.raises(lucerne.LockedError, match="ended, or elsewhere; a process forked from it"):
            index.writer()
    finally:
        os.kill(child, signal.SIGKILL)
    deadline = time.time() + 10
    while True:
        try:
            index.writer().close()
            break
        except lucerne.LockedError:
            assert time.time() < deadline
            time.sleep(0.05)


def test_ctrl_c_stops_a_long_import_and_loses_nothing_committed(tmp_path: Path) -> None:
    code = f"""
import lucerne, numpy as np, sys
index = lucerne.create({str(tmp_path / "a.idx")!r}, lucerne.Schema(key="id", v=lucerne.Vector(64)))
writer = index.writer(threads=1)
rng = np.random.default_rng(1)
writer.add_batch(({{"id": "a%d" % i, "v": rng.random(64)}} for i in range(100)))
writer.commit()
print("go", flush=True)
writer.add_batch(({{"id": "b%d" % i, "v": rng.random(64)}} for i in range(10_000_000)))
"""
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    assert process.stdout and process.stdout.readline() == b"go\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in errors and len(lucerne.open(tmp_path / "a.idx")) == 100


def test_four_threads_and_a_dict_agree_over_random_operations(tmp_path: Path) -> None:
    schema = lucerne.Schema(n="i64", v=lucerne.Vector(8, similarity="euclidean"))
    index = lucerne.create(tmp_path / "a.idx", schema)
    writer, failures = index.writer(flush_docs=50), []
    models: list[dict[str, tuple[int, np.ndarray]]] = [{} for _ in range(4)]

    def work(thread: int) -> None:
        rng, model = np.random.default_rng(thread), models[thread]
        try:
            for step in range(250):
                key, vector = f"{thread}-{rng.integers(60)}", rng.random(8).astype("f4")
                match rng.integers(6):
                    case 0:
                        assert writer.delete(key) == (key in model)
                        model.pop(key, None)
                    case 1 if key in model:
                        writer.update(key, {"n": step})
                        model[key] = (step, model[key][1])
                    case 2 if key in model:
                        with pytest.raises(lucerne.AlreadyExistsError):
                            writer.add({"id": key})
                    case 3:
                        writer.refresh()
                        assert index.searcher().count(lucerne.Prefix("id", f"{thread}-")) == len(model)
                    case _:
                        writer.upsert({"id": key, "n": step, "v": vector})
                        model[key] = (step, vector)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert not failures
    model = {key: value for part in models for key, value in part.items()}
    searcher = index.searcher()
    assert len(searcher) == len(model)
    keys, vectors = list(model), np.stack([vector for _, vector in model.values()])
    for query in np.random.default_rng(9).random((20, 8)).astype("f4"):
        distances = ((vectors - query) ** 2).sum(1)
        hits = searcher.search(lucerne.Knn("v", query, k=5, exact=True), fields=["n"])
        assert hits.keys == [keys[at] for at in np.argsort(distances)[:5]]
        assert all(hit["n"] == model[hit.key][0] for hit in hits)
