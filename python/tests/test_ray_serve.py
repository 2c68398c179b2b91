"""Shards on Ray Serve: the hits of one index, replicas that are killed, commits under load; tasks that write and search shards."""

import json
import os
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ray.serve", reason="Ray Serve is not installed: pip install lucerne[serve]", exc_type=ImportError)
pytest.importorskip("pyarrow", reason="pyarrow is not installed")

import ray  # noqa: E402
from ray import serve  # noqa: E402

import lucerne  # noqa: E402
import lucerne.ray  # noqa: E402
import lucerne.serve  # noqa: E402
from test_shards import SCHEMA, SEARCHES, documents  # noqa: E402

ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
SHARDS = 2


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> lucerne.Index:
    index = lucerne.create(tmp_path_factory.mktemp("one") / "index", SCHEMA)
    with index.writer() as writer:
        writer.add_batch(documents(400))
    return index


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lucerne.ShardedIndex]:
    """Written by tasks of Ray."""
    ray.init(num_cpus=8, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    index = lucerne.ShardedIndex.create(tmp_path_factory.mktemp("shards") / "index", SCHEMA, SHARDS)
    rows = [{**row, "v": row["v"].tolist()} for row in documents(400)]
    sink = lucerne.ray.LucerneSink(index.path, seed=1)
    ray.data.from_items(rows, override_num_blocks=3).write_datasink(sink)
    assert sink.published == {"docs": 400, "replaced": 0, "skipped": 0, "merged": 0}
    assert len(sink.handles) > SHARDS
    yield index
    serve.shutdown()
    ray.shutdown()


@pytest.fixture(scope="module")
def served(shards: lucerne.ShardedIndex) -> Any:
    app = lucerne.serve.app(
        shards.path, replicas=2, refresh=0.1, timeout=30.0, shard_options={"ray_actor_options": {"num_cpus": 0.1}}
    )
    return serve.run(app, name="notes", route_prefix="/notes")


def test_tasks_write_each_row_to_its_shard_and_search_all(shards: lucerne.ShardedIndex, one: lucerne.Index) -> None:
    for document in documents(400):
        assert document["id"] in shards.shards[lucerne.shard_of(document["id"], SHARDS)].searcher()
    questions = ray.data.from_items([{"words": "cat dog"}, {"words": "elk"}, {"words": "emu bee"}])
    for index in (shards.path, one.path):
        found = lucerne.ray.search(questions, index, lambda row: lucerne.Match("body", row["words"]), keywords={"limit": 7})
        for row in found.take_all():
            expected = one.search(lucerne.Match("body", row["words"]), limit=7)
            assert list(row["keys"]) == expected.keys and list(row["scores"]) == expected.scores.tolist()


@pytest.mark.parametrize(("query", "keywords"), SEARCHES, ids=[str(number) for number in range(len(SEARCHES))])
def test_the_router_finds_what_one_index_finds(
    served: Any, one: lucerne.Index, query: Any, keywords: dict[str, Any]
) -> None:
    if "rerank" in keywords:
        query, keywords = lucerne.Match("body", "emu"), {"min_score": 0.1}
    expected = one.search(query, **keywords)
    found = served.search.remote(query, **keywords).result()
    assert found["keys"] == expected.keys and found["shards"] == (SHARDS, SHARDS)
    assert [hit["score"] for hit in found["hits"]] == expected.scores.tolist()
    assert found["facets"] == expected.facets and found["aggregations"] == expected.aggregations
    if "total" in keywords:
        assert found["total"] == expected.total and found["total_is_exact"]


def test_many_searches_share_the_way(served: Any, one: lucerne.Index) -> None:
    queries = [lucerne.Match("body", "elk"), lucerne.Knn("v", np.ones(8), k=9, exact=True), {"all": {}}, "cat dog"]
    found = served.search_many.remote(queries, limit=6, facets="section").result()
    for query, own in zip(queries, found):
        expected = one.search(query, limit=6, facets="section")
        assert own["keys"] == expected.keys and own["facets"] == expected.facets
    assert served.search_many.remote([]).result() == []


def test_a_search_in_json_over_http(served: Any, one: lucerne.Index) -> None:
    search = {"query": {"match": {"field": "body", "text": "cat"}}, "limit": 3, "fields": ["n", "v"]}
    request = urllib.request.Request("http://127.0.0.1:8000/notes", json.dumps(search).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        found = json.load(answer)
    expected = one.search(search)
    assert found["keys"] == expected.keys and found["hits"][0]["fields"]["n"] == expected[0]["n"]


def test_a_wrong_search_is_an_error_and_a_late_one_says_so(served: Any) -> None:
    with pytest.raises(lucerne.UsageError, match="not over shards"):
        served.search.remote(lucerne.All(), group_by=("section", 2)).result()
    with pytest.raises(lucerne.UsageError, match="nothing"):
        served.search.remote(lucerne.Match("nothing", "cat")).result()
    late = served.search.remote("cat", timeout=0.0).result()
    assert late["shards"] == (0, SHARDS) and late["keys"] == [] and not late["total_is_exact"]


def test_a_shard_that_stands_still_is_left_out_at_the_deadline(served: Any) -> None:
    shard = serve.get_deployment_handle("shard-0", "notes")
    processes = set[int]()
    while len(processes) < 2:
        processes.add(shard.state.remote().result()["process"])
    try:
        [os.kill(process, signal.SIGSTOP) for process in processes]
        begun = time.monotonic()
        found = served.search.remote(lucerne.All(), limit=400, timeout=1.0).result()
        took = time.monotonic() - begun
    finally:
        [os.kill(process, signal.SIGCONT) for process in processes]
    assert found["shards"] == (1, SHARDS) and 0.9 < took < 5 and not found["total_is_exact"]
    assert all(lucerne.shard_of(key, SHARDS) == 1 for key in found["keys"]) and len(found["keys"]) > 100
    assert served.search.remote(lucerne.All(), limit=400).result()["shards"] == (SHARDS, SHARDS)


class Load:
    """Searches that go on beside what a test does; each must have been answered by all shards."""

    def __init__(self, served: Any) -> None:
        self.served, self.done, self.problems = served, 0, list[str]()
        self.totals = set[int]()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(3)]

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                found = self.served.search.remote(lucerne.Term("section", "s1"), total=True).result()
                if found["shards"] != (SHARDS, SHARDS):
                    self.problems.append(f"answered by {found['shards']}")
                self.totals.add(found["total"])
                self.done += 1
            except Exception as error:  # noqa: BLE001
                self.problems.append(repr(error))

    def __enter__(self) -> "Load":
        [thread.start() for thread in self._threads]
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        [thread.join() for thread in self._threads]


def test_no_search_fails_while_a_replica_is_killed(served: Any) -> None:
    shard = serve.get_deployment_handle("shard-0", "notes")
    with Load(served) as load:
        time.sleep(1)
        os.kill(shard.state.remote().result()["process"], signal.SIGKILL)
        time.sleep(5)
    assert load.done > 20 and load.problems == [] and load.totals == {80}


def test_replicas_follow_commits_while_they_are_searched(served: Any, shards: lucerne.ShardedIndex) -> None:
    with Load(served) as load:
        # A slow machine would answer its first search after a commit or two.
        before = time.monotonic() + 30
        while not load.done and time.monotonic() < before:
            time.sleep(0.01)
        for commit in range(5):
            with shards.writer() as writer:
                writer.upsert_batch({"id": f"new{n}", "section": "s1"} for n in range(10 * commit, 10 * commit + 10))
            time.sleep(0.4)
        deadline = time.monotonic() + 30
        while max(load.totals) < 130 and time.monotonic() < deadline:
            time.sleep(0.1)
    assert load.problems == [] and max(load.totals) == 130 and min(load.totals) == 80
