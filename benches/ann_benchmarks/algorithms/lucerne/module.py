"""Lucerne for ann-benchmarks: copy this folder to `ann_benchmarks/algorithms/lucerne`."""

import tempfile
from pathlib import Path

import lucerne
import numpy as np

from ..base.module import BaseANN

SIMILARITIES = {"angular": "cosine", "euclidean": "euclidean"}


class Lucerne(BaseANN):
    """One segment with a graph over int8 codes, on disk."""

    def __init__(self, metric, method_param):
        self._similarity = SIMILARITIES[metric]
        self._options = dict(method_param)
        self._folder = tempfile.TemporaryDirectory()
        self._arguments = {}

    def fit(self, X):
        vector = lucerne.Vector(X.shape[1], similarity=self._similarity, **self._options)
        index = lucerne.create(Path(self._folder.name) / "ann.idx", lucerne.Schema(v=vector))
        with index.writer() as writer:
            writer.add_batch(({"id": str(row)} for row in range(len(X))), vectors={"v": X})
            writer.force_merge(1)
        self._searcher = index.searcher()

    def set_query_arguments(self, candidates, rescore):
        """`candidates` of the graph search; `rescore` × k of them are ordered by raw vectors, 0 for as few as needed."""
        self._arguments = {"candidates": candidates, "rescore": rescore or None}

    def query(self, q, n):
        hits = self._searcher.search(lucerne.Knn("v", q, k=n, **self._arguments))
        return list(map(int, hits.keys))

    def batch_query(self, X, n):
        self._found, _ = self._searcher.search_batch("v", X, k=n, **self._arguments)

    def get_batch_results(self):
        return np.vectorize(lambda key: -1 if key is None else int(key), otypes=[int])(self._found)

    def done(self):
        self._folder.cleanup()

    def __str__(self):
        return f"Lucerne({self._options}, {self._arguments})"
