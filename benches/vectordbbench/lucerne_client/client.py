"""Lucerne for VectorDBBench: `run.py` uses this folder where it is; copied to `vectordb_bench/backend/clients` it is a client of
VectorDBBench's own command line, once named in its enumeration `DB`."""

import shutil
from contextlib import contextmanager

import lucerne
import numpy as np
from vectordb_bench.backend.clients.api import VectorDB
from vectordb_bench.backend.filter import Filter, FilterOp


class Lucerne(VectorDB):
    """An index in a folder; each process opens it."""

    name = "Lucerne"
    thread_safe = True
    supported_filter_types = [FilterOp.NonFilter, FilterOp.NumGE, FilterOp.StrEqual]

    def __init__(
        self,
        dim,
        db_config,
        db_case_config,
        collection_name="VectorDBBench",
        drop_old=False,
        with_scalar_labels=False,
        **kwargs,
    ):
        self._path = db_config["path"]
        self._search = db_case_config.search_param()
        self._filter = None
        self._with_labels = with_scalar_labels
        self._index = self._searcher = self._writer = None
        if drop_old:
            shutil.rmtree(self._path, ignore_errors=True)
            vector = lucerne.Vector(dim, **db_case_config.index_param())
            schema = lucerne.Schema(number="i64", label="keyword", vector=vector)
            lucerne.create(self._path, schema)

    @contextmanager
    def init(self):
        self._index = lucerne.open(self._path)
        self._searcher = self._index.searcher()
        yield
        self._close()
        self._index = self._searcher = None

    def _close(self):
        """Commits what was inserted."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def insert_embeddings(self, embeddings, metadata, labels_data=None, **kwargs):
        documents = [{"id": str(number), "number": int(number)} for number in metadata]
        if self._with_labels and labels_data is not None:
            for document, label in zip(documents, labels_data):
                document["label"] = label
        try:
            if self._writer is None:
                self._writer = self._index.writer()
            count = self._writer.add_batch(documents, vectors={"vector": np.asarray(embeddings, dtype=np.float32)})
        except lucerne.LucerneError as error:
            return 0, error
        return count, None

    def optimize(self, data_size=None):
        self._close()
        with self._index.writer() as writer:
            writer.force_merge(1)

    def prepare_filter(self, filters: Filter):
        match filters.type:
            case FilterOp.NonFilter:
                self._filter = None
            case FilterOp.NumGE:
                self._filter = lucerne.Range("number", gte=filters.int_value)
            case FilterOp.StrEqual:
                self._filter = lucerne.Term("label", filters.label_value)
            case other:
                raise ValueError(f"no such filter: {other}")

    def search_embedding(self, query, k=100, **kwargs):
        near = lucerne.Knn("vector", query, k=k, filter=self._filter, **self._search)
        return [int(key) for key in self._searcher.search(near).keys]
