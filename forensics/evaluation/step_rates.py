"""How well change against a model's past names its teacher's developer, on steps that are known.

Nothing is fitted: every step is judged by its own change alone.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from forensics.cohorts.calibration import auc, tpr_at_fpr
from forensics.cohorts.lineage.models import ModelFacts
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.shift_candidates import step_change
from forensics.cohorts.similarity import Floats, Similarities
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
class JudgedStep:
    """A step, every developer's lead by name, and who leads."""

    step: KnownStep
    cluster: int
    family: str
    leads: Mapping[str, Lead]
    first: str

    def towards(self, developer: str) -> float:
        """Return a developer's margin."""
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
    """Return error rates of change against a past, as plain JSON values: see `rates`."""
    judged = judged_steps(outputs.facts, outputs.similarities(), steps)
    return rates(judged, len(steps))


def rates(judged: Sequence[JudgedStep], asked: int) -> dict[str, Any]:
    """Return error rates of judged steps, as plain JSON values.

    Args:
        judged: the steps that could be judged.
        asked: how many there were.

    `auc` is that of the margin of the teacher's developer over the best other one, against the same
    margin in steps without a teacher; every lineage cluster weighs the same. Intervals are of 95 %,
    from resampled clusters.
    """
    pos = [entry for entry in judged if entry.step.teacher]
    neg = [entry for entry in judged if not entry.step.teacher]
    figures: dict[str, Any] = {
        "n_pos": len(pos),
        "n_neg": len(neg),
        "n_neg_clusters": len({entry.cluster for entry in neg}),
        "auc": _number(_auc, pos, neg),
        "auc_within_base_family": _number(auc_within_families, pos, neg),
        "tpr_at_fpr": {f"{rate:g}": _number(_tpr(rate), pos, neg) for rate in _RATES},
        "top1_developer": _number(_first, pos, neg),
        "abstained": round((asked - len(judged)) / asked, 6) if asked else None,
    }
    measures: dict[str, _Measure] = {
        "auc": _auc, "auc_within_base_family": auc_within_families, "top1_developer": _first,
        **{f"tpr_at_{rate:g}": _tpr(rate) for rate in _RATES},
    }  # fmt: skip
    figures["interval"] = _intervals(measures, pos, neg)
    return figures


def null_margins(outputs: Outputs, steps: Sequence[KnownStep]) -> list[tuple[KnownStep, Lead]]:
    """Return who leads in every step, and by which margin over the runner-up developer."""
    judged = judged_steps(outputs.facts, outputs.similarities(), steps)
    return [(entry.step, entry.leads[entry.first]) for entry in judged]


def judged_steps(
    facts: Mapping[str, ModelFacts], similarities: Similarities, steps: Sequence[KnownStep]
) -> list[JudgedStep]:
    """Judge the steps whose models, prompts and candidates suffice.

    Args:
        facts: of the models, in the order of the similarities.
        similarities: how alike all models are, prompt by prompt.
        steps: what is known.
    """
    judged = []
    for step in steps:
        if not {step.model, *step.bases} <= set(similarities.models):
            continue
        change = step_change(facts, similarities, step.model, step.bases)
        if change is None or (step.teacher and step.teacher not in change.developers):
            continue
        leads = change.leads()
        by_name = {lead.name: lead for lead in leads}
        family = facts[step.model].base_family
        judged.append(JudgedStep(step, change.cluster, family, by_name, leads[0].name))
    return judged


_Measure = Callable[[Sequence[JudgedStep], Sequence[JudgedStep]], float | None]


def _by_cluster(entries: Sequence[JudgedStep]) -> Floats:
    numbers = [entry.cluster for entry in entries]
    return np.array([1 / numbers.count(number) for number in numbers])


def _per_teacher(
    pos: Sequence[JudgedStep], neg: Sequence[JudgedStep], of: Callable[..., float]
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


def _auc(pos: Sequence[JudgedStep], neg: Sequence[JudgedStep]) -> float | None:
    return _per_teacher(pos, neg, auc)


def auc_within_families(pos: Sequence[JudgedStep], neg: Sequence[JudgedStep]) -> float | None:
    """Return the area with every base family counting the same; None where no family has both."""
    families = sorted({entry.family for entry in pos} - {"", "?"})
    values = [
        _auc([e for e in pos if e.family == family], [e for e in neg if e.family == family])
        for family in families
    ]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _tpr(rate: float) -> _Measure:
    def of(pos: Sequence[JudgedStep], neg: Sequence[JudgedStep]) -> float | None:
        return _per_teacher(pos, neg, lambda p, n, wp, wn: tpr_at_fpr(p, n, rate, wp, wn))

    return of


def _first(pos: Sequence[JudgedStep], _: Sequence[JudgedStep]) -> float | None:
    if not pos:
        return None
    right = [entry.first == entry.step.teacher for entry in pos]
    return float(np.average(right, weights=_by_cluster(pos)))


def _number(of: _Measure, pos: Sequence[JudgedStep], neg: Sequence[JudgedStep]) -> float | None:
    value = of(pos, neg)
    return None if value is None else round(value, 6)


def _intervals(
    measures: Mapping[str, _Measure], pos: Sequence[JudgedStep], neg: Sequence[JudgedStep]
) -> dict[str, list[float] | None]:
    clusters = sorted({entry.cluster for entry in (*pos, *neg)})
    if len(clusters) < 2:
        return dict.fromkeys(measures)
    generator = np.random.default_rng(0)
    sides = [_of_cluster(side) for side in (pos, neg)]
    values: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(_RESAMPLES):
        drawn = generator.choice(clusters, len(clusters)).tolist()
        some = [_drawn(side, drawn) for side in sides]
        for name, of in measures.items():
            value = of(some[0], some[1])
            if value is not None:
                values[name].append(value)
    return {name: _central(some_values) for name, some_values in values.items()}


def _central(values: Sequence[float]) -> list[float] | None:
    if len(values) < _RESAMPLES / 2:
        return None
    low, high = np.quantile(values, [0.025, 0.975])
    return [round(float(low), 6), round(float(high), 6)]


def _of_cluster(entries: Sequence[JudgedStep]) -> dict[int, list[JudgedStep]]:
    by_cluster: dict[int, list[JudgedStep]] = {}
    for entry in entries:
        by_cluster.setdefault(entry.cluster, []).append(entry)
    return by_cluster


def _drawn(
    by_cluster: Mapping[int, Sequence[JudgedStep]], drawn: Sequence[int]
) -> list[JudgedStep]:
    """Return the entries as often as their cluster was drawn, each time as a cluster of its own."""
    return [
        replace(entry, cluster=place)
        for place, cluster in enumerate(drawn)
        for entry in by_cluster.get(cluster, ())
    ]
