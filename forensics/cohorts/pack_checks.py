"""Values of a cohort pack that would only fail later, or become a NaN in a result."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from forensics.cohorts.fitting import Calibration

if TYPE_CHECKING:
    from forensics.cohorts.pack import Cohort

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])|")


def problems_of(cohort: Cohort) -> list[str]:
    """Return what is wrong with a cohort's values, in words; nothing for a sound one."""
    dates = [traits.released for traits in cohort.traits]
    dates += [str(fact.released) for fact in cohort.facts.values()]
    numbers = [value for traits in cohort.traits for value in (traits.length, traits.markup)]
    hashes = [prompt.sha256 for prompt in cohort.prompts]
    problems = {
        "fewer traits than models": len(cohort.traits) != len(cohort.facts),
        "a release date is no month": not all(_MONTH.fullmatch(date) for date in dates),
        "a trait is no finite number": not np.isfinite(numbers).all(),
        "a prompt occurs twice": len(set(hashes)) != len(hashes),
        "a scale is no finite number ≥ 0": not (
            np.isfinite(cohort.scales).all() and (cohort.scales >= 0).all()
        ),
        "the phrases are not in order": bool((cohort.phrases[1:] < cohort.phrases[:-1]).any()),
        "the calibration has no line in ascending order": not _ascending(cohort.calibration),
        "the calibration was checked on other lines": not _validated(cohort),
    }
    return [problem for problem, found in problems.items() if found]


def _ascending(calibration: Calibration | None) -> bool:
    if calibration is None:
        return True
    sizes = [size for size, _ in calibration.lines]
    return bool(sizes) and sizes == sorted(set(sizes)) and sizes[0] > 0


def _validated(cohort: Cohort) -> bool:
    checked = cohort.validation
    lines = len(cohort.calibration.lines) if cohort.calibration else 0
    return (
        {len(checked.refits), len(checked.held_out)} <= {0, lines}
        and bool(np.isfinite(checked.refits).all() and np.isfinite(checked.held_out).all())
        and not (checked.strangers >= len(cohort.facts)).any()
    )
