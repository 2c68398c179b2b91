"""Schemas: what an index holds. They have the JSON form of the engine (`Schema.to_json`)."""

from __future__ import annotations

import json
import os
from typing import Any, Mapping, Union

from . import _html


class Field:
    """A field of a type (`text`, `keyword`, `i64`, `f64`, `bool`, `date`, `sparse_vector`, `vector`,
    `binary_vector`) with the options of
    its JSON form, such as `indexed`, `stored`, `path`.

    >>> Field("keyword", stored=False).to_json("section")
    {'name': 'section', 'type': 'keyword', 'stored': False}
    """

    def __init__(self, type: str, **options: Any) -> None:
        self.type = type
        self.options = {name: value for name, value in options.items() if value is not None}

    def to_json(self, name: str) -> dict[str, Any]:
        return {"name": name, "type": self.type, **self.options}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Field) and (self.type, self.options) == (other.type, other.options)

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"Field({self.type!r}{options})"


class Text(Field):
    """Text, split into words. Options: `weight`, `k1`, `b`, `synonyms`, and those of the analysis, such as `stemmer`."""

    def __init__(self, **options: Any) -> None:
        super().__init__("text", **options)


class Keyword(Field):
    """A string taken whole, or a list of them. Options: `separator`."""

    def __init__(self, **options: Any) -> None:
        super().__init__("keyword", **options)


class SparseVector(Field):
    """Weights above zero of some of very many dimensions, such as SPLADE's: found by `lucerne.Sparse`."""

    def __init__(self, **options: Any) -> None:
        super().__init__("sparse_vector", **options)


class Vector(Field):
    """Vectors of `dimension` components, 1 to 4,096.

    `similarity`: cosine, euclidean, dot_product (of unit vectors) or max_inner_product. `index`: hnsw or flat.
    `quantization`: int8 or none. `recall`: what searches ask for unless they say otherwise, 0.95. `multiple`: several
    vectors in one document. `datatype`: float32, or float16 for half the bytes of the vectors as they are kept (components
    are rounded when they are added). Further options are parameters of the format: `m`, `beam_width`, ….
    """

    def __init__(
        self,
        dimension: int,
        *,
        similarity: str = "cosine",
        index: str | None = None,
        quantization: str | None = None,
        recall: float | None = None,
        multiple: bool | None = None,
        datatype: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            "vector",
            dimension=dimension,
            similarity=similarity,
            index=index,
            quantization=quantization,
            recall=recall,
            multiple=multiple,
            datatype=datatype,
            **options,
        )


class BinaryVector(Field):
    """Vectors of `dimension` bits, a multiple of 8 from 8 to 65,536. `similarity`: hamming or jaccard."""

    def __init__(self, dimension: int, *, similarity: str = "hamming", **options: Any) -> None:
        super().__init__("binary_vector", dimension=dimension, similarity=similarity, **options)


FieldLike = Union[str, Field, Mapping[str, Any]]


class Schema:
    """The key and fields of an index. Fields are keywords, or a dict where a name is no keyword.

    >>> Schema(key="id", title="text", year="i64", embedding=Vector(3)).to_json()["fields"][1]
    {'name': 'year', 'type': 'i64'}

    `key`: the name of the key field, or its JSON form with options such as `{"name": "pk", "auto": True, "max_length": 100}`;
    None for keys that the engine numbers. `dynamic`: take fields that are not
    declared.
    """

    def __init__(
        self,
        fields: Mapping[str, FieldLike] | None = None,
        *,
        key: str | Mapping[str, Any] | None = "id",
        dynamic: bool = False,
        **named: FieldLike,
    ) -> None:
        declared = [_field(name, field) for name, field in {**(fields or {}), **named}.items()]
        self._json: dict[str, Any] = {"dynamic": dynamic, "fields": declared}
        if key is not None:
            self._json = {"key": key if isinstance(key, str) else dict(key), **self._json}

    @classmethod
    def from_json(cls, schema: Mapping[str, Any] | str) -> Schema:
        """Reads the JSON form, a dict or text."""
        made = cls()
        made._json = dict(json.loads(schema)) if isinstance(schema, str) else dict(schema)
        return made

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Schema:
        """Reads the JSON form from a file, as `lucerne create --schema` does."""
        with open(path, encoding="utf-8") as file:
            return cls.from_json(file.read())

    def to_json(self) -> dict[str, Any]:
        """The JSON form, as a dict."""
        return json.loads(json.dumps(self._json))  # type: ignore[no-any-return]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self._json == other._json

    def __repr__(self) -> str:
        fields = ", ".join(f"{field.get('name')}: {field.get('type')}" for field in self._json.get("fields", []))
        return f"Schema(key={self._json.get('key')!r}, {fields})"

    def _repr_html_(self) -> str:
        return _html.schema(self._json)


def _field(name: str, field: FieldLike) -> dict[str, Any]:
    if isinstance(field, str):
        return {"name": name, "type": field}
    if isinstance(field, Field):
        return field.to_json(name)
    return {"name": name, **field}
