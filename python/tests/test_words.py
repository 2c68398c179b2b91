"""Words written wrong, patterns, several fields, documents like others, highlights, and lenient query text."""

import datetime
from pathlib import Path

import numpy as np
import pytest

import lucerne
from lucerne import (
    Bool,
    DisMax,
    Fuzzy,
    Highlight,
    Knn,
    Match,
    MoreLike,
    MultiMatch,
    Phrase,
    Regex,
    Rerank,
    Term,
    Wildcard,
)


@pytest.fixture()
def notes(tmp_path: Path) -> lucerne.Index:
    """Three notes with a title, a body, a tag, a day and a vector."""
    schema = lucerne.Schema(
        title="text", body="text", tag="keyword", day="date", likes="i64", v=lucerne.Vector(2, similarity="euclidean")
    )
    index = lucerne.create(tmp_path / "notes.idx", schema)
    with index.writer() as writer:
        for key, title, body, tag, day, likes, vector in [
            ("vim", "editor", "edits text in a terminal", "tools", "2024-05-01", 9, [1, 0]),
            ("nano", "small editor", "a text editor for the terminal", "tools", "2024-06-01", 100, [1.1, 0]),
            ("chess", "board game", "two players, sixty-four squares", "games", "2023-01-01", 0, [0, 5]),
        ]:
            note = {"title": title, "body": body, "tag": tag, "day": day, "likes": likes, "v": vector}
            writer.add({"id": key, **note})
    return index


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        (Fuzzy("title", "edtior"), ["nano", "vim"]),
        (Fuzzy("title", "edtior", edits=1, transpositions=False), []),
        (Fuzzy("tag", "tolls", edits=1), ["nano", "vim"]),
        (Fuzzy("title", "aditor", prefix_length=1), []),
        (Fuzzy("title", "edtior", edits="auto", max_expansions=1), ["nano", "vim"]),
        (Wildcard("title", "ed*r"), ["nano", "vim"]),
        (Wildcard("tag", "?ames"), ["chess"]),
        (Regex("body", "squares?|players"), ["chess"]),
        (Match("title", "smal edtior", operator="and", fuzziness="auto"), ["nano"]),
        (Match("body", "text terminal players edits", minimum_should_match="50%"), ["nano", "vim"]),
        (Match("body", "text terminal editor", minimum_should_match=-1), ["nano", "vim"]),
        (MultiMatch("small text", ["title^3", "body"]), ["nano", "vim"]),
        (MultiMatch("edtior game", ["title", "body"], type="most_fields", fuzziness=2), ["chess", "nano", "vim"]),
        (MultiMatch("text editor", ["body"], operator="and", tie_breaker=0.3), ["nano"]),
        (MultiMatch("text editor players", ["body"], minimum_should_match=2), ["nano"]),
        (DisMax(Match("title", "game"), Term("tag", "tools"), tie_breaker=0.5), ["chess", "nano", "vim"]),
        (MoreLike(key="vim", fields=["body"]), ["nano"]),
        (MoreLike(text="game of two players", min_doc_freq=1, max_terms=10, min_term_freq=1), ["chess"]),
        (MoreLike(key="vim", max_doc_freq=1), []),
        (Bool(should=[Term("tag", "tools"), Term("day", "2024-05-01")], minimum_should_match="100%"), ["vim"]),
        ("edtior~", ["nano", "vim"]),
    ],
)
def test_a_query_for_words_finds_what_it_says(notes: lucerne.Index, query: object, keys: list[str]) -> None:
    assert sorted(notes.search(query).keys) == keys
    if isinstance(query, lucerne.Query):
        assert lucerne.Query.from_json(query.to_json()) == query


def test_the_best_field_counts(notes: lucerne.Index) -> None:
    by_title = notes.search(MultiMatch("editor terminal", ["title^9", "body"]))
    assert by_title.keys[0] == "vim" and by_title.scores[0] > by_title.scores[1]


def test_wrong_parameters_of_words_are_refused_by_name(notes: lucerne.Index) -> None:
    for wrong, said in [
        (lambda: Match("title", "a", minimum_should_match="most"), "minimum_should_match"),
        (lambda: Match("title", "a", fuzziness=True), "fuzziness"),
        (lambda: Fuzzy("title", "a", edits="many"), "edits"),
        (lambda: notes.search(Fuzzy("title", "a", edits=7)), "expected 0, 1, 2"),
        (lambda: MultiMatch("a", ["title"], type="cross_fields"), "type"),
        (lambda: MoreLike(), "key= or text="),
        (lambda: notes.search(Regex("title", "(")), "title"),
        (lambda: Rerank.decay("day", "2024-05-01", "10d", shape="round"), "shape"),
        (lambda: Rerank.field_value("likes", modifier="cubed"), "modifier"),
        (lambda: notes.search("a", mmr=3), "mmr"),  # type: ignore[arg-type]
        (lambda: notes.search("a", decay={"field": "day"}), "decay"),
        (lambda: notes.search("a", mmr="v", rerank=Rerank.mmr("v")), "exclude each other"),
        (lambda: notes.search("a", highlight=5), "highlight"),  # type: ignore[arg-type]
    ]:
        with pytest.raises(lucerne.UsageError, match=said):
            wrong()


def test_words_are_shown_where_they_were_found(notes: lucerne.Index) -> None:
    hits = notes.search(Match("body", "text terminal"), highlight=["body", Highlight("title")])
    shown = {hit.key: hit.highlights for hit in hits}
    assert shown["nano"] == {"body": ["a <b>text</b> editor for the <b>terminal</b>"]}
    assert all("title" not in hit.highlights for hit in hits)
    short = Highlight("body", fragments=1, size=12, tags=("[", "]"), escape_html=True)
    assert notes.search(Phrase("body", "text editor"), highlight=short)[0].highlights["body"] == ["[text] [editor]"]
    by_json = notes.search(Match("title", "small"), highlight={"field": "title", "tags": ["*", "*"]})
    assert by_json[0].highlights == {"title": ["*small* editor"]} and by_json.to_dicts()[0]["highlights"]
    assert notes.search(Match("title", "small"))[0].highlights == {} and "Highlight(" in repr(short)


def test_vectors_come_with_hits(notes: lucerne.Index, tmp_path: Path) -> None:
    hit = notes.search(Match("title", "game"), vectors=["v"])[0]
    vector = hit.vectors["v"]
    assert vector is not None and vector.dtype == np.float32 and list(vector) == [0, 5]
    assert notes.search(Match("title", "game"))[0].vectors == {}
    several = lucerne.create(tmp_path / "several.idx", lucerne.Schema(v=lucerne.Vector(2, multiple=True)))
    with several.writer() as writer:
        writer.add({"id": "a", "v": np.eye(2)})
        writer.add({"id": "b"})
    found = {hit.key: hit.vectors["v"] for hit in several.search(lucerne.All(), vectors=["v"])}
    assert found["a"] is not None and found["a"].shape == (2, 2)
    assert found["b"] is not None and found["b"].shape[0] == 0
    with notes.writer() as writer:
        writer.add({"id": "empty", "title": "nothing"})
    assert notes.search(Match("title", "nothing"), vectors=["v"])[0].vectors == {"v": None}


def test_results_are_made_diverse(notes: lucerne.Index) -> None:
    near = Knn("v", [1, 0], k=3)
    assert notes.search(near).keys == ["vim", "nano", "chess"]
    assert notes.search(near, mmr=("v", 0.3)).keys == ["vim", "chess", "nano"]
    assert notes.search(near, rerank=Rerank.mmr("v", 0.3, window=3)).keys == ["vim", "chess", "nano"]
    assert notes.search(near, rerank=Rerank.mmr("v", 1.0)).keys == notes.search(near).keys
    assert notes.search(near, mmr="v").keys[0] == "vim"


def test_scores_fall_with_the_distance_of_a_date_or_number(notes: lucerne.Index) -> None:
    decay = {"field": "day", "origin": "2024-06-01", "scale": "10d"}
    by_date = notes.search(lucerne.All(), decay=decay)
    assert by_date.keys == ["nano", "vim", "chess"] and by_date.scores[0] == 1.0
    ten, june = datetime.timedelta(days=10), datetime.date(2024, 6, 1)
    falls = Rerank.decay("day", june, ten, multiply=True)
    assert list(notes.search(lucerne.All(), rerank=falls).scores) == list(by_date.scores)
    offset = Rerank.decay("likes", 0, 10, offset=50, decay=0.1, shape="linear", weight=2.0, window=10)
    assert notes.search(lucerne.All(), rerank=offset).keys == ["chess", "vim", "nano"]
    liked = Rerank.field_value("likes", factor=2.0, modifier="log1p", missing=1.0)
    assert notes.search(lucerne.All(), rerank=liked).keys == ["nano", "vim", "chess"] and "Rerank(" in repr(liked)
    like_vim = Rerank.vector("v", [1, 0], multiply=True)
    assert notes.search(Match("title", "editor"), rerank=like_vim).keys == ["vim", "nano"]


def test_documents_are_recommended_by_their_likes(notes: lucerne.Index) -> None:
    searcher = notes.searcher()
    query = searcher.recommend("v", ["vim"], k=1)
    assert isinstance(query, Knn) and searcher.search(query).keys == ["nano"]
    assert searcher.search(searcher.recommend("v", ["vim"], ["nano"]), filter=Term("tag", "games")).keys == ["chess"]
    for wrong in ([], ["nobody"]):
        with pytest.raises(lucerne.UsageError):
            searcher.recommend("v", wrong)


def test_what_is_typed_into_a_search_box_is_never_an_error(notes: lucerne.Index) -> None:
    with pytest.raises(lucerne.UsageError):
        notes.search("(small editor:")
    hits = notes.search("(small editor:", lenient=True, default_field="title")
    assert hits.keys[0] == "nano" and any("parenthesis" in warning for warning in hits.warnings)
    assert notes.search("title:small", lenient=True).warnings == []
    assert notes.search("game players", default_field=["title^2", "body"]).keys == ["chess"]


def test_words_stand_for_others_and_the_rules_may_change(tmp_path: Path) -> None:
    rules = ["tv, television", "usb stick, pendrive"]
    index = lucerne.create(tmp_path / "s.idx", lucerne.Schema(key="id", t=lucerne.Text(synonyms=rules)))
    with index.writer() as writer:
        writer.add({"id": "a", "t": "a television with a usb stick"})
        writer.commit()
        searcher = index.searcher()
        assert [hit.key for hit in searcher.search(Match("t", "tv pendrive", operator="and"))] == ["a"]
        hit = searcher.search(Match("t", "tv"), highlight=["t"])[0]
        assert hit.highlights["t"] == ["a <b>television</b> with a usb stick"]
        writer.set_schema(lucerne.Schema(key="id", t=lucerne.Text(synonyms=["pc => computer"])))
        writer.commit()
    assert index.searcher().count(Match("t", "tv")) == 0
    with pytest.raises(lucerne.UsageError, match="a circle"):
        lucerne.create(tmp_path / "c.idx", lucerne.Schema(key="id", t=lucerne.Text(synonyms=["a => b", "b => a"])))
