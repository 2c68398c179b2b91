"""Haystack's own suites for document stores, offline."""

import os
from pathlib import Path

import pytest

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
pytest.importorskip("haystack")

from haystack.dataclasses import Document  # noqa: E402
from haystack.document_stores.errors import DuplicateDocumentError  # noqa: E402
from haystack.document_stores.types import DuplicatePolicy  # noqa: E402
from haystack.errors import FilterError  # noqa: E402
from haystack.testing import document_store as suites  # noqa: E402
from haystack.testing import document_store_async as async_suites  # noqa: E402

from lucerne.haystack import LucerneDocumentStore  # noqa: E402


class _Equal:
    def assert_documents_are_equal(self, received: list[Document], expected: list[Document]) -> None:
        """Embeddings are kept in single precision."""
        assert [document.id for document in received] == [document.id for document in expected]
        for got, wanted in zip(received, expected):
            assert (got.embedding is None) == (wanted.embedding is None)
            assert got.embedding is None or got.embedding == pytest.approx(wanted.embedding)
            assert (got.content, got.meta, got.blob) == (wanted.content, wanted.meta, wanted.blob)


class TestStore(
    _Equal,
    suites.DocumentStoreBaseExtendedTests,
    suites.CountDocumentsByFilterTest,
    suites.CountUniqueMetadataByFilterTest,
    suites.GetMetadataFieldsInfoTest,
    suites.GetMetadataFieldMinMaxTest,
    suites.GetMetadataFieldUniqueValuesTest,
):
    @pytest.fixture
    def document_store(self, tmp_path: Path) -> LucerneDocumentStore:
        return LucerneDocumentStore(tmp_path / "store.idx")

    def test_write_documents(self, document_store: LucerneDocumentStore) -> None:
        given = Document(content="a text editor")
        assert document_store.write_documents([given]) == 1
        with pytest.raises(DuplicateDocumentError):
            document_store.write_documents([Document(content="another"), given])
        assert document_store.filter_documents() == [given]

    def test_it_is_made_again_from_its_dict(self, document_store: LucerneDocumentStore) -> None:
        document_store.write_documents([Document(content="a", id="1")])
        assert LucerneDocumentStore.from_dict(document_store.to_dict()).count_documents() == 1

    def test_retrievals_find_by_vector_words_and_both(self, tmp_path: Path) -> None:
        store = LucerneDocumentStore(tmp_path / "a.idx", embedding_dim=2)
        store.write_documents(
            [
                Document(id="vim", content="a text editor", meta={"year": 1991}, embedding=[1.0, 0.0]),
                Document(id="gcc", content="a compiler", meta={"year": 1987}, embedding=[0.0, 1.0]),
            ]
        )
        assert [found.id for found in store.embedding_retrieval([0.9, 0.1], top_k=1)] == ["vim"]
        assert [found.id for found in store.bm25_retrieval("compiler")] == ["gcc"]
        assert {found.id for found in store.hybrid_retrieval("compiler", [1.0, 0.0])} == {"vim", "gcc"}
        before = {"field": "meta.year", "operator": "<", "value": 1990}
        assert [found.id for found in store.embedding_retrieval([1.0, 0.0], filters=before)] == ["gcc"]
        assert store.bm25_retrieval("editor", filters=before) == []

    def test_dates_compare_whatever_their_zone(self, document_store: LucerneDocumentStore) -> None:
        document_store.write_documents(
            [
                Document(id="a", content="a", meta={"date": "2024-05-01T12:00:00+02:00"}),
                Document(id="b", content="b", meta={"date": "2024-05-01T11:00:00"}),
            ]
        )
        after = {"field": "meta.date", "operator": ">", "value": "2024-05-01T10:30:00+00:00"}
        assert [found.id for found in document_store.filter_documents(after)] == ["b"]
        for unknown in ({"field": "meta.a", "operator": "~", "value": 1}, {"operator": "XOR", "conditions": []}):
            with pytest.raises(FilterError):
                document_store.filter_documents(unknown)

    def test_more_documents_than_a_search_returns_are_all_listed(self, tmp_path: Path) -> None:
        store = LucerneDocumentStore(tmp_path / "a.idx", embedding_dim=2)
        store.write_documents([Document(id=str(i), content=f"number {i}") for i in range(2_500)])
        assert [found.id for found in store.filter_documents()] == [str(i) for i in range(2_500)]
        store.write_documents([Document(id="7", content="again")], policy=DuplicatePolicy.OVERWRITE)
        assert store.filter_documents()[-1].id == "7"


class TestAsync(
    _Equal,
    async_suites.CountDocumentsAsyncTest,
    async_suites.CountDocumentsByFilterAsyncTest,
    async_suites.CountUniqueMetadataByFilterAsyncTest,
    async_suites.DeleteAllAsyncTest,
    async_suites.DeleteByFilterAsyncTest,
    async_suites.DeleteDocumentsAsyncTest,
    async_suites.FilterDocumentsAsyncTest,
    async_suites.GetMetadataFieldMinMaxAsyncTest,
    async_suites.GetMetadataFieldUniqueValuesAsyncTest,
    async_suites.GetMetadataFieldsInfoAsyncTest,
    async_suites.UpdateByFilterAsyncTest,
    async_suites.WriteDocumentsAsyncTest,
):
    @pytest.fixture
    def document_store(self, tmp_path: Path) -> LucerneDocumentStore:
        return LucerneDocumentStore(tmp_path / "store.idx")

    async def test_write_documents_async(self, document_store: LucerneDocumentStore) -> None:
        assert await document_store.write_documents_async([Document(content="a text editor")]) == 1
