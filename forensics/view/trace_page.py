"""What the page of a trace shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from forensics.case.record import Finite, ModelText
from forensics.errors import InputFileError
from forensics.support.numbers import DASH
from forensics.view.recognising import document

_LEAST_RATE = 0.001


def _statement(value: Any) -> Any:
    """Return what a part of a trace says in a sentence; empty where it was not asked."""
    return value.get("statement", "") if isinstance(value, Mapping) else ""


class _Candidate(BaseModel):
    model_config = ConfigDict(extra="ignore")

    model: ModelText
    developer: ModelText
    released: ModelText
    score: Finite
    log10_lr: Finite | None
    family_wise: Finite | None


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore")

    subject: ModelText
    cohort: ModelText
    reading: ModelText
    relatives: tuple[_Candidate, ...]
    named: tuple[ModelText, ...]
    covered: bool = False
    teacher: Annotated[ModelText, BeforeValidator(_statement)] = ""
    shift: Annotated[ModelText, BeforeValidator(_statement)] = ""


@dataclass(frozen=True)
class ShownCandidate:
    """A candidate as a row of text."""

    model: str
    developer: str
    released: str
    score: str
    log10_lr: str
    error_rate: str
    named: bool


@dataclass(frozen=True)
class ShownTrace:
    """A trace as its page shows it; `said` is what it says of teachers and of change."""

    subject: str
    cohort: str
    reading: str
    said: tuple[str, ...]
    candidates: tuple[ShownCandidate, ...]


def shown_trace(path: Path) -> ShownTrace:
    """Read a trace, as `forensics trace --json` writes it.

    Raises:
        InputFileError: it is not one.
    """
    try:
        trace = _Document.model_validate(document(path))
    except ValidationError as error:
        raise InputFileError("it is not what `forensics trace --json` writes") from error
    return ShownTrace(
        subject=trace.subject,
        cohort=trace.cohort,
        reading=trace.reading,
        said=tuple(filter(None, (trace.teacher, trace.shift))),
        candidates=tuple(_row(candidate, trace) for candidate in trace.relatives),
    )


def _row(candidate: _Candidate, trace: _Document) -> ShownCandidate:
    ratio = candidate.log10_lr if trace.covered else None
    return ShownCandidate(
        model=candidate.model,
        developer=candidate.developer,
        released=candidate.released,
        score=f"{candidate.score:.2f}",
        log10_lr=DASH if ratio is None else f"{ratio:+.2f}",
        error_rate=_rate(candidate.family_wise),
        named=candidate.model in trace.named,
    )


def _rate(value: float | None) -> str:
    if value is None:
        return DASH
    return f"{value:.3f}" if value >= _LEAST_RATE else f"< {_LEAST_RATE}"
