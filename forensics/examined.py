"""Examined: a subject with whatever could be obtained of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forensics.layout import FEATURES, layout_rates
from forensics.model_folder import ModelFiles
from forensics.subjects import Subject
from forensics.text import words
from forensics.transcripts import Response, Transcript

Need = Literal["answers", "logprobs", "tokenizer", "weights"]

# Habits show within the first pages; a runaway answer must not outweigh all others, or fill memory.
MAX_ANALYSED_CHARS = 20_000


@dataclass(frozen=True)
class Answer:
    """A usable answer: not an error and not blank, cut to `MAX_ANALYSED_CHARS` characters."""

    prompt_sha256: str
    prompt_id: str
    prompt_text: str
    category: str
    sample: int
    text: str
    complete: bool
    reasoning: str | None = None


@dataclass(frozen=True)
class Examined:
    """A subject and what could be obtained of it; what could not is absent, never guessed.

    `files` are a local model's; None for a transcript or an endpoint.
    """

    subject: Subject
    transcript: Transcript
    files: ModelFiles | None = None

    @property
    def name(self) -> str:
        """The name to show."""
        return self.subject.name

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """Usable answers, ordered by prompt hash and sample."""
        return tuple(sorted(_usable(self.transcript.responses), key=_order))

    @cached_property
    def words(self) -> tuple[list[str], ...]:
        """The words of each answer, in the order of `answers`: split once for all comparators."""
        return tuple(words(answer.text) for answer in self.answers)

    @cached_property
    def layout(self) -> NDArray[np.float64]:
        """Layout habits of each answer, shape (len(answers), len(layout.FEATURES))."""
        rates = [layout_rates(answer.text) for answer in self.answers]
        return np.array(rates).reshape(-1, len(FEATURES))

    @cached_property
    def available(self) -> frozenset[Need]:
        """What comparators may ask for."""
        found: set[Need] = {"answers"} if self.answers else set()
        if self.files is not None and self.files.weights:
            found.add("weights")
        if self.files is not None and (self.files.tokenizer or self.files.gguf):
            found.add("tokenizer")
        return frozenset(found)


def _usable(responses: Iterable[Response]) -> Iterable[Answer]:
    for response in responses:
        if response.status not in ("ok", "truncated") or not response.text.strip():
            continue
        prompt = response.prompt
        cut = len(response.text) > MAX_ANALYSED_CHARS
        yield Answer(
            prompt.sha256,
            prompt.id,
            prompt.text,
            prompt.category,
            response.sample,
            response.text[:MAX_ANALYSED_CHARS],
            response.status == "ok" and not cut,
            response.reasoning,
        )


def _order(answer: Answer) -> tuple[str, int]:
    return answer.prompt_sha256, answer.sample
