"""Facets, aggregations, totals, groups, and the values of a field."""

from pathlib import Path

import pytest

import lucerne
from lucerne import All, Match, Range


@pytest.fixture()
def books(tmp_path: Path) -> lucerne.Index:
    """Two sections and a book without one."""
    schema = lucerne.Schema(title="text", section="keyword", pages="i64", lent="bool", bought="date")
    index = lucerne.create(tmp_path / "books.idx", schema)
    given = [
        ("emma", "a novel", "novels", 480, True, "2024-01-05"),
        ("ulysses", "a long novel", "novels", 730, False, "2024-01-20"),
        ("atlas", "maps", "travel", 210, False, "2024-03-01"),
        ("diary", "a novel kind of diary", None, 90, False, "2024-03-02"),
    ]
    with index.writer() as writer:
        for key, title, section, pages, lent, bought in given:
            writer.add(
                {"id": key, "title": title, "section": section, "pages": pages, "lent": lent, "bought": bought}
            )
    return index


def test_facets_count_the_values_of_all_documents_found(books: lucerne.Index) -> None:
    hits = books.search(All(), limit=1, facets={"section": 1, "lent": 5})
    assert len(hits) == 1 and hits.facets == {"section": [("novels", 2)], "lent": [(False, 3), (True, 1)]}
    assert books.search("title:novel", facets=["section"]).facets == {"section": [("novels", 2)]}
    assert books.search(Range("pages", lt=300), facets="section").facets == {"section": [("travel", 1)]}
    assert books.search(All()).facets == {} and books.search(All()).aggregations == {}
    with pytest.raises(lucerne.UsageError, match="colour"):
        books.search(All(), facets=["colour"])


def test_aggregations_have_the_form_of_elasticsearch(books: lucerne.Index) -> None:
    aggs = {
        "sections": {"terms": {"field": "section"}, "aggs": {"longest": {"max": {"field": "pages"}}}},
        "pages": {"stats": {"field": "pages"}},
        "months": {"date_histogram": {"field": "bought", "calendar_interval": "month"}},
    }
    hits = books.search(All(), facets=["lent"], aggs=aggs)
    found = hits.aggregations
    assert found["sections"]["buckets"][0] == {"key": "novels", "doc_count": 2, "longest": {"value": 730}}
    assert found["pages"]["min"] == 90 and found["pages"]["sum"] == 1510
    assert [bucket["doc_count"] for bucket in found["months"]["buckets"]] == [2, 0, 2]
    assert sorted(found) == ["lent", "months", "pages", "sections"]
    assert books.search({"aggs": {"pages": {"sum": {"field": "pages"}}}}).aggregations["pages"]["value"] == 1510
    for wrong in ({"sections": {"term": {"field": "section"}}}, {"lent": {"terms": {"field": "lent"}}}):
        with pytest.raises(lucerne.UsageError, match="aggs"):
            books.search(All(), facets=["lent"], aggs=wrong)


def test_a_total_is_exact_when_asked_for(books: lucerne.Index) -> None:
    hits = books.search(Match("title", "novel"), limit=1, total=True)
    assert (len(hits), hits.total, hits.total_is_exact) == (1, 3, True)
    hits = books.search(Match("title", "novel"), limit=1)
    assert 1 <= hits.total <= 3 and isinstance(hits.total_is_exact, bool)


def test_hits_are_grouped_by_the_values_of_a_field(books: lucerne.Index) -> None:
    hits = books.search(All(), sort="pages", group_by=("section", 2))
    assert hits.keys == ["diary", "atlas", "emma"]
    groups = [hit.group for hit in hits]
    assert all(group is not None for group in groups)
    assert [(group.value, [hit.key for hit in group.next]) for group in groups if group] == [
        (None, []),
        ("travel", []),
        ("novels", ["ulysses"]),
    ]
    assert repr(groups[2]) == "Group('novels', 1 more)"
    assert books.search(All(), sort="-pages", group_by="section").keys == ["ulysses", "atlas", "diary"]
    assert books.search(All())[0].group is None
    with pytest.raises(lucerne.UsageError, match="group_by"):
        books.search(All(), group_by=("section", "two"))  # type: ignore[arg-type]


def test_the_values_of_a_field_are_listed_in_order(books: lucerne.Index) -> None:
    searcher = books.searcher()
    assert searcher.values("section") == [("novels", 2), ("travel", 1)]
    assert searcher.values("section", prefix="t", limit=5) == [("travel", 1)]
    assert searcher.values("pages", limit=2) == [(90, 1), (210, 1)]
    with pytest.raises(lucerne.UsageError, match="title"):
        searcher.values("title")


def test_notebooks_show_hits_totals_and_facets(books: lucerne.Index) -> None:
    hits = books.search(Match("title", "novel"), facets=["section"], highlight="title", fields=["pages"], total=True)
    shown = hits._repr_html_()
    assert "3 of 3 documents" in shown and "a <b>novel</b>" in shown and "<td>novels</td><td>2</td>" in shown
