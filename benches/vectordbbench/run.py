"""VectorDBBench's own runners on vectors in files, without its downloads: how long loading takes, recall and latency of
serial searches, and queries per second of several processes; Lucerne beside LanceDB and zvec.

    pip install vectordb-bench==2.0.0 lancedb==0.40.0 zvec==0.8.0
    python run.py BASE.npy QUERIES.npy [NAME …] [--seconds N] [--processes N …]

Prints a Markdown table. Cosine, k = 10, truth by numpy.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from lucerne_client.client import Lucerne
from lucerne_client.config import LucerneConfig, LucerneIndexConfig
from vectordb_bench.backend.clients.api import MetricType, VectorDB
from vectordb_bench.backend.runner.mp_runner import MultiProcessingSearchRunner
from vectordb_bench.backend.runner.serial_runner import SerialSearchRunner

K = 10
BATCH = 1_000


def databases(folder: Path) -> dict[str, Callable[[int], VectorDB]]:
    """Each with parameters that find about 0.95 to 0.99 of the ten nearest."""

    def lucerne(recall: float) -> Callable[[int], VectorDB]:
        def made(dimension: int) -> VectorDB:
            config = LucerneConfig(path=str(folder / "lucerne.idx")).to_dict()
            return Lucerne(dimension, config, LucerneIndexConfig(recall=recall), drop_old=True)

        return made

    def lancedb(dimension: int) -> VectorDB:
        from vectordb_bench.backend.clients.lancedb.config import LanceDBIVFHNSWSQConfig
        from vectordb_bench.backend.clients.lancedb.lancedb import LanceDB

        case = LanceDBIVFHNSWSQConfig(
            metric_type=MetricType.COSINE, m=16, ef_construction=100, ef=60, num_partitions=1, nprobes=1, refine_factor=2
        )
        return LanceDB(dimension, {"uri": str(folder / "lancedb"), "storage_options": None}, case, drop_old=True)

    def zvec(dimension: int) -> VectorDB:
        from vectordb_bench.backend.clients.zvec.config import ZvecHNSWIndexConfig
        from vectordb_bench.backend.clients.zvec.zvec import Zvec

        case = ZvecHNSWIndexConfig(
            metric_type=MetricType.COSINE,
            M=16,
            ef_construction=100,
            ef_search=60,
            quantize_type="INT8",
            is_using_refiner=True,
        )
        return Zvec(dimension, {"path": str(folder / "zvec")}, case, drop_old=True)

    return {"lucerne 0.95": lucerne(0.95), "lucerne 0.98": lucerne(0.98), "lancedb": lancedb, "zvec": zvec}


def truth(base: np.ndarray, queries: np.ndarray) -> list[list[int]]:
    unit = base / np.linalg.norm(base, axis=1, keepdims=True)
    found = []
    for begin in range(0, len(queries), 100):
        near = np.argsort(-(queries[begin : begin + 100] @ unit.T), axis=1, kind="stable")[:, :K]
        found += near.tolist()
    return found


def load(db: VectorDB, base: np.ndarray) -> float:
    """Seconds until all rows are in and indexed."""
    begun = time.perf_counter()
    with db.init():
        for begin in range(0, len(base), BATCH):
            rows = base[begin : begin + BATCH]
            count, error = db.insert_embeddings(rows.tolist(), list(range(begin, begin + len(rows))))
            if error is not None or count != len(rows):
                raise RuntimeError(f"{db.name}: {count} of {len(rows)} rows: {error}")
        db.optimize(len(base))
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("queries")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 2])
    given = parser.parse_args()
    base, queries = np.load(given.base).astype("f4"), np.load(given.queries).astype("f4")
    nearest = truth(base, queries)
    heads = ["load s", "recall", "p99 ms", *(f"QPS, {count} processes" for count in given.processes)]
    print(f"| {len(base):,} × {base.shape[1]} | " + " | ".join(heads) + " |")
    print("|---|" + "---|" * len(heads))
    with tempfile.TemporaryDirectory() as folder:
        for name, made in databases(Path(folder)).items():
            if given.names and name.split()[0] not in given.names:
                continue
            db = made(base.shape[1])
            loaded = load(db, base)
            serial: Any = SerialSearchRunner(db, list(queries), nearest, k=K)
            serial.run()  # Warm.
            recall, _, p99, *_ = serial.run()[0]
            concurrent = MultiProcessingSearchRunner(
                db, [query.tolist() for query in queries], k=K, concurrencies=given.processes, duration=given.seconds
            )
            speeds = [f"{qps:,.0f}" for qps in concurrent.run()[2]]
            cells = [f"{loaded:.1f}", f"{recall:.3f}", f"{1e3 * p99:.1f}", *speeds]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    # Some of the libraries do not survive a fork.
    multiprocessing.set_start_method("spawn")
    main()
