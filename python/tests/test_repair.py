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


def test_what_a_tag_has_lost_is_told_apart(folder: Path) -> None:
    with lucerne.open(folder).writer(merge_policy="none") as writer:
        writer.tag("old")
        writer.delete("003")
        writer.commit()
    (vectors,) = folder.glob("_0.*.vec")
    vectors.unlink()
    report = lucerne.repair(folder)
    (kept,) = report["lost_in_kept"]
    assert kept["tags"] == ["old"] and len(kept["lost"]) == 200 and len(report["lost"]) == 199
    assert not report["lost"][0]["perhaps_deleted"] and report["segments"][0]["unverified"] == []


def test_without_its_commit_the_message_says_what_can_be_done(folder: Path) -> None:
    for commit in folder.glob("segments_*"):
        commit.unlink()
    with pytest.raises(lucerne.NotFoundError, match="restore a backup.*check --repair"):
        lucerne.open(folder)
