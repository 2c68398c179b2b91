"""What documents can be, and what comes back."""

import dataclasses
import datetime
from pathlib import Path

import numpy as np
import pytest

import lucerne


def test_vectors_of_any_float_type_order_and_stride_are_taken(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(v=lucerne.Vector(3, similarity="euclidean")))
    rows = np.arange(24, dtype=np.float64).reshape(8, 3) + 1
    readonly = rows[5].astype("f4")
    readonly.setflags(write=False)
    given = {
        "f8": rows[0],
        "f4": rows[1].astype("f4"),
        "f2": rows[2].astype("f2"),
        "strided": np.repeat(rows[3].astype("f4"), 2)[::2],
        "fortran": np.asfortranarray(np.tile(rows[4], (2, 1)))[0],
        "readonly": readonly,
        "ints": rows[6].astype("i4"),
        "list": list(rows[7]),
        "tuple": tuple(rows[0]),
        "bytes": rows[1].astype("<f4").tobytes(),
    }
    with index.writer() as writer:
        for key, vector in given.items():
            writer.add({"id": key, "v": vector})
    searcher = index.searcher()
    for number, key in enumerate(["f8", "f4", "f2", "strided", "fortran", "readonly", "ints", "list"]):
        np.testing.assert_array_equal(searcher.vector(key, "v"), rows[number].astype("f4"))
        assert searcher.search(lucerne.Knn("v", given[key], k=3, exact=True))[0].distance == 0
    np.testing.assert_array_equal(searcher.vector("bytes", "v"), rows[1].astype("f4"))


def test_wrong_vectors_are_refused_by_name(index: lucerne.Index) -> None:
    for wrong, said in [
        (np.ones(3), "expected a vector of 4 components, given 3"),
        (np.full(4, np.nan), "NaN"),
        ([1, 2, 3, "x"], "embedding"),
        (b"12345", "multiple of 4"),
        (np.ones((2, 2, 2)), "3 dimensions"),
        (np.ones(4) * 1j, "complex128 is no vector"),
        (np.ma.masked_array(np.ones(4, "f4"), [True, False, False, False]), "masked array"),
        (np.array(["2024-05-01"] * 4, "M8[D]"), "datetime64"),
        (np.array(["1", "2", "3", "4"]), "is no vector"),
        ("abc", "embedding"),
    ]:
        with pytest.raises(lucerne.UsageError, match=said), index.writer() as writer:
            writer.upsert({"id": "x", "embedding": wrong})
        if isinstance(wrong, np.ndarray):
            with pytest.raises(lucerne.UsageError):
                index.search(lucerne.Knn("embedding", wrong))
            with pytest.raises(lucerne.UsageError), index.writer() as writer:
                writer.add_batch([{"id": "x"}], vectors={"embedding": wrong[None]})
    assert len(index) == 3


def test_queries_take_the_vectors_that_documents_take(index: lucerne.Index) -> None:
    row = np.array([0, 1, 0, 0], "f4")
    given = [row, row.astype("u1"), row.astype("f2"), list(row), row.astype("<f4").tobytes(), row.astype("?")]
    for vector in given:
        query = lucerne.Knn("embedding", vector, k=1)
        assert index.search(query).keys == ["sed"]
        assert index.search(lucerne.Query.from_json(query.to_json())).keys == ["sed"]
    for wrong in (b"1234567", b"12345678"):
        with pytest.raises(lucerne.UsageError, match="embedding"):
            index.search(lucerne.Knn("embedding", wrong))


def test_several_vectors_and_bits_come_as_arrays_or_bytes(tmp_path: Path) -> None:
    schema = lucerne.Schema(v=lucerne.Vector(2, multiple=True), b=lucerne.BinaryVector(16))
    index = lucerne.create(tmp_path / "a.idx", schema)
    with index.writer() as writer:
        writer.add({"id": "two", "v": np.eye(2), "b": b"\x01\x02"})
        writer.add({"id": "list", "v": [[1, 1], np.ones(2)], "b": np.array([1, 2], "u1")})
        writer.add({"id": "bits", "v": None, "b": np.array([True] * 8 + [False] * 8)})
        writer.add({"id": "hex", "b": "0102"})
    stored = index.get("two")
    assert stored is not None
    np.testing.assert_array_equal(stored["v"], np.eye(2))
    assert index.search(lucerne.Knn("b", b"\x01\x02", k=4)).scores[0] == 1.0
    assert set(index.search(lucerne.Knn("b", np.array([1, 2], "u1"), k=3)).keys) == {"two", "list", "hex"}


def test_half_precision_gives_back_what_numpy_rounds_to(tmp_path: Path) -> None:
    vector = lucerne.Vector(40, datatype="float16", similarity="euclidean")
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(v=vector))
    rows = np.random.default_rng(1).normal(size=(20, 40)).astype("f4") * 100
    rows[3, :4] = [65504, -65519.9, 6e-8, -0.0]
    with index.writer() as writer:
        for number, row in enumerate(rows):
            writer.add({"id": f"{number:02}", "v": row})
        with pytest.raises(lucerne.LucerneError, match="65520.*float16"):
            writer.add({"id": "bad", "v": [65520.0] * 40})
    kept = rows.astype("f2").astype("f4")
    for number, row in enumerate(kept):
        found = index.searcher().vector(f"{number:02}", "v")
        assert found is not None
        np.testing.assert_array_equal(found.view("u4"), row.view("u4"))
    query = rows[0] + 0.25
    hits = index.search(lucerne.Knn("v", query, k=20, exact=True))
    distances = ((kept.astype("f8") - query) ** 2).sum(axis=1)
    assert hits.keys == [f"{number:02}" for number in np.argsort(distances, kind="stable")]


def test_dates_have_zones_or_are_utc(tmp_path: Path) -> None:
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(when="date"))
    zone = datetime.timezone(datetime.timedelta(hours=2))
    with index.writer() as writer:
        writer.add({"id": "naive", "when": datetime.datetime(2024, 5, 1, 12)})
        writer.add({"id": "zone", "when": datetime.datetime(2024, 5, 1, 12, tzinfo=zone)})
        writer.add({"id": "day", "when": datetime.date(2024, 5, 1)})
        writer.add({"id": "text", "when": "2024-05-01T12:00:00Z"})
    found = index.search(lucerne.Range("when", gte=datetime.datetime(2024, 5, 1, 12)), sort="id").keys
    assert found == ["naive", "text"]
    assert index.search(lucerne.Range("when", lt=datetime.datetime(2024, 5, 1, 1))).keys == ["day"]


@dataclasses.dataclass
class Package:
    id: str
    body: str
    embedding: np.ndarray


def test_dataclasses_and_pydantic_models_are_documents(index: lucerne.Index) -> None:
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):
        id: str
        body: str
        year: int = 2000

    with index.writer() as writer:
        writer.add(Package("ed", "the editor", np.ones(4)))
        writer.add(Model(id="awk", body="a language"))
        with pytest.raises(lucerne.UsageError, match="int is no document"):
            writer.add(5)
    assert index.search("body:language", fields=["year"])[0]["year"] == 2000
    assert index.get("ed") is not None


def test_a_batch_takes_rows_beside_its_documents(index: lucerne.Index) -> None:
    rows = np.random.default_rng(1).random((1300, 4))
    with index.writer() as writer:
        added = writer.add_batch(({"id": f"n{i}", "year": i} for i in range(1300)), vectors={"embedding": rows})
        assert added == 1300
        with pytest.raises(lucerne.UsageError, match="3 rows for 2 documents"):
            writer.add_batch([{"id": "a"}, {"id": "b"}], vectors={"embedding": rows[:3]})
        with pytest.raises(lucerne.AlreadyExistsError, match="is given twice"):
            writer.upsert_batch([{"id": "a"}, {"id": "a"}])
        assert writer.upsert_batch([{"id": "n0", "year": 7}]) == 1
        assert writer.add_batch([]) == 0
        assert writer.add_batch([], vectors={"embedding": np.empty((0, 4))}) == 0
    assert len(index) == 1303 and index.get("a") is None
    np.testing.assert_array_equal(index.searcher().vector("n1299", "embedding"), rows[1299].astype("f4"))


def test_what_is_written_comes_back(index: lucerne.Index) -> None:
    stored = index.get("gcc")
    assert stored is not None
    np.testing.assert_array_equal(stored.pop("embedding"), np.eye(4, dtype="f4")[2])
    assert stored == {"id": "gcc", "body": "a compiler", "year": 1987, "section": "devel"}
    assert index.get("nothing") is None


def test_values_without_a_form_are_refused(index: lucerne.Index) -> None:
    with pytest.raises(lucerne.UsageError), index.writer() as writer:
        writer.add({"id": "x", "year": object()})
    with pytest.raises(lucerne.UsageError), index.writer() as writer:
        writer.add({"id": "x", "year": 2**70})
    with pytest.raises(lucerne.UsageError, match="not a str"), index.writer() as writer:
        writer.add({5: "x"})
    deep: object = 1
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises((lucerne.UsageError, RecursionError)), index.writer() as writer:
        writer.add({"id": "x", "body": {"deep": deep}})
