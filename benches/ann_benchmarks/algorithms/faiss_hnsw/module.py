"""The HNSW of faiss in the same run."""

import faiss
import numpy as np

from ..base.module import BaseANN


class FaissHNSW(BaseANN):
    def __init__(self, metric, method_param):
        self._metric = metric
        self._options = dict(method_param)

    def _prepared(self, X):
        X = np.ascontiguousarray(X, dtype=np.float32)
        return X / np.linalg.norm(X, axis=-1, keepdims=True) if self._metric == "angular" else X

    def fit(self, X):
        self._index = faiss.IndexHNSWFlat(X.shape[1], self._options["M"])
        self._index.hnsw.efConstruction = self._options["efConstruction"]
        self._index.add(self._prepared(X))
        faiss.omp_set_num_threads(1)

    def set_query_arguments(self, ef):
        self._index.hnsw.efSearch = ef

    def query(self, q, n):
        return self._index.search(self._prepared(np.expand_dims(q, axis=0)), n)[1][0]

    def __str__(self):
        return f"faiss({self._options}, ef={self._index.hnsw.efSearch})"
