from pathlib import Path

import numpy as np
import pytest

import lucerne


@pytest.fixture()
def index(tmp_path: Path) -> lucerne.Index:
    """Three packages."""
    schema = lucerne.Schema(key="id", body="text", year="i64", section="keyword", embedding=lucerne.Vector(4))
    index = lucerne.create(tmp_path / "packages.idx", schema)
    with index.writer() as writer:
        writer.add({"id": "vim", "body": "a text editor", "year": 1991, "section": "editors", "embedding": [1, 0, 0, 0]})
        writer.add({"id": "sed", "body": "a stream editor", "year": 1974, "section": "utils", "embedding": [0, 1, 0, 0]})
        writer.add({"id": "gcc", "body": "a compiler", "year": 1987, "section": "devel", "embedding": np.eye(4)[2]})
    return index
