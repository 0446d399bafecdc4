"""Examined: a subject with whatever could be obtained of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from forensics.subjects.model_files.folder import ModelFiles
from forensics.subjects.subject import Subject
from forensics.transcripts.answers import Answer, usable_answers
from forensics.transcripts.layout import FEATURES, layout_rates
from forensics.transcripts.transcript import Transcript
from forensics.transcripts.words import words

if TYPE_CHECKING:
    from forensics.examination.first_token_probabilities import FirstTokens
    from forensics.examination.probability_values import TextProbabilities
    from forensics.examination.token_counting import TokenCounts

Need = Literal[
    "answers", "explained", "first_tokens", "logprobs", "token_counts", "tokenizer", "weights"
]

# What local models are run for beside answers, and endpoints asked for.
PROBABILITIES: frozenset[Need] = frozenset({"explained", "first_tokens", "logprobs"})


@dataclass(frozen=True)
class Examined:
    """A subject and what could be obtained of it; what could not is absent, never guessed.

    `files` are a local model's; None for a transcript or an endpoint. `counted` are an endpoint's
    answers to the suite of token counts. `probabilities` are what a local model gives fixed texts
    and both subjects' answers, `other_probabilities` what the other subject's model gives them, and
    `controls` what models that are no subject give them; `unseen` says why an endpoint that was
    asked for them gave none. `first_tokens` is what then stands in for them, and `first_controls`
    that of the models that are no subject.
    """

    subject: Subject
    transcript: Transcript
    files: ModelFiles | None = None
    counted: Transcript | None = None
    probabilities: TextProbabilities | None = None
    other_probabilities: TextProbabilities | None = None
    controls: tuple[TextProbabilities, ...] = ()
    unseen: str = ""
    first_tokens: FirstTokens | None = None
    first_controls: tuple[FirstTokens, ...] = ()

    @property
    def name(self) -> str:
        """The name to show."""
        return self.subject.name

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """Usable answers, ordered by prompt hash and sample."""
        return usable_answers(self.transcript.responses)

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
    def token_counts(self) -> TokenCounts | None:
        """Token counts of fixed strings: from the tokenizer's files, or as the endpoint reports.

        Raises:
            BackendError: the tokenizer's file is damaged.
        """
        from forensics.examination import token_counting as token_counts

        if self._tokenizer_file is not None:
            return token_counts.from_tokenizer_file(self._tokenizer_file)
        return token_counts.from_responses(self.counted.responses) if self.counted else None

    @property
    def _tokenizer_file(self) -> Path | None:
        tokenizer = self.files.tokenizer if self.files else ()
        return next((path for path in tokenizer if path.name == "tokenizer.json"), None)

    @cached_property
    def available(self) -> frozenset[Need]:
        """What comparators may ask for."""
        available: set[Need] = {"answers"} if self.answers else set()
        if self.files is not None and self.files.readable:
            available.add("weights")
        if self.files is not None and (self.files.tokenizer or self.files.gguf):
            available.add("tokenizer")
        if self._tokenizer_file is not None or self.counted is not None:
            available.add("token_counts")
        if self.probabilities is not None:
            available.add("logprobs")
        if self.first_tokens is not None:
            available.add("first_tokens")
        if self.probabilities is not None or self.other_probabilities is not None:
            available.add("explained")
        return frozenset(available)
