"""Merging on demand, as in Lucene's `forceMerge`: the plan first (what happens to the codes of each segment), then the
merge with its progress and its report, and recall before and after.

Run it from any folder, without arguments: `python force_merge.py`. The packages arrive in three parts: at random, sorted
by section, and one section alone.
"""

import json
import tempfile
from pathlib import Path

import numpy as np

import lucerne

DATA = Path(__file__).resolve().parents[2] / "examples" / "data"


def recall(index: lucerne.Index, queries: np.ndarray) -> float:
    """Mean recall@10 of 100 candidates against exact search."""
    searcher = index.searcher()
    truth, _ = searcher.search_batch("embedding", queries, k=10, exact=True)
    found, _ = searcher.search_batch("embedding", queries, k=10, candidates=100)
    return float(np.mean([len(set(one) & set(other)) / 10 for one, other in zip(found, truth)]))


def main(folder: Path) -> None:
    lines = (DATA / "packages.jsonl").read_text(encoding="utf-8").splitlines()
    documents = [json.loads(line) for line in lines]
    rows, queries = np.load(DATA / "packages.f16.npy"), np.load(DATA / "queries.f16.npy")
    order = np.argsort([document["section"] for document in documents], kind="stable")
    parts = [np.arange(800), order[order >= 800][:800], order[order >= 800][800:]]

    schema = lucerne.Schema(key="name", section="keyword", embedding=lucerne.Vector(384))
    index = lucerne.create(folder / "packages.idx", schema)
    with index.writer(threads=1, seed=1, merge_policy="none") as writer:
        for part in parts:
            given = [{name: documents[row][name] for name in ("name", "section")} for row in part]
            writer.add_batch(given, vectors={"embedding": rows[part]})
            writer.commit()
        for row in parts[0][:100]:
            writer.delete(documents[row]["name"])
    print(f"{index.searcher().segment_count} segments, recall@10 {recall(index, queries):.3f}")

    with index.writer(threads=1, seed=1, merge_policy="none") as writer:
        (plan,) = writer.plan_force_merge(1)
        print("the plan:")
        for source in plan["fields"]["embedding"]["sources"]:
            drift = f"quantiles moved by {source['drift']:.1%} of their range"
            print(f"  {source['segment']}: {source['live']} live, {source['deleted']} deleted, {drift}: {source['outcome']}")
        phases: dict[str, int] = {}
        (report,) = writer.force_merge(1, progress=lambda phase, done, total: phases.update({phase: total}))
    print("the merge went through:", ", ".join(sorted(phases)))
    print(f"merged {report['docs']} documents of {len(report['sources'])} segments")
    print(f"{index.searcher().segment_count} segment, recall@10 {recall(index, queries):.3f}")
    print(f"check finds nothing: {lucerne.check(index.path)['ok']}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
