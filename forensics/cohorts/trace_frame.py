"""A trace in a notebook: its candidates as a frame, its answer in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.support.notebook import FLAG, NUMBER, TEXT, Kind, few_lines, frame

if TYPE_CHECKING:
    import pandas as pd

    from forensics.cohorts.trace import Trace

_COLUMNS: dict[str, Kind] = {
    "model": TEXT,
    "family": TEXT,
    "developer": TEXT,
    "released": TEXT,
    "score": NUMBER,
    "cosine": NUMBER,
    "log10_lr": NUMBER,
    "family_wise": NUMBER,
    "alike": FLAG,
    "named": FLAG,
}


def trace_frame(trace: Trace) -> pd.DataFrame:
    """Return a row per candidate, the likeliest first; see `Trace.to_frame`."""
    rows = [
        {
            "model": candidate.model,
            "family": candidate.family,
            "developer": candidate.developer,
            "released": candidate.released,
            "score": candidate.score,
            "cosine": candidate.cosine,
            "log10_lr": candidate.log10_lr if trace.covered else None,
            "family_wise": candidate.family_wise,
            "alike": candidate.model in trace.alike,
            "named": candidate.model in trace.named,
        }
        for candidate in trace.relatives
    ]
    return frame(rows, _COLUMNS)


def trace_html(trace: Trace) -> str:
    """Return the answer in a few lines; see `Trace._repr_html_`."""
    basis = (
        f"{trace.prompts} prompts, {len(trace.relatives)} candidates of the cohort {trace.cohort}."
    )
    teacher = [trace.teacher.statement] if trace.teacher is not None else []
    return few_lines(f"Trace of {trace.subject}", trace.reading, [*teacher, basis])
