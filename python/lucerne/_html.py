"""Tables for notebooks. Everything that comes from documents is escaped."""

from __future__ import annotations

from html import escape
from typing import Any

_MOST_ROWS = 50
_MOST_CHARACTERS = 120


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"<i>array of {' × '.join(str(size) for size in shape)}</i>"
    text = str(value)
    return escape(text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "…")


def table(rows: list[dict[str, Any]]) -> str:
    """Dicts as a table, a column for each name."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(row.get(name))}</td>" for name in names) + "</tr>" for row in rows[:_MOST_ROWS]
    )
    more = f"<p>… {len(rows) - _MOST_ROWS} more</p>" if len(rows) > _MOST_ROWS else ""
    return f"<table><tr>{head}</tr>{body}</table>{more}"


def index(report: dict[str, Any]) -> str:
    """The report of `inspect` as a table of segments."""
    segments = [
        {
            "segment": segment.get("name", segment.get("segment")),
            "documents": segment.get("docs"),
            "deleted": segment.get("deleted"),
            "bytes": sum(file.get("bytes", 0) for file in segment.get("files", [])),
        }
        for segment in report.get("segments", [])
    ]
    head = f"<p>{report.get('docs', 0):,} documents, generation {report.get('generation')}</p>"
    return head + table(segments)
