"""Months as options give them."""

from __future__ import annotations

from forensics.errors import UsageError


def check_month(released: str | None, option: str) -> str:
    """Return a release month as given, or an empty text.

    Raises:
        UsageError: not `YYYY-MM`.
    """
    if not released:
        return ""
    year, _, number = released.partition("-")
    if len(year) == 4 and year.isdigit() and number.isdigit() and 1 <= int(number) <= 12:
        return f"{year}-{int(number):02d}"
    raise UsageError(f"{option} {released!r} is no month; write it as 2025-03")
