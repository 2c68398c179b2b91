"""Data sets as files of ann-benchmarks: `train`, `test`, `neighbors` and `distances`, with the attribute `distance`.

    python datasets.py random-xs-20-angular OUT.hdf5
    python datasets.py random-s-100-euclidean OUT.hdf5
    python datasets.py BASE.npy QUERIES.npy angular|euclidean OUT.hdf5

The random ones are generated as ann-benchmarks does (blobs of scikit-learn, a tenth of them for queries), so that they
need no download.
"""

import sys

import h5py
import numpy as np

NEIGHBORS = 100
RANDOM = {
    "random-xs-20-angular": (20, 10_000, 100),
    "random-s-100-euclidean": (100, 100_000, 1_000),
}


def generate(name: str) -> tuple[np.ndarray, np.ndarray, str]:
    from sklearn.datasets import make_blobs
    from sklearn.model_selection import train_test_split

    dimension, count, centers = RANDOM[name]
    rows, _ = make_blobs(n_samples=count, n_features=dimension, centers=centers, random_state=1)
    train, test = train_test_split(rows, test_size=0.1, random_state=1)
    return train.astype("f4"), test.astype("f4"), name.rsplit("-", 1)[1]


def distances(train: np.ndarray, queries: np.ndarray, distance: str) -> np.ndarray:
    """Of every query (row) to every vector (column)."""
    if distance == "angular":
        unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, train)]
        return 1 - unit[0] @ unit[1].T
    squares = (queries**2).sum(1)[:, None] + (train**2).sum(1) - 2 * queries @ train.T
    return np.sqrt(np.maximum(squares, 0))


def write(path: str, train: np.ndarray, test: np.ndarray, distance: str) -> None:
    neighbors, nearest = [], []
    for begin in range(0, len(test), 100):
        block = distances(train.astype("f8"), test[begin : begin + 100].astype("f8"), distance)
        order = np.argsort(block, axis=1, kind="stable")[:, :NEIGHBORS]
        neighbors.append(order)
        nearest.append(np.take_along_axis(block, order, axis=1))
    with h5py.File(path, "w") as file:
        file.attrs["type"], file.attrs["distance"] = "dense", distance
        file.attrs["dimension"], file.attrs["point_type"] = train.shape[1], "float"
        file["train"], file["test"] = train, test
        file["neighbors"] = np.concatenate(neighbors).astype("i4")
        file["distances"] = np.concatenate(nearest).astype("f4")
    print(f"{path}: {len(train):,} vectors, {len(test):,} queries, {distance}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case [name, out] if name in RANDOM:
            write(out, *generate(name))
        case [base, queries, ("angular" | "euclidean") as distance, out]:
            write(out, np.load(base).astype("f4"), np.load(queries).astype("f4"), distance)
        case _:
            sys.exit(__doc__)
