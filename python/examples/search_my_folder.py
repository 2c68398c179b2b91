"""Search my folder: text files, cut into passages, found by words and by meaning.

    pip install 'lucerne[examples]'
    python search_my_folder.py [FOLDER [QUESTION …]]

Without arguments it searches Lucerne's own guides. Embeddings are those of WordLlama (256 dimensions, MIT), whose package
ships its weights: nothing is downloaded. Files are read again only when they have changed, so that running it once more on
a folder takes a moment; the index is in FOLDER/.lucerne.
"""

import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import lucerne

GUIDES = Path(__file__).resolve().parents[2] / "docs"
QUESTIONS = [
    "how is a backup of an index made while others write to it",
    "do commits survive when the power fails",
    "one index for each of many customers",
    "hybrid search: fuse words and vectors",
]
SUFFIXES = {".md", ".rst", ".txt"}
LONGEST = 1_200
"""Characters of a passage."""


class Embedder:
    """Means of token vectors, of length 1."""

    dimension = 256

    def __init__(self) -> None:
        found = find_spec("wordllama")
        if found is None or found.origin is None:
            raise SystemExit("this example needs embeddings: pip install 'lucerne[examples]'")
        package = Path(found.origin).parent
        self._vectors = load_file(package / "weights" / "l2_supercat_256.safetensors")["embedding.weight"].astype("f4")
        self._tokenizer = Tokenizer.from_file(str(package / "tokenizers" / "l2_supercat_tokenizer_config.json"))

    def __call__(self, texts: list[str]) -> np.ndarray:
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, encoded in zip(rows, self._tokenizer.encode_batch(texts, add_special_tokens=False)):
            if encoded.ids:
                row[:] = self._vectors[encoded.ids].mean(axis=0)
        lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return np.asarray(rows / lengths, dtype=np.float32)


def passages(text: str) -> Iterator[tuple[int, str, str]]:
    """Line number, heading and text of each passage: paragraphs of a section together, as far as they fit."""
    heading, begun, lines, is_code = "", 1, list[str](), False
    for number, line in enumerate([*text.splitlines(), "# "], start=1):
        is_code ^= line.startswith("```")
        is_heading = not is_code and line.startswith("#") and line.lstrip("#").startswith(" ")
        is_full = sum(map(len, lines)) + len(line) > LONGEST and not line.strip()
        if is_heading or is_full:
            if any(line.strip() for line in lines):
                yield begun, heading, "\n".join(lines).strip()
            begun, lines = number, []
        if is_heading:
            heading = line.lstrip("#").strip()
        else:
            lines.append(line)


def update(index: lucerne.Index, folder: Path, embed: Embedder) -> tuple[int, int]:
    """Reads the files that have changed, and forgets those that are gone. Returns numbers of both."""
    files = {
        str(path.relative_to(folder)): path
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES and path.is_file() and ".lucerne" not in path.parts
    }
    changed = gone = 0
    stamps = {passage["file"]: passage["changed"] for passage in index.scan(fields=["file", "changed"])}
    with index.writer() as writer:
        for name in stamps.keys() - files.keys():
            gone += 1
            writer.delete_by_query(lucerne.Term("file", name))
        for name, path in files.items():
            stamp = path.stat().st_mtime_ns
            if stamps.get(name) == stamp:
                continue
            changed += 1
            writer.delete_by_query(lucerne.Term("file", name))
            found = list(passages(path.read_text(encoding="utf-8", errors="replace")))
            documents = [
                {"id": f"{name}:{line}", "file": name, "line": line, "heading": heading, "body": body, "changed": stamp}
                for line, heading, body in found
            ]
            vectors = embed([f"{heading}\n{body}" for _, heading, body in found])
            writer.upsert_batch(documents, vectors={"embedding": vectors})
    return changed, gone


def search(index: lucerne.Index, question: str, embed: Embedder) -> lucerne.Hits:
    """The best passages by words and by meaning together."""
    words = lucerne.Bool(
        should=[lucerne.Match("body", question), lucerne.Boost(lucerne.Match("heading", question), 2.0)]
    )
    meaning = lucerne.Knn("embedding", embed([question])[0])
    shown = lucerne.Highlight("body", fragments=1, size=100, tags=("[", "]"))
    return index.search(lucerne.Fuse(words, meaning), limit=3, fields=["file", "line", "heading"], highlight=shown)


def main(folder: Path, questions: list[str], index_folder: Path) -> None:
    embed = Embedder()
    schema = lucerne.Schema(
        file="keyword",
        line="i64",
        changed="i64",
        heading=lucerne.Text(stemmer="english", stop_words="english"),
        body=lucerne.Text(stemmer="english", stop_words="english"),
        embedding=lucerne.Vector(Embedder.dimension),
    )
    try:
        index = lucerne.open(index_folder)
    except lucerne.NotFoundError:
        index = lucerne.create(index_folder, schema)
    changed, gone = update(index, folder, embed)
    print(f"{changed} files read, {gone} gone, {len(index)} passages")
    for question in questions:
        print(f"\n{question}?")
        for hit in search(index, question, embed):
            print(f"  {hit['file']}:{hit['line']}  {hit['heading']}")
            for text in hit.highlights.get("body", []):
                print("      …", " ".join(text.split()))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]), sys.argv[2:] or QUESTIONS, Path(sys.argv[1]) / ".lucerne")
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(GUIDES, QUESTIONS, Path(temporary) / "guides.idx")
