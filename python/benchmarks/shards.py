"""One index beside the same documents in shards, and in as many segments: recall@10, distances and time of searches that ask for a
recall, in this process.

    python python/benchmarks/shards.py base.npy queries.npy --shards 4 --seeds 5

A line for each: means over the seeds, which are those of the graphs, in brackets the least and the most of them. Recall is told
against exact search.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import lucerne


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--recall", default="0.9,0.95,0.98")
    parser.add_argument("--candidates", help="numbers of candidates to search with besides")
    parser.add_argument("--similarity", default="cosine")
    given = parser.parse_args()
    rows, queries = np.load(given.base)[: given.rows].astype("f4"), np.load(given.queries).astype("f4")[:500]
    schema = lucerne.Schema(key="id", v=lucerne.Vector(rows.shape[1], similarity=given.similarity))
    asked: list[dict[str, Any]] = [{"recall": float(recall)} for recall in given.recall.split(",")]
    asked += [{"candidates": int(number)} for number in (given.candidates or "").split(",") if number]
    measured: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for seed in range(1, given.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            searchers = made(Path(folder), schema, rows, given.shards, seed)
            truth = [set(searchers["one index"].search(lucerne.Knn("v", query, k=10, exact=True)).keys) for query in queries]
            for name, searcher in searchers.items():
                for effort in asked:
                    told = measured.setdefault((name, " ".join(f"{key} {value}" for key, value in effort.items())), [])
                    told.append(searched(searcher, queries, truth, effort))
    for (name, effort), runs in measured.items():
        recall, distances, micros = np.transpose(runs)
        of_seeds = f"({recall.min():.4f} to {recall.max():.4f})"
        print(f"{effort}, {name}: recall {recall.mean():.4f} {of_seeds}, {distances.mean():.0f} distances, {micros.mean():.0f} µs")


def made(folder: Path, schema: Any, rows: np.ndarray, shards: int, seed: int) -> dict[str, Any]:
    """The searchers by their names."""
    documents = [{"id": f"d{number:07}", "v": row} for number, row in enumerate(rows)]
    one, many = lucerne.create(folder / "one", schema), lucerne.create(folder / "segments", schema)
    sharded = lucerne.ShardedIndex.create(folder / "shards", schema, shards)
    options: dict[str, Any] = {"seed": seed, "threads": 1, "ram_budget": 4 << 30, "merge_policy": "none"}
    for index in (one, sharded):
        with index.writer(**options) as writer:
            writer.add_batch(documents)
    with many.writer(**options) as writer:
        step = -(-len(rows) // shards)
        for start in range(0, len(rows), step):
            writer.add_batch(documents[start : start + step])
            writer.commit()
    return {
        "one index": one.searcher(),
        f"{shards} shards": sharded.searcher(),
        f"one index of {shards} segments": many.searcher(),
    }


def searched(searcher: Any, queries: np.ndarray, truth: list[set[str]], effort: dict[str, Any]) -> tuple[float, float, float]:
    """Recall, distances a search, and microseconds."""
    found, distances = 0, 0
    begun = time.perf_counter()
    for query, exact in zip(queries, truth):
        hits = searcher.search(lucerne.Knn("v", query, k=10, **effort))
        found += len(exact.intersection(hits.keys))
        distances += sum(segment["visited"] for segment in hits.segments)
    seconds = time.perf_counter() - begun
    return found / 10 / len(queries), distances / len(queries), seconds / len(queries) * 1e6


if __name__ == "__main__":
    main()
