"""Months as options give them."""

from __future__ import annotations

import re

from forensics.errors import UsageError

_MONTH = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})")


def check_month(released: str | None, option: str) -> str:
    """Return a release month as given, or an empty text.

    Raises:
        UsageError: not `YYYY-MM`.
    """
    if not released:
        return ""
    match = _MONTH.fullmatch(released)
    if match and 1 <= int(match["month"]) <= 12:
        return f"{match['year']}-{int(match['month']):02d}"
    raise UsageError(f"{option} {released!r} is not a month; write it as 2025-03")


def is_month(value: object) -> bool:
    """Tell whether a recorded value is a month as `check_month` returns it."""
    match = _MONTH.fullmatch(value) if isinstance(value, str) else None
    return match is not None and len(match["month"]) == 2 and 1 <= int(match["month"]) <= 12
