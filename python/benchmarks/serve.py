"""Shards on Ray Serve beside one index in process: the same hits, how long they take, replicas that are killed, commits under load.

    python benchmarks/serve.py VECTORS.npy QUERIES.npy TEXTS.txt --documents 20000 --shards 4

`TEXTS.txt`: a text for each vector, a line each.
"""

import argparse
import os
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np
import ray
from ray import serve

import lucerne
import lucerne.ray
import lucerne.serve


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("vectors", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0)
    return parser.parse_args()


def corpus(given: argparse.Namespace) -> tuple[list[dict[str, Any]], np.ndarray]:
    vectors = np.load(given.vectors, mmap_mode="r")[: given.documents]
    texts = given.texts.read_text(encoding="utf-8").splitlines()
    documents = [
        {"id": f"d{n:07}", "body": texts[n % len(texts)], "section": f"s{n * 7 % 23}", "n": n, "v": np.array(vector, "f4")}
        for n, vector in enumerate(vectors)
    ]
    return documents, np.load(given.queries).astype("f4")


def kinds(queries: np.ndarray, documents: list[dict[str, Any]], exact: bool) -> dict[str, Callable[[int], tuple[Any, dict[str, Any]]]]:
    """Searches by their number."""

    def vector(number: int) -> lucerne.Knn:
        return lucerne.Knn("v", queries[number % len(queries)], k=10, exact=exact)

    def words(number: int) -> lucerne.Match:
        own = documents[number * 37 % len(documents)]["body"].split()
        return lucerne.Match("body", " ".join(own[:3]) or "library")

    return {
        "kNN": lambda n: (vector(n), {}),
        "kNN filtered": lambda n: (vector(n), {"filter": lucerne.Term("section", f"s{n % 23}")}),
        "text": lambda n: (words(n), {}),
        "hybrid": lambda n: (lucerne.Fuse(words(n), vector(n)), {}),
        "facets": lambda n: (words(n), {"facets": {"section": 10}, "total": True}),
    }


def percentiles(seconds: list[float]) -> str:
    p50, p99 = np.percentile(seconds, [50, 99]) * 1e3
    return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms"


def timed(search: Callable[[Any, dict[str, Any]], Any], ask: Callable[[int], tuple[Any, dict[str, Any]]], count: int) -> list[float]:
    took = []
    for number in range(count):
        query, keywords = ask(number)
        begun = time.perf_counter()
        search(query, keywords)
        took.append(time.perf_counter() - begun)
    return took


class Load:
    def __init__(self, router: Any, ask: Callable[[int], tuple[Any, dict[str, Any]]], shards: int, clients: int = 3) -> None:
        self.router, self.ask, self.shards = router, ask, shards
        self.took: list[float] = []
        self.failed: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(clients)]

    def _run(self, number: int) -> None:
        while not self._stop.is_set():
            number += 7
            query, keywords = self.ask(number)
            begun = time.perf_counter()
            try:
                found = self.router.search.remote(query, **keywords).result()
                if found["shards"] != (self.shards, self.shards):
                    self.failed.append(f"answered by {found['shards']}")
            except Exception as error:  # noqa: BLE001
                self.failed.append(repr(error))
            self.took.append(time.perf_counter() - begun)

    def __enter__(self) -> "Load":
        [thread.start() for thread in self._threads]
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        [thread.join() for thread in self._threads]

    def __str__(self) -> str:
        return f"{len(self.took)} searches, {len(self.failed)} failed or in part, {percentiles(self.took)}, longest {max(self.took):.2f} s"


def main() -> None:
    given = arguments()
    documents, queries = corpus(given)
    folder = Path(tempfile.mkdtemp())
    schema = lucerne.Schema(body="text", section="keyword", n="i64", v=lucerne.Vector(len(documents[0]["v"])))
    one = lucerne.create(folder / "one", schema)
    shards = lucerne.ShardedIndex.create(folder / "shards", schema, given.shards)
    for index in (one, shards):
        begun = time.perf_counter()
        with index.writer(seed=1) as writer:
            writer.add_batch(documents)
        print(f"{index}: {len(index)} documents in {time.perf_counter() - begun:.1f} s")

    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    options = {"ray_actor_options": {"num_cpus": 0.02}}
    router = serve.run(
        lucerne.serve.app(shards.path, replicas=2, refresh=0.5, timeout=30.0, shard_options=options), name="bench"
    )
    print("\nexact searches: served beside one index")
    searcher = one.searcher()
    for name, ask in kinds(queries, documents, exact=True).items():
        keys = scores = 0
        for number in range(given.searches):
            query, keywords = ask(number)
            expected, found = searcher.search(query, **keywords), router.search.remote(query, **keywords).result()
            same = found["keys"] == expected.keys and found["facets"] == expected.facets
            keys += same and ("total" not in keywords or found["total"] == expected.total)
            scores += [hit["score"] for hit in found["hits"]] == expected.scores.tolist()
        print(f"  {name}: of {given.searches} searches {keys} with the same keys, facets and totals, {scores} with the same scores")

    exact, approximate = kinds(queries, documents, exact=True)["kNN"], kinds(queries, documents, exact=False)["kNN"]
    recalls: list[list[float]] = [[], [], [], []]
    for number in range(given.searches):
        truth = set(searcher.search(exact(number)[0]).keys)
        query = approximate(number)[0]
        recalls[0].append(len(truth & set(searcher.search(query).keys)) / 10)
        recalls[1].append(len(truth & set(router.search.remote(query).result()["keys"])) / 10)
        query = lucerne.Knn("v", queries[number % len(queries)], k=10, candidates=20)
        recalls[2].append(len(truth & set(searcher.search(query).keys)) / 10)
        recalls[3].append(len(truth & set(router.search.remote(query).result()["keys"])) / 10)
    print(
        f"approximate kNN, recall@10: one index {np.mean(recalls[0]):.4f}, served shards {np.mean(recalls[1]):.4f}; "
        f"with 20 candidates: {np.mean(recalls[2]):.4f}, {np.mean(recalls[3]):.4f}"
    )

    print("\none client, one search after the other")
    in_shards = shards.searcher()
    for name, ask in kinds(queries, documents, exact=False).items():
        for place, search in (
            ("one index in process", lambda query, keywords: searcher.search(query, **keywords)),
            ("shards in process", lambda query, keywords: in_shards.search(query, **keywords)),
            ("shards on Ray Serve", lambda query, keywords: router.search.remote(query, **keywords).result()),
        ):
            timed(search, ask, 20)
            print(f"  {name}, {place}: {percentiles(timed(search, ask, given.searches))}")
        asked = [ask(number)[0] for number in range(given.searches)]
        begun = time.perf_counter()
        for start in range(0, len(asked), 50):
            router.search_many.remote(asked[start : start + 50], **ask(0)[1]).result()
        print(f"  {name}, shards on Ray Serve, 50 at a time: {(time.perf_counter() - begun) / len(asked) * 1e3:.2f} ms a search")

    ask = kinds(queries, documents, exact=False)["hybrid"]
    with Load(router, ask, given.shards) as load:
        time.sleep(given.seconds)
    print(f"\nthree clients, hybrid: {load}")
    with Load(router, ask, given.shards) as load:
        for shard in range(given.shards):
            time.sleep(given.seconds / given.shards)
            state = serve.get_deployment_handle(f"shard-{shard}", "bench").state.remote().result()
            os.kill(state["process"], signal.SIGKILL)
        time.sleep(given.seconds)
    print(f"the same, a replica of each of {given.shards} shards killed (SIGKILL): {load}")
    print("  ", load.failed[:3])
    with Load(router, ask, given.shards) as load:
        for commit in range(10):
            with shards.writer() as writer:
                writer.upsert_batch({**document, "n": -commit} for document in documents[commit * 100 : commit * 100 + 100])
            time.sleep(given.seconds / 10)
    print(f"the same, 10 commits of 100 upserts over all shards: {load}")
    print("  ", load.failed[:3])
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and router.search.remote(lucerne.Range("n", lt=0), total=True).result()["total"] != 900:
        time.sleep(0.2)
    total = router.search.remote(lucerne.Range("n", lt=0), total=True).result()["total"]
    print(f"   documents of these commits found: {total} (900 are right)")
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()
