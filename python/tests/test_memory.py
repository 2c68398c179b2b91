"""A ceiling on memory that indexes share."""

from pathlib import Path

import numpy as np
import pytest

import lucerne
from lucerne import aio


def test_indexes_share_a_ceiling_and_nothing_goes_over_it(tmp_path: Path) -> None:
    memory = lucerne.Memory(16 << 20)
    assert memory.ceiling == 16 << 20 and repr(memory) == f"Memory({16 << 20})"
    schema = lucerne.Schema(v=lucerne.Vector(16))
    tenants = [lucerne.create(tmp_path / str(number), schema, memory=memory) for number in range(3)]
    writers = [index.writer() for index in tenants]
    rows = np.random.default_rng(1).standard_normal((500, 16), "f4")
    for round in range(10):
        for writer in writers:
            writer.add_batch([{"id": f"{round}-{row}", "v": rows[row]} for row in range(500)])
    assert memory.in_use["buffers"] > 0 and memory.in_use["merges"] >= 0
    for writer in writers:
        writer.close()
    assert [len(index) for index in tenants] == [5_000] * 3
    tenants[0].search(lucerne.Knn("v", rows[0]))
    assert 0 < memory.peak <= memory.ceiling and set(memory.in_use.values()) == {0}


async def test_what_never_fits_is_refused(tmp_path: Path) -> None:
    index = await aio.create(tmp_path / "a", lucerne.Schema(t="text"), memory=8 << 20)
    writer = await index.writer()
    with pytest.raises(lucerne.UsageError, match="memory"):
        await writer.add_batch([{"id": str(number), "t": "words " * 10_000} for number in range(20)])
    await writer.add({"id": "a", "t": "words"})
    await writer.close()
    assert len(await aio.open(tmp_path / "a", memory=lucerne.Memory(8 << 20))) == 1
