"""What calls report, as plain lists and dicts that notebooks can show."""

from __future__ import annotations

from typing import Any

from . import _lucerne


class MergeReport(list[dict[str, Any]]):
    """Plans or records of merges, a dict for each: sources, documents, bytes, and for each field what becomes of codes.

    In a notebook it is a picture: the sources as wide as they have vectors, in the colors of what becomes of their codes.

    >>> MergeReport()._repr_html_()
    '<p>There was nothing to merge.</p>'
    """

    def _repr_html_(self) -> str:
        return _lucerne._merge_report_html(list(self))
