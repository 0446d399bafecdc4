"""Subjects with categories, samples and reasoning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Message, Prompt
from forensics.transcripts.transcript import Response, Transcript


def subject(
    answers: Mapping[str, str | Sequence[str]],
    category: str = "test",
    name: str = "m",
    **fields: Any,
) -> Examined:
    """Return a subject that answered prompts (by their text) so; several answers are samples."""
    responses = [
        Response(
            prompt=Prompt(f"p{i:03d}", (Message("user", question),), category, "en"),
            text=text,
            sample=sample,
            **fields,
        )
        for i, (question, entry) in enumerate(answers.items())
        for sample, text in enumerate([entry] if isinstance(entry, str) else entry)
    ]
    return Examined(parse_subject(f"transcript:{name}.jsonl"), Transcript(name, tuple(responses)))


def merged(*parts: Examined) -> Examined:
    """Return one subject with the answers of all parts."""
    responses = tuple(r for part in parts for r in part.transcript.responses)
    return Examined(parts[0].subject, Transcript(parts[0].name, responses))


def with_reasoning(side: Examined, traces: Sequence[str | None]) -> Examined:
    """Return the subject with these traces, in the order of its responses."""
    from dataclasses import replace

    responses = tuple(
        replace(response, reasoning=trace)
        for response, trace in zip(side.transcript.responses, traces, strict=True)
    )
    return Examined(side.subject, replace(side.transcript, responses=responses))
