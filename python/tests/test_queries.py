"""Every kind of query, its JSON form, and what searches return."""

from pathlib import Path

import numpy as np
import pytest

import lucerne
from lucerne import All, Bool, Boost, Constant, Exists, Fuse, Knn, Match, Phrase, Prefix, Range, Rerank, Term, Terms


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        (All(), ["gcc", "sed", "vim"]),
        (Match("body", "editor"), ["sed", "vim"]),
        (Match("body", "text editor", operator="and"), ["vim"]),
        (Match("body", "text stream editor", minimum_should_match=2), ["sed", "vim"]),
        (Phrase("body", "stream editor"), ["sed"]),
        (Phrase("body", "a editor", slop=1), ["sed", "vim"]),
        (Prefix("body", "comp"), ["gcc"]),
        (Term("section", "utils"), ["sed"]),
        (Terms("section", ["utils", "devel"]), ["gcc", "sed"]),
        (Range("year", gte=1980, lt=1990), ["gcc"]),
        (Range("year", gt=1980, lte=1991), ["gcc", "vim"]),
        (Exists("year"), ["gcc", "sed", "vim"]),
        (Bool(must=Match("body", "editor"), must_not=[Term("section", "utils")]), ["vim"]),
        (Bool(should=[Term("section", "utils"), Term("year", 1991)], minimum_should_match=1), ["sed", "vim"]),
        (Bool(filter={"term": {"field": "year", "value": 1991}}), ["vim"]),
        (Boost(Match("body", "editor"), 2.0), ["sed", "vim"]),
        (Constant(Match("body", "editor"), 0.5), ["sed", "vim"]),
        (Knn("embedding", [1, 0, 0, 0], k=1), ["vim"]),
        (Knn("embedding", [1, 0, 0, 0], k=3, filter=Range("year", lt=1990), recall=0.9), ["gcc", "sed"]),
        (Knn("embedding", [1, 0, 0, 0], k=1, candidates=10, rescore=2.0), ["vim"]),
        (Knn("embedding", [1, 0, 0, 0], k=3, exact=True, min_score=0.9), ["vim"]),
        (Fuse(Match("body", "editor"), Knn("embedding", [0, 0, 1, 0])), ["gcc", "sed", "vim"]),
        (Fuse((Match("body", "compiler"), 0.3), (All(), 0.7), method="linear", window=10), ["gcc", "sed", "vim"]),
        (Term("section", "utils") | Term("section", "devel"), ["gcc", "sed"]),
        (Match("body", "editor") & ~Term("section", "utils"), ["vim"]),
        ("body:editor AND year:>1980", ["vim"]),
        ({"match": {"field": "body", "text": "compiler"}}, ["gcc"]),
        ({"query": {"all": {}}, "filter": {"term": {"field": "year", "value": 1974}}}, ["sed"]),
        ({"knn": {"field": "embedding", "vector": np.array([0.0, 1, 0, 0]), "k": 1}}, ["sed"]),
    ],
)
def test_a_query_finds_what_it_says(index: lucerne.Index, query: object, keys: list[str]) -> None:
    assert sorted(index.search(query).keys) == keys
    assert index.count(query) == len(keys)
    if isinstance(query, lucerne.Query):
        assert lucerne.Query.from_json(query.to_json()) == query
        assert "Query(" in repr(query)


def test_pages_sorts_filters_and_fields(index: lucerne.Index) -> None:
    assert index.search(All(), sort="year").keys == ["sed", "gcc", "vim"]
    assert index.search(All(), sort=["-year"], limit=1, offset=1).keys == ["gcc"]
    assert index.search(All(), sort=("section", "desc"), filter="year:>1980").keys == ["vim", "gcc"]
    assert index.search(All(), filter=Term("year", 1974), fields=["body"])[0].fields == {"body": "a stream editor"}
    reranked = index.search(All(), rerank=Rerank.vector("embedding", [0, 0, 1, 0]))
    assert reranked.keys[0] == "gcc"
    assert index.search(All(), rerank=Rerank.query(Match("body", "stream"), window=3, weight=1.0)).keys[0] == "sed"
    with pytest.raises(lucerne.UsageError, match="sort"):
        index.search(All(), sort=5)


def test_hits_are_a_sequence_and_become_frames(index: lucerne.Index) -> None:
    hits = index.search(Knn("embedding", [1, 0.1, 0, 0], k=3), fields=["year", "embedding"])
    assert len(hits) == 3 and hits[0].key == "vim" and hits[-1].key == hits.keys[2]
    assert [hit.key for hit in hits] == hits.keys == [hit.key for hit in hits[:]]
    assert hits.scores.dtype == np.float32 and list(hits.scores) == sorted(hits.scores, reverse=True)
    assert [hit.score for hit in hits] == list(hits.scores) and hits.unknown_fields == []
    assert hits[0]["year"] == 1991 and hits[0]["embedding"].dtype == np.float32
    assert hits.segments[0]["strategy"] and isinstance(hits.exact, bool)
    assert "Hit(key=\"vim\"" in repr(hits) and "<table>" in hits._repr_html_()
    with pytest.raises(IndexError):
        hits[3]
    with pytest.raises(KeyError, match="fields="):
        index.search(All())[0]["year"]
    assert hits.to_dicts()[0]["key"] == "vim"
    for frame in ("pandas", "polars", "pyarrow"):
        pytest.importorskip(frame)
    assert list(hits.to_pandas()["year"]) == hits.to_polars()["year"].to_list() == hits.to_arrow()["year"].to_pylist()


def test_documents_with_markup_are_shown_as_text(index: lucerne.Index) -> None:
    with index.writer() as writer:
        writer.upsert({"id": "<script>alert(1)</script>", "body": "<b>bold</b>"})
    shown = index.search("body:bold", fields=["body"])._repr_html_()
    assert "<script>" not in shown and "&lt;b&gt;bold" in shown


def test_names_that_nothing_has_are_told(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(dynamic=True))
    with index.writer() as writer:
        writer.add({"id": "a", "color": "red"})
    assert index.search("colour:red").unknown_fields == ["colour"]
    assert index.search("color:red").keys == ["a"]


def test_a_batch_answers_as_single_searches_do(index: lucerne.Index) -> None:
    rng = np.random.default_rng(3)
    with index.writer() as writer:
        rows = rng.random((2000, 4))
        writer.add_batch(({"id": str(i), "year": i} for i in range(2000)), vectors={"embedding": rows})
    searcher, queries = index.searcher(), rng.random((50, 4))
    keys, scores = searcher.search_batch("embedding", queries, k=5, filter="year:<1000", threads=3)
    assert keys.shape == scores.shape == (50, 5) and scores.dtype == np.float32
    for row, query in enumerate(queries):
        single = searcher.search(Knn("embedding", query, k=5), filter="year:<1000")
        assert list(keys[row]) == single.keys and list(scores[row]) == list(single.scores)
    keys, scores = searcher.search_batch("embedding", queries[:1], k=5, filter="year:<3", exact=True)
    assert keys[0, 3] is None and np.isnan(scores[0, 3])
    assert searcher.search_batch("embedding", np.empty((0, 4)), k=2)[0].shape == (0, 2)
    for wrong in (np.ones((2, 3)), np.ones((1, 2, 4)), [["x"] * 4]):
        with pytest.raises(lucerne.UsageError):
            searcher.search_batch("embedding", wrong)


def test_explanations_say_why_and_why_not(index: lucerne.Index) -> None:
    assert index.search("body:editor", explain=True)[0].explanation["matches"]
    searcher = index.searcher()
    assert searcher.explain("body:editor", "vim")["matches"]
    assert not searcher.explain(Match("body", "compiler"), "vim")["matches"]
    assert "vim" in searcher and "emacs" not in searcher


def test_what_is_nested_too_deep_is_refused(index: lucerne.Index) -> None:
    query: lucerne.Query = Term("section", "utils")
    for _ in range(14):
        query = ~Boost(Bool(must=[query, All()]), 1.0)
    assert index.search(query).keys == ["sed"]
    with pytest.raises(lucerne.UsageError, match="deeper than 200"):
        for _ in range(300):
            query = query & All()
    deep: object = "x"
    for _ in range(30_000):
        deep = [deep]
    with pytest.raises(lucerne.UsageError, match="deeper"):
        Term("section", deep)
    with pytest.raises(lucerne.UsageError, match="deeper"), index.writer() as writer:
        writer.add({"id": "x", "section": deep})
