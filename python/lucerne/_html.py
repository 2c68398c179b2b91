"""Tables for notebooks. Everything that comes from documents is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import lucerne

_MOST_ROWS = 50
_MOST_CHARACTERS = 120


class _Html(str):
    """Text that is HTML already."""


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, _Html):
        return value
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


def schema(json: dict[str, Any]) -> str:
    """The key and the fields of a schema as a table."""
    key = json.get("key")
    named = key if isinstance(key, dict) else {"name": "assigned" if key is None else key}
    options = {name: value for name, value in named.items() if name != "name"}
    rows = [{"field": named.get("name"), "type": "key", "options": _options(options)}]
    for field in json.get("fields", []):
        options = {name: value for name, value in field.items() if name not in ("name", "type")}
        rows.append({"field": field.get("name"), "type": field.get("type"), "options": _options(options)})
    return table(rows)


def _options(options: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items())


def hits(found: lucerne.Hits) -> str:
    """Hits as a table with what was found marked, and the values of their facets."""
    rows = found.to_dicts()
    for hit, row in zip(found, rows):
        # The tags that highlighting has by default; all else of the text stays text.
        marked = "<br>".join(escape(text) for texts in hit.highlights.values() for text in texts)
        if marked:
            row["highlights"] = _Html(marked.replace("&lt;b&gt;", "<b>").replace("&lt;/b&gt;", "</b>"))
    more = "" if found.total_is_exact else "at least "
    facets = "".join(
        table([{field: value, "documents": count} for value, count in values]) for field, values in found.facets.items()
    )
    return f"<p>{len(found)} of {more}{found.total:,} documents</p>{table(rows)}{facets}"
