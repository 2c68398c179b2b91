"""What the two READMEs show runs, and so do the examples of the docstrings."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("readme", [HERE / "README.md", HERE.parent / "README.md"], ids=["python", "root"])
def test_the_code_of_the_readme_runs(
    readme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.S)
    assert blocks
    for block in blocks:
        exec(compile(block, str(readme), "exec"), {})
    assert "vim" in capsys.readouterr().out


@pytest.mark.parametrize("module", ["lucerne", "lucerne.schema", "lucerne.aio"])
def test_the_examples_of_docstrings_run(module: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(module))
    assert failed == 0 and tried > 0
