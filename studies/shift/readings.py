"""Ways to read an answer, tried for shift: each turns texts into rows that can be compared.

Rows are of unit length, one a text. Counted readings weigh log counts by how rare a feature is
among the answers to the prompt; habits (function words, marks) are rates, each standardised over
all answers, as in cosine delta.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from forensics.evidence.features.sketches import (
    BUCKETS,
    CHARS,
    Counts,
    Floats32,
    count_sequences,
    document_frequency,
    weigh,
)
from forensics.evidence.text.style import FUNCTION_WORDS
from forensics.transcripts.words import words

MARKS = tuple(",.;:!?()[]\"'-/*#`_|&%$…–—“”‘’•→\u00a0\u202f\u2011")
# Phrases by which reasoning turns, checks itself or goes on.
TURNS = (
    "wait", "hmm", "let me", "let's", "alternatively", "actually", "however", "but", "so", "okay",
    "first", "second", "therefore", "because", "maybe", "step by step", "double-check", "to verify",
    "in other words", "the key", "the question", "note that", "this means", "in conclusion",
)  # fmt: skip
_TURNS = tuple(re.compile(rf"\b{re.escape(turn)}\b") for turn in TURNS)
# Within a sentence: a name, or a number.
_PICKED = re.compile(r"(?<=[a-z,;] )(?:[A-Z][\w'’-]+|\d[\d.,]*\d|\d)")
_ENDS = 12  # words of an opening, and of an end
_SUFFIXES = re.compile(
    r"(ing|edly|ed|ly|tions?|ments?|ness|ity|ous|ful|ive|able|ible|al|ic|ers?|ists?|ies|es|s)$"
)
_CLOSED = frozenset(FUNCTION_WORDS)
_LINES = (
    (re.compile(r"\s*#{1,6} "), "H"), (re.compile(r"\s*[-*•] "), "B"),
    (re.compile(r"\s*\d+[.)] "), "N"), (re.compile(r"\s*```"), "C"), (re.compile(r"\s*\|"), "T"),
    (re.compile(r"\s*\*\*"), "S"),
)  # fmt: skip


def sequences(texts: Sequence[str]) -> Floats32:
    """Character sequences of the beginning: what shared manner reads."""
    return _weighed(count_sequences(texts))


def length_matched(texts: Sequence[str]) -> Floats32:
    """Character sequences of as much of each text as three of four have."""
    lengths = [len(text) for text in texts if text.strip()]
    shortest = int(np.quantile(lengths, 0.25)) if lengths else 0
    return sequences([text[:shortest] for text in texts])


def word_pairs(texts: Sequence[str]) -> Floats32:
    """Words and pairs of words."""
    return _counted(texts, lambda text: _grams(words(text[:CHARS]), 1, 2))


def templates(texts: Sequence[str]) -> Floats32:
    """Two to four parts of speech in a row: closed-class words kept, open ones by their ending."""
    return _counted(texts, lambda text: _grams([_part(w) for w in words(text[:CHARS])], 2, 4))


def edges(texts: Sequence[str]) -> Floats32:
    """One to three words in a row of how a text begins, and of how it ends."""
    return _counted(texts, _edges)


def skeletons(texts: Sequence[str]) -> Floats32:
    """One to three lines in a row, by what they are and how many words they have."""
    return _counted(texts, lambda text: _grams([_line(line) for line in text.split("\n")], 1, 3))


def picks(texts: Sequence[str]) -> Floats32:
    """Names and numbers: what a text invents or chooses, and the prompt does not give to all."""
    return _counted(texts, lambda text: iter(_PICKED.findall(text[:CHARS])))


def function_words(texts: Sequence[str]) -> Floats32:
    """Rates of function words, a row each: to be standardised."""
    number = {word: place for place, word in enumerate(FUNCTION_WORDS)}
    rows = np.zeros((len(texts), len(number)), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        forms = words(text[:CHARS])
        places = [number[form] for form in forms if form in number]
        np.add.at(row, places, 1 / max(len(forms), 1))
    return np.sqrt(rows)


def turns(texts: Sequence[str]) -> Floats32:
    """Rates of phrases by which reasoning turns, a row each: to be standardised."""
    return np.array(
        [
            [np.sqrt(len(turn.findall(text.lower())) / max(len(text), 1)) for turn in _TURNS]
            for text in (text[:CHARS] for text in texts)
        ],
        dtype=np.float32,
    ).reshape(-1, len(_TURNS))


def marks(texts: Sequence[str]) -> Floats32:
    """Rates of punctuation and typographic marks, a row each: to be standardised."""
    return np.array(
        [[np.sqrt(text.count(mark) / max(len(text), 1)) for mark in MARKS] for text in texts],
        dtype=np.float32,
    ).reshape(-1, len(MARKS))


Reading = Callable[[Sequence[str]], Floats32]
COUNTED: Mapping[str, Reading] = {
    "character sequences": sequences,
    "length-matched": length_matched,
    "words and pairs": word_pairs,
    "part-of-speech templates": templates,
    "openings and ends": edges,
    "skeletons": skeletons,
    "names and numbers": picks,
}
HABITS: Mapping[str, Reading] = {
    "function words": function_words,
    "typographic marks": marks,
    "reasoning turns": turns,
}


def read_all(name: str, texts: Sequence[Sequence[str]]) -> Iterator[Floats32]:
    """Yield rows of unit length, prompt by prompt, by a reading of this name.

    Args:
        name: one of `COUNTED` or `HABITS`.
        texts: prompt by prompt; the row of a blank one is zero (to skeletons it is a blank line).
    """
    if name in COUNTED:
        yield from (COUNTED[name](row) for row in texts)
        return
    answered = [[bool(text.strip()) for text in row] for row in texts]
    yield from standardised([HABITS[name](row) for row in texts], answered)


def standardised(rows: Sequence[Floats32], answered: Sequence[Sequence[bool]]) -> list[Floats32]:
    """Standardise habits over all answers, then bring each to unit length; no answer stays zero.

    Args:
        rows: prompt by prompt, each of shape (texts, habits).
        answered: prompt by prompt, whether there is a text.
    """
    flags = [np.asarray(some, dtype=bool) for some in answered]
    every = np.concatenate([part[some] for part, some in zip(rows, flags, strict=True)])
    centre, spread = every.mean(axis=0), np.maximum(every.std(axis=0), 1e-6)
    # A mark that one model uses, and hardly anybody else, would outweigh all others.
    scores = [np.clip((part - centre) / spread, -4, 4) for part in rows]
    return [_unit(part) * some[:, None] for part, some in zip(scores, flags, strict=True)]


def _unit(rows: Floats32) -> Floats32:
    unit: Floats32 = rows / np.maximum(np.linalg.norm(rows, axis=1), 1e-9)[:, None]
    return unit


def _counted(texts: Sequence[str], features: Callable[[str], Iterator[str]]) -> Floats32:
    bounds, buckets, logs = [0], [], []
    for text in texts:
        hashes = [zlib.crc32(f.encode("utf-8", "surrogatepass")) % BUCKETS for f in features(text)]
        places, counts = np.unique(np.array(hashes, dtype=np.uint16), return_counts=True)
        buckets.append(places)
        logs.append(np.log1p(counts).astype(np.float32))
        bounds.append(bounds[-1] + len(places))
    return _weighed(
        Counts(np.array(bounds, dtype=np.int64), np.concatenate(buckets), np.concatenate(logs))
    )


def _weighed(counts: Counts) -> Floats32:
    return weigh(counts, document_frequency(counts), len(counts)).dense()


def _grams(parts: Sequence[str], shortest: int, longest: int) -> Iterator[str]:
    for size in range(shortest, longest + 1):
        for start in range(len(parts) - size + 1):
            yield " ".join(parts[start : start + size])


def _part(word: str) -> str:
    if word in _CLOSED or not word[0].isalnum():
        return word
    if word[0].isdigit():
        return "0"
    ending = _SUFFIXES.search(word) if len(word) > 4 else None
    return f"+{ending.group()}" if ending else "+"


def _edges(text: str) -> Iterator[str]:
    forms = words(text[:CHARS])[:_ENDS], words(text[-CHARS:])[-_ENDS:]
    return chain(
        (f"< {gram}" for gram in _grams(forms[0], 1, 3)),
        (f"> {gram}" for gram in _grams(forms[1], 1, 3)),
    )


def _line(line: str) -> str:
    if not line.strip():
        return "-"
    kind = next((name for pattern, name in _LINES if pattern.match(line)), "P")
    return f"{kind}{len(line.split()).bit_length()}"
