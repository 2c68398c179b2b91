"""The store for LlamaIndex: every filter operator against a plain evaluation, query modes, deletes."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llama_index.core")

from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode  # noqa: E402
from llama_index.core.vector_stores.types import (  # noqa: E402
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

from lucerne.llama_index import LucerneVectorStore  # noqa: E402

METADATA: dict[str, dict[str, Any]] = {
    "vim": {"year": 1991, "section": "Editors", "tags": ["text", "terminal"], "score": 0.5},
    "sed": {"year": 1974, "section": "utils", "tags": ["text"], "score": 1.5},
    "gcc": {"year": 1987, "section": "devel", "tags": []},
    "ed": {"section": ""},
}


@pytest.fixture()
def store(tmp_path: Path) -> LucerneVectorStore:
    made = LucerneVectorStore(tmp_path / "store.idx")
    nodes = []
    for number, (key, metadata) in enumerate(METADATA.items()):
        vector = [0.0] * 4
        vector[number] = 1.0
        node = TextNode(id_=key, text=f"the program {key}", metadata=metadata, embedding=vector)
        document = f"document-{number % 2}"
        node.relationships[NodeRelationship.SOURCE] = RelatedNodeInfo(node_id=document)
        nodes.append(node)
    assert made.add(nodes) == list(METADATA)
    return made


@pytest.mark.parametrize(
    ("operator", "key", "value", "found"),
    [
        (FilterOperator.EQ, "year", 1991, {"vim"}),
        (FilterOperator.EQ, "section", "utils", {"sed"}),
        (FilterOperator.NE, "year", 1991, {"sed", "gcc", "ed"}),
        (FilterOperator.GT, "year", 1974, {"vim", "gcc"}),
        (FilterOperator.GTE, "year", 1974, {"vim", "gcc", "sed"}),
        (FilterOperator.LT, "year", 1987, {"sed"}),
        (FilterOperator.LTE, "score", 0.5, {"vim"}),
        (FilterOperator.IN, "section", ["utils", "devel"], {"sed", "gcc"}),
        (FilterOperator.IN, "year", [1991, 1], {"vim"}),
        (FilterOperator.NIN, "section", ["utils", "devel"], {"vim", "ed"}),
        (FilterOperator.ANY, "tags", ["terminal", "none"], {"vim"}),
        (FilterOperator.ALL, "tags", ["terminal", "text"], {"vim"}),
        (FilterOperator.CONTAINS, "tags", "text", {"vim", "sed"}),
        (FilterOperator.TEXT_MATCH, "section", "dit", {"vim"}),
        (FilterOperator.TEXT_MATCH, "section", "edit", set()),
        (FilterOperator.TEXT_MATCH_INSENSITIVE, "section", "EDIT", {"vim"}),
        (FilterOperator.IS_EMPTY, "year", None, {"ed"}),
        (FilterOperator.IS_EMPTY, "tags", None, {"gcc", "ed"}),
        (FilterOperator.IS_EMPTY, "section", None, {"ed"}),
    ],
)
def test_every_operator(
    store: LucerneVectorStore, operator: FilterOperator, key: str, value: Any, found: set[str]
) -> None:
    filters = MetadataFilters(filters=[MetadataFilter(key=key, value=value, operator=operator)])
    assert {node.node_id for node in store.get_nodes(filters=filters)} == found
    result = store.query(VectorStoreQuery([1.0, 0.2, 0.1, 0.0], similarity_top_k=4, filters=filters))
    assert set(result.ids or []) == found
    negated = MetadataFilters(filters=list(filters.filters), condition=FilterCondition.NOT)
    assert {node.node_id for node in store.get_nodes(filters=negated)} == set(METADATA) - found


def test_filters_nest(store: LucerneVectorStore) -> None:
    before = MetadataFilter(key="year", value=1980, operator=FilterOperator.LT)
    either = MetadataFilters(
        filters=[before, MetadataFilter(key="section", value="devel")], condition=FilterCondition.OR
    )
    both = MetadataFilters(filters=[either, MetadataFilter(key="score", value=1, operator=FilterOperator.GT)])
    assert [node.node_id for node in store.get_nodes(filters=both)] == ["sed"]
    assert {node.node_id for node in store.get_nodes(filters=either)} == {"sed", "gcc"}


def test_query_modes(store: LucerneVectorStore, tmp_path: Path) -> None:
    vector = [0.1, 1.0, 0.0, 0.0]
    default = store.query(VectorStoreQuery(vector, similarity_top_k=2))
    assert default.ids == ["sed", "vim"] and default.similarities == sorted(default.similarities, reverse=True)
    assert default.nodes and default.nodes[0].get_content() == "the program sed"
    assert default.nodes[0].metadata == METADATA["sed"]
    words = VectorStoreQuery(query_str="gcc", mode=VectorStoreQueryMode.TEXT_SEARCH, similarity_top_k=3)
    assert store.query(words).ids == ["gcc"]
    hybrid = VectorStoreQuery(vector, query_str="gcc", mode=VectorStoreQueryMode.HYBRID, similarity_top_k=2)
    assert "gcc" in (store.query(hybrid).ids or [])
    diverse = VectorStoreQuery(vector, mode=VectorStoreQueryMode.MMR, similarity_top_k=2)
    assert (store.query(diverse).ids or [])[0] == "sed"
    with pytest.raises(ValueError, match="query_str"):
        store.query(VectorStoreQuery(vector, mode=VectorStoreQueryMode.TEXT_SEARCH))
    again = LucerneVectorStore(tmp_path / "store.idx")
    assert again.query(VectorStoreQuery(vector, similarity_top_k=1, doc_ids=["document-0"])).ids == ["vim"]


def test_deletes(store: LucerneVectorStore, tmp_path: Path) -> None:
    store.delete("document-0")
    assert {node.node_id for node in store.get_nodes()} == {"sed", "ed"}
    store.delete_nodes(["sed", "none"])
    assert {node.node_id for node in store.get_nodes()} == {"ed"}
    store.clear()
    assert store.get_nodes() == [] and store.query(VectorStoreQuery([1.0, 0, 0, 0])).ids == []
    empty = LucerneVectorStore(tmp_path / "empty.idx")
    assert empty.query(VectorStoreQuery([1.0])).ids == [] and empty.get_nodes() == []
