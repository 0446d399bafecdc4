"""Openings: do answers begin, and end, in the same way?

The first words are a habit that a question hardly dictates, and survive tuning on other topics.
Endings count for complete answers only: a cut-off answer has none.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from scipy import sparse

from forensics.case.evidence import Evidence, Exhibit, Tier
from forensics.evidence.comparator import exhibit, matched_evidence
from forensics.evidence.features.matched_prompts import Matched, PromptRows, prompt_rows
from forensics.examination.examined import Examined, Need
from forensics.transcripts.answers import Answer
from forensics.transcripts.words import each_token, words

DEPTH = 8  # words looked at, from either end
_COLUMNS = 2**18
_OPENING_CHARS = 1_500
_FIRST_WORD_CHARS = 60
_EXHIBITS = 5
_EXHIBIT_WORDS = 12  # shorter shared openings are common among unrelated assistants


@dataclass(frozen=True)
class Openings:
    """Compares how answers begin and end."""

    name: str = "openings"
    title: str = "How answers begin and end"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> PromptRows:
        """Return rows whose dot product is the share of `DEPTH` first (and last) words shared.

        Column k of the opening is the answer's first k words: two rows agree on column k exactly
        when the answers share their first k words, so the dot product counts the common prefix.
        """
        return prompt_rows(examined.answers, prefix_rows(examined.answers, examined.words))

    def compare(self, a: PromptRows, b: PromptRows) -> Evidence:
        """Return the shared length of openings and endings on matched prompts."""
        return matched_evidence(
            self,
            a,
            b,
            f"share of the first and last {DEPTH} words in common, matched minus mismatched",
            lambda matched: _exhibits(matched, a, b),
        )


def prefix_rows(answers: Sequence[Answer], forms: Sequence[Sequence[str]]) -> sparse.csr_array:
    """Return a row per answer, see `Openings.extract`; `forms` are the answers' words."""
    columns: list[int] = []
    values: list[float] = []
    starts = [0]
    for answer, answer_words in zip(answers, forms, strict=True):
        tail = answer_words[-DEPTH:][::-1] if answer.complete else ()
        # An answer without an ending is judged by its opening alone.
        weight = 1 / (DEPTH * (2 if tail else 1))
        prefixes = _prefixes("head", answer_words[:DEPTH]) + _prefixes("tail", tail)
        columns += prefixes
        values += [weight**0.5] * len(prefixes)
        starts.append(len(columns))
    arrays = (np.array(values, dtype=np.float32), np.array(columns, dtype=np.int32), starts)
    rows = sparse.csr_array(arrays, shape=(len(answers), _COLUMNS))
    rows.sum_duplicates()
    return rows


def _prefixes(name: str, forms: Sequence[str]) -> list[int]:
    joined = ("\x1f".join((name, *forms[:k])) for k in range(1, len(forms) + 1))
    return [zlib.crc32(text.encode("utf-8", "surrogatepass")) % _COLUMNS for text in joined]


def _exhibits(matched: Matched, a: PromptRows, b: PromptRows) -> tuple[Exhibit, ...]:
    shared = {p: _shared_opening(a.answers[p][0], b.answers[p][0]) for p in matched.prompts}
    order = sorted(zip(matched.scores, matched.prompts, strict=True), key=lambda item: -item[0])
    longest = sorted(order, key=lambda item: -shared[item[1]][2])
    strong = [(s, p) for s, p in longest if shared[p][2] >= _EXHIBIT_WORDS][:_EXHIBITS]
    weak = [(s, p) for s, p in order[::-1] if shared[p][2] == 0][:_EXHIBITS]
    return tuple(
        exhibit(
            side,
            a.answers[p][0],
            b.answers[p][0],
            s,
            spans_a=shared[p][0],
            spans_b=shared[p][1],
            note=f"both begin with the same {shared[p][2]} words"
            if shared[p][2]
            else "no first word in common",
        )
        for side, items in (("for", strong), ("against", weak))
        for s, p in items
    )


Spans = tuple[tuple[int, int], ...]


def _shared_opening(a: Answer, b: Answer) -> tuple[Spans, Spans, int]:
    """Return the spans of the common opening, and how many of its words are not the prompt's."""
    if words(a.text[:_FIRST_WORD_CHARS])[:1] != words(b.text[:_FIRST_WORD_CHARS])[:1]:
        return (), (), 0
    first, second = each_token(a.text[:_OPENING_CHARS]), each_token(b.text[:_OPENING_CHARS])
    both = zip(first, second, strict=False)
    shared = list(takewhile(lambda pair: pair[0].form == pair[1].form, both))
    if not shared:
        return (), (), 0
    asked = set(words(a.prompt_text))
    novel = sum(token.form.isalpha() and token.form not in asked for token, _ in shared)
    (first_a, first_b), (last_a, last_b) = shared[0], shared[-1]
    return ((first_a.start, last_a.end),), ((first_b.start, last_b.end),), novel
