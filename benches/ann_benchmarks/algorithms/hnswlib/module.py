"""hnswlib in the same run."""

import hnswlib
import numpy as np

from ..base.module import BaseANN


class HnswLib(BaseANN):
    def __init__(self, metric, method_param):
        self._space = {"angular": "cosine", "euclidean": "l2"}[metric]
        self._options = dict(method_param)

    def fit(self, X):
        self._index = hnswlib.Index(space=self._space, dim=X.shape[1])
        m, width = self._options["M"], self._options["efConstruction"]
        self._index.init_index(max_elements=len(X), ef_construction=width, M=m)
        self._index.add_items(np.asarray(X), np.arange(len(X)))
        self._index.set_num_threads(1)

    def set_query_arguments(self, ef):
        self._ef = ef
        self._index.set_ef(ef)

    def query(self, q, n):
        return self._index.knn_query(np.expand_dims(q, axis=0), k=n)[0][0]

    def __str__(self):
        return f"hnswlib({self._options}, ef={self._ef})"
