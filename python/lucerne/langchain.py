"""A vector store for LangChain, over an index of its own. Needs `langchain-core` (`pip install lucerne[langchain]`).

The text, the metadata and the vector of a document are fields of the index, so that searches can be filtered and hybrid:

    store = LucerneVectorStore("notes.idx", embedding)
    store.add_texts(["a text editor"], metadatas=[{"section": "editors"}])
    store.similarity_search("editor", k=3, filter="meta.section:editors")
    store.hybrid_search("editor", k=3)
"""

from __future__ import annotations

import json
import os
import uuid
from typing import Any, Iterable, Mapping, Sequence

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

import lucerne

__all__ = ["LucerneVectorStore"]

_FETCHED = ["text", "metadata"]


class LucerneVectorStore(VectorStore):
    """Documents with text, metadata and a vector in a lucerne index.

    Args:
        path: the folder; the index is created with the first documents if there is none.
        embedding: makes vectors of texts.
        similarity: of the field when it is created: cosine, euclidean or max_inner_product.
    """

    def __init__(self, path: str | os.PathLike[str], embedding: Embeddings, *, similarity: str = "cosine") -> None:
        self._path, self._embedding, self._similarity = os.fspath(path), embedding, similarity
        self._index: lucerne.Index | None = None
        try:
            self._index = lucerne.open(self._path)
        except lucerne.NotFoundError:
            pass

    @property
    def embeddings(self) -> Embeddings:
        return self._embedding

    @property
    def index(self) -> lucerne.Index | None:
        """The index, once there is one."""
        return self._index

    def _opened(self, dimension: int) -> lucerne.Index:
        if self._index is None:
            schema = lucerne.Schema(
                {
                    "text": "text",
                    # As it was given, and its values to filter by.
                    "metadata": lucerne.Field("keyword", indexed=False),
                    "vector": lucerne.Vector(dimension, similarity=self._similarity),
                },
                key="id",
                dynamic=True,
            )
            self._index = lucerne.create(self._path, schema)
        return self._index

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Adds texts, or replaces those whose ids exist. Returns the ids."""
        texts = list(texts)
        if metadatas is not None and len(metadatas) != len(texts):
            raise ValueError(f"{len(metadatas)} metadatas for {len(texts)} texts")
        if ids is not None and len(ids) != len(texts):
            raise ValueError(f"{len(ids)} ids for {len(texts)} texts")
        if not texts:
            return []
        keys = [given or uuid.uuid4().hex for given in (ids or [None] * len(texts))]
        vectors = np.asarray(self._embedding.embed_documents(texts), dtype=np.float32)
        # The last of equal ids wins, as with one call for each.
        rows = {key: row for row, key in enumerate(keys)}
        documents = []
        for key, row in rows.items():
            metadata = metadatas[row] if metadatas else {}
            documents.append({"id": key, "text": texts[row], "metadata": json.dumps(metadata), "meta": metadata})
        index = self._opened(vectors.shape[1])
        with index.writer() as writer:
            writer.upsert_batch(documents, vectors={"vector": vectors[list(rows.values())]})
        return keys

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool | None:
        """Deletes documents; ids that do not exist are passed over. Without ids all are deleted."""
        if self._index is None:
            return True
        with self._index.writer() as writer:
            if ids is None:
                writer.delete_by_query(lucerne.All())
            for key in ids or []:
                writer.delete(key)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents with these ids, as far as they exist."""
        if self._index is None:
            return []
        searcher = self._index.searcher()
        found = ((key, searcher.get(key)) for key in dict.fromkeys(ids))
        return [_document(key, stored) for key, stored in found if stored is not None]

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """The `k` documents whose vectors are nearest to that of the text. `filter`: see `similarity_search_by_vector`."""
        return self.similarity_search_by_vector(self._embedding.embed_query(query), k, **kwargs)

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> list[tuple[Document, float]]:
        """Like `similarity_search`, with scores: greater is better."""
        return self._search(lucerne.Knn("vector", self._embedding.embed_query(query), k=k), k, **kwargs)

    def similarity_search_by_vector(self, embedding: list[float], k: int = 4, **kwargs: Any) -> list[Document]:
        """The `k` documents nearest to a vector. `filter`: a query in the syntax of Lucene (`"meta.year:>2000"`), a query
        object, a dict of metadata values that must be equal, or a callable from Document to bool, applied to more
        and more neighbors until `k` are left."""
        return [found for found, _ in self._search(lucerne.Knn("vector", embedding, k=k), k, **kwargs)]

    def hybrid_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """By words and by vector at once, with reciprocal rank fusion."""
        near = lucerne.Knn("vector", self._embedding.embed_query(query))
        fused = lucerne.Fuse(lucerne.Match("text", query), near)
        return [found for found, _ in self._search(fused, k, **kwargs)]

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """`k` of the `fetch_k` nearest that are near to the vector and unlike each other. `lambda_mult`: from 0, as unlike as
        can be, to 1, the nearest."""
        near, mmr = lucerne.Knn("vector", embedding, k=fetch_k), lucerne.Rerank.mmr("vector", lambda_mult, window=fetch_k)
        return [_document(hit.key, hit.fields or {}) for hit in self._hits(near, k, rerank=mmr, **kwargs)]

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        vector = self._embedding.embed_query(query)
        return self.max_marginal_relevance_search_by_vector(vector, k, fetch_k, lambda_mult, **kwargs)

    def _hits(
        self,
        query: lucerne.Query,
        limit: int,
        filter: Any = None,
        rerank: lucerne.Rerank | None = None,
        **kwargs: Any,
    ) -> list[lucerne.Hit]:
        if kwargs:
            raise TypeError(f"unknown arguments: {', '.join(kwargs)}; expected k and filter")
        if self._index is None:
            return []
        return list(self._index.search(query, limit=limit, filter=_filter(filter), rerank=rerank, fields=_FETCHED))

    def _search(
        self, query: lucerne.Query, k: int, filter: Any = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        if not callable(filter):
            found = self._hits(query, k, filter, **kwargs)
            return [(_document(hit.key, hit.fields or {}), hit.score) for hit in found]
        window = max(10 * k, 100)
        while True:
            json_form = query.to_json()
            if "knn" in json_form:
                json_form["knn"]["k"] = window
            found = self._hits(lucerne.Query.from_json(json_form), window, **kwargs)
            made = [(_document(hit.key, hit.fields or {}), hit.score) for hit in found]
            kept = [(document, score) for document, score in made if filter(document)]
            if len(kept) >= k or len(found) < window or window >= 10_000:
                return kept[:k]
            window = min(4 * window, 10_000)

    def _select_relevance_score_fn(self) -> Any:
        # Scores of lucerne are from 0 to 1 for cosine and euclidean already.
        return lambda score: score

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        path: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> LucerneVectorStore:
        """A store at `path` with these texts."""
        if path is None:
            raise ValueError("path is missing: name the folder of the index")
        store = cls(path, embedding, **kwargs)
        store.add_texts(texts, metadatas, ids=ids)
        return store


def _document(key: str, stored: Mapping[str, Any]) -> Document:
    return Document(id=key, page_content=stored["text"], metadata=json.loads(stored["metadata"]))


def _filter(given: Any) -> Any:
    if given is None or isinstance(given, (str, lucerne.Query)):
        return given
    if isinstance(given, Mapping):
        return lucerne.Bool(filter=[lucerne.Term(f"meta.{name}", value) for name, value in given.items()])
    raise TypeError(f"filter is a {type(given).__name__}; expected text, a query, a dict or a callable")
