"""LangChain's own suite for vector stores, offline."""

from collections.abc import Generator
from pathlib import Path

import pytest

pytest.importorskip("langchain_tests")

from langchain_core.embeddings import DeterministicFakeEmbedding  # noqa: E402
from langchain_core.vectorstores import VectorStore  # noqa: E402
from langchain_tests.integration_tests import VectorStoreIntegrationTests  # noqa: E402

import lucerne  # noqa: E402
from lucerne.langchain import LucerneVectorStore  # noqa: E402


class TestStandard(VectorStoreIntegrationTests):
    @pytest.fixture()
    def vectorstore(self, tmp_path: Path) -> Generator[VectorStore, None, None]:
        yield LucerneVectorStore(tmp_path / "store.idx", self.get_embeddings())


@pytest.fixture()
def store(tmp_path: Path) -> LucerneVectorStore:
    texts = ["a text editor", "a stream editor", "a compiler of C"]
    sections = [{"section": "editors", "year": 1991}, {"section": "editors", "year": 1974}, {"section": "devel"}]
    embedding = DeterministicFakeEmbedding(size=8)
    return LucerneVectorStore.from_texts(texts, embedding, sections, ids=["vim", "sed", "gcc"], path=tmp_path / "s.idx")


def test_filters_are_text_queries_dicts_or_callables(store: LucerneVectorStore) -> None:
    for given in (
        "meta.year:>1980",
        {"year": 1991},
        lucerne.Range("meta.year", gt=1980),
        lambda document: document.metadata.get("year", 0) > 1980,
    ):
        found = store.similarity_search("editor", k=3, filter=given)
        assert [document.id for document in found] == ["vim"]


def test_hybrid_and_diverse_searches_find_what_they_should(store: LucerneVectorStore) -> None:
    assert store.hybrid_search("compiler", k=1)[0].id == "gcc"
    diverse = store.max_marginal_relevance_search("a text editor", k=2, fetch_k=3)
    assert diverse[0].id == "vim" and len(diverse) == 2


def test_an_unknown_argument_is_refused(store: LucerneVectorStore) -> None:
    with pytest.raises(TypeError, match="filtr"):
        store.similarity_search("editor", filtr={"a": 1})


def test_the_store_is_there_when_it_is_opened_again(store: LucerneVectorStore, tmp_path: Path) -> None:
    again = LucerneVectorStore(tmp_path / "s.idx", DeterministicFakeEmbedding(size=8))
    assert [document.metadata for document in again.get_by_ids(["gcc", "none"])] == [{"section": "devel"}]
    assert again.delete(None) and len(again.index or ()) == 0
