"""A transcript's answers as analyses read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from forensics.transcripts.transcript import Response

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


def usable_answers(responses: Iterable[Response]) -> tuple[Answer, ...]:
    """Return what can be analysed, ordered by prompt hash and sample."""
    return tuple(sorted(_usable(responses), key=_order))


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
