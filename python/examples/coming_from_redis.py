"""Coming from Redis: JSON documents of bikes, whose embeddings are added later, and the three nearest bikes of each of
eleven queries, as a Markdown table.

Run it from any folder, without arguments: `python coming_from_redis.py`. The embeddings are hashed words, so that the
example needs neither a model nor a network: call your model in `embed`.
"""

import json
import re
import tempfile
from pathlib import Path

import numpy as np

import lucerne

BIKES = Path(__file__).resolve().parents[2] / "examples" / "data" / "bikes.jsonl"
DIMENSION = 768
QUERY = "(*)=>[KNN 3 @vector $query_vector AS vector_score]"
QUERIES = [
    "Bike for small kids",
    "Best mountain bikes for kids",
    "Cheap mountain bike for kids",
    "Mountain bike for women",
    "Road bike for beginners",
    "Commuter bike for people over 60",
    "Comfortable commuter bike",
    "Good bike for college students",
    "Mountain bike for beginners",
    "Vintage bike",
    "Comfortable city bike",
]
LONGEST = 500
"""Longest description shown in full, in characters."""

STOP_WORDS = set(
    "a an and are as at be bike bikes but by for from in is it of on or that the this to with".split()
)


def embed(text: str) -> np.ndarray:
    """A unit vector: each word is hashed to a component and a sign, by its first five letters."""
    vector = np.zeros(DIMENSION, dtype=np.float32)
    for word in re.findall(r"[^\W_]+", text.lower()):
        if word not in STOP_WORDS:
            hashed = 0xCBF29CE484222325  # FNV-1a
            for character in word[:5]:
                hashed = ((hashed ^ ord(character)) * 0x100000001B3) % 2**64
            vector[hashed % DIMENSION] += 1 if hashed >> 63 == 0 else -1
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length > 0 else vector, dtype=np.float32)


def create(folder: Path) -> lucerne.Index:
    """An index of the bikes: the documents first, their embeddings later."""
    schema = lucerne.Schema(  # The keys are bikes:001, bikes:002, …
        model=lucerne.Text(weight=1.0, path="$.model"),
        brand=lucerne.Text(weight=1.0, path="$.brand"),
        price=lucerne.Field("f64", path="$.price"),
        type=lucerne.Keyword(separator=",", path="$.type"),
        description=lucerne.Text(weight=1.0, path="$.description"),
        vector=lucerne.Vector(DIMENSION, index="flat", quantization="none", path="$.description_embeddings"),
    )
    index = lucerne.create(folder, schema)
    bikes = [json.loads(line) for line in BIKES.read_text(encoding="utf-8").splitlines()]
    with index.writer() as writer:
        writer.add_batch(bikes)
    with index.writer() as writer:
        for bike in bikes:
            writer.update(bike["id"], {"description_embeddings": embed(bike["description"])})
    return index


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def main(folder: Path) -> None:
    searcher = create(folder / "bikes.idx").searcher()
    print("| query | score | id | description |")
    print("| :--- | ---: | :--- | :--- |")
    for query in QUERIES:
        params = {"query_vector": embed(query).astype("<f4").tobytes()}
        hits = searcher.search(QUERY, params=params, fields=["id", "description"])
        for place, hit in enumerate(hits):
            score = f"{round(1 - hit['vector_score'], 2) + 0.0:g}"
            first = query if place == 0 else ""
            print(f"| {first} | {score} | {hit['id']} | {shortened(hit['description'])} |")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
