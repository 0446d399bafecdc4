"""A likelihood ratio for a suite that has no cohort: what holds across prompts and models.

Openings, shared wording and layout are scored on matched minus mismatched prompts of the pair
alone. How high unrelated models score depends on the prompts: long answers share fewer sequences,
and answers to prompts that dictate a layout share it. Wording and layout are therefore taken as
logarithms, and the length of the answers stands beside them. Lines over these four numbers are
fitted to pairs of several sets of prompts together (`studies.transferred.study`), each set with a
level of its own, and judged on sets that they did not see. No ratio is stronger than the lineage
clusters with kin allow.

Unlikeness under two different system prompts speaks against nothing: one model under two of them
can be as unlike as two models.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from forensics.case.details.reference import TransferredErrorRates
from forensics.case.evidence import ReferenceScores
from forensics.case.record import ErrorAtScore
from forensics.cohorts.calibration import CalibrationError, count_clusters
from forensics.cohorts.fitting import Calibration
from forensics.cohorts.similarity import Flags, Floats
from forensics.errors import InputFileError
from forensics.support.resources import data_folder

NAME = "transferred"
TITLE = "Openings, wording and layout together"
FEATURES = ("openings", "phrasing", "formatting")  # the comparators that it rests on
NUMBERS = ("openings", "log phrasing", "log formatting", "log length")
FILE = "transferred.json"
OTHER_PROMPTS = "pairs on other prompts"  # what stands for a cohort in `reference`
# The test whose error rates are printed.
JUDGED = ("sets of prompts left out of the fit",)
_LEAST = {"phrasing": 1e-3, "formatting": 0.03}  # what is below is noise


@dataclass(frozen=True, eq=False)
class Transferred:
    """Lines that hold across sets of prompts, and what was measured of them.

    `calibration` has a line over `NUMBERS` for each number of prompts, the least first; `refits`,
    shape (lines, refits, 1 + numbers), their intercepts and slopes fitted to other clusters.
    `without` has the lines fitted without one set, by its cohort's name. `strangers`, shape
    (lines, pairs), are the natural LLRs of unrelated pairs by lines that saw neither their set nor
    their clusters, and `clusters`, shape (pairs, 2), theirs. `lengths` is the range of the models'
    median answer, in characters, `months` that of their release. `reference` has what pairs of all
    sets score, by comparator; `rates` what the page of error rates says; `sha256` is the file's.
    """

    calibration: Calibration
    refits: Floats
    strangers: Floats
    clusters: Floats
    lengths: tuple[float, float]
    rates: Mapping[str, Any]
    provenance: Mapping[str, Any]
    without: Mapping[str, Calibration] = field(default_factory=dict)
    months: tuple[str, str] = ("", "")
    reference: Mapping[str, ReferenceScores] = field(default_factory=dict)
    sha256: str = ""

    @property
    def needs(self) -> frozenset[str]:
        """The comparators whose scores the lines take."""
        return frozenset(FEATURES)

    @property
    def least(self) -> int:
        """The least number of prompts that the lines were tested with."""
        return self.calibration.lines[0][0]

    def numbers(self, scores: Floats, lengths: Floats) -> Floats:
        """Return what the lines are over, see `numbers`, with lengths cut to the longest."""
        return numbers(scores, np.minimum(lengths, self.lengths[1]))

    def refitted(self, values: Floats, prompts: int) -> Floats:
        """Return bounded natural LLRs of numbers, shape (n, 4), each by another refit."""
        return refitted_llr(self.calibration, self.refits, values, prompts)

    def error_at(self, llr: float, prompts: int) -> ErrorAtScore:
        """Count the unrelated pairs of sets left out that have so high an LLR."""
        mixed = sum(share * self.strangers[i] for i, share in self.calibration.shares(prompts))
        return unrelated_above(np.asarray(mixed), self.clusters, llr)

    def rates_at(self, prompts: int) -> dict[str, TransferredErrorRates]:
        """Return the error rates measured with about as many prompts, by test of `JUDGED`."""
        nearest = min(
            self.rates["rows"], key=lambda row: abs(np.log(row["prompts"] / max(prompts, 1)))
        )
        tests = nearest["tests"]
        return {where: TransferredErrorRates.model_validate(tests[where]) for where in JUDGED}

    def to_json(self) -> dict[str, Any]:
        """Give everything but the hash as plain JSON values."""
        return {
            "features": list(NUMBERS),
            "calibration": self.calibration.to_json(),
            "without": {name: lines.to_json() for name, lines in self.without.items()},
            "refits": np.round(self.refits, 4).tolist(),
            "strangers": np.round(self.strangers, 3).tolist(),
            "clusters": np.asarray(self.clusters, dtype=int).tolist(),
            "lengths": list(self.lengths),
            "months": list(self.months),
            "reference": {name: scores.model_dump() for name, scores in self.reference.items()},
            "rates": self.rates,
            "provenance": self.provenance,
        }


def numbers(scores: Floats, lengths: Floats) -> Floats:
    """Return what the lines are over, shape (n, 4), from scores (n, 3) and lengths (n, 2).

    Args:
        scores: of `FEATURES`, in their order.
        lengths: the median answer of either subject, in characters.
    """
    return np.column_stack(
        [
            scores[:, 0],
            np.log(np.maximum(scores[:, 1], _LEAST["phrasing"])),
            np.log(np.maximum(scores[:, 2], _LEAST["formatting"])),
            np.log(np.maximum(lengths, 1.0)).mean(axis=1),
        ]
    )


def mixed_llr(calibration: Calibration, values: Floats, prompts: int, other: Flags) -> Floats:
    """Return bounded natural LLRs of numbers, shape (n, 4): shape (n,).

    Args:
        calibration: lines over `NUMBERS`.
        values: see `numbers`.
        prompts: how many were compared.
        other: pairs asked under two different system prompts, shape (n,): no LLR below 0.
    """
    mixed = np.zeros(len(values))
    for place, share in calibration.shares(prompts):
        mixed += share * calibration.lines[place][1].llr(values)
    return np.where(other, np.maximum(mixed, 0.0), mixed)


def refitted_llr(calibration: Calibration, refits: Floats, values: Floats, prompts: int) -> Floats:
    """Return bounded natural LLRs, each by another refit of the lines: shape (n,).

    Args:
        calibration: lines, one for each number of prompts.
        refits: intercepts and slopes, shape (lines, refits, 1 + numbers).
        values: what the lines are over, shape (n, numbers).
        prompts: how many were compared.
    """
    used = np.arange(len(values)) % refits.shape[1]
    mixed = np.zeros(len(values))
    for place, share in calibration.shares(prompts):
        weights = refits[place, used]
        llr = weights[:, 0] + (weights[:, 1:] * values).sum(axis=1)
        mixed += share * calibration.lines[place][1].bounds.clip(llr)
    return mixed


def unrelated_above(unrelated: Floats, clusters: Floats, llr: float) -> ErrorAtScore:
    """Count unrelated pairs, and their lineage clusters, that have so high a natural LLR.

    Args:
        unrelated: LLRs of unrelated pairs, shape (pairs,).
        clusters: of either model of each pair, shape (pairs, 2).
        llr: of the pair in question.
    """
    in_error = unrelated >= llr - 1e-3  # the file rounds
    return ErrorAtScore(
        pairs=len(in_error),
        pairs_in_error=int(in_error.sum()),
        clusters=count_clusters(*clusters.T),
        clusters_in_error=count_clusters(*clusters[in_error].T) if in_error.any() else 0,
    )


def read_transferred(path: Path) -> Transferred | None:
    """Read the file that `studies.transferred.study` wrote; None if it holds no line.

    Raises:
        InputFileError: it is missing or malformed.
    """
    try:
        content = path.read_bytes()
        document = json.loads(content)
        if not document["calibration"]["lines"]:
            return None
        low, high = document["lengths"]
        first, last = document["months"]
        return Transferred(
            Calibration.from_json(document["calibration"]),
            np.array(document["refits"], dtype=np.float64),
            np.array(document["strangers"], dtype=np.float64),
            np.array(document["clusters"], dtype=np.float64),
            (float(low), float(high)),
            dict(document["rates"]),
            dict(document["provenance"]),
            {
                str(name): Calibration.from_json(calibration)
                for name, calibration in document["without"].items()
            },
            (str(first), str(last)),
            {
                str(name): ReferenceScores.model_validate(scores)
                for name, scores in document["reference"].items()
            },
            hashlib.sha256(content).hexdigest(),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, CalibrationError) as error:
        raise InputFileError(
            f"{path}: no transferred calibration ({error}); reinstall model-forensics"
        ) from error


@cache
def shipped() -> Transferred | None:
    """Return the calibration that comes with the package; None if nothing was found to transfer."""
    return read_transferred(data_folder("probes") / FILE)


def scores_of(scores: Mapping[str, float | None]) -> tuple[Floats | None, Sequence[str]]:
    """Return the scores of `FEATURES`, shape (1, 3), or None and the names of those that lack."""
    lacking = [name for name in FEATURES if scores.get(name) is None]
    if lacking:
        return None, lacking
    return np.array([[scores[name] for name in FEATURES]], dtype=np.float64), ()
