"""A case in a notebook: its evidence and its prompts as frames, its answer in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from forensics.case.answer_labels import QUESTIONS, label, lead_of
from forensics.support.notebook import COUNT, NUMBER, TEXT, Kind, few_lines, frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from forensics.case.evidence import Evidence
    from forensics.case.questions import QuestionAnswer

_EVIDENCE: dict[str, Kind] = {
    "evidence": TEXT,
    "tier": TEXT,
    "status": TEXT,
    "score": NUMBER,
    "low": NUMBER,
    "high": NUMBER,
    "floor_a": NUMBER,
    "floor_b": NUMBER,
    "n": COUNT,
}
_ASKED = ("prompt_id", "prompt_sha256", "category", "language", "prompt")
_PROMPT: dict[str, Kind] = dict.fromkeys((*_ASKED, "answer_a", "answer_b"), TEXT)
_USABLE = ("ok", "truncated")


class KeptAnswer(Protocol):
    """An answer that a case holds."""

    @property
    def text(self) -> str:
        """What the model wrote."""
        ...

    @property
    def status(self) -> str:
        """How the call ended."""
        ...


class KeptPrompt(Protocol):
    """A prompt that a case holds, whose other fields are named as their columns."""

    @property
    def prompt_sha256(self) -> str:
        """The identity of what was asked."""
        ...

    @property
    def a(self) -> Sequence[KeptAnswer]:
        """The known model's answers."""
        ...

    @property
    def b(self) -> Sequence[KeptAnswer]:
        """The questioned model's answers."""
        ...


def evidence_frame(evidence: Sequence[Evidence]) -> pd.DataFrame:
    """Return a row per kind of evidence, in the order of the report; see `Case.to_frame`."""
    rows = [
        {
            "evidence": e.comparator,
            "tier": e.tier,
            "status": e.status,
            "score": e.score,
            "low": e.interval and e.interval.low,
            "high": e.interval and e.interval.high,
            "floor_a": e.noise_floor and e.noise_floor.a,
            "floor_b": e.noise_floor and e.noise_floor.b,
            "n": e.n,
        }
        for e in evidence
    ]
    return frame(rows, _EVIDENCE)


def prompts_frame(prompts: Sequence[KeptPrompt], evidence: Sequence[Evidence]) -> pd.DataFrame:
    """Return a row per prompt that both answered; see `Case.prompts_frame`."""
    scores = {
        e.comparator: {score.prompt_sha256: score.score for score in e.per_prompt}
        for e in evidence
        if e.per_prompt and e.comparator not in _PROMPT
    }
    rows = [_prompt_row(p, scores) for p in prompts] or _unkept(evidence, scores)
    return frame(rows, _PROMPT | dict.fromkeys(scores, NUMBER))


def _prompt_row(prompt: KeptPrompt, scores: Mapping[str, Mapping[str, float]]) -> dict[str, object]:
    asked: dict[str, object] = {name: getattr(prompt, name) for name in _ASKED}
    scored = {name: known.get(prompt.prompt_sha256) for name, known in scores.items()}
    return asked | {"answer_a": _first(prompt.a), "answer_b": _first(prompt.b)} | scored


def _unkept(
    evidence: Sequence[Evidence], scores: Mapping[str, Mapping[str, float]]
) -> list[dict[str, object]]:
    """Return rows of prompts without texts: a cohort's models are kept as numbers only."""
    scored = {s.prompt_sha256: s.prompt_id for e in evidence for s in e.per_prompt}
    empty: dict[str, object] = dict.fromkeys(_PROMPT)
    return [
        empty
        | {"prompt_id": prompt_id, "prompt_sha256": digest}
        | {name: known.get(digest) for name, known in scores.items()}
        for digest, prompt_id in scored.items()
    ]


def _first(responses: Sequence[KeptAnswer]) -> str | None:
    return next((r.text for r in responses if r.status in _USABLE and r.text.strip()), None)


def answer_html(
    title: str,
    answers: Sequence[QuestionAnswer],
    said: Sequence[str],
    basis: str,
    *,
    blind: bool,
) -> str:
    """Return the answer to a case in a few lines; see `Case._repr_html_`.

    Args:
        title: whom it is about.
        answers: to the four questions; none of an earlier version's case.
        said: headline and reading of the verdict, for such a case.
        basis: what the answer rests on.
        blind: whether names are masked. They may stand in any reason, so none is shown then.
    """
    if not answers:
        headline, *reading = said
        return few_lines(title, headline, [*(() if blind else reading), basis])
    lead = lead_of(answers)
    others = "; ".join(_answered(answer) for index, answer in enumerate(answers) if index != lead)
    reasons = () if blind else answers[lead].reasons[:1]
    return few_lines(title, _answered(answers[lead]), [*reasons, others, basis])


def _answered(answer: QuestionAnswer) -> str:
    return f"{QUESTIONS[answer.question]} {label(answer.answer, answer.strength)}"
