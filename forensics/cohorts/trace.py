"""Which models of a cohort is a subject related to? "None of these" is an answer.

The best of many scores is high by chance alone. Its error rate is therefore that of the maximum:
a subject's best score counts only against the best scores that cohort models reach among models
documented to be unrelated to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forensics.cohorts.calibration import to_log10
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.placed import Placed, excluded_for
from forensics.cohorts.population import Condition, Population
from forensics.cohorts.shift_trace import ShiftTrace
from forensics.cohorts.similarity import MIN_PROMPTS, Flags, Floats, agreement, pair_scores
from forensics.cohorts.teachers import TeacherFinding, apart
from forensics.cohorts.teachers import finding as teacher_finding
from forensics.cohorts.trace_wording import (
    Level,
    none_of_these,
    related,
    related_to,
    stands_out,
    too_few_answers,
)
from forensics.support.notebook import FLAG, NUMBER, TEXT, Kind, few_lines, frame

if TYPE_CHECKING:
    import pandas as pd

FAMILY_WISE = 0.01


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


@dataclass(frozen=True)
class Candidate:
    """A cohort model and how the subject scores against it.

    `log10_lr` weighs close kinship against independence, None without a calibration;
    `family_wise` is how often the best score of an unrelated subject is as high.
    """

    model: str
    family: str
    developer: str
    released: str
    score: float
    cosine: float
    log10_lr: float | None
    family_wise: float | None


@dataclass(frozen=True)
class Trace:
    """The relatives of a subject, the likeliest first, and what may be said of them.

    `alike` are those that pass the family-wise limit. They are `named` as relatives only where the
    subject is covered: `conditions` are those of the relevant population for the best. `level` is
    how precisely the named agree: model, family, developer or several. `teacher` says what may be
    said of a model whose answers the subject was trained on; None with too few answers. `shift` is
    what it changed against its own past, None where no past was named.
    """

    subject: str
    cohort: str
    known_as: str | None
    prompts: int
    relatives: tuple[Candidate, ...]
    alike: tuple[str, ...]
    named: tuple[str, ...]
    level: Level
    reading: str
    conditions: tuple[Condition, ...]
    teacher: TeacherFinding | None
    shift: ShiftTrace | None = None

    @property
    def covered(self) -> bool:
        """Whether the best candidate's likelihood ratio holds: every condition is met."""
        return bool(self.conditions) and all(condition.met for condition in self.conditions)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per candidate, the likeliest first.

        Columns: those of `Candidate`, and whether the candidate passes the family-wise limit
        (`alike`) and is named as a relative (`named`). `log10_lr` is NaN unless the subject is
        covered: elsewhere no likelihood ratio holds.
        """
        rows = [
            {
                "model": candidate.model,
                "family": candidate.family,
                "developer": candidate.developer,
                "released": candidate.released,
                "score": candidate.score,
                "cosine": candidate.cosine,
                "log10_lr": candidate.log10_lr if self.covered else None,
                "family_wise": candidate.family_wise,
                "alike": candidate.model in self.alike,
                "named": candidate.model in self.named,
            }
            for candidate in self.relatives
        ]
        return frame(rows, _COLUMNS)

    def _repr_html_(self) -> str:
        """Return the answer in a few lines, for notebooks."""
        basis = (
            f"{self.prompts} prompts, {len(self.relatives)} candidates of the cohort {self.cohort}."
        )
        teacher = [self.teacher.statement] if self.teacher is not None else []
        return few_lines(f"Trace of {self.subject}", self.reading, [*teacher, basis])


def trace(subject: Placed, cohort: Cohort) -> Trace:
    """Rank a cohort's models by how likely the subject is related to each."""
    if subject.answered < MIN_PROMPTS:
        return _insufficient(subject, cohort)
    prompts = np.flatnonzero(np.any(subject.rows != 0, axis=1)).tolist()
    similarities = cohort.similarities([(subject.name, subject.rows)], prompts)
    excluded = _with_subject(cohort.excluded(), excluded_for(subject, cohort))
    subject_number = len(cohort.models)
    candidates = [i for i, model in enumerate(cohort.models) if model != subject.known_as]
    pairs = np.array([(subject_number, i) for i in candidates], dtype=np.intp)
    scores = pair_scores(similarities, excluded, pairs)
    order = np.argsort(-np.nan_to_num(scores.score, nan=-np.inf), kind="stable")
    relatives = tuple(
        _relative(
            cohort,
            candidates[i],
            float(scores.score[i]),
            float(scores.cosine[i]),
            int(scores.prompts[i]),
        )
        for i in order
        if np.isfinite(scores.score[i])
    )
    if not relatives:
        return _insufficient(subject, cohort)
    alike = [
        candidate
        for candidate in relatives
        if candidate.family_wise is not None and candidate.family_wise <= FAMILY_WISE
    ]
    means = agreement(similarities)
    kin = excluded_for(subject, cohort)
    conditions = _conditions(subject, cohort, relatives[0].model, means, kin)
    covered = all(condition.met for condition in conditions)
    named = tuple(candidate.model for candidate in alike) if covered else ()
    return Trace(
        subject.name,
        cohort.name,
        subject.known_as,
        len(prompts),
        relatives,
        tuple(candidate.model for candidate in alike),
        named,
        _level(alike) if covered else "none",
        _reading(alike, relatives, conditions),
        conditions,
        _teacher(subject, cohort, means, covered),
    )


def _teacher(subject: Placed, cohort: Cohort, means: Floats, covered: bool) -> TeacherFinding:
    excluded = cohort.excluded()
    kin = np.zeros(len(cohort.models), dtype=bool)
    if subject.known_as is not None:
        kin = ~apart(cohort.facts, excluded)[cohort.place(subject.known_as)]
    released = subject.traits.released
    return teacher_finding(means, cohort.facts, excluded, kin, released, covered)


def _with_subject(among: Flags, subject: Flags) -> Flags:
    size = len(among) + 1
    flags = np.zeros((size, size), dtype=bool)
    flags[:-1, :-1] = among
    flags[-1, :-1] = subject
    flags[:, -1] = True  # a subject is no reference for anybody
    return flags


def _relative(cohort: Cohort, number: int, score: float, cosine: float, prompts: int) -> Candidate:
    model = cohort.models[number]
    facts = cohort.facts[model]
    lr = rate = None
    if cohort.calibration is not None:
        lr = round(float(to_log10(cohort.calibration.llr(score, prompts))), 3)
        rate = cohort.calibration.family_wise(score, prompts)
    return Candidate(
        model,
        facts.family,
        facts.developer,
        facts.released,
        round(score, 4),
        round(cosine, 4),
        lr,
        None if rate is None else round(rate, 4),
    )


def _conditions(
    subject: Placed, cohort: Cohort, best: str, means: Floats, kin: Flags
) -> tuple[Condition, ...]:
    population = Population((*cohort.traits, subject.traits), means)
    number = cohort.place(best)
    in_reference = ~(cohort.excluded()[number] | kin)
    names = (subject.name, best)
    return population.conditions(len(cohort.models), number, np.append(in_reference, False), names)


def _level(alike: Sequence[Candidate]) -> Level:
    if not alike:
        return "none"
    if len(alike) == 1:
        return "model"
    levels: tuple[Level, ...] = ("family", "developer")
    for level in levels:
        values = {getattr(candidate, level) for candidate in alike}
        if len(values) == 1 and "" not in values:
            return level
    return "several"


def _reading(
    alike: Sequence[Candidate],
    relatives: Sequence[Candidate],
    conditions: Sequence[Condition],
) -> str:
    unmet = [condition.text for condition in conditions if not condition.met]
    best = relatives[0]
    if not alike:
        return none_of_these(best.model, FAMILY_WISE, unmet)
    level = _level(alike)
    who = related_to(level, best.model, best.family, best.developer, len(alike))
    return stands_out(who, unmet) if unmet else related(who)


def _insufficient(subject: Placed, cohort: Cohort) -> Trace:
    reading = too_few_answers(subject.answered, len(cohort.prompts), MIN_PROMPTS)
    name = subject.name
    return Trace(name, cohort.name, None, subject.answered, (), (), (), "none", reading, (), None)
