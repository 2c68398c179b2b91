"""Sparse vectors, and late interaction."""

import lucerne
import numpy as np
import pytest


def sparse_index(tmp_path):
    schema = lucerne.Schema(key="id", t="text", s=lucerne.SparseVector())
    index = lucerne.create(tmp_path / "sparse.idx", schema)
    with index.writer() as writer:
        writer.add({"id": "a", "t": "ant", "s": {12: 0.5, 900: 2.0}})
        writer.add({"id": "b", "t": "bee", "s": {"indices": np.array([12, 7]), "values": np.array([1.0, 3.0])}})
        writer.add({"id": "c", "t": "ant bee", "s": ([7], [0.25])})
        writer.add({"id": "d", "t": "cow", "s": {}})
        writer.add({"id": "e", "t": "cow"})
    return index


def test_sparse_vectors_are_found_by_inner_product(tmp_path):
    index = sparse_index(tmp_path)
    for vector in ({12: 1.0, 7: 2.0}, {"12": 1.0, "7": 2}, ([7, 12], [2.0, 1.0])):
        hits = index.search(lucerne.Sparse("s", vector))
        assert hits.keys == ["b", "a", "c"] and [hit.score for hit in hits] == [7.0, 0.5, 0.5]
    query = lucerne.Sparse("s", {12: 1.0})
    assert lucerne.Query.from_json(query.to_json()) == query
    both = lucerne.Fuse(query, lucerne.Match("t", "ant"))
    assert index.search(both).keys[0] == "a"
    assert index.search(query, fields=["s"])[0]["s"] == {"12": 1.0, "7": 3.0}
    assert index.count(query) == 2


def test_rows_of_scipy_and_objects_are_taken(tmp_path):
    scipy = pytest.importorskip("scipy.sparse")
    index = sparse_index(tmp_path)
    matrix = scipy.csr_matrix(np.array([[0, 2.5, 0, 1], [0, 0, 0, 4]], dtype=np.float32))
    with index.writer() as writer:
        for number in range(2):
            writer.add({"id": f"r{number}", "s": matrix[number]})
    assert index.search(lucerne.Sparse("s", matrix[1])).keys == ["r1", "r0"]
    with pytest.raises(lucerne.UsageError, match="2 rows"):
        lucerne.Sparse("s", matrix)


def test_what_is_no_sparse_vector_is_refused(tmp_path):
    index = sparse_index(tmp_path)
    for vector in ("x", 1, {"a": 1.0}, {1: "x"}, {-1: 1.0}, ([1], [1, 2]), ([1.5], [1])):
        with pytest.raises((lucerne.UsageError, lucerne.LucerneError)):
            index.search(lucerne.Sparse("s", vector))
        with index.writer() as writer, pytest.raises(lucerne.LucerneError):
            writer.add({"id": "x", "s": vector})
    with pytest.raises(lucerne.UsageError, match="NaN"):
        index.search(lucerne.Sparse("s", {1: float("nan")}))
    with pytest.raises(lucerne.UsageError, match="at least 0"):
        index.search(lucerne.Sparse("s", {1: -1.0}))


def test_max_sim_is_the_sum_of_the_greatest_similarities(tmp_path):
    rng = np.random.default_rng(3)
    schema = lucerne.Schema(key="id", t="text", tokens=lucerne.Vector(16, multiple=True))
    index = lucerne.create(tmp_path / "late.idx", schema)
    documents = {f"{number:02}": rng.normal(size=(1 + number % 7, 16)).astype(np.float32) for number in range(60)}
    with index.writer() as writer:
        for key, tokens in documents.items():
            writer.add({"id": key, "t": "ant", "tokens": tokens})
    query = rng.normal(size=(5, 16)).astype(np.float32)
    rerank = lucerne.Rerank.max_sim("tokens", query, window=100, replace=True)
    hits = index.search(lucerne.Match("t", "ant"), rerank=rerank, limit=60)

    def unit(rows):
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    expected = {key: (unit(query) @ unit(tokens).T).max(axis=1).sum() for key, tokens in documents.items()}
    assert hits.keys == sorted(expected, key=lambda key: -expected[key])
    assert np.allclose([hit.score for hit in hits], [expected[hit.key] for hit in hits], atol=1e-5)
