"""Coming from Weaviate: binary quantization (binary passage retrieval). Hamming distances between sign bits find 1,000
candidates, the raw vectors rescore them, 50 are returned.

Run it from any folder, without arguments: `python coming_from_weaviate.py`. The passages are descriptions of packages
with real embeddings, the queries are questions about them.
"""

import json
import tempfile
from pathlib import Path

import numpy as np

import lucerne

DATA = Path(__file__).resolve().parents[2] / "examples" / "data"
TOP = 50
CANDIDATES = 1_000


def create(folder: Path, vector: lucerne.Vector) -> lucerne.Searcher:
    """The packages with their embeddings."""
    index = lucerne.create(folder, lucerne.Schema(key="name", dynamic=True, embedding=vector))
    with index.writer(threads=1) as writer, (DATA / "packages.jsonl").open(encoding="utf-8") as lines:
        rows = np.load(DATA / "packages.f16.npy")
        writer.add_batch((json.loads(line) for line in lines), vectors={"embedding": rows})
    return index.searcher()


def main(folder: Path) -> None:
    queries = np.load(DATA / "queries.f16.npy")
    # The fields differ in one option; the rest is the same for each of them.
    fields = {
        "int8": lucerne.Vector(384),
        "hash_flat": lucerne.Vector(384, index="flat", sign_hash="plain"),
        "hash_hnsw": lucerne.Vector(384, index="hnsw", sign_hash="plain"),
    }
    print(f"Top {TOP} of {CANDIDATES} candidates, against exact search:")
    for name, vector in fields.items():
        searcher = create(folder / name, vector)
        truth, _ = searcher.search_batch("embedding", queries, k=TOP, exact=True)
        found, _ = searcher.search_batch("embedding", queries, k=TOP, candidates=CANDIDATES)
        recall = np.mean([len(set(one) & set(other)) / TOP for one, other in zip(found, truth)])
        exact = searcher.search(lucerne.Knn("embedding", queries[0], k=TOP, candidates=CANDIDATES)).exact
        print(f"  {name:<10} recall@{TOP} {recall:.2f}, distances {'exact' if exact else 'estimated'}")
        parts = searcher.inspect()["segments"][0]["fields"]["embedding"]["bytes"]
        for part in ("raw", "codes", "hashes"):
            if part in parts:
                print(f"    {part:<7} {parts[part]} bytes")
    print()
    equal_signs(folder / "pair")


def equal_signs(folder: Path) -> None:
    """Two vectors with the same hash."""
    x, y = [0.13, 0.97], [0.87, 0.02]
    index = lucerne.create(folder, lucerne.Schema(v=lucerne.Vector(2, sign_hash="plain")))
    with index.writer() as writer:
        writer.add_batch([{"id": "x", "v": x}, {"id": "y", "v": y}])
    print(f"{x} and {y} have the same signs; rescoring tells them apart:")
    for hit in index.search(lucerne.Knn("v", x)):
        print(f"  {hit.key}  cosine distance {2 * (1 - hit.score):.5f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
