"""An index built by tasks of Ray against one built by one process: documents, recall, time.

    python python/benchmarks/cluster.py base.npy queries.npy --tasks 2,4,8

For each number of tasks: is every row there once, what is recall@10 against exact search after the publish, after a merge into
two segments by two tasks, and after one into a single segment; and when one process merges the same segments into one. Recall is
told with 100 candidates, and with default settings, which look for as many as the recall asked for (0.95) takes. With
`--keep FOLDER` all these indexes stay there, for other measurements.
"""

import argparse
import tempfile
from contextlib import nullcontext
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import ray

import lucerne
import lucerne.ray


def table(vectors: np.ndarray) -> pa.Table:
    column = pa.FixedSizeListArray.from_arrays(np.ascontiguousarray(vectors, "f4").reshape(-1), vectors.shape[1])
    return pa.table({"id": [f"{row:08}" for row in range(len(vectors))], "v": column})


def recall(path: Path, queries: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """With 100 candidates, and with default settings."""
    searcher = lucerne.open(path).searcher()
    found = [searcher.search_batch("v", queries, candidates=candidates, threads=1)[0] for candidates in (100, None)]
    hits = [[len(set(row) & set(exact)) for row, exact in zip(rows, truth)] for rows in found]
    return float(np.mean(hits[0])) / 10, float(np.mean(hits[1])) / 10


def told(value: tuple[float, float]) -> str:
    return f"recall {value[0]:.4f} (default {value[1]:.4f})"


def once(path: Path, rows: pa.Table) -> bool:
    return pa.table(lucerne.open(path).to_arrow())["id"].combine_chunks().equals(rows["id"].combine_chunks())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--tasks", default="2,4,8")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--similarity", default="cosine")
    parser.add_argument("--keep", help="a folder for the indexes")
    given = parser.parse_args()
    rows, queries = table(np.load(given.base)[: given.rows]), np.load(given.queries).astype("f4")[:1_000]
    schema = lucerne.Schema(v=lucerne.Vector(queries.shape[1], similarity=given.similarity))
    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    with nullcontext(given.keep) if given.keep else tempfile.TemporaryDirectory() as folder:
        one = Path(folder, "one.idx")
        begun = time.perf_counter()
        with lucerne.create(one, schema).writer(threads=1, seed=1, ram_budget=4 << 30) as writer:
            writer.add_arrow(rows)
        seconds = time.perf_counter() - begun
        truth, _ = lucerne.open(one).searcher().search_batch("v", queries, exact=True)
        alone = recall(one, queries, truth)
        print(f"{len(rows)} rows, one process: {seconds:.1f} s, {told(alone)}", flush=True)
        for tasks in map(int, given.tasks.split(",")):
            path, step = Path(folder, f"{tasks}.idx"), -(-len(rows) // tasks)
            dataset = ray.data.from_arrow([rows.slice(start, step) for start in range(0, len(rows), step)])
            begun, said = time.perf_counter(), []
            sink = lucerne.ray.LucerneSink(path, schema, seed=1)
            dataset.write_datasink(sink)
            said.append(f"written in {time.perf_counter() - begun:.1f} s")
            copy = Path(folder, f"{tasks}-copy.idx")
            lucerne.open(path).backup_to(copy)
            for segments in (None, 2, 1):
                begun = time.perf_counter()
                if segments is not None:
                    lucerne.ray.force_merge(path, segments, seed=1)
                    said.append(f"{segments} segments after {time.perf_counter() - begun:.1f} s")
                said.append(told(recall(path, queries, truth)))
                if given.keep:
                    lucerne.open(path).backup_to(Path(folder, f"{tasks}-{segments or 'published'}.idx"))
            with lucerne.open(copy).writer(threads=1, seed=1) as writer:
                writer.force_merge(1)
            said.append(f"merged by one process {told(recall(copy, queries, truth))}")
            assert once(path, rows) and lucerne.check(path)["ok"]
            print(f"{len(sink.handles)} tasks: {', '.join(said)}; every row once", flush=True)


if __name__ == "__main__":
    main()
