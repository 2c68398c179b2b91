"""Repairing what is damaged."""

from pathlib import Path

import numpy as np
import pytest

import lucerne
from lucerne import aio


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    index = lucerne.create(tmp_path / "a.idx", lucerne.Schema(t="text", v=lucerne.Vector(2)))
    with index.writer() as writer:
        for number in range(200):
            writer.add({"id": f"{number:03}", "t": "lost and found", "v": [1, number]})
    return tmp_path / "a.idx"


def test_what_follows_from_documents_is_made_again(folder: Path, tmp_path: Path) -> None:
    whole = lucerne.repair(folder, dry_run=True)
    assert whole["whole"] and whole["generation"] is None and lucerne.check(folder)["ok"]
    (folder / "_0.post").unlink()
    assert not lucerne.check(folder)["ok"]
    planned = lucerne.repair(folder, dry_run=True)
    assert not planned["whole"] and planned["segments"][0]["rebuilt"] == ["terms"] and planned["lost"] == []
    seen: list[tuple[str, int, int]] = []
    report = lucerne.repair(folder, damaged_to=tmp_path / "damaged", progress=lambda *call: seen.append(call))
    assert report["generation"] > report["from_generation"] and report["lost"] == []
    assert report["segments"][0]["problems"][0]["file"] == "_0.post" and seen
    assert (tmp_path / "damaged").is_dir()
    assert lucerne.check(folder)["ok"] and lucerne.open(folder).count("t:found") == 200


async def test_lost_documents_are_named_with_what_is_left_of_them(folder: Path) -> None:
    row = np.array([1, 3], "<f4").tobytes()
    (vectors,) = [file for file in folder.iterdir() if row in file.read_bytes()]
    vectors.write_bytes(vectors.read_bytes().replace(row, b"\xff" * len(row)))
    report = await aio.repair(folder, keep_lost=True, ram_budget=1 << 20, threads=1)
    lost = {document["key"]: document for document in report["lost"]}
    assert lost["003"]["part"] == "vector" and lost["003"]["field"] == "v" and lost["003"]["stored"]["t"] == "lost and found"
    assert 1 <= len(lost) <= 64 and (await aio.check(folder))["ok"]
    assert len(lucerne.open(folder)) == 200 - len(lost)


def test_an_index_that_is_written_is_not_repaired(folder: Path) -> None:
    writer = lucerne.open(folder).writer()
    with pytest.raises(lucerne.LockedError):
        lucerne.repair(folder)
    writer.close()
    with pytest.raises(lucerne.NotFoundError):
        lucerne.repair(folder.parent / "nothing")
