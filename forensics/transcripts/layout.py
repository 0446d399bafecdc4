"""Layout habits of an answer: lists, headings, bold, tables, fences, blank lines, emoji."""

from __future__ import annotations

import re

import numpy as np
import regex
from numpy.typing import NDArray

# Each pattern is counted per answer; `(?m)` patterns match whole lines. Indents are `[^\S\n]*`:
# with `\s*` a run of blank lines would be read again from each of its lines.
PATTERNS = {
    "heading #": r"(?m)^#{1,6}\s",
    "heading by bold line": r"(?m)^\*\*[^*\n]{1,120}\*\*:?\s*$",
    "bold": r"\*\*[^*\n]{1,200}\*\*",
    "italic": r"(?<![*\w])\*[^*\s][^*\n]{0,200}\*(?![*\w])",
    "bullet -": r"(?m)^[^\S\n]*-\s",
    "bullet *": r"(?m)^[^\S\n]*\*\s",
    "bullet •": r"(?m)^[^\S\n]*[•‣◦]\s?",
    "numbered 1.": r"(?m)^[^\S\n]*\d{1,3}\.\s",
    "numbered 1)": r"(?m)^[^\S\n]*\d{1,3}\)\s",
    "nested list": r"(?m)^(?: {2,}|\t)(?:[-*•]|\d{1,3}[.)])\s",
    "bold list label": r"(?m)^[^\S\n]*(?:[-*•]|\d{1,3}[.)])\s+\*\*",
    "colon list label": r"(?m)^[^\S\n]*(?:[-*•]|\d{1,3}[.)])\s+[^\n:]{1,60}:",
    "code fence": r"(?m)^[^\S\n]*```",
    "named code fence": r"(?m)^[^\S\n]*```[a-zA-Z]",
    "inline code": r"(?<!`)`[^`\n]{1,200}`(?!`)",
    "table row": r"(?m)^[^\S\n]*\|.*\|\s*$",
    "quote": r"(?m)^>\s",
    "rule": r"(?m)^[^\S\n]*(?:---+|\*\*\*+|___+)\s*$",
    "link": r"\[[^\]\n]{1,200}\]\([^)\s]{1,500}\)",
    "LaTeX": r"\\\(|\\\[|\$\$|\\frac|\\boxed",
    "emoji": r"\p{Extended_Pictographic}",
    "em dash": r"—",
    "spaced en dash": r" – ",
    "curly quotes": r"[“”‘’]",
    "ellipsis": r"…|\.\.\.",
    "exclamation": r"!",
    "blank line": r"\n[ \t]*\n",
    "line": r"\n",
    "indented line": r"(?m)^(?: {4}|\t)\S",
    "line ending in colon": r"(?m):\s*$",
    "capitalised line": r"(?m)^[A-Z][A-Z \d:]{6,}$",
}
# What a text must hold for a pattern to match at all: looking for that first is much faster.
_NEEDED = {
    "heading #": "#",
    "heading by bold line": "**",
    "bold": "**",
    "italic": "*",
    "bullet -": "-",
    "bullet *": "*",
    "bold list label": "**",
    "colon list label": ":",
    "code fence": "```",
    "named code fence": "```",
    "inline code": "`",
    "table row": "|",
    "quote": ">",
    "link": "](",
    "em dash": "—",
    "spaced en dash": " – ",
    "exclamation": "!",
    "line": "\n",
    "blank line": "\n",
    "line ending in colon": ":",
}
# Only `\p{…}` needs the slower module.
_COMPILED = tuple(
    (_NEEDED.get(name, ""), regex.compile(p) if r"\p" in p else re.compile(p))
    for name, p in PATTERNS.items()
)
_STARTS = (
    ("starts with a list", re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s")),
    ("starts with a heading", re.compile(r"\s*(?:#{1,6}\s|\*\*[^*\n]{1,120}\*\*\s*\n)")),
    ("starts with white space", re.compile(r"\s")),
    ("ends in a question", re.compile(r"(?s).*\?\s*\Z")),
    ("ends without a full stop", re.compile(r"(?s).*[^.!?。！？\"')\]\s]\s*\Z")),
)
FEATURES = (*PATTERNS, *(f"any {name}" for name in PATTERNS), *(name for name, _ in _STARTS))


def layout_rates(text: str) -> NDArray[np.float64]:
    """Return how often, per 1,000 characters, and whether at all each habit shows.

    Returns:
        Values in the order of `FEATURES`, shape (len(FEATURES),).
    """
    counts = np.array(
        [len(pattern.findall(text)) if needed in text else 0 for needed, pattern in _COMPILED]
    )
    starts = [float(pattern.match(text) is not None) for _, pattern in _STARTS]
    density = np.log1p(1000.0 * counts / max(len(text), 200))
    return np.concatenate([density, (counts > 0).astype(float), starts])
