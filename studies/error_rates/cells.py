"""Cells and rows of the page of error rates."""

from __future__ import annotations

from collections.abc import Iterator


def row(*cells: str) -> Iterator[str]:
    """Yield one row of a table."""
    yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def name(text: str) -> str:
    """Write an identifier as words."""
    return text.replace("_", " ")


def number(value: float | None) -> str:
    """Write a figure, a dash where there is none."""
    return "–" if value is None else f"{value:.3f}"
