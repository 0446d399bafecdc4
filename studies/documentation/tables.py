"""Markdown of reference pages: tables, and text of the program shown as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

_MARKS = "\\<>[]*_{}#"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table; cells are Markdown, each becomes one line."""
    lines = [_row(head), _row(["---"] * len(head))]
    return [*lines, *(_row(row) for row in rows), ""]


def code(text: str) -> str:
    """Return `text` as code in a cell; an empty one stays empty."""
    return f"`{text}`" if text else ""


def plain(text: str) -> str:
    """Return text of the program as Markdown that shows it as it is, code in backticks included."""
    return _outside_code(text, _escaped)


def _escaped(text: str) -> str:
    for mark in _MARKS:
        text = text.replace(mark, f"\\{mark}")
    return text


def _row(cells: Sequence[str]) -> str:
    # Python-Markdown takes a bar in code for text, and shows a backslash before it.
    shown = (
        _outside_code(" ".join(cell.split()), lambda text: text.replace("|", "\\|"))
        for cell in cells
    )
    return f"| {' | '.join(shown)} |"


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    parts = text.split("`")
    return "`".join(part if place % 2 else change(part) for place, part in enumerate(parts))
