"""A document store for Haystack, over an index of its own. Needs `haystack-ai` (`pip install lucerne[haystack]`).

    store = LucerneDocumentStore("notes.idx", embedding_dim=768)
    store.write_documents([Document(content="a text editor", meta={"year": 1991}, embedding=vector)])
    store.filter_documents({"field": "meta.year", "operator": ">", "value": 1980})
    store.embedding_retrieval(vector, top_k=3, filters=…)
    store.bm25_retrieval("editor"), store.hybrid_retrieval("editor", vector)

All methods have a twin for asyncio, with `_async` at the end of the name.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from haystack import default_from_dict, default_to_dict
from haystack.dataclasses import Document
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy
from haystack.errors import FilterError

import lucerne

__all__ = ["LucerneDocumentStore"]

_PAGE = 1_000
_COMPARISONS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


class LucerneDocumentStore:
    """Documents with content, metadata and an embedding in a lucerne index.

    Args:
        path: the folder; the index is created if there is none.
        embedding_dim: components of embeddings.
        similarity: of embeddings: cosine, euclidean or max_inner_product.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, embedding_dim: int = 768, similarity: str = "cosine"
    ) -> None:
        self._path, self._dimension, self._similarity = os.fspath(path), embedding_dim, similarity
        try:
            self._index = lucerne.open(self._path)
        except lucerne.NotFoundError:
            schema = lucerne.Schema(
                {
                    "content": "text",
                    # The document as it was given; its metadata again under `meta`, to filter by.
                    "document": lucerne.Field("keyword", indexed=False),
                    # The order of writing, in which documents are listed.
                    "order": "i64",
                    "embedding": lucerne.Vector(embedding_dim, similarity=similarity),
                },
                key="id",
                dynamic=True,
            )
            self._index = lucerne.create(self._path, schema)

    @property
    def index(self) -> lucerne.Index:
        """The index."""
        return self._index

    def to_dict(self) -> dict[str, Any]:
        """The store's parameters, from which `from_dict` makes it again."""
        return default_to_dict(
            self, path=self._path, embedding_dim=self._dimension, similarity=self._similarity
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> LucerneDocumentStore:
        """The store of `to_dict`'s parameters."""
        return default_from_dict(cls, data)

    # Writing

    def write_documents(
        self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE
    ) -> int:
        """Writes documents, all or (when one exists already and the policy is FAIL, or NONE) none of them."""
        if not isinstance(documents, list) or not all(isinstance(given, Document) for given in documents):
            raise ValueError("expected a list of haystack Documents")
        last = self._index.search(lucerne.Exists("order"), sort="-order", limit=1, fields=["order"])
        order = last[0]["order"] + 1 if last else 0
        written = 0
        with self._index.writer() as writer:
            for given in documents:
                fields = {**_fields(given), "order": order}
                order += 1
                if policy == DuplicatePolicy.OVERWRITE:
                    writer.upsert(fields)
                else:
                    try:
                        writer.add(fields)
                    except lucerne.AlreadyExistsError as error:
                        if policy == DuplicatePolicy.SKIP:
                            continue
                        raise DuplicateDocumentError(f"document {given.id!r} exists already") from error
                written += 1
        return written

    def delete_documents(self, document_ids: list[str]) -> None:
        """Deletes documents by id; ids that do not exist are passed over."""
        with self._index.writer() as writer:
            for key in document_ids:
                writer.delete(key)

    def delete_all_documents(self, recreate_index: bool = False) -> None:
        """Deletes all documents. `recreate_index`: give back their space at once, not with the next merges."""
        self.delete_by_filter({})
        if recreate_index:
            with self._index.writer() as writer:
                writer.force_merge()

    def delete_by_filter(self, filters: dict[str, Any]) -> int:
        """Deletes the documents of a filter, and returns how many there were."""
        with self._index.writer() as writer:
            changed: int = writer.delete_by_query(_query(filters))["changed"]
        return changed

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any]) -> int:
        """Sets metadata of the documents of a filter, and returns how many there were."""
        found = list(self._scan(filters, ["document", "embedding"]))
        with self._index.writer() as writer:
            for hit in found:
                document = _document(hit)
                document.meta.update(meta)
                writer.upsert({**_fields(document), "order": hit["order"]})
        return len(found)

    # Reading

    def count_documents(self) -> int:
        """Documents."""
        return len(self._index)

    def count_documents_by_filter(self, filters: dict[str, Any]) -> int:
        """Documents of a filter."""
        return self._index.count(_query(filters))

    def filter_documents(self, filters: dict[str, Any] | None = None) -> list[Document]:
        """All documents of a filter, in the order in which they were written."""
        return [_document(hit) for hit in self._scan(filters, ["document", "embedding"])]

    def embedding_retrieval(
        self, query_embedding: list[float], *, filters: dict[str, Any] | None = None, top_k: int = 10
    ) -> list[Document]:
        """The documents with the nearest embeddings, with scores."""
        return self._retrieve(lucerne.Knn("embedding", query_embedding, k=top_k), filters, top_k)

    def bm25_retrieval(
        self, query: str, *, filters: dict[str, Any] | None = None, top_k: int = 10
    ) -> list[Document]:
        """The documents with words of the query, with scores."""
        return self._retrieve(lucerne.Match("content", query), filters, top_k)

    def hybrid_retrieval(
        self,
        query: str,
        query_embedding: list[float],
        *,
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
    ) -> list[Document]:
        """By words and embedding at once, with reciprocal rank fusion."""
        fused = lucerne.Fuse(lucerne.Match("content", query), lucerne.Knn("embedding", query_embedding))
        return self._retrieve(fused, filters, top_k)

    def _retrieve(self, query: lucerne.Query, filters: dict[str, Any] | None, top_k: int) -> list[Document]:
        fields = ["document", "embedding"]
        hits = self._index.search(query, filter=_query(filters), limit=top_k, fields=fields)
        return [_document(hit, hit.score) for hit in hits]

    # Metadata

    def count_unique_metadata_by_filter(
        self, filters: dict[str, Any], metadata_fields: list[str]
    ) -> dict[str, int]:
        """How many distinct values each metadata field has among the documents of a filter."""
        return {name: len(self._unique(name, filters)) for name in metadata_fields}

    def get_metadata_field_unique_values(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        """A page of the distinct values of a metadata field, in order, and how many there are in all. With `search_term`
        those that contain it, whatever the case."""
        values = self._unique(metadata_field, filters)
        if search_term is not None:
            values = [value for value in values if search_term.casefold() in str(value).casefold()]
        return values[from_ : from_ + size], len(values)

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, Any]:
        """The least and the greatest value of a metadata field, None without values."""
        values = [value for value in self._unique(metadata_field, None) if not isinstance(value, str)]
        values = values or self._unique(metadata_field, None)
        return {"min": min(values, default=None), "max": max(values, default=None)}

    def get_metadata_fields_info(self) -> dict[str, dict[str, str]]:
        """The metadata fields that there are, with their types."""
        kinds = {bool: "boolean", int: "long", float: "float", str: "keyword", list: "list", dict: "object"}
        found: dict[str, dict[str, str]] = {}
        for hit in self._scan(None, ["document"]):
            for name, value in json.loads(hit["document"])["meta"].items():
                found.setdefault(name, {"type": kinds.get(type(value), "unknown")})
        return found

    def _unique(self, name: str, filters: dict[str, Any] | None) -> list[Any]:
        name = name.removeprefix("meta.")
        seen: dict[tuple[str, Any], Any] = {}
        for hit in self._scan(filters, ["document"]):
            value = json.loads(hit["document"])["meta"].get(name)
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    seen.setdefault((type(one).__name__, json.dumps(one, sort_keys=True)), one)
        return [seen[key] for key in sorted(seen, key=lambda key: (key[0], str(seen[key])))]

    def _scan(self, filters: dict[str, Any] | None, fields: list[str]) -> Iterator[lucerne.Hit]:
        """All documents of a filter in the order of writing, however many there are, of one snapshot."""
        searcher, query = self._index.searcher(), _query(filters)
        rest: lucerne.Query = lucerne.All()
        while True:
            page = searcher.search(rest, filter=query, sort="order", limit=_PAGE, fields=[*fields, "order"])
            yield from page
            if len(page) < _PAGE:
                return
            # Each document has another value.
            rest = lucerne.Range("order", gt=page[-1]["order"])


def _async_twin(name: str) -> Any:
    @functools.wraps(getattr(LucerneDocumentStore, name))
    async def twin(self: LucerneDocumentStore, *args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(getattr(self, name), *args, **kwargs)

    twin.__name__ = f"{name}_async"
    return twin


for _name in [name for name in vars(LucerneDocumentStore) if not name.startswith("_")]:
    if callable(getattr(LucerneDocumentStore, _name)) and _name not in ("to_dict", "from_dict"):
        setattr(LucerneDocumentStore, f"{_name}_async", _async_twin(_name))


def _fields(document: Document) -> dict[str, Any]:
    """A document as fields of the index."""
    given = document.to_dict(flatten=False)
    embedding, given["embedding"], given["score"] = given.get("embedding"), None, None
    return {
        "id": document.id,
        "content": document.content or "",
        "document": json.dumps(given),
        "meta": {name: _comparable(value) for name, value in document.meta.items()},
        "embedding": embedding,
    }


def _document(hit: lucerne.Hit, score: float | None = None) -> Document:
    given = json.loads(hit["document"])
    embedding = (hit.fields or {}).get("embedding")
    given["embedding"] = None if embedding is None else [float(component) for component in embedding]
    given["score"] = score
    return Document.from_dict(given)


def _comparable(value: Any) -> Any:
    """Dates in text as UTC, so that they compare as they should whatever their zone."""
    date = _date(value) if isinstance(value, str) else None
    return date or value


def _date(text: str) -> str | None:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return date.astimezone(timezone.utc).isoformat(timespec="microseconds")


def _query(filters: dict[str, Any] | None) -> lucerne.Query:
    """A filter of Haystack as a query."""
    if not filters:
        return lucerne.All()
    if "field" in filters:
        return _comparison(filters)
    if "operator" not in filters or "conditions" not in filters:
        missing = "operator" if "operator" not in filters else "conditions"
        raise FilterError(f"{missing!r} is missing in {filters}")
    conditions = [_query(condition) for condition in filters["conditions"]]
    match filters["operator"]:
        case "AND":
            return lucerne.Bool(filter=[lucerne.All(), *conditions])
        case "OR":
            return lucerne.Bool(should=conditions, minimum_should_match=1)
        case "NOT":
            return lucerne.Bool(filter=lucerne.All(), must_not=lucerne.Bool(filter=conditions))
        case other:
            raise FilterError(f"the operator {other!r} is unknown; expected AND, OR or NOT")


def _comparison(condition: dict[str, Any]) -> lucerne.Query:
    for key in ("operator", "value"):
        if key not in condition:
            raise FilterError(f"{key!r} is missing in {condition}")
    field, operator, value = condition["field"], condition["operator"], condition["value"]
    if operator in _COMPARISONS:
        if value is None:
            return lucerne.Query.from_json({"none": {}})
        if isinstance(value, str):
            date = _date(value)
            if date is None:
                raise FilterError(f"{operator} compares numbers and ISO dates; given {value!r}")
            value = date
        if isinstance(value, (list, dict)):
            raise FilterError(f"{operator} compares numbers and ISO dates; given {value!r}")
        return lucerne.Range(field, **{_COMPARISONS[operator]: value})
    exists = lucerne.Exists(field)
    if operator in ("in", "not in"):
        if not isinstance(value, list):
            raise FilterError(f"{operator!r} needs a list; given {value!r}")
        given = [_comparable(item) for item in value if item is not None]
        some: list[lucerne.Query] = [lucerne.Terms(field, given)] if given else []
        some += [~exists] if None in value else []
        within = lucerne.Bool(should=some, minimum_should_match=1) if some else ~lucerne.All()
        return within if operator == "in" else ~within
    if operator not in ("==", "!="):
        raise FilterError(f"the operator {operator!r} is unknown; expected ==, !=, >, >=, <, <=, in or not in")
    if isinstance(value, (list, dict)):
        raise FilterError(f"{operator} compares single values; given {value!r}; use 'in'")
    equal = ~exists if value is None else lucerne.Term(field, _comparable(value))
    return equal if operator == "==" else ~equal
