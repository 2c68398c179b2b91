"""Indexes in shards: written by key, searched as one; and as others would ask them."""

import pickle
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucerne

SCHEMA = lucerne.Schema(body="text", section="keyword", n="i64", v=lucerne.Vector(8))
WORDS = ["ant", "bee", "cat", "cow", "dog", "eel", "elk", "emu"]


def documents(count: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)
    return [
        {
            "id": f"k{n}",
            "body": " ".join(rng.choice(WORDS, 1 + n % 6)),
            "section": f"s{n % 5}",
            "n": n,
            "v": rng.standard_normal(8).astype("f4"),
        }
        for n in range(count)
    ]


@pytest.fixture
def both(tmp_path: Path) -> tuple[lucerne.Index, lucerne.ShardedIndex]:
    one = lucerne.create(tmp_path / "one", SCHEMA)
    shards = lucerne.ShardedIndex.create(tmp_path / "shards", SCHEMA, 4)
    for index in (one, shards):
        with index.writer() as writer:
            assert writer.add_batch(documents(400)) == 400
    return one, shards


SEARCHES: list[tuple[Any, dict[str, Any]]] = [
    ("cat dog", {"facets": {"section": 3}, "limit": 25, "total": True}),
    (lucerne.Match("body", "cat dog"), {"filter": lucerne.Range("n", gte=100), "offset": 5, "fields": ["n"]}),
    (lucerne.Knn("v", np.ones(8), k=12, exact=True), {"filter": "section:s2"}),
    (lucerne.Fuse(lucerne.Match("body", "elk"), lucerne.Knn("v", np.ones(8), exact=True)), {"highlight": "body"}),
    (lucerne.All(), {"sort": ["-section", "n"], "limit": 40, "vectors": ["v"]}),
    ({"match": {"field": "body", "text": "emu"}}, {"rerank": lucerne.Rerank.vector("v", np.ones(8)), "min_score": 0.1}),
    ("bee", {"group_by": "section", "aggs": {"mean": {"avg": {"field": "n"}}}, "timeout": 5.0}),
]


def same(one: lucerne.Hits, other: lucerne.Hits) -> None:
    assert one.keys == other.keys and one.facets == other.facets
    assert one.scores.tolist() == other.scores.tolist()
    assert str(one.to_dicts()) == str(other.to_dicts())
    assert [hit.group and hit.group.value for hit in one] == [hit.group and hit.group.value for hit in other]
    assert one.aggregations == other.aggregations


@pytest.mark.parametrize(("query", "keywords"), SEARCHES, ids=[str(number) for number in range(len(SEARCHES))])
def test_shards_find_what_one_index_finds(
    both: tuple[lucerne.Index, lucerne.ShardedIndex], query: Any, keywords: dict[str, Any]
) -> None:
    one, shards = both
    expected = one.search(query, **keywords)
    same(shards.search(query, **keywords), expected)
    same(shards.searcher().search(query, **keywords, threads=2), expected)
    # As a process for each shard would be asked.
    search = lucerne.ShardedSearch(query, SCHEMA, 4, **keywords)
    while (requests := search.requests()) is not None:
        searchers = [shard.searcher() for shard in shards.shards]
        answers = [s.answer(request, timeout=5.0) for s, request in zip(searchers, requests) if request is not None]
        search.answered(answers)
    found = search.hits()
    same(found, expected)
    assert found.shards == (4, 4) and expected.shards is None
    with pytest.raises(lucerne.UsageError, match="hits were taken"):
        search.hits()


def test_each_document_is_in_the_shard_of_its_key(both: tuple[lucerne.Index, lucerne.ShardedIndex]) -> None:
    one, shards = both
    assert lucerne.shard_of("vim", 4) == zlib.crc32(b"vim") % 4 == 3
    assert [str(path) for path in lucerne._lucerne._shard_paths(shards.path)] == [shard.path for shard in shards.shards]
    assert len(shards) == shards.count() == 400 and len(shards.searcher()) == 400
    assert shards.count("cat") == one.count("cat")
    for document in documents(400):
        assert document["id"] in shards.shards[lucerne.shard_of(document["id"], 4)].searcher()
        assert shards.searcher().get(document["id"])["n"] == document["n"]  # type: ignore[index]
    assert shards.get("k7")["n"] == 7 and shards.get("nobody") is None  # type: ignore[index]


@dataclass
class Note:
    id: str
    body: str


def test_writes_go_to_the_shard_of_their_key(both: tuple[lucerne.Index, lucerne.ShardedIndex]) -> None:
    _, shards = both
    searcher = shards.searcher()
    with shards.writer(threads=1) as writer:
        assert writer.upsert({"id": "k1", "body": "owl"}) == "k1"
        assert writer.add(Note("new", "owl")) == "new"
        assert writer.upsert_batch(iter([{"id": "k2", "body": "owl"}, Note("k3", "owl")])) == 2
        writer.update("k4", {"body": "owl"}, increment={"n": 1})
        assert writer.delete("k5") and not writer.delete("k5")
        with pytest.raises(lucerne.AlreadyExistsError):
            writer.add({"id": "k1"})
        with pytest.raises(lucerne.UsageError):
            writer.add({"body": "without a key"})
        writer.refresh()
        assert shards.count("owl") == 5
        assert len(writer.writers) == 4 and len(writer.commit()) == 4
    assert searcher.count("owl") == 0 and len(shards) == 400
    with pytest.raises(RuntimeError):
        with shards.writer() as writer:
            writer.delete("k1")
            raise RuntimeError
    again = pickle.loads(pickle.dumps(lucerne.ShardedIndex(shards.path)))
    assert again.count("owl") == 5 and again.schema == shards.schema
    assert again.searcher().generations == [shard.searcher().generation for shard in again.shards]


def test_what_is_not_an_index_in_shards_or_not_supported_is_refused(
    both: tuple[lucerne.Index, lucerne.ShardedIndex],
) -> None:
    one, shards = both
    with pytest.raises(lucerne.NotFoundError, match="shards.json"):
        lucerne.ShardedIndex(one.path)
    with pytest.raises(lucerne.AlreadyExistsError):
        lucerne.ShardedIndex.create(shards.path, SCHEMA, 2)
    with pytest.raises(lucerne.AlreadyExistsError):
        lucerne._lucerne._create_shards(shards.path, SCHEMA, 2)
    with pytest.raises(lucerne.UsageError, match="no shards"):
        lucerne.ShardedSearcher([])
    for keywords in ({"mmr": "v"}, {"group_by": ("section", 2)}):
        with pytest.raises(lucerne.UsageError, match="not over shards"):
            shards.search(lucerne.Knn("v", np.ones(8)), **keywords)
    with pytest.raises(TypeError, match="'nonsense'"):
        shards.search("cat", nonsense=1)
    with pytest.raises(lucerne.UsageError, match="no request"):
        one.searcher().answer("{}")
    with pytest.raises(lucerne.TimedOutError):
        shards.search("cat", timeout=0.0)
    assert shards.search("cat", timeout=0.0, partial=True).stopped == "timed out"


def test_a_shard_that_does_not_answer_is_left_out(both: tuple[lucerne.Index, lucerne.ShardedIndex]) -> None:
    _, shards = both
    search = lucerne.ShardedSearch(lucerne.All(), SCHEMA, 4, limit=400)
    (request, *_), searchers = search.requests(), [shard.searcher() for shard in shards.shards]  # type: ignore[misc]
    search.answered([searchers[0].answer(request), None, searchers[2].answer(request), None])
    found = search.hits()
    assert found.shards == (2, 4) and not found.total_is_exact
    assert set(found.keys) == {hit.key for n in (0, 2) for hit in searchers[n].search(lucerne.All(), limit=400)}
