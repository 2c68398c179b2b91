"""Runs the modules in `algorithms/` as `ann_benchmarks --local` does, without its other requirements.

    python run.py DATA.hdf5 RESULTS.json [ALGORITHM …] [--queries N] [--runs N]

It reads each `config.yml`, builds what its run groups say, and times single queries (k = 10) on one thread: the best of
five runs, as there. Recall is that of ann-benchmarks: found neighbors that are as near as the tenth. Results are added to
the file; `plot.py` draws it.
"""

import argparse
import importlib
import itertools
import json
import sys
import time
import types
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml
from datasets import distances

HERE = Path(__file__).resolve().parent / "algorithms"
K = 10
EPSILON = 1e-3


class BaseANN:
    """What modules of ann-benchmarks are made from."""

    def done(self) -> None:
        pass

    def get_additional(self) -> dict[str, Any]:
        return {}


def provide_base() -> None:
    """Makes `from ..base.module import BaseANN` work."""
    for name, path in [
        ("ann_benchmarks", HERE.parent),
        ("ann_benchmarks.algorithms", HERE),
        ("ann_benchmarks.algorithms.base", HERE),
    ]:
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package
    module = types.ModuleType("ann_benchmarks.algorithms.base.module")
    setattr(module, "BaseANN", BaseANN)
    sys.modules[module.__name__] = module


def combinations(given: Any) -> list[Any]:
    """A list of alternatives as its items, a dict of them as dicts, a value as itself."""
    if isinstance(given, dict):
        values = [combinations(value) for value in given.values()]
        return [dict(zip(given, chosen)) for chosen in itertools.product(*values)]
    return list(given) if isinstance(given, list) else [given]


def definitions(algorithm: str, metric: str) -> list[tuple[Any, list[Any], list[Any]]]:
    """Constructor, its arguments, and the query arguments, of each thing to build."""
    with open(HERE / algorithm / "config.yml", encoding="utf-8") as file:
        (config,) = yaml.safe_load(file)["float"]["any"]
    module = importlib.import_module(config["module"] + ".module")
    base = [metric if argument == "@metric" else argument for argument in config["base_args"]]
    found = []
    for group in config["run_groups"].values():
        queries = list(itertools.product(*map(combinations, group["query_args"])))
        for arguments in itertools.product(*map(combinations, group["arg_groups"])):
            found.append((getattr(module, config["constructor"]), [*base, *arguments], queries))
    return found


def measure(algorithm: Any, test: np.ndarray, runs: int) -> tuple[float, list[Any]]:
    """Seconds a query in the best run, and what was found."""
    best, found = float("inf"), []
    for _ in range(runs):
        total, found = 0.0, []
        for query in test:
            begun = time.perf_counter()
            answer = algorithm.query(query, K)
            total += time.perf_counter() - begun
            found.append(answer)
        best = min(best, total / len(test))
    return best, found


def recall(found: list[Any], train: np.ndarray, test: np.ndarray, nearest: np.ndarray, metric: str) -> float:
    right = 0
    for query, answer, bound in zip(test, found, nearest[:, K - 1]):
        near = distances(train[list(answer)].astype("f8"), query[None].astype("f8"), metric)
        right += int((near <= bound + EPSILON).sum())
    return right / (K * len(test))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("results", type=Path)
    parser.add_argument("algorithms", nargs="*", default=sorted(path.name for path in HERE.iterdir()))
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    provide_base()
    with h5py.File(given.data) as file:
        metric = str(file.attrs["distance"])
        train = np.asarray(file["train"], dtype=np.float32)
        test = np.asarray(file["test"][: given.queries], dtype=np.float32)
        nearest = np.asarray(file["distances"][: given.queries])
    results = json.loads(given.results.read_text()) if given.results.exists() else []
    for name in given.algorithms:
        for constructor, arguments, queries in definitions(name, metric):
            algorithm = constructor(*arguments)
            begun = time.perf_counter()
            algorithm.fit(train)
            built = time.perf_counter() - begun
            for query_arguments in queries:
                algorithm.set_query_arguments(*query_arguments)
                seconds, found = measure(algorithm, test, given.runs)
                row = {
                    "data": Path(given.data).stem,
                    "algorithm": name,
                    "parameters": str(algorithm),
                    "build": round(built, 2),
                    "recall": round(recall(found, train, test, nearest, metric), 5),
                    "qps": round(1 / seconds, 1),
                }
                results.append(row)
                print(f"{row['recall']:.4f} {row['qps']:>10,.0f} {row['parameters']}", flush=True)
            algorithm.done()
            given.results.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
