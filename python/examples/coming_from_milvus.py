"""Coming from Milvus: a `BINARY_VECTOR` of dimension 128 with the index `BIN_IVF_FLAT` (nlist 128, metric `HAMMING`,
nprobe 10), automatic string keys, dynamic fields; and the same bits by Jaccard distance.

Run it from any folder, without arguments: `python coming_from_milvus.py`.
"""

import json
import tempfile
from pathlib import Path

import numpy as np

import lucerne

# The first 16 bits of vectors of 128; the others are zero.
FIRST = "1001101101010100"
SECOND = "0101010011001101"
# A pair of vectors of 16 bits.
OTHER = ("1001101101001101", "0101010011001101")


def bits(text: str, dimension: int) -> bytes:
    """The bytes of `dimension` bits that begin with a text of zeros and ones, the least significant bit first."""
    row = np.zeros(dimension, dtype=bool)
    row[: len(text)] = [bit == "1" for bit in text]
    return np.packbits(row, bitorder="little").tobytes()


def schema(dimension: int, similarity: str) -> lucerne.Schema:
    vector = lucerne.BinaryVector(dimension, similarity=similarity, index="ivf", nlist=128)
    key = {"name": "pk", "auto": True, "max_length": 100}
    return lucerne.Schema(key=key, dynamic=True, binary_vector=vector)


def distances(index: lucerne.Index, query: bytes) -> list[float]:
    """Of the five nearest, of ten lists."""
    hits = index.search(lucerne.Knn("binary_vector", query, k=5, nprobe=10), fields=["pk"])
    return [hit.distance for hit in hits if hit.distance is not None]


def main(folder: Path) -> None:
    first, second = bits(FIRST, 128), bits(SECOND, 128)
    print(f"{FIRST}… is [{', '.join(f'{byte:02x}' for byte in first[:2])}]…, {len(first)} bytes")

    index = lucerne.create(folder / "one.idx", schema(128, "hamming"))
    with index.writer() as writer:
        key = writer.add({"binary_vector": second})
    print(f"one entity: {distances(index, first)}")
    print(f"its key: {key}")

    index = lucerne.create(folder / "two.idx", schema(128, "hamming"))
    with index.writer() as writer:
        for color, vector in [("red", first), ("blue", second)]:
            # The color is not declared: the schema is dynamic.
            writer.add({"color": color, "binary_vector": vector})
    print(f"two entities: {distances(index, first)}")
    lists = index.inspect()["segments"][0]["fields"]["binary_vector"]["lists"]
    print(f"lists: {json.dumps(lists, separators=(',', ':'))}")

    for similarity in ("hamming", "jaccard"):
        for dimension, pair in [(128, (FIRST, SECOND)), (16, OTHER)]:
            index = lucerne.create(folder / f"{similarity}{dimension}.idx", schema(dimension, similarity))
            with index.writer() as writer:
                writer.add_batch({"binary_vector": bits(vector, dimension)} for vector in pair)
            one, other = distances(index, bits(pair[0], dimension))
            print(f"{similarity}, {dimension} bits: [{one:.6f}, {other:.6f}]")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
