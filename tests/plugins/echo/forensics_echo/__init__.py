"""A third party's backend, which echoes the prompt, comparator of lengths, and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.plugin import (
    BackendOptions,
    Case,
    Evidence,
    Examined,
    GenerationSettings,
    Need,
    PromptRows,
    Request,
    Response,
    Sink,
    Subject,
    Tier,
    matched_evidence,
    prompt_rows,
)


@dataclass(frozen=True)
class EchoBackend:
    """Answers every prompt with the prompt, in capitals when so named."""

    subject: Subject
    options: BackendOptions

    def identity(self) -> Mapping[str, Any]:
        """Return who answers."""
        return {"kind": "echo", "model": self.subject.target}

    def answer(self, requests: Sequence[Request], settings: GenerationSettings, sink: Sink) -> None:
        """Answer every request."""
        for request in requests:
            text = request.prompt.text
            loud = self.subject.target == "loud"
            sink(
                Response(
                    prompt=request.prompt,
                    text=f"{text.upper() if loud else text}!",
                    sample=request.sample,
                    key=request.key,
                )
            )


@dataclass(frozen=True)
class Lengths:
    """Compares how long answers are."""

    name: str = "lengths"
    title: str = "Answer lengths"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> PromptRows:
        """Return one-hot rows of the rounded logarithm of the length."""
        sizes = [round(2 * np.log(len(answer.text))) for answer in examined.answers]
        rows = np.eye(64, dtype=np.float32)[sizes] if sizes else np.empty((0, 64), np.float32)
        return prompt_rows(examined.answers, rows)

    def compare(self, a: PromptRows, b: PromptRows) -> Evidence:
        """Return how often matched answers are of one length, beyond mismatched ones."""
        return matched_evidence(self, a, b, "share of equal lengths beyond chance", lambda _: ())


@dataclass(frozen=True)
class Outline:
    """A report of one line for the headline, and one for each kind of evidence."""

    name: str = "outline"

    def render(self, case: Case) -> str:
        """Return the lines, the subjects' names and a lone surrogate: no report may crash on it."""
        rows = [f"{entry.comparator} {entry.status}" for entry in case.evidence]
        return "\n".join([case.verdict.headline, f"{case.a.name} \ud800 {case.b.name}", *rows, ""])


@dataclass(frozen=True)
class Failing:
    """A report format with a bug."""

    name: str = "failing"

    def render(self, case: Case) -> str:
        """Fail."""
        raise ValueError(f"cannot draw {len(case.evidence)} rows")
