"""The first screen of a report: who was compared, what was asked, the answer, how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from forensics.case.document import Case
from forensics.case.questions import AnswerWord, ClaimWord, NextStep
from forensics.cohorts.calibration.verbal import Tier
from forensics.report.four_answers import ShownAnswer, ShownClaim, shown_answers, shown_claims
from forensics.support.sanitise import one_line

Tone = Literal["yes", "no", "open"]

# What is weaker than moderate is not called support.
STRENGTHS: tuple[Tier, ...] = get_args(Tier)[2:]
_YES: tuple[AnswerWord | ClaimWord, ...] = ("indistinguishable", "supported", "points to it")
_NO: tuple[AnswerWord | ClaimWord, ...] = ("not one model", "contradicted", "no")
_NAME = 90
_SAID = 700


@dataclass(frozen=True)
class LeadAnswer:
    """The answer that stands first, in words; `step` is the place of its strength in `STRENGTHS`.

    `step` is None where its strength was not measured.
    """

    question: str
    label: str
    said: str
    tone: Tone
    path: str
    step: int | None = None


@dataclass(frozen=True)
class FirstScreen:
    """What stands on the first screen: claims, names, the `lead` answer, `others`, `settle`.

    `warnings` say what was found wrong with the answers themselves.
    """

    names: tuple[str, str]
    date: str
    claims: tuple[ShownClaim, ...]
    lead: LeadAnswer
    others: tuple[ShownAnswer, ...]
    settle: str = ""
    warnings: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Both names and the answer, on one line."""
        return f"{' · '.join(self.names)}: {self.lead.question} {self.lead.label}"


def first_screen(case: Case) -> FirstScreen:
    """Return the first screen of a case; one without answers has its headline for one."""
    answers, claims = shown_answers(case), shown_claims(case)
    step = _next_step(answers, claims)
    return FirstScreen(
        names=(one_line(case.a.name, _NAME), one_line(case.b.name, _NAME)),
        date=_day(case.created_at),
        claims=claims,
        lead=_lead(answers[0]) if answers else _headline(case),
        others=answers[1:],
        settle=_settle(step),
        warnings=_warnings(case),
        commands=tuple(one_line(command, _SAID) for command in step.commands) if step else (),
    )


def tone(answer: AnswerWord | ClaimWord) -> Tone:
    """Return whether an answer says yes, says no, or leaves it open."""
    if answer in _YES:
        return "yes"
    return "no" if answer in _NO else "open"


def _lead(answer: ShownAnswer) -> LeadAnswer:
    strength = next((tier for tier in STRENGTHS if tier == answer.strength), None)
    is_graded = strength is not None and answer.answer == "supported"
    return LeadAnswer(
        question=answer.question,
        label=answer.label,
        said=one_line(" ".join(answer.reasons), _SAID),
        tone=tone(answer.answer),
        path=answer.path,
        step=STRENGTHS.index(strength) if strength is not None and is_graded else None,
    )


def _headline(case: Case) -> LeadAnswer:
    verdict = case.verdict
    return LeadAnswer(
        question="How alike are they?",
        label=one_line(verdict.headline, _SAID),
        said=one_line(verdict.reading, _SAID),
        tone="open",
        path="verdict.headline",
    )


def _next_step(answers: tuple[ShownAnswer, ...], claims: tuple[ShownClaim, ...]) -> NextStep | None:
    """Return what would settle the first question that is open, a claim's before all."""
    steps = [claim.answer.next_step for claim in claims] + [answer.next_step for answer in answers]
    return next(filter(None, steps), None)


def _warnings(case: Case) -> tuple[str, ...]:
    """Return what was found wrong with the answers: a changed file, a name that changed mid-run."""
    sides = (("A", case.a), ("B", case.b))
    return tuple(
        one_line(f"Answers of {letter}: {warning}", _SAID)
        for letter, side in sides
        for warning in side.warnings
    )


def _settle(step: NextStep | None) -> str:
    if step is None:
        return ""
    cost = f" ({step.cost})" if step.cost else ""
    return one_line(f"{step.material}{cost}", _SAID)


def _day(created_at: str) -> str:
    try:
        made = datetime.fromisoformat(created_at)
    except ValueError:
        return one_line(created_at, 40)
    return f"{made.day} {made:%b %Y}"
