"""Every method of the stub is used by a test, and the asynchronous classes have the same calls."""

import ast
from pathlib import Path

import pytest

import lucerne
from lucerne import aio

HERE = Path(__file__).resolve().parent
STUB = ast.parse((HERE.parent / "lucerne" / "_lucerne.pyi").read_text(encoding="utf-8"))

# What syntax calls instead of a name.
SYNTAX = {
    "__new__": None,
    "__eq__": "==",
    "__and__": "&",
    "__or__": "|",
    "__rand__": "&",
    "__ror__": "|",
    "__invert__": "~",
    "__len__": "len(",
    "__contains__": " in ",
    "__getitem__": "[",
    "__iter__": "for ",
    "__next__": "next(",
    "__enter__": "with ",
    "__exit__": "with ",
    "__reduce__": "pickle.dumps",
    "__arrow_c_stream__": "pl.DataFrame",
}


def _members() -> list[tuple[str, str]]:
    """Functions, classes with a constructor, and methods of the stub."""
    members = [("", node.name) for node in STUB.body if isinstance(node, ast.FunctionDef)]
    for node in STUB.body:
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    members.append((node.name, method.name))
    return list(dict.fromkeys(members))


def _used() -> tuple[set[str], str]:
    """Names and attributes in the tests of the package itself, and their text."""
    names, texts = set(), []
    for file in HERE.glob("test_*.py"):
        if file.stem in {"test_surface", "test_ray", "test_ray_serve", "test_spark", "test_langchain", "test_haystack", "test_llama_index"}:
            continue
        texts.append(file.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(texts[-1])):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.Name):
                names.add(node.id)
    return names, "\n".join(texts)


@pytest.mark.parametrize(("owner", "name"), _members(), ids=lambda name: name or "lucerne")
def test_a_test_uses(owner: str, name: str) -> None:
    names, text = _used()
    if name in SYNTAX:
        syntax = SYNTAX[name]
        assert syntax in text if syntax else owner in names
    else:
        assert name in names


@pytest.mark.parametrize("name", ["Index", "Searcher", "Writer"])
def test_the_asynchronous_class_awaits_every_call_that_may_take_long(name: str) -> None:
    at_once = {
        "Index": {"path", "schema", "stats", "to_arrow"},
        "Searcher": {"generation", "segment_count", "to_arrow"},
        "Writer": {"generation"},
    }
    methods = {method for owner, method in _members() if owner == name and not method.startswith("_")}
    threaded = getattr(aio, name)
    awaited = threaded._calls | {method for method in vars(threaded) if not method.startswith("_")}
    assert methods - at_once[name] == awaited & methods
    assert all(hasattr(getattr(lucerne, name), call) for call in threaded._calls)
