"""Creates an index in a temporary folder, writes documents, searches by vector, by words, by both, and with a filter."""

import tempfile
from pathlib import Path

import numpy as np

import lucerne

rng = np.random.default_rng(1)
with tempfile.TemporaryDirectory() as folder:
    schema = lucerne.Schema(key="id", body="text", year="i64", section="keyword", embedding=lucerne.Vector(64))
    index = lucerne.create(Path(folder) / "packages.idx", schema)

    count = 20_000
    vectors = rng.standard_normal((count, 64)).astype(np.float32)
    documents = (
        {
            "id": f"package-{i}",
            "body": f"package number {i} for {'editing' if i % 3 else 'compiling'} text",
            "year": 1970 + i % 55,
            "section": ["editors", "devel", "utils"][i % 3],
        }
        for i in range(count)
    )
    with index.writer() as writer:
        print(f"added {writer.add_batch(documents, vectors={'embedding': vectors}):,} documents")

    query = vectors[77] + 0.1 * rng.standard_normal(64).astype(np.float32)
    near = lucerne.Knn("embedding", query, k=3)
    print("nearest:", index.search(near).keys)
    print("nearest of the section devel after 2000:", index.search(near, filter="section:devel AND year:>2000").keys)
    print("by words:", index.search("body:compiling AND year:1999", limit=3, sort="id").keys)
    hybrid = lucerne.Fuse(lucerne.Match("body", "number 77"), near)
    for hit in index.search(hybrid, limit=3, fields=["body", "year"]):
        print(f"  {hit.score:.4f}  {hit.key:14} {hit['year']}  {hit['body']}")

    keys, scores = index.searcher().search_batch("embedding", vectors[:1000], k=5, recall=0.95)
    found = sum(keys[row, 0] == f"package-{row}" for row in range(1000))
    print(f"{found} of 1,000 stored vectors find themselves; the mean score of the fifth is {scores[:, 4].mean():.3f}")
