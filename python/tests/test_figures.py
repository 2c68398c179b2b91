"""What there is to see: figures, samples, frequent terms, plans, and pictures in notebooks."""

from pathlib import Path

import numpy as np
import pytest

import lucerne
from lucerne import _lucerne

ROWS = np.random.default_rng(3).standard_normal((2_400, 16)).astype("f4")


@pytest.fixture()
def two(tmp_path: Path) -> lucerne.Index:
    """Two segments."""
    schema = lucerne.Schema(title="text", **{"<v>": lucerne.Vector(16)})
    index = lucerne.create(tmp_path / "a.idx", schema)
    with index.writer(merge_policy="none", flush_docs=1_200, threads=1) as writer:
        documents = ({"id": str(row), "title": "hex editor" if row % 3 else "text editor"} for row in range(2_400))
        writer.add_batch(documents, vectors={"<v>": ROWS})
    return index


def test_figures_and_samples_are_those_of_the_vectors(two: lucerne.Index) -> None:
    searcher = two.searcher()
    figures = searcher.vector_figures("<v>", sample=100)
    assert [it["segment"] for it in figures] == ["_0", "_1"]
    assert sum(figures[0]["figures"]["codes"]) == figures[0]["figures"]["sampled"] * 16
    sampled = searcher.sample_vectors("<v>", sample=10)
    assert {segment for segment, _, _ in sampled} == {"_0", "_1"}
    for segment, key, vector in sampled:
        assert searcher.segment_of(key) == segment
        assert np.allclose(vector, ROWS[int(key)])
    assert searcher.segment_of("no such") is None
    with pytest.raises(lucerne.UsageError, match="nothing"):
        searcher.vector_figures("nothing")


def test_the_most_frequent_terms_come_first(two: lucerne.Index) -> None:
    assert two.searcher().top_terms("title", limit=2) == [("editor", 2_400), ("hex", 1_600)]


def test_a_plan_needs_no_writer_and_merges_are_pictures_in_notebooks(two: lucerne.Index) -> None:
    with two.writer(merge_policy="none") as writer:
        plan = two.searcher().plan_force_merge()
        assert plan == writer.plan_force_merge() and isinstance(plan, lucerne.MergeReport)
        assert two.searcher().segment_count == 2
        done = writer.force_merge()
    shown = plan._repr_html_()
    assert "2 segments become 1" in shown and "<svg" in shown and "&lt;v&gt;" in shown and "<v>" not in shown
    (source, _) = done[0]["fields"]["<v>"]["sources"]
    assert f"{source['segment']}: {source['live']:,} vectors, {source['outcome']}" in done._repr_html_()
    assert lucerne.MergeReport()._repr_html_() == _lucerne._merge_report_html([])
    assert two.searcher().plan_force_merge() == []


def test_an_index_shows_the_recall_of_its_graphs_in_notebooks(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(v=lucerne.Vector(16)))
    rows = np.random.default_rng(4).standard_normal((4_500, 16)).astype("f4")
    with index.writer(threads=1) as writer:
        writer.add_batch(({"id": str(row)} for row in range(4_500)), vectors={"v": rows})
    shown = index._repr_html_()
    assert "recall@10" in shown and "asked for: 0.95" in shown


def test_an_index_and_a_schema_are_shown_in_notebooks_and_names_are_text(two: lucerne.Index) -> None:
    shown = two._repr_html_()
    for part in ("2,400 documents", "raw vectors", "<table>", "prefers-color-scheme"):
        assert part in shown
    assert "<v>" not in shown
    schema = lucerne.Schema(key="<k>", title="text")._repr_html_()
    assert "&lt;k&gt;" in schema and "<td>title</td><td>text</td>" in schema and "<k>" not in schema
