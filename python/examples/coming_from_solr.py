"""Coming from Solr: a dense vector field, its queries, and what they find.

The field is `vectorDimension="4" similarityFunction="cosine" hnswMaxConnections="10" hnswBeamWidth="40"`.
Run it from any folder, without arguments: `python coming_from_solr.py`.
"""

import tempfile
from pathlib import Path

import lucerne

QUERY = [1.0, 2.0, 3.0, 4.0]
KNN = "{!knn f=vector topK=10}[1.0, 2.0, 3.0, 4.0]"
DOCUMENTS = [
    {"id": "1", "vector": [1.0, 2.5, 3.7, 4.1]},
    {"id": "2", "vector": [1.5, 5.5, 6.7, 65.1]},
]
# More of them, so that filters and reranking have something to choose from.
MORE = {
    "3": [3.0, 1.0, 0.0, 1.0],
    "4": [1.0, 2.0, 3.0, 2.0],
    "5": [4.0, 0.0, 0.0, 1.0],
    "6": [1.0, 0.0, 0.0, 0.0],
    "7": [2.0, -1.0, 0.0, 0.0],
    "8": [-1.0, 0.0, 0.0, 0.0],
    "9": [5.0, 1.0, 0.0, 0.0],
    "10": [4.0, 3.0, 2.0, 1.0],
}


def show(title: str, hits: lucerne.Hits) -> None:
    print(title)
    for hit in hits:
        print(f"  {hit.key:>2}  {hit.score:.6f}")
    print()


def main(folder: Path) -> None:
    # Solr keeps the vectors as they are: no codes, so that every distance is exact.
    vector = lucerne.Vector(4, similarity="cosine", quantization="none", m=10, beam_width=40)
    index = lucerne.create(folder / "solr.idx", lucerne.Schema(vector=vector))
    with index.writer() as writer:
        writer.add_batch(DOCUMENTS)
    show(f"q={KNN}", index.search(KNN))

    with index.writer() as writer:
        writer.add_batch({"id": key, "vector": vector} for key, vector in MORE.items())
    show(f"q={KNN}, fq=id:(1 2 3)", index.search(KNN, filter="id:(1 2 3)"))
    show(f"q=id:(1 2 3), fq={KNN}", index.search("id:(1 2 3)", filter=KNN))

    # The nearest four are 1, 4, 2, 10. A filter is applied before the search, or after it.
    among = lucerne.Terms("id", ["3", "2", "9", "4"])
    before = lucerne.Knn("vector", QUERY, k=4, filter=among)
    show("topK=4 among id:(3 2 9 4), filtered before", index.search(before))
    after = lucerne.Knn("vector", QUERY, k=4, filter=among, post_filter=True)
    show("topK=4, of these id:(3 2 9 4), filtered after", index.search(after))

    # Final score: that of the first pass, and the weight times the similarity.
    rerank = lucerne.Rerank.vector("vector", QUERY, window=4, weight=1.0)
    title = "q=id:(3 4 9 2) reranked by the vector, window 4, weight 1"
    show(title, index.search("id:(3 4 9 2)", rerank=rerank))
    title = "the same as Solr does it with topK=4: nothing for documents that are not among the 4 nearest"
    solr = lucerne.Rerank.vector("vector", QUERY, window=4, weight=1.0, compat_topk=4)
    show(title, index.search("id:(3 4 9 2)", rerank=solr))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
