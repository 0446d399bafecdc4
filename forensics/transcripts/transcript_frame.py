"""A transcript in a notebook: its responses as a frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from forensics.support.notebook import COUNT, MAYBE_COUNT, TEXT, Kind, frame

if TYPE_CHECKING:
    import pandas as pd

    from forensics.transcripts.transcript import Response

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


def transcript_frame(responses: Iterable[Response]) -> pd.DataFrame:
    """Return a row per response, in their order; see `Transcript.to_frame`."""
    return frame([_row(response) for response in responses], _COLUMNS)


def _row(response: Response) -> dict[str, object]:
    prompt = response.prompt
    asked: dict[str, object] = {
        "prompt_id": prompt.id,
        "prompt_sha256": prompt.sha256,
        "category": prompt.category,
        "language": prompt.language,
        "prompt": prompt.text,
    }
    return asked | {name: getattr(response, name) for name in _COLUMNS if name not in asked}
