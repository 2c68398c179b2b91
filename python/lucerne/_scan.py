"""Reading all documents of a query, however many there are."""

from __future__ import annotations

from collections.abc import Iterator

from ._lucerne import All, Hit, Index, Query, Range

_PAGE = 1_000


def scan(index: Index | None, query: Query, fields: list[str], by: str = "id") -> Iterator[Hit]:
    """The documents of a query by ascending values of a field that every document has, each with another value (the key,
    or one that is stored), in pages of one snapshot."""
    if index is None:
        return
    searcher = index.searcher()
    rest: Query = All()
    wanted = fields if by == "id" else [*fields, by]
    while True:
        page = searcher.search(rest, filter=query, sort=by, limit=_PAGE, fields=wanted)
        yield from page
        if len(page) < _PAGE:
            return
        rest = Range(by, gt=page[-1].key if by == "id" else page[-1][by])
