"""A case in a notebook: its evidence and its prompts as frames, its answer in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.case.answer_labels import QUESTIONS, label, lead_of
from forensics.support.notebook import COUNT, NUMBER, TEXT, Kind, few_lines, frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from forensics.case.document import Case, CasePrompt, CaseResponse
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


def evidence_frame(case: Case) -> pd.DataFrame:
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
        for e in case.evidence
    ]
    return frame(rows, _EVIDENCE)


def prompts_frame(case: Case) -> pd.DataFrame:
    """Return a row per prompt that both answered; see `Case.prompts_frame`."""
    scores = {
        e.comparator: {score.prompt_sha256: score.score for score in e.per_prompt}
        for e in case.evidence
        if e.per_prompt and e.comparator not in _PROMPT
    }
    rows = [_prompt_row(p, scores) for p in case.prompts] or _unkept(case, scores)
    return frame(rows, _PROMPT | dict.fromkeys(scores, NUMBER))


def _prompt_row(prompt: CasePrompt, scores: Mapping[str, Mapping[str, float]]) -> dict[str, object]:
    asked: dict[str, object] = {name: getattr(prompt, name) for name in _ASKED}
    scored = {name: known.get(prompt.prompt_sha256) for name, known in scores.items()}
    return asked | {"answer_a": _first(prompt.a), "answer_b": _first(prompt.b)} | scored


def _unkept(case: Case, scores: Mapping[str, Mapping[str, float]]) -> list[dict[str, object]]:
    """Return rows of prompts without texts: a cohort's models are kept as numbers only."""
    scored = {s.prompt_sha256: s.prompt_id for e in case.evidence for s in e.per_prompt}
    empty: dict[str, object] = dict.fromkeys(_PROMPT)
    return [
        empty
        | {"prompt_id": prompt_id, "prompt_sha256": digest}
        | {name: known.get(digest) for name, known in scores.items()}
        for digest, prompt_id in scored.items()
    ]


def _first(responses: Sequence[CaseResponse]) -> str | None:
    return next((r.text for r in responses if r.status in _USABLE and r.text.strip()), None)


def case_html(case: Case) -> str:
    """Return the answer in a few lines; see `Case._repr_html_`."""
    known, questioned = _names(case)
    verdict = case.verdict
    measured = sum(e.status == "ok" for e in case.evidence)
    basis = (
        f"Status: {verdict.status}, calibration: {verdict.calibration.replace('_', ' ')}. "
        f"{measured} of {len(case.evidence)} kinds of evidence were measured; both models answered "
        f"{case.overlap.both} of the prompts."
    )
    # Names may stand in any sentence of the answer: a blind one is not shown beyond its first.
    reading = [] if case.blind else [verdict.reading, *verdict.limits[:1]]
    answer, others = verdict.headline, reading
    if verdict.answers:
        lead = lead_of(verdict.answers)
        answer = _answered(verdict.answers[lead])
        others = [*(() if case.blind else verdict.answers[lead].reasons[:1]), _others(case, lead)]
    return few_lines(f"{known} (known) and {questioned} (questioned)", answer, [*others, basis])


def _answered(answer: QuestionAnswer) -> str:
    return f"{QUESTIONS[answer.question]} {label(answer.answer, answer.strength)}"


def _others(case: Case, lead: int) -> str:
    rest = (answer for index, answer in enumerate(case.verdict.answers) if index != lead)
    return "; ".join(map(_answered, rest))


def _names(case: Case) -> tuple[str, str]:
    return ("Model A", "Model B") if case.blind else (case.a.name, case.b.name)
