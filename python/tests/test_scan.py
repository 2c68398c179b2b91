"""Going through all documents."""

from pathlib import Path

import numpy as np
import pytest

import lucerne
from lucerne import Range, aio


@pytest.fixture()
def numbers(tmp_path: Path) -> lucerne.Index:
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(n="i64", v=lucerne.Vector(2)))
    with index.writer(flush_docs=300) as writer:
        vectors = np.arange(2_000, dtype="f4").reshape(1_000, 2) + 1
        writer.add_batch(({"id": f"{n:04}", "n": n} for n in reversed(range(1_000))), vectors={"v": vectors[::-1]})
    return index


def test_all_documents_come_in_the_order_of_their_keys(numbers: lucerne.Index) -> None:
    scanner = numbers.scan()
    with numbers.writer() as writer:
        writer.delete_by_query(lucerne.All())
    first = next(scanner)
    assert (first.key, first["n"], first.vectors) == ("0000", 0, {}) and list(first.fields["v"]) == [1, 2]
    assert [document.key for document in scanner] == [f"{n:04}" for n in range(1, 1_000)]
    assert next(scanner, None) is None and list(numbers.scan()) == []
    with pytest.raises(KeyError):
        first["nothing"]
    assert repr(first).startswith('ScannedDocument(key="0000"')


def test_a_scan_goes_on_after_a_key_and_takes_what_matches(numbers: lucerne.Index) -> None:
    searcher = numbers.searcher()
    rest = list(searcher.scan("n:<20", after="0009", fields=["n"], vectors=["v"]))
    assert [document["n"] for document in rest] == list(range(10, 20))
    assert rest[0].fields == {"n": 10}
    vector = rest[0].vectors["v"]
    assert vector is not None and vector.dtype == np.float32 and list(vector) == [21, 22]
    assert [document.key for document in numbers.scan(Range("n", gte=998))] == ["0998", "0999"]
    with pytest.raises(lucerne.UsageError, match="nothing"):
        numbers.scan(fields=["nothing"])


async def test_a_scan_is_awaited(numbers: lucerne.Index) -> None:
    index = await aio.open(numbers.path)
    assert [document.key async for document in index.scan("n:<3")] == ["0000", "0001", "0002"]
    searcher = await index.searcher()
    assert len([document async for document in searcher.scan(fields=["n"])]) == 1_000
    assert await searcher.values("n", limit=1) == [(0, 1)]
