"""Text from a case as HTML."""

from __future__ import annotations

from markupsafe import Markup, escape

from forensics.report.sanitise import visible_parts


def shown(text: str) -> Markup:
    """Return text as HTML, with hidden characters as marked escapes."""
    parts = [
        Markup('<span class="esc">{}</span>').format(part) if hidden else escape(part)
        for part, hidden in visible_parts(text)
    ]
    return Markup().join(parts)


def html_bytes(text: str) -> int:
    """Return how many bytes `text` takes in a page."""
    return len(shown(text).encode("utf-8"))
