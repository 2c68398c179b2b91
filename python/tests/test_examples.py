"""The examples print what they should: those that translate another system's, line by line what the Rust examples print."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parents[1]
EXAMPLES = HERE / "examples"
EXPECTED = HERE.parent / "tests" / "documentation" / "expected"
DATA = HERE.parent / "examples" / "data"


def _printed(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(sys, "argv", [name])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    "expected",
    ["coming_from_solr.txt", "coming_from_redis.md", "coming_from_milvus.txt", "coming_from_weaviate.txt"],
)
def test_other_systems_in_python_print_what_they_print_in_rust(
    expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = _printed(Path(expected).stem + ".py", capsys, monkeypatch)
    assert printed == (EXPECTED / expected).read_text(encoding="utf-8").splitlines()


def test_the_quickstart_finds_what_it_stored(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = _printed("quickstart.py", capsys, monkeypatch)
    assert printed[0] == "added 20,000 documents" and "package-77" in printed[1]
    assert printed[-1].startswith("1000 of 1,000") or int(printed[-1].split()[0]) >= 950


def test_a_forced_merge_keeps_its_plan(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = _printed("force_merge.py", capsys, monkeypatch)
    expected = (EXAMPLES / "expected" / "force_merge.txt").read_text(encoding="utf-8").splitlines()
    assert printed == expected


def test_a_folder_of_texts_is_searched_by_words_and_meaning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("wordllama")
    printed = _printed("search_my_folder.py", capsys, monkeypatch)
    answers: list[set[str]] = []
    for line in printed:
        if line.endswith("?") and not line.startswith(" "):
            answers.append(set())
        elif line.startswith("  ") and not line.startswith("      "):
            answers[-1].add(line.split(":")[0].strip())
    assert any(line.startswith("      … ") and "[" in line for line in printed)
    for files, right in zip(
        answers, ["backup.md", "durability.md", "tenants.md", "hybrid-and-reranking.md"], strict=True
    ):
        assert right in files

    # A folder of one's own: only what has changed is read again.
    (tmp_path / "soup.txt").write_text("Cook the lentils for twenty minutes.\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "bike.md").write_text("# Bikes\n\nThe chain of my bicycle is rusty.\n")
    (tmp_path / "photo.bin").write_bytes(b"\x00\xff")
    for change, said in [
        (lambda: None, "2 files read, 0 gone, 2 passages"),
        (lambda: None, "0 files read, 0 gone, 2 passages"),
        (lambda: (tmp_path / "soup.txt").unlink(), "0 files read, 1 gone, 1 passages"),
    ]:
        change()
        monkeypatch.setattr(sys, "argv", ["search_my_folder.py", str(tmp_path), "how do I repair my bike"])
        runpy.run_path(str(EXAMPLES / "search_my_folder.py"), run_name="__main__")
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == said and lines[3] == "  sub/bike.md:1  Bikes"


def test_documents_pass_through_the_parquet_files_of_every_library(tmp_path: Path) -> None:
    for library in ("polars", "pandas", "duckdb", "pyarrow"):
        pytest.importorskip(library)
    script = runpy.run_path(str(HERE / "benchmarks" / "parquet.py"))
    lines = (DATA / "packages.jsonl").read_text(encoding="utf-8").splitlines()
    index = script["load"](lines, np.load(DATA / "packages.f16.npy"), tmp_path / "packages.idx")
    found = script["round_trips"](index, tmp_path)
    assert {name: count for name, (count, _, _) in found.items()} == {
        "polars": 2_400,
        "pandas": 2_400,
        "duckdb": 2_400,
    }
