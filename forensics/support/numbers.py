"""Numbers as reports print them."""

from __future__ import annotations

import math

DASH = "–"


def number(value: float | None, digits: int = 3) -> str:
    """Return a score as text: `digits` decimals below 10, fewer above, never `-0.000`."""
    if value is None:
        return DASH
    size = abs(value)
    decimals = digits if size < 10 else max(digits - int(math.log10(size)), 0)
    if size >= 1e6:
        return f"{value:.3g}"
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, as people write it: `1 pair`, `2,551 pairs`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def percent(share: float, decimals: int = 0) -> str:
    """Return a share as per cent, as the style sheet has it: `47 %`, `0.6 %`, never `-0 %`."""
    text = f"{100 * share:.{decimals}f}"
    return f"{text.lstrip('-') if float(text) == 0 else text} %"
