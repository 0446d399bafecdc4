"""Student fit: does one model's probability explain the other's answers better than controls do?

A student is trained to make its teacher's words likely, so its answers should be likely under the
teacher. Some models explain any English better than others; what a model gains over a control on
the fixed English passages is therefore taken off. Models asked through a chat template expect
assistants' answers and those without do not, so only controls of the same kind count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.case.details.probabilities import FitDirection, StudentFitDetails
from forensics.case.evidence import Evidence, Tier
from forensics.evidence.comparator import MIN_PROMPTS, scored, too_few, without_score
from forensics.evidence.features.matched_prompts import bootstrap_mean
from forensics.evidence.probabilities.panel import Seen, bits_per_byte, choose
from forensics.examination.examined import Examined, Need
from forensics.examination.passages import load_passages
from forensics.examination.probability_values import TextProbabilities, answer_key
from forensics.transcripts.answers import Answer

Floats = NDArray[np.float64]
_CAVEATS = (
    "It also rises where both learned one kind of answers from elsewhere; choose controls tuned "
    "on other data of the same kind.",
)


@dataclass(frozen=True)
class Explained:
    """A subject's answers (first sample of each prompt), and the models that read them."""

    answers: tuple[Answer, ...]
    own: TextProbabilities | None
    reader: TextProbabilities | None
    controls: tuple[TextProbabilities, ...]


@dataclass(frozen=True)
class _Direction:
    """One way round: bits per byte gained over the nearest control, one value per prompt."""

    name: str
    control: str
    on_answers: Floats
    on_passages: float

    @property
    def score(self) -> float:
        return float(self.on_answers.mean()) - self.on_passages


@dataclass(frozen=True)
class StudentFit:
    """Measures how well each subject's model explains the other's answers."""

    name: str = "student_fit"
    title: str = "Answers as the other model would give"
    tier: Tier = "logprobs"
    needs: frozenset[Need] = frozenset({"answers", "explained"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Explained:
        """Return the answers and what models say of them."""
        return Explained(
            tuple(answer for answer in examined.answers if answer.sample == 0),
            examined.probabilities,
            examined.other_probabilities,
            examined.controls,
        )

    def compare(self, a: Explained, b: Explained) -> Evidence:
        """Return the larger gain of the two ways round, in bits per byte."""
        shared = {x.prompt_sha256 for x in a.answers} & {x.prompt_sha256 for x in b.answers}
        if len(shared) < MIN_PROMPTS:
            return without_score(self, "insufficient", too_few(len(shared)), len(shared))
        outcomes = [
            _explain(name, side, [x for x in side.answers if x.prompt_sha256 in shared])
            for name, side in (("A explains B", b), ("B explains A", a))
            if side.reader is not None
        ]
        directions = [outcome for outcome in outcomes if isinstance(outcome, _Direction)]
        problems = [outcome for outcome in outcomes if isinstance(outcome, str)]
        if not directions:
            reason = "; ".join(problems) or "neither subject's model is available"
            return without_score(self, "insufficient", reason)
        best = max(directions, key=lambda way: (way.score, len(way.on_answers)))
        return scored(
            self,
            scale=(
                "bits per byte by which a model explains the other's answers better than the "
                "nearest control, minus the same on fixed English passages"
            ),
            score=best.score,
            interval=bootstrap_mean(best.on_answers - best.on_passages),
            matched=float(best.on_answers.mean()),
            baseline=best.on_passages,
            n=len(best.on_answers),
            caveats=_CAVEATS,
            details=StudentFitDetails(
                directions=tuple(_shown(way) for way in directions), problems=tuple(problems)
            ),
        )


def _shown(way: _Direction) -> FitDirection:
    return FitDirection(
        direction=way.name,
        nearest_control=way.control,
        bits_per_byte=way.score,
        n=len(way.on_answers),
    )


def _explain(name: str, side: Explained, answers: Sequence[Answer]) -> _Direction | str:
    """Return how well `side.reader` explains the side's answers, or why that cannot be told."""
    reader = side.reader
    assert reader is not None  # noqa: S101 (the caller looked)
    # The reader and the answers' own model are the pair; no control may be either.
    of_subject = side.own or reader
    panel = choose(Seen(reader, side.controls), Seen(of_subject, ()))
    alike = [control for control in panel.controls if control.has_template == reader.has_template]
    if not alike:
        kind = "with" if reader.has_template else "without"
        return f"{name}: no control {kind} a chat template is usable; name some with --control"
    ways = [_gain(name, answers, reader, control) for control in alike]
    enough = [way for way in ways if len(way.on_answers) >= MIN_PROMPTS]
    if not enough:
        return f"{name}: {too_few(max(len(way.on_answers) for way in ways))}"
    return min(enough, key=lambda way: (way.score, way.control))


def _gain(
    name: str, answers: Sequence[Answer], reader: TextProbabilities, control: TextProbabilities
) -> _Direction:
    keys = [answer_key(answer) for answer in answers]
    gains = [
        bits_per_byte(reader.answers[key]) - bits_per_byte(control.answers[key])
        for key in keys
        if key in reader.answers and key in control.answers
    ]
    passages = [
        bits_per_byte(reader.passages[p.id]) - bits_per_byte(control.passages[p.id])
        for p in load_passages()
        if p.language == "en" and p.id in reader.passages and p.id in control.passages
    ]
    return _Direction(name, control.name, np.array(gains), float(np.mean(passages or [0.0])))
