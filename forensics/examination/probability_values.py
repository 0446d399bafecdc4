"""Token probabilities as values: of one answer, of a subject's and others' texts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forensics.transcripts.answers import Answer


LOCAL_KINDS = ("hf", "gguf", "demo")
MAX_ANSWER_CHARS = 320


@dataclass(frozen=True)
class TextScore:
    """What a model says of one text.

    `log_likelihood` is in nats, of the whole text; `size` its length in UTF-8 bytes; `next_tokens`
    maps a place (characters in front of it) to the most likely next token as text, and to the most
    likely first two characters to follow, which does not depend on how a tokenizer cuts words.
    `tokens` is how many were scored, 0 where it was not kept.
    """

    log_likelihood: float
    size: int
    next_tokens: Mapping[int, tuple[str, str]]
    tokens: int = 0

    @property
    def nats_per_byte(self) -> float:
        """Mean log-likelihood of a byte."""
        return self.log_likelihood / self.size


@dataclass(frozen=True)
class TextProbabilities:
    """One model's view of the passages (by id) and of answers (by `answer_key`).

    `model` identifies the weights, `tokenizer` the vocabulary; `has_template` says whether the
    model was asked through a chat template. Texts its tokenizer cannot write are absent. `written`
    are the keys of the answers that the model itself gave, in the order of their prompts.
    """

    name: str
    model: str
    tokenizer: str
    has_template: bool
    passages: Mapping[str, TextScore]
    answers: Mapping[str, TextScore]
    written: tuple[str, ...] = ()


def answer_key(answer: Answer) -> str:
    """Return what identifies an answer: its prompt and the text that is scored."""
    text = answer.text[:MAX_ANSWER_CHARS].encode("utf-8", "replace")
    return hashlib.sha256(answer.prompt_sha256.encode("ascii") + text).hexdigest()


def bare(token: str) -> str:
    """Return a token without the spaces it begins with, unless it is nothing else."""
    return token.lstrip(" \u2581") or token
