"""A vector store for LlamaIndex, over an index of its own. Needs `llama-index-core` (`pip install lucerne[llama-index]`).

    store = LucerneVectorStore(path="notes.idx")
    index = VectorStoreIndex.from_vector_store(store, embed_model=…)

Query modes: default, text_search (BM25), hybrid, mmr. All filter operators and nested filters; `text_match` and
`text_match_insensitive` look for substrings and read every node that has the field.
"""

from __future__ import annotations

import json
import os
from typing import Any, Sequence

import numpy as np
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode, MetadataMode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict

import lucerne

__all__ = ["LucerneVectorStore"]

_FETCHED = ["node", "embedding"]

_COMPARISONS = {
    FilterOperator.GT: "gt",
    FilterOperator.GTE: "gte",
    FilterOperator.LT: "lt",
    FilterOperator.LTE: "lte",
}


class LucerneVectorStore(BasePydanticVectorStore):
    """Nodes with text, metadata and an embedding in a lucerne index.

    `path`: the folder; the index is created with the first nodes if there is none. `similarity`: of embeddings when it is
    created: cosine, euclidean or max_inner_product.
    """

    stores_text: bool = True
    flat_metadata: bool = False
    path: str
    similarity: str = "cosine"
    _index: lucerne.Index | None = PrivateAttr(default=None)

    def __init__(self, path: str | os.PathLike[str], similarity: str = "cosine") -> None:
        super().__init__(path=os.fspath(path), similarity=similarity)  # type: ignore[call-arg]
        try:
            self._index = lucerne.open(self.path)
        except lucerne.NotFoundError:
            pass

    @classmethod
    def class_name(cls) -> str:
        return "LucerneVectorStore"

    @property
    def client(self) -> lucerne.Index | None:
        """The index, once there is one."""
        return self._index

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Adds nodes with their embeddings, or replaces those of their ids."""
        if not nodes:
            return []
        vectors = np.asarray([node.get_embedding() for node in nodes], dtype=np.float32)
        if self._index is None:
            schema = lucerne.Schema(
                {
                    "text": "text",
                    "node": lucerne.Field("keyword", indexed=False),
                    "ref_doc_id": "keyword",
                    "embedding": lucerne.Vector(vectors.shape[1], similarity=self.similarity),
                },
                key="id",
                dynamic=True,
            )
            self._index = lucerne.create(self.path, schema)
        with self._index.writer() as writer:
            for node, vector in zip(nodes, vectors):
                writer.upsert(
                    {
                        "id": node.node_id,
                        "text": node.get_content(metadata_mode=MetadataMode.NONE),
                        "node": json.dumps(node_to_metadata_dict(node, remove_text=False)),
                        "ref_doc_id": node.ref_doc_id or "None",
                        "meta": node.metadata,
                        "embedding": vector,
                    }
                )
        return [node.node_id for node in nodes]

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Deletes the nodes of a document."""
        self._delete(lucerne.Term("ref_doc_id", ref_doc_id))

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Deletes nodes by id, by filters, or by both at once."""
        self._delete(self._filter(filters, node_ids))

    def clear(self) -> None:
        """Deletes all nodes."""
        self._delete(lucerne.All())

    def _delete(self, query: lucerne.Query) -> None:
        if self._index is not None:
            with self._index.writer() as writer:
                writer.delete_by_query(query)

    def get_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        """Nodes by id, by filters, or by both at once, in the order of their ids."""
        if self._index is None:
            return []
        return [_node(found) for found in self._index.scan(self._filter(filters, node_ids), fields=_FETCHED)]

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """The nodes of a query with similarities, the greatest first."""
        if self._index is None:
            return VectorStoreQueryResult(nodes=[], similarities=[], ids=[])
        count = query.similarity_top_k
        near = None
        if query.query_embedding is not None:
            near = lucerne.Knn("embedding", query.query_embedding)
        words = lucerne.Match("text", query.query_str) if query.query_str else None
        asked: lucerne.Query | None
        match query.mode:
            case VectorStoreQueryMode.DEFAULT | VectorStoreQueryMode.MMR:
                asked = near
            case VectorStoreQueryMode.TEXT_SEARCH | VectorStoreQueryMode.SPARSE:
                asked = words
            case VectorStoreQueryMode.HYBRID | VectorStoreQueryMode.SEMANTIC_HYBRID:
                share = 0.5 if query.alpha is None else query.alpha
                asked = lucerne.Fuse((near, share), (words, 1 - share)) if near and words else near or words
                count = query.hybrid_top_k or count
            case other:
                raise ValueError(f"query mode {other} is not supported")
        if asked is None:
            needed = "query_embedding" if query.mode in ("default", "mmr") else "query_str"
            raise ValueError(f"{needed} is missing for the query mode {query.mode.value}")
        chosen = self._filter(query.filters, query.node_ids, query.doc_ids)
        mmr = None
        if query.mode == VectorStoreQueryMode.MMR and query.query_embedding is not None:
            # Near to the query, far from what was taken already.
            window, threshold = max(4 * count, 20), query.mmr_threshold
            asked = lucerne.Knn("embedding", query.query_embedding, k=window)
            mmr = lucerne.Rerank.mmr("embedding", 0.5 if threshold is None else threshold, window=window)
        hits = self._index.search(asked, filter=chosen, limit=count, rerank=mmr, fields=_FETCHED)
        return VectorStoreQueryResult(
            nodes=[_node(hit) for hit in hits],
            similarities=[hit.score for hit in hits],
            ids=[hit.key for hit in hits],
        )

    def _filter(
        self,
        filters: MetadataFilters | None,
        node_ids: list[str] | None = None,
        doc_ids: list[str] | None = None,
    ) -> lucerne.Query:
        all_of: list[lucerne.Query] = [lucerne.All()]
        if node_ids is not None:
            all_of.append(lucerne.Terms("id", node_ids))
        if doc_ids is not None:
            all_of.append(lucerne.Terms("ref_doc_id", doc_ids))
        if filters is not None and filters.filters:
            all_of.append(self._combined(filters))
        return lucerne.Bool(filter=all_of)

    def _combined(self, filters: MetadataFilters) -> lucerne.Query:
        parts = [
            self._combined(part) if isinstance(part, MetadataFilters) else self._one(part)
            for part in filters.filters
        ]
        match filters.condition or FilterCondition.AND:
            case FilterCondition.AND:
                return lucerne.Bool(filter=[lucerne.All(), *parts])
            case FilterCondition.OR:
                return lucerne.Bool(should=parts, minimum_should_match=1)
            case _:
                # None of them.
                return ~lucerne.Bool(should=parts, minimum_should_match=1)

    def _one(self, given: MetadataFilter) -> lucerne.Query:
        field, value, operator = f"meta.{given.key}", given.value, given.operator
        if operator in _COMPARISONS:
            return lucerne.Range(field, **{_COMPARISONS[operator]: value})
        match operator:
            case FilterOperator.EQ | FilterOperator.CONTAINS:
                return lucerne.Term(field, value)
            case FilterOperator.NE:
                return ~lucerne.Term(field, value)
            case FilterOperator.IN | FilterOperator.ANY:
                return lucerne.Terms(field, _values(given))
            case FilterOperator.NIN:
                return ~lucerne.Terms(field, _values(given))
            case FilterOperator.ALL:
                return lucerne.Bool(filter=[lucerne.Term(field, item) for item in _values(given)])
            case FilterOperator.IS_EMPTY:
                empty = lucerne.Term(field, "")
                return lucerne.Bool(should=[~lucerne.Exists(field), empty], minimum_should_match=1)
            case FilterOperator.TEXT_MATCH | FilterOperator.TEXT_MATCH_INSENSITIVE:
                return self._substring(given, field)
        raise ValueError(f"the filter operator {operator} is not supported")

    def _substring(self, given: MetadataFilter, field: str) -> lucerne.Query:
        if not isinstance(given.value, str):
            raise ValueError(f"{given.operator.value} needs text; given {given.value!r}")
        fold = str.lower if given.operator == FilterOperator.TEXT_MATCH_INSENSITIVE else str
        wanted = fold(given.value)

        def has_it(node: lucerne.ScannedDocument) -> bool:
            text = json.loads(json.loads(node["node"])["_node_content"])["metadata"].get(given.key)
            return isinstance(text, str) and wanted in fold(text)

        searched = lucerne.Exists(field)
        keys = [node.key for node in self._index.scan(searched, fields=["node"]) if has_it(node)] if self._index is not None else []
        return lucerne.Terms("id", keys) if keys else lucerne.Query.from_json({"none": {}})


def _values(given: MetadataFilter) -> list[Any]:
    if not isinstance(given.value, list):
        raise ValueError(f"{given.operator.value} needs a list; given {given.value!r}")
    return given.value


def _node(found: lucerne.Hit | lucerne.ScannedDocument) -> BaseNode:
    node = metadata_dict_to_node(json.loads(found["node"]))
    node.embedding = [float(component) for component in found["embedding"]]
    return node
