"""Text normalisation with offsets that lead back to the original characters.

Patterns are matched against a folded copy: NFKC, lower case, diacritics of Latin and Cyrillic
letters removed (models and users drop them), typographic quotes straightened, zero-width and
control characters removed, Markdown emphasis blanked. ``Folded.original_span`` maps a match back
to the text as it was given, so that a reader is shown the words as they stand in the answer.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

HEAD_CHARS = 3_000
TAIL_CHARS = 600
"""What is read of a long answer: its first 3,000 and last 600 characters."""

_QUOTES = {
    **dict.fromkeys("‘’‚‛ʼʹ′`´", "'"),
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
}
_BLANKS = dict.fromkeys(
    " \u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t*_", " "
)


def _accent_folds() -> dict[str, str]:
    """Single letters whose diacritics can be dropped without changing the length."""
    folds = {}
    for code in (*range(0xC0, 0x250), *range(0x400, 0x460), *range(0x1E00, 0x1F00)):
        decomposed = unicodedata.normalize("NFD", chr(code))
        base = decomposed[0].lower()
        # й is a letter of its own, not an accented и.
        if len(decomposed) > 1 and len(base) == 1 and chr(code).lower() != "й":
            folds[chr(code)] = base
    return folds


_FULL_WIDTH = {chr(code): chr(code - 0xFEE0).lower() for code in range(0xFF01, 0xFF5F)}
_TABLE = str.maketrans({**_accent_folds(), **_FULL_WIDTH, **_QUOTES, **_BLANKS})
_ACCENTS = str.maketrans(_accent_folds())
_REMOVED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]"
)
_HALF_WIDTH_VOICING = "\uff9e\uff9f"


@dataclass(frozen=True)
class Folded:
    """A folded copy of (part of) a text.

    Attributes:
        text: the folded characters.
        offsets: for every folded character the index of the original character it came from;
            None when the copy is aligned one to one from ``start``.
        start: index in the original of the first character read (aligned copies only).
        end: index in the original just after the last character read.
    """

    text: str
    offsets: tuple[int, ...] | None
    start: int
    end: int

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Map a non-empty ``[start, end)`` of the folded copy to the original text."""
        if self.offsets is None:
            return self.start + start, self.start + end
        return self.offsets[start], self.offsets[end - 1] + 1


def fold_literal(pattern: str) -> str:
    """Fold the letters of a lexicon entry, a regular expression, the way texts are folded."""
    return pattern.translate(_ACCENTS)


def fold(text: str) -> Folded:
    """Fold ``text`` for matching; never raises, reads at most the head and tail of it.

    Args:
        text: any string, lone surrogates and NULs included.

    Returns:
        The folded copy with its offsets.
    """
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return _fold_piece(text, 0)
    head = _with_offsets(_fold_piece(text[:HEAD_CHARS], 0))
    tail = _with_offsets(_fold_piece(text[-TAIL_CHARS:], len(text) - TAIL_CHARS))
    joint = HEAD_CHARS - 1
    return Folded(
        f"{head.text}\n{tail.text}",
        (*(head.offsets or ()), joint, *(tail.offsets or ())),
        0,
        len(text),
    )


def _with_offsets(piece: Folded) -> Folded:
    if piece.offsets is not None:
        return piece
    return Folded(piece.text, tuple(range(piece.start, piece.end)), piece.start, piece.end)


def _fold_piece(text: str, start: int) -> Folded:
    end = start + len(text)
    lowered = text.translate(_TABLE).lower()
    aligned = len(lowered) == len(text) and not _REMOVED.search(text)
    if aligned and (lowered.isascii() or unicodedata.is_normalized("NFKC", lowered)):
        return Folded(lowered, None, start, end)
    return _fold_slowly(text, start)


def _fold_slowly(text: str, start: int) -> Folded:
    folded: list[str] = []
    offsets: list[int] = []
    for begin, cluster in _clusters(text):
        piece = _fold_cluster(cluster)
        folded.append(piece)
        offsets.extend([start + begin] * len(piece))
    return Folded("".join(folded), tuple(offsets), start, start + len(text))


@lru_cache(maxsize=4_096)
def _fold_cluster(cluster: str) -> str:
    piece = unicodedata.normalize("NFKC", cluster).translate(_TABLE).lower()
    # A decomposed accent composes first and is folded to its base letter afterwards.
    return _REMOVED.sub("", piece)


def _clusters(text: str) -> list[tuple[int, str]]:
    """Characters together with the combining marks that follow them."""
    clusters: list[tuple[int, str]] = []
    begin = 0
    for index in range(1, len(text) + 1):
        joins = index < len(text) and (
            unicodedata.combining(text[index]) > 0 or text[index] in _HALF_WIDTH_VOICING
        )
        # A run of marks is cut: thousands of them on one letter are an attack, not a text.
        if not joins or index - begin >= 8:
            clusters.append((begin, text[begin:index]))
            begin = index
    return clusters
