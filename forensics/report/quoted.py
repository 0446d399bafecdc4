"""Which parts of an answer are quotations: what two models quote is somebody else's wording."""

from __future__ import annotations

import re

from forensics.support.sanitise import Span

# Quotation marks in pairs, within one paragraph, and lines that Markdown sets as a quotation.
_QUOTED = re.compile(
    r"“[^“”\n]*”|«[^«»\n]*»|„[^„“”\n]*[“”]|「[^「」\n]*」|『[^『』\n]*』"
    r'|(?<!\w)"[^"\n]*"(?!\w)'
    r"|^[ \t]*>[^\n]*$",
    re.MULTILINE,
)


def quotations(text: str) -> list[Span]:
    """Return the quotations of a text as `[start, end)`, in order."""
    return [match.span() for match in _QUOTED.finditer(text)]


def own_chars(text: str, span: Span) -> int:
    """Return how many characters of a passage stand outside quotations."""
    start, end = span
    inside = (min(end, stop) - max(start, begin) for begin, stop in quotations(text))
    return end - start - sum(size for size in inside if size > 0)
