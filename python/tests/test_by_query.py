"""Changes of all documents of a query, of what has expired, and of single fields."""

import datetime
from pathlib import Path

import numpy as np
import pytest

import lucerne
from lucerne import Range, Term


@pytest.fixture()
def shelf(tmp_path: Path) -> lucerne.Index:
    schema = lucerne.Schema(section="keyword", views="i64", expires="date", v=lucerne.Vector(2))
    index = lucerne.create(tmp_path / "shelf.idx", schema)
    with index.writer() as writer:
        for number in range(100):
            section = "old" if number % 4 == 0 else "new"
            date = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(days=number)
            writer.add({"id": f"{number:03}", "section": section, "views": number, "expires": date, "v": [1, number]})
    return index


def test_all_documents_of_a_query_are_deleted(shelf: lucerne.Index) -> None:
    with shelf.writer() as writer:
        report = writer.delete_by_query(Term("section", "old"))
        assert report == {"matched": 25, "changed": 25, "unchanged": 0, "skipped": 0, "unknown_fields": []}
        assert len(shelf) == 100
        assert writer.delete_by_query("views:>=50 AND section:new")["changed"] == 38
        assert writer.delete_by_query({"term": {"field": "section", "value": "nothing"}})["matched"] == 0
        with pytest.raises(lucerne.UsageError, match="colour"):
            writer.delete_by_query(Term("colour", "red"))
    assert len(shelf) == 37


def test_all_documents_of_a_query_are_updated(shelf: lucerne.Index) -> None:
    seen: list[tuple[str, int, int]] = []
    with shelf.writer() as writer:
        report = writer.update_by_query(
            Range("views", lt=10),
            set={"section": "archive"},
            increment={"views": 1000},
            remove=["expires"],
            progress=lambda *call: seen.append(call),
        )
        assert report["changed"] == 10
        assert writer.update_by_query(Term("section", "archive"), set={"section": "archive"})["unchanged"] == 10
        with pytest.raises(lucerne.UsageError):
            writer.update_by_query(lucerne.All(), increment={"section": 1})
    stored = shelf.get("007")
    assert stored is not None
    np.testing.assert_array_equal(stored.pop("v"), np.array([1, 7], "f4"))
    assert stored == {"id": "007", "section": "archive", "views": 1007}
    assert shelf.count(Term("section", "archive")) == 10 and shelf.count(lucerne.Exists("expires")) == 90


def test_an_exception_takes_back_what_was_deleted(shelf: lucerne.Index) -> None:
    with pytest.raises(RuntimeError), shelf.writer() as writer:
        writer.delete_by_query(lucerne.All())
        raise RuntimeError
    assert len(shelf) == 100


def test_an_update_is_cancelled_by_its_progress(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(n="i64"))
    with index.writer() as writer:
        writer.add_batch({"id": str(number), "n": 0} for number in range(2_000))
        with pytest.raises(lucerne.CancelledError):
            writer.update_by_query(lucerne.All(), increment={"n": 1}, progress=lambda *_: False)
    assert index.count(Term("n", 0)) == 2_000


def test_documents_expire_when_they_are_told_to(shelf: lucerne.Index) -> None:
    with shelf.writer() as writer:
        assert writer.delete_expired("expires", datetime.datetime(2024, 1, 10))["changed"] == 10
        assert writer.delete_expired("expires", "2024-01-20")["changed"] == 10
        assert writer.delete_expired("expires", datetime.date(1960, 1, 1))["changed"] == 0
        for wrong in ("soon", 5):
            with pytest.raises(lucerne.UsageError, match="is no time"):
                writer.delete_expired("expires", wrong)  # type: ignore[arg-type]
        with pytest.raises(lucerne.UsageError, match="date field"):
            writer.delete_expired("views")
        assert writer.delete_expired("expires")["changed"] == 80
    assert len(shelf) == 0


def test_fields_of_a_document_are_set_increased_and_removed(shelf: lucerne.Index) -> None:
    with shelf.writer() as writer:
        writer.update("001", {"section": "read"}, increment={"views": -3}, remove=["expires"])
        writer.update("002", increment={"views": 1})
        with pytest.raises(lucerne.NotFoundError):
            writer.update("nothing", {"views": 1})
    first, second = shelf.get("001"), shelf.get("002")
    assert first is not None and second is not None
    assert (first["section"], first["views"], "expires" in first) == ("read", -2, False)
    assert (second["section"], second["views"]) == ("new", 3)
