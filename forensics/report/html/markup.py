"""Text from a case as HTML."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from forensics.support.sanitise import visible_parts

_NUMBER = re.compile(r"(\d+(?:\.\d+)?e-\d+|\b[ep]-values?\b)")


def shown(text: str) -> Markup:
    """Return text as HTML: hidden characters as marked escapes, `1e-300` never on two lines."""
    parts = [
        Markup('<span class="esc">{}</span>').format(part) if hidden else _unbroken(part)
        for part, hidden in visible_parts(text)
    ]
    return Markup().join(parts)


def _unbroken(text: str) -> Markup:
    numbers = Markup('<span class="number">{}</span>')
    pieces = enumerate(_NUMBER.split(text))
    return Markup().join(numbers.format(piece) if at % 2 else escape(piece) for at, piece in pieces)


def html_bytes(text: str) -> int:
    """Return how many bytes `text` takes in a page."""
    return len(shown(text).encode("utf-8"))
