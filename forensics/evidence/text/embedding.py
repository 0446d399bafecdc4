"""Embedding: do answers to the same prompt mean the same, whatever the words?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.case.evidence import Evidence, Exhibit, Tier
from forensics.evidence.comparator import exhibit, matched_evidence
from forensics.evidence.features.matched_prompts import Matched, PromptRows, prompt_rows
from forensics.examination.examined import Examined, Need

_EXHIBITS = 3


@dataclass(frozen=True)
class Embedding:
    """Compares what answers say, whatever the words."""

    name: str = "embedding"
    title: str = "Meaning (embeddings)"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> PromptRows:
        """Return unit-length sentence embeddings, cached by content hash.

        Raises:
            MissingDependencyError: a library or the embedding model is missing.
        """
        from forensics.evidence.features.embeddings import embed

        return prompt_rows(examined.answers, embed([answer.text for answer in examined.answers]))

    def compare(self, a: PromptRows, b: PromptRows) -> Evidence:
        """Return the cosine on matched prompts beyond that on mismatched prompts."""
        return matched_evidence(
            self,
            a,
            b,
            "cosine of sentence embeddings, matched minus mismatched prompts",
            lambda matched: _exhibits(matched, a, b),
            (
                "Any two models that answer the question agree in meaning: weak without a cohort.",
                "The embedding model reads English best, and the first 256 tokens only.",
            ),
        )


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
