"""Kin weighed against models that learned: lines for the shipped calibrations, by their hash.

A cohort built by a user holds its line itself. `studies.transferred.learned` makes those of the
shipped cohorts, which stay as they are, and of the transferred calibration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from forensics.cohorts.calibration import CalibrationError, to_log10
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.fitting import Calibration
from forensics.errors import InputFileError
from forensics.support.resources import data_folder

FILE = "learned.json"


def against_learned(cohort: Cohort, score: float, prompts: int) -> float | None:
    """Return the log10 likelihood ratio of kinship against learning; None where nobody knows.

    Args:
        cohort: which judged the pair.
        score: normalised similarity.
        prompts: how many prompts it was measured on.
    """
    return _read_off(lines_of(cohort), score, prompts)


def lines_of(cohort: Cohort) -> Calibration | None:
    """Return a cohort's lines of kin against students; None where there are none."""
    return cohort.learned or shipped_lines().get(cohort.sha256)


def transferred_against_learned(sha256: str, log10_lr: float, prompts: int) -> float | None:
    """Return the same for a transferred calibration; its lines are over its own ratio.

    Args:
        sha256: of the calibration.
        log10_lr: of close kinship against independence, by it.
        prompts: how many prompts were compared.
    """
    return _read_off(shipped_lines().get(sha256), log10_lr, prompts)


def _read_off(lines: Calibration | None, value: float, prompts: int) -> float | None:
    if lines is None:
        return None
    return round(float(to_log10(lines.llr(value, prompts))), 4)


def read_lines(path: Path) -> Mapping[str, Calibration]:
    """Read what the study wrote: hash of a calibration → lines of kin against students.

    Raises:
        InputFileError: it is missing or malformed.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(entry["sha256"]): Calibration.from_json(entry["calibration"])
            for entry in document["lines"]
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, CalibrationError) as error:
        raise InputFileError(
            f"{path}: no lines of kin against students ({error}); reinstall model-forensics"
        ) from error


@cache
def shipped_lines() -> Mapping[str, Calibration]:
    """Return the lines that come with the package.

    Raises:
        InputFileError: the file is missing or malformed.
    """
    return read_lines(data_folder("probes") / FILE)
