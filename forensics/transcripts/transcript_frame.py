"""A transcript in a notebook: its responses as a frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from forensics.suites.suite import Prompt
from forensics.support.notebook import COUNT, MAYBE_COUNT, TEXT, Kind, frame

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS: dict[str, Kind] = {
    "prompt_id": TEXT,
    "prompt_sha256": TEXT,
    "category": TEXT,
    "language": TEXT,
    "prompt": TEXT,
    "sample": COUNT,
    "status": TEXT,
    "text": TEXT,
    "reasoning": TEXT,
    "finish_reason": TEXT,
    "input_tokens": MAYBE_COUNT,
    "output_tokens": MAYBE_COUNT,
    "model": TEXT,
    "error": TEXT,
}


class Answering(Protocol):
    """What a row is made of: a response, whose other fields are named as their columns."""

    @property
    def prompt(self) -> Prompt:
        """What was asked."""
        ...


def transcript_frame(responses: Iterable[Answering]) -> pd.DataFrame:
    """Return a row per response, in their order; see `Transcript.to_frame`."""
    return frame([_row(response) for response in responses], _COLUMNS)


def _row(response: Answering) -> dict[str, object]:
    prompt = response.prompt
    asked: dict[str, object] = {
        "prompt_id": prompt.id,
        "prompt_sha256": prompt.sha256,
        "category": prompt.category,
        "language": prompt.language,
        "prompt": prompt.text,
    }
    return asked | {name: getattr(response, name) for name in _COLUMNS if name not in asked}
