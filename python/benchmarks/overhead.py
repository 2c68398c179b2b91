"""What a call from Python costs beside the search itself: one query at a time, a batch, and two threads.

    python benchmarks/overhead.py VECTORS.npy QUERIES.npy [INDEX]

The engine says how long each search took (`hits.took`), so that the rest of the time is the package's, whatever else
the machine does. All figures are medians of seven rounds over all queries.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

import lucerne

ROUNDS = 7


def opened(vectors: np.ndarray, folder: Path) -> lucerne.Searcher:
    """One segment of all vectors."""
    if not folder.exists():
        index = lucerne.create(folder, lucerne.Schema(embedding=lucerne.Vector(vectors.shape[1])))
        with index.writer() as writer:
            writer.add_batch(({"id": str(row)} for row in range(len(vectors))), vectors={"embedding": vectors})
            writer.force_merge(1)
    return lucerne.open(folder).searcher()


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main(base: str, queries: str, folder: str | None = None) -> None:
    with tempfile.TemporaryDirectory() as made:
        searcher = opened(np.load(base, mmap_mode="r"), Path(folder or Path(made) / "overhead.idx"))
        rows = np.load(queries).astype("f4")
        count = len(rows)

        def single() -> float:
            """Seconds of the engine, of all queries one after the other."""
            return sum(
                searcher.search(lucerne.Knn("embedding", row, k=10, candidates=100)).took for row in rows
            )

        def read() -> None:
            for row in rows:
                for hit in searcher.search(lucerne.Knn("embedding", row, k=10, candidates=100)):
                    hit.key, hit.score

        def batch(threads: int = 1) -> None:
            searcher.search_batch("embedding", rows, k=10, candidates=100, threads=threads)

        single()
        read()
        batch()
        costs, walls, reads, batches, engine = [], [], [], [], []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            took = single()
            wall = time.perf_counter() - begun
            engine.append(took)
            walls.append(wall)
            costs.append(wall - took)
            reads.append(seconds(read))
            batches.append(seconds(batch))
        micro = 1e6 / count
        print(f"engine              {median(engine) * micro:7.2f} µs a query")
        print(f"single              {median(walls) * micro:7.2f} µs, of which the package {median(costs) * micro:.2f} µs")
        print(f"single, hits read   {median(reads) * micro:7.2f} µs")
        share = median(batch / wall for batch, wall in zip(batches, engine)) - 1
        print(f"batch of {count:,}      {median(batches) * micro:7.2f} µs a row, {share:+.1%} of the engine's time")

        def two() -> None:
            threads = [threading.Thread(target=single) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        pairs = [
            (2 * seconds(single) / seconds(two), seconds(batch) / seconds(lambda: batch(2))) for _ in range(ROUNDS)
        ]
        for name, ratios in zip(("two threads ÷ one  ", "in a batch         "), zip(*pairs)):
            print(f"{name} {median(ratios):7.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main(*sys.argv[1:])
