"""Embedding: do answers to the same prompt mean the same, whatever the words?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from forensics.case.details.kinds import AnyDetails
from forensics.case.details.text import EmbeddingDetails
from forensics.case.evidence import Evidence, Exhibit, Tier
from forensics.evidence.comparator import (
    MIN_PROMPTS,
    exhibit,
    matched_evidence,
    too_few,
    without_score,
)
from forensics.evidence.features.embeddings import (
    Counting,
    Precision,
    embed,
    processor_precision,
)
from forensics.evidence.features.matched_prompts import Matched, PromptRows, prompt_rows
from forensics.examination.examined import Examined, Need
from forensics.transcripts.answers import Answer

MOST_PROMPTS = 120
_FEW = 64  # texts
_EXHIBITS = 3
_CAVEATS = (
    "Any two models that answer the question agree in meaning: weak without a cohort.",
    "The embedding model reads English best, and the first 256 tokens only.",
)


@dataclass(frozen=True)
class Embedding:
    """Compares what answers say, whatever the words.

    At most `most` common prompts are read, all where it is None. `precision` is by default float32
    for a few texts and the processor's for more; `counting` is told of texts as they are read.
    """

    most: int | None = MOST_PROMPTS
    precision: Precision | None = None
    counting: Counting | None = field(default=None, compare=False, repr=False)
    name: str = "embedding"
    title: str = "Meaning (embeddings)"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def of_record(self, details: AnyDetails) -> Embedding:
        """Return what made evidence with these details; earlier releases read every prompt."""
        known = details if isinstance(details, EmbeddingDetails) else EmbeddingDetails()
        precision: Precision = "bfloat16" if known.precision == "bfloat16" else "float32"
        all_read = known.prompts_read == known.prompts_common
        return replace(self, most=None if all_read else known.prompts_read, precision=precision)

    def extract(self, examined: Examined) -> tuple[Answer, ...]:
        """Return the answers: which of them are read depends on what the other one answered."""
        return tuple(examined.answers)

    def compare(self, a: Sequence[Answer], b: Sequence[Answer]) -> Evidence:
        """Return the cosine on matched prompts beyond that on mismatched prompts.

        Raises:
            MissingDependencyError: a library or the embedding model is missing.
        """
        common = sorted({x.prompt_sha256 for x in a} & {x.prompt_sha256 for x in b})
        if len(common) < MIN_PROMPTS:
            return without_score(self, "insufficient", too_few(len(common)), len(common))
        read = set(common[: self.most])  # in order of their hashes: that is by lot
        first, second = (
            [answer for answer in side if answer.prompt_sha256 in read] for side in (a, b)
        )
        texts = [answer.text for answer in (*first, *second)]
        precision = self.precision or _precision(len(texts))
        vectors = embed(texts, None, precision, self.counting)
        rows = (
            prompt_rows(first, vectors[: len(first)]),
            prompt_rows(second, vectors[len(first) :]),
        )
        evidence = matched_evidence(
            self,
            *rows,
            "cosine of sentence embeddings, matched minus mismatched prompts",
            lambda matched: _exhibits(matched, *rows),
            (*_CAVEATS, *_left_out(len(read), len(common))),
        )
        return evidence.with_details(
            EmbeddingDetails(
                prompts_read=len(read), prompts_common=len(common), precision=precision
            )
        )


def _precision(texts: int) -> Precision:
    # A small comparison gains no time, and then gives the same numbers on every processor.
    return "float32" if texts <= _FEW else processor_precision()


def _left_out(read: int, common: int) -> tuple[str, ...]:
    if read == common:
        return ()
    return (f"Read on {read} of {common} common prompts, by lot; --all-embeddings reads all.",)


def _exhibits(matched: Matched, a: PromptRows, b: PromptRows) -> tuple[Exhibit, ...]:
    order = np.argsort(-matched.scores, kind="stable")
    chosen = [("for", i) for i in order[:_EXHIBITS] if matched.scores[i] > 0]
    chosen += [("against", i) for i in order[::-1][:_EXHIBITS]]
    return tuple(
        exhibit(
            side,
            a.answers[matched.prompts[i]][0],
            b.answers[matched.prompts[i]][0],
            matched.scores[i],
        )
        for side, i in chosen
    )
