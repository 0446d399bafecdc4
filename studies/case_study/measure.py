"""Runs the program on a pair and takes from its case what the page shows; judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import forensics
from forensics.case.details.shared_manner import MannerDetails
from forensics.case.details.shift import ShiftDetails
from forensics.case.document import Case
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.shift_candidates import candidates_of
from forensics.report.four_answers import ShownAnswer, shown_answers
from studies.case_study.pairs import PUZZLES, Pair

_ORDER = ("One model?", "Close relatives?", "Learned from the other?", "Independent?")


@dataclass(frozen=True)
class Measured:
    """A pair and its case."""

    pair: Pair
    case: Case

    @cached_property
    def answers(self) -> tuple[ShownAnswer, ...]:
        """The program's four answers, in the order of the questions."""
        shown = {answer.short: answer for answer in shown_answers(self.case)}
        return tuple(shown[question] for question in _ORDER)

    @cached_property
    def manner(self) -> MannerDetails | None:
        """What both share of their manner; None where no model was asked several times."""
        kinds = (e.details for e in self.case.evidence if e.status == "ok")
        return next((d for d in kinds if isinstance(d, MannerDetails)), None)

    @cached_property
    def shift(self) -> ShiftDetails | None:
        """The change against the questioned model's past; None without one."""
        kinds = (e.details for e in self.case.evidence)
        return next((d for d in kinds if isinstance(d, ShiftDetails)), None)


def measured(pair: Pair) -> Measured:
    """Compare a pair as `Pair.command` does."""
    case = forensics.compare(
        pair.subject(pair.known),
        pair.subject(pair.questioned),
        bases=[pair.subject(base) for base in pair.bases],
    )
    return Measured(pair, case)


def towards_all(questioned: str, past: str, cohort: Cohort) -> list[Measured]:
    """Compare a model, against its past, with every model of another house that came before.

    Left out are those that are students of somebody themselves. Sorted by the change.
    """
    facts = cohort.facts
    candidates = candidates_of(facts, facts[questioned], [facts[past]])
    pairs = [Pair(questioned, cohort.models[number], (past,), PUZZLES) for number in candidates]
    return by_change([measured(pair) for pair in pairs])


def by_change(rows: Sequence[Measured]) -> list[Measured]:
    """Return pairs, the largest change first."""
    return sorted(rows, key=lambda row: (-_change(row), row.pair.known))


def _change(row: Measured) -> float:
    return row.shift.least.change if row.shift is not None else float("-inf")
