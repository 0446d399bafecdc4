"""What may be said of a subject's teacher: the model whose answers it was trained on.

Text does not name one. Nearly all documented teachers are one developer's, so that what their
students share cannot be told from what many models share (reports/ERROR-RATES.md, "Common
teacher"). What is left is weaker: whether a subject's answers lean towards models documented to
have learned from an assistant's answers, rather than towards those documented not to have. Even
that is said only where it holds for the cohort's own models, each held out in turn.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.calibration import ErrorRate, error_rate
from forensics.cohorts.lineage.models import ModelFacts, clusters
from forensics.cohorts.population import MONTHS, month
from forensics.cohorts.similarity import Flags, Floats
from forensics.cohorts.teacher_level import ASSISTANT_STYLE, MAX_ERROR, HeldOut, Level
from forensics.cohorts.teacher_wording import teacher_statement


@dataclass(frozen=True)
class Roles:
    """Who is documented to have learned from another developer's model, and who not to have.

    Flags of shape (models,). A developer whose models taught others is in neither: what its
    students share with it would count against them.
    """

    students: Flags
    others: Flags


@dataclass(frozen=True)
class TeacherFinding:
    """At which level a teacher is named, and how well that level holds on the cohort's own models.

    `leans` tells whether the subject's answers lean towards students of others: of the `clusters`
    documented to have had no teacher (its time, its own cluster left out) none leans as far, and
    they are so many that the upper 95 % limit of such an error, `limit`, is at most `MAX_ERROR`.
    None where it cannot be told.
    """

    level: Level
    statement: str
    leans: bool | None
    clusters: int
    limit: float | None
    held_out: HeldOut


def roles(facts: Mapping[str, ModelFacts]) -> Roles:
    """Sort models by what is documented of their teachers."""
    models = list(facts.values())
    names = {_plain(teacher.name) for fact in models for teacher in fact.teachers}
    taught = {
        fact.developer
        for fact in models
        if fact.developer and any(_plain(fact.model).startswith(name) for name in names)
    }
    students = [
        any(not _is_own(teacher.name, fact, models) for teacher in fact.teachers) for fact in models
    ]
    others = [
        fact.teachers_known == "none known" and fact.developer not in taught for fact in models
    ]
    return Roles(np.array(students, dtype=bool), np.array(others, dtype=bool))


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _is_own(teacher: str, student: ModelFacts, models: Sequence[ModelFacts]) -> bool:
    """Tell whether a teacher's name begins like a model of the student's own developer."""
    head = "".join(itertools.takewhile(str.isalpha, _plain(teacher)))
    return bool(head and student.developer) and any(
        _plain(fact.model).startswith(head)
        for fact in models
        if fact.developer == student.developer
    )


def apart(facts: Mapping[str, ModelFacts], excluded: Flags) -> Flags:
    """Flag whom each model may be held against: neither excluded nor of its own developer.

    Args:
        facts: of the models.
        excluded: shape (models, models), see `Outputs.excluded`.
    """
    developers = np.array([fact.developer for fact in facts.values()])
    same = (developers[:, None] == developers[None, :]) & (developers != "")
    flags: Flags = ~(excluded | excluded.T | same)
    return flags


def contrasts(agreement: Floats, held_against: Flags, known: Roles) -> Floats:
    """Return how much more alike each model is to students than to the others.

    The mean over the ones less the mean over the others: that a model is everybody's neighbour
    raises both.

    Args:
        agreement: mean cosines, rows are judged: shape (rows, models).
        held_against: whom each row may be held against, shape (rows, models).
        known: roles of the models.

    Returns:
        shape (rows,), NaN where there is nobody on one side.
    """
    sides = []
    for role in (known.students, known.others):
        used = held_against & role
        count = used.sum(axis=1)
        mean = (agreement * used).sum(axis=1) / np.maximum(count, 1)
        sides.append(np.where(count > 0, mean, np.nan))
    contrast: Floats = sides[0] - sides[1]
    return contrast


@dataclass(frozen=True)
class _Known:
    """The cohort's models: contrasts, months (NaN: not known), clusters, roles, who is kin."""

    contrasts: Floats
    months: Floats
    cluster: NDArray[np.intp]
    roles: Roles
    excluded: Flags

    def rate(self, contrast: float, released: float, kin: Flags) -> ErrorRate:
        """Return how many clusters without a teacher, of this time, lean as far."""
        near = np.abs(self.months - released) <= MONTHS
        others = self.roles.others & near & ~kin & np.isfinite(self.contrasts)
        as_far = others & (self.contrasts >= contrast)
        return error_rate(
            len(np.unique(self.cluster[as_far])), len(np.unique(self.cluster[others]))
        )

    def leans(self, model: int) -> bool:
        """Tell whether one of the models leans towards students, held against no kin."""
        kin = self.excluded[model] | self.excluded[:, model]
        rate = self.rate(self.contrasts[model], self.months[model], kin)
        return bool(np.isfinite(self.contrasts[model])) and _none_as_far(rate)


def _none_as_far(rate: ErrorRate) -> bool:
    return rate.errors == 0 and rate.upper <= MAX_ERROR


def finding(
    agreement: Floats,
    facts: Mapping[str, ModelFacts],
    excluded: Flags,
    kin: Flags,
    released: str,
    covered: bool = True,
) -> TeacherFinding:
    """Tell what may be said of a subject's teacher.

    Args:
        agreement: mean cosines of the cohort's models and, behind them, the subject, shape
            (models + 1, models + 1).
        facts: of the cohort's models.
        excluded: shape (models, models), see `Outputs.excluded`.
        kin: flags whom the subject may not be held against, shape (models,).
        released: the subject's `YYYY-MM`, empty where it is not known.
        covered: whether the subject lies inside the relevant population.
    """
    known = _known(agreement[:-1, :-1], facts, excluded)
    tried = _held_out(known)
    contrast = contrasts(agreement[-1:, :-1], ~kin[None], known.roles)[0]
    rate = known.rate(float(contrast), float(month(released) or np.nan), kin)
    can_be_told = bool(np.isfinite(contrast)) and rate.trials > 0
    leans = _none_as_far(rate) if can_be_told and covered else None
    level: Level = ASSISTANT_STYLE if tried.holds and leans else "none"
    return TeacherFinding(
        level,
        teacher_statement(level, tried, rate, covered),
        leans,
        int(rate.trials),
        round(rate.upper, 4) if can_be_told else None,
        tried,
    )


def held_out(agreement: Floats, facts: Mapping[str, ModelFacts], excluded: Flags) -> HeldOut:
    """Try every model of a cohort as `finding` does a subject, held against no kin of its own.

    Args:
        agreement: mean cosines, shape (models, models).
        facts: of the models.
        excluded: shape (models, models), see `Outputs.excluded`.
    """
    return _held_out(_known(agreement, facts, excluded))


def _held_out(known: _Known) -> HeldOut:
    students, others = (
        np.flatnonzero(role).tolist() for role in (known.roles.students, known.roles.others)
    )
    in_error = {int(known.cluster[i]) for i in others if known.leans(i)}
    return HeldOut(
        len(students),
        sum(known.leans(i) for i in students),
        len(np.unique(known.cluster[others])),
        len(in_error),
    )


def _known(agreement: Floats, facts: Mapping[str, ModelFacts], excluded: Flags) -> _Known:
    numbers = clusters(facts)
    known = roles(facts)
    return _Known(
        contrasts(agreement, apart(facts, excluded), known),
        np.array([month(fact.released) or np.nan for fact in facts.values()], dtype=np.float64),
        np.array([numbers[model] for model in facts], dtype=np.intp),
        known,
        excluded,
    )
