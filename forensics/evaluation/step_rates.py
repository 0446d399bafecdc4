"""How well change against a model's past names its teacher's developer, on steps that are known.

Every step is judged with a coefficient that its own lineage cluster had no part in.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forensics.cohorts.calibration import auc, tpr_at_fpr
from forensics.cohorts.lineage.models import ModelFacts
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.shift_candidates import StepChange, profile_coefficient, step_change
from forensics.cohorts.similarity import Floats
from forensics.errors import InputFileError
from forensics.evidence.shift.margins import Lead

NO_TEACHER = "none"
_RATES = (0.05, 0.1)
_RESAMPLES = 500
_COLUMNS = ("model", "base", "teacher_developer")


@dataclass(frozen=True)
class KnownStep:
    """A model, its pasts, and whose answers it is documented to have learned; nobody's if empty."""

    model: str
    bases: tuple[str, ...]
    teacher: str


@dataclass(frozen=True)
class _Judged:
    step: KnownStep
    cluster: int
    family: str
    leads: Mapping[str, Lead]
    first: str

    def towards(self, developer: str) -> float:
        return self.leads[developer].margin


def read_steps(path: Path, facts: Mapping[str, ModelFacts]) -> list[KnownStep]:
    """Read a table of steps: `model`, `base` (`;` between several), `teacher_developer` or `none`.

    Raises:
        InputFileError: it cannot be read, lacks a column, or names a model that is in no table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            columns = reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputFileError(f"{path}: no table of steps can be read ({error})") from error
    lacking = [name for name in _COLUMNS if name not in columns]
    if lacking:
        raise InputFileError(
            f"{path}: no column {' or '.join(lacking)}; the table needs {', '.join(_COLUMNS)}"
        )
    return [_step(row, f"{path}, line {number}", facts) for number, row in enumerate(rows, 2)]


def _step(row: Mapping[str, str | None], where: str, facts: Mapping[str, ModelFacts]) -> KnownStep:
    model, base, teacher = ((row[name] or "").strip() for name in _COLUMNS)
    bases = tuple(name.strip() for name in base.split(";") if name.strip())
    if not model or not bases:
        raise InputFileError(f"{where}: a step needs a model and its base")
    for name in (model, *bases):
        if name not in facts:
            raise InputFileError(
                f"{where}: the table of models has no row for {name!r}; add one, or correct it"
            )
    if model in bases:
        raise InputFileError(f"{where}: {model!r} is named as its own base; name its past")
    return KnownStep(model, bases, "" if teacher.casefold() in ("", NO_TEACHER) else teacher)


def step_rates(outputs: Outputs, steps: Sequence[KnownStep]) -> dict[str, Any]:
    """Return error rates of change against a past, as plain JSON values.

    `auc` is that of the margin of the teacher's developer over the best other one, against the same
    margin in steps without a teacher; every lineage cluster weighs the same. Intervals are of 95 %,
    from resampled clusters.
    """
    judged, abstained = _judged(outputs, steps)
    pos = [entry for entry in judged if entry.step.teacher]
    neg = [entry for entry in judged if not entry.step.teacher]
    figures: dict[str, Any] = {
        "n_pos": len(pos),
        "n_neg": len(neg),
        "n_neg_clusters": len({entry.cluster for entry in neg}),
        "auc": _number(_auc, pos, neg),
        "auc_within_base_family": _number(_within_family, pos, neg),
        "tpr_at_fpr": {f"{rate:g}": _number(_tpr(rate), pos, neg) for rate in _RATES},
        "top1_developer": _number(_first, pos, neg),
        "abstained": round(abstained / len(steps), 6) if steps else None,
    }
    measures: dict[str, _Measure] = {
        "auc": _auc, "auc_within_base_family": _within_family, "top1_developer": _first,
        **{f"tpr_at_{rate:g}": _tpr(rate) for rate in _RATES},
    }  # fmt: skip
    figures["interval"] = {name: _interval(of, pos, neg) for name, of in measures.items()}
    return figures


def null_margins(outputs: Outputs, steps: Sequence[KnownStep]) -> list[tuple[KnownStep, Lead]]:
    """Return who leads in every step, and by which margin over the runner-up developer."""
    judged, _ = _judged(outputs, steps)
    return [(entry.step, entry.leads[entry.first]) for entry in judged]


def _judged(outputs: Outputs, steps: Sequence[KnownStep]) -> tuple[list[_Judged], int]:
    similarities = outputs.similarities()
    changes: list[tuple[KnownStep, StepChange]] = []
    for step in steps:
        answered = {step.model, *step.bases} <= set(outputs.models)
        change = (
            step_change(outputs.facts, similarities, step.model, step.bases) if answered else None
        )
        if change is not None and (not step.teacher or step.teacher in change.developers):
            changes.append((step, change))
    nulls = [change for step, change in changes if not step.teacher]
    judged = []
    for step, change in changes:
        leads = change.leads(profile_coefficient(nulls, change.cluster))
        family = outputs.facts[step.model].base_family
        by_name = {lead.name: lead for lead in leads}
        judged.append(_Judged(step, change.cluster, family, by_name, leads[0].name))
    return judged, len(steps) - len(changes)


_Measure = Callable[[Sequence[_Judged], Sequence[_Judged]], float | None]


def _by_cluster(entries: Sequence[_Judged]) -> Floats:
    numbers = [entry.cluster for entry in entries]
    return np.array([1 / numbers.count(number) for number in numbers])


def _per_teacher(
    pos: Sequence[_Judged], neg: Sequence[_Judged], of: Callable[..., float]
) -> float | None:
    """Average a figure over the teachers' developers, by how many students each has."""
    values, weights = [], []
    for teacher in sorted({entry.step.teacher for entry in pos}):
        students = [entry for entry in pos if entry.step.teacher == teacher]
        others = [entry for entry in neg if teacher in entry.leads]
        if students and others:
            scores = [np.array([e.towards(teacher) for e in side]) for side in (students, others)]
            values.append(of(*scores, _by_cluster(students), _by_cluster(others)))
            weights.append(len(students))
    return float(np.average(values, weights=weights)) if values else None


def _auc(pos: Sequence[_Judged], neg: Sequence[_Judged]) -> float | None:
    return _per_teacher(pos, neg, auc)


def _within_family(pos: Sequence[_Judged], neg: Sequence[_Judged]) -> float | None:
    families = sorted({entry.family for entry in pos} - {"", "?"})
    values = [
        _auc([e for e in pos if e.family == family], [e for e in neg if e.family == family])
        for family in families
    ]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _tpr(rate: float) -> _Measure:
    def of(pos: Sequence[_Judged], neg: Sequence[_Judged]) -> float | None:
        return _per_teacher(pos, neg, lambda p, n, wp, wn: tpr_at_fpr(p, n, rate, wp, wn))

    return of


def _first(pos: Sequence[_Judged], _: Sequence[_Judged]) -> float | None:
    if not pos:
        return None
    right = [entry.first == entry.step.teacher for entry in pos]
    return float(np.average(right, weights=_by_cluster(pos)))


def _number(of: _Measure, pos: Sequence[_Judged], neg: Sequence[_Judged]) -> float | None:
    value = of(pos, neg)
    return None if value is None else round(value, 6)


def _interval(of: _Measure, pos: Sequence[_Judged], neg: Sequence[_Judged]) -> list[float] | None:
    clusters = sorted({entry.cluster for entry in (*pos, *neg)})
    if len(clusters) < 2:
        return None
    generator = np.random.default_rng(0)
    values = []
    for _ in range(_RESAMPLES):
        drawn = generator.choice(clusters, len(clusters)).tolist()
        value = of(_drawn(pos, drawn), _drawn(neg, drawn))
        if value is not None:
            values.append(value)
    if len(values) < _RESAMPLES / 2:
        return None
    low, high = np.quantile(values, [0.025, 0.975])
    return [round(float(low), 6), round(float(high), 6)]


def _drawn(entries: Sequence[_Judged], drawn: Sequence[int]) -> list[_Judged]:
    """Return the entries as often as their cluster was drawn, each time as a cluster of its own."""
    from dataclasses import replace

    return [
        replace(entry, cluster=place)
        for place, cluster in enumerate(drawn)
        for entry in entries
        if entry.cluster == cluster
    ]
