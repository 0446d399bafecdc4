"""Phrasing: do both say it in the same words? Shared word 4-grams on matched prompts.

On answers of 163 models with known lineage, sequences of four or five words separate descendants
from unrelated models better than single words, longer sequences or character n-grams where there is
no cohort to centre with. Sequences that stand in the prompt are left out: repeating the question is
no similarity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from forensics.case.details.text import LongRuns, PhrasingDetails
from forensics.case.evidence import Evidence, Exhibit, Tier
from forensics.evidence.comparator import exhibit, matched_evidence
from forensics.evidence.features.matched_prompts import Matched, PromptRows, prompt_rows
from forensics.examination.examined import Examined, Need
from forensics.transcripts.answers import Answer
from forensics.transcripts.words import ngram_hashes, shared_runs, shared_word_runs, words

N = 4
_COLUMNS = 2**20
# A passage shown *for* has a run of words that are not the prompt's: a fifth of the shorter answer,
# but at least 12 and at most 24 words. Of the prompts of 60 unrelated pairs of the reference data
# 0.13 % have one (mostly famous quotations), of 15 closely related pairs 2.0 %.
LONG_RUN = (12, 24)
_MIN_CHARS_AGAINST = 200
_EXHIBITS = 6


@dataclass(frozen=True)
class Phrasing:
    """Compares the wording of answers to the same prompts."""

    name: str = "phrasing"
    title: str = "Shared wording"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> PromptRows:
        """Return binary word 4-gram rows of unit length, hashed to 2^20 columns."""
        asked = {a.prompt_text: _grams(words(a.prompt_text)) for a in examined.answers}
        rows = [
            np.setdiff1d(_grams(forms), asked[answer.prompt_text], assume_unique=True)
            for answer, forms in zip(examined.answers, examined.words, strict=True)
        ]
        return prompt_rows(examined.answers, _unit_rows(rows))

    def compare(self, a: PromptRows, b: PromptRows) -> Evidence:
        """Return shared 4-grams on matched prompts beyond those on mismatched prompts.

        `details` counts the prompts with a shared run as long as `LONG_RUN` asks.
        """
        longest: dict[str, tuple[int, bool]] = {}
        evidence = matched_evidence(
            self,
            a,
            b,
            "cosine of four-word sequences, matched minus mismatched prompts (0 = none shared)",
            lambda matched: _exhibits(matched, a, b, longest),
            ("Set phrases and famous quotations are shared by unrelated models too.",),
        )
        if evidence.status != "ok":
            return evidence
        long = sum(is_long for _, is_long in longest.values())
        counted = LongRuns(prompts=long, n=evidence.n, words=LONG_RUN)
        return evidence.with_details(PhrasingDetails(long_runs=counted))


def _grams(forms: Sequence[str]) -> NDArray[np.uint64]:
    return np.unique(ngram_hashes(forms, N) % np.uint64(_COLUMNS))


def _unit_rows(rows: Sequence[NDArray[np.uint64]]) -> sparse.csr_array:
    sizes = np.array([len(row) for row in rows], dtype=np.int64)
    columns = np.concatenate(rows).astype(np.int32) if rows else np.empty(0, dtype=np.int32)
    values = np.repeat(1.0 / np.sqrt(np.maximum(sizes, 1)), sizes).astype(np.float32)
    starts = np.concatenate(([0], np.cumsum(sizes)))
    return sparse.csr_array((values, columns, starts), shape=(len(rows), _COLUMNS))


def _exhibits(
    matched: Matched, a: PromptRows, b: PromptRows, longest: dict[str, tuple[int, bool]]
) -> tuple[Exhibit, ...]:
    """Return the passages to show; fills `longest` with every prompt's longest shared run."""
    longest |= {
        prompt: _longest_run(prompt, a, b) if similarity > 0 else (0, False)
        for prompt, similarity in zip(matched.prompts, matched.similarity, strict=True)
    }
    scores = dict(zip(matched.prompts, matched.scores, strict=True))
    long = [p for p in matched.prompts if longest[p][1]]
    long.sort(key=lambda p: -longest[p][0])
    apart = [p for p in sorted(scores, key=lambda p: scores[p]) if _long_enough(p, a, b)]
    chosen = [("for", p) for p in long[:_EXHIBITS]] + [("against", p) for p in apart[:_EXHIBITS]]
    return tuple(
        shared_wording(side, a.answers[p][0], b.answers[p][0], scores[p]) for side, p in chosen
    )


def _longest_run(prompt: str, a: PromptRows, b: PromptRows) -> tuple[int, bool]:
    """Return the novel words of the longest shared run, and whether that is long."""
    first, second = a.answers[prompt][0], b.answers[prompt][0]
    left, right = words(first.text), words(second.text)
    runs = shared_word_runs(left, right, words(first.prompt_text))
    novel = max((run[3] for run in runs), default=0)
    least, most = LONG_RUN
    return novel, novel >= min(max(min(len(left), len(right)) / 5, least), most)


def _long_enough(prompt: str, a: PromptRows, b: PromptRows) -> bool:
    return all(len(side.answers[prompt][0].text) >= _MIN_CHARS_AGAINST for side in (a, b))


def shared_wording(side: str, a: Answer, b: Answer, score: float) -> Exhibit:
    """Return an exhibit that marks the runs of words two answers share beyond the prompt's."""
    runs = shared_runs(a.text, b.text, a.prompt_text)
    longest = max((run.novel_words for run in runs), default=0)
    note = (
        f"longest shared run: {longest} words that are not the prompt's"
        if longest
        else "no shared run of five words"
    )
    return exhibit(
        side,
        a,
        b,
        score,
        spans_a=tuple(run.a for run in runs),
        spans_b=tuple(run.b for run in runs),
        note=note,
    )
