"""A likelihood ratio for a suite that has no cohort: what transfers from other prompts and models.

Style, layout and openings, each scored on matched minus mismatched prompts of the pair alone, are
fused by lines fitted on the pairs of one data set (`studies.transferred.study`). Whether that
holds on other prompts and other models is not for the fit to say: lines ship only where it held on
other data sets too, and their ratios are bounded by the lineage clusters of those.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from forensics.case.details.reference import (
    MetCondition,
    TransferredDetails,
    TransferredErrorRates,
)
from forensics.case.evidence import Evidence, Interval
from forensics.case.record import ErrorAtScore
from forensics.cohorts.calibration import CalibrationError, count_clusters, to_log10
from forensics.cohorts.fitting import CLOSE_KIN, Calibration
from forensics.cohorts.likeness import Floats
from forensics.cohorts.population import Condition
from forensics.errors import InputFileError
from forensics.evidence.features.matched_prompts import resample_weights
from forensics.examination.examined import Examined
from forensics.support.resources import data_folder

NAME = "transferred"
TITLE = "Style, layout and openings together"
FEATURES = ("openings", "style", "formatting")
FILE = "transferred.json"
# The tests whose error rates decide, and are printed.
JUDGED = ("AlpacaEval, clusters held out", "other data sets together")
_CUT_OFF = 0.2
_SCALE = "log10 likelihood ratio of close kinship against independence, calibration transferred"


@dataclass(frozen=True, eq=False)
class Transferred:
    """Lines that hold across data sets, and what was measured of them.

    `calibration` has a line over `FEATURES` for each number of prompts, the least first; `refits`,
    shape (lines, refits, 1 + features), their intercepts and slopes fitted to other clusters.
    `strangers`, shape (lines, pairs), are the natural LLRs of the other data sets' unrelated pairs
    and `clusters`, shape (pairs, 2), theirs. `lengths` is the range of the models' median answer,
    in characters; `rates` what the page of error rates says; `sha256` that of the file.
    """

    calibration: Calibration
    refits: Floats
    strangers: Floats
    clusters: Floats
    lengths: tuple[float, float]
    rates: Mapping[str, Any]
    provenance: Mapping[str, Any]
    sha256: str = ""

    @property
    def least(self) -> int:
        """The least number of prompts that the lines were tested with."""
        return self.calibration.lines[0][0]

    def llr(self, scores: Floats, prompts: int) -> Floats:
        """Return bounded natural LLRs of scores, shape (n, features): shape (n,)."""
        mixed = np.zeros(len(scores))
        for place, share in self.calibration.shares(prompts):
            mixed += share * self.calibration.lines[place][1].llr(scores)
        return mixed

    def refitted(self, scores: Floats, prompts: int) -> Floats:
        """Return bounded natural LLRs of scores, shape (n, features), each by another refit."""
        used = np.arange(len(scores)) % self.refits.shape[1]
        mixed = np.zeros(len(scores))
        for place, share in self.calibration.shares(prompts):
            weights = self.refits[place, used]
            values = weights[:, 0] + (weights[:, 1:] * scores).sum(axis=1)
            mixed += share * self.calibration.lines[place][1].bounds.clip(values)
        return mixed

    def error_at(self, llr: float, prompts: int) -> ErrorAtScore:
        """Count the other data sets' unrelated pairs with so high an LLR."""
        mixed = sum(share * self.strangers[i] for i, share in self.calibration.shares(prompts))
        wrong = np.asarray(mixed) >= llr - 1e-3  # the file rounds
        return ErrorAtScore(
            pairs=len(wrong),
            pairs_in_error=int(wrong.sum()),
            clusters=count_clusters(*self.clusters.T),
            clusters_in_error=count_clusters(*self.clusters[wrong].T) if wrong.any() else 0,
        )

    def rates_at(self, prompts: int) -> dict[str, TransferredErrorRates]:
        """Return the error rates measured with about as many prompts, by test of `JUDGED`."""
        rows = [row for row in self.rates["rows"] if row["scores"] == "+".join(FEATURES)]
        nearest = min(rows, key=lambda row: abs(np.log(row["prompts"] / max(prompts, 1))))
        tests = nearest["tests"]
        return {where: TransferredErrorRates.model_validate(tests[where]) for where in JUDGED}

    def to_json(self) -> dict[str, Any]:
        """Give everything but the hash as plain JSON values."""
        return {
            "features": list(FEATURES),
            "calibration": self.calibration.to_json(),
            "refits": np.round(self.refits, 4).tolist(),
            "strangers": np.round(self.strangers, 3).tolist(),
            "clusters": np.asarray(self.clusters, dtype=int).tolist(),
            "lengths": list(self.lengths),
            "rates": self.rates,
            "provenance": self.provenance,
        }


def read_transferred(path: Path) -> Transferred | None:
    """Read the file that `studies.transferred.study` wrote; None if it holds no line.

    Raises:
        InputFileError: it is missing or malformed.
    """
    try:
        content = path.read_bytes()
        found = json.loads(content)
        if not found["calibration"]["lines"]:
            return None
        low, high = found["lengths"]
        return Transferred(
            Calibration.from_json(found["calibration"]),
            np.array(found["refits"], dtype=np.float64),
            np.array(found["strangers"], dtype=np.float64),
            np.array(found["clusters"], dtype=np.float64),
            (float(low), float(high)),
            dict(found["rates"]),
            dict(found["provenance"]),
            hashlib.sha256(content).hexdigest(),
        )
    except (OSError, ValueError, KeyError, TypeError, CalibrationError) as error:
        raise InputFileError(
            f"{path}: no transferred calibration ({error}); reinstall model-forensics"
        ) from error


@cache
def shipped() -> Transferred | None:
    """Return the calibration that comes with the package; None if nothing was found to transfer."""
    return read_transferred(data_folder("probes") / FILE)


def judge_transferred(
    a: Examined, b: Examined, evidence: Sequence[Evidence], known: Transferred
) -> Evidence:
    """Return the fused likelihood ratio of a pair; `details` hold its conditions.

    Args:
        a: the known subject.
        b: the questioned subject.
        evidence: what the comparators found, those of `FEATURES` among them.
        known: the calibration.
    """
    by_name = {one.comparator: one for one in evidence}
    used = [by_name[name] for name in FEATURES if name in by_name]
    bare = TransferredDetails(calibration_sha256=known.sha256)
    lacking = [name for name in FEATURES if name not in by_name or by_name[name].score is None]
    if lacking:
        return Evidence(
            comparator=NAME,
            title=TITLE,
            status="insufficient",
            reason=f"no score of {', '.join(lacking)}",
            details=bare,
        )
    n = min(one.n for one in used)
    conditions = list(_conditions(a, b, n, known))
    met = tuple(MetCondition(met=one.met, text=one.text) for one in conditions)
    if not all(condition.met for condition in conditions):
        unmet = "; ".join(condition.text for condition in conditions if not condition.met)
        return Evidence(
            comparator=NAME,
            title=TITLE,
            status="not_applicable",
            reason=unmet,
            n=n,
            details=TransferredDetails(calibration_sha256=known.sha256, conditions=met),
        )
    scores = np.array([[one.score for one in used]], dtype=np.float64)
    llr = known.llr(scores, n)
    low, high = (float(x) for x in np.quantile(_draws(used, known, n), [0.025, 0.975]))
    bounds = known.calibration.nearest(n).bounds
    limits = to_log10(np.array([low, high, bounds.lower, bounds.upper])).round(4).tolist()
    value = round(float(to_log10(llr)[0]), 4)
    return Evidence(
        comparator=NAME,
        title=TITLE,
        status="ok",
        scale=_SCALE,
        score=value,
        interval=Interval(
            low=limits[0], high=limits[1], method="percentile bootstrap over prompts and clusters"
        ),
        n=n,
        log10_lr={str(name): value for name in CLOSE_KIN},
        caveats=("Fitted on other prompts and other models than these.",),
        details=TransferredDetails(
            calibration_sha256=known.sha256,
            conditions=met,
            log10_lr_interval=(limits[0], limits[1]),
            log10_lr_bounds=(limits[2], limits[3]),
            error_at_score=known.error_at(float(llr[0]), n),
            error_rates=known.rates_at(n),
        ),
    )


def _draws(used: Sequence[Evidence], known: Transferred, n: int) -> Floats:
    """Return LLRs over resampled prompts and refits; scores are means over prompts."""
    by_prompt = [{p.prompt_sha256: p.score for p in entry.per_prompt} for entry in used]
    common = sorted(set.intersection(*map(set, by_prompt)))
    rows = [[scores[prompt] for prompt in common] for scores in by_prompt]
    table = np.array(rows, dtype=np.float64).T
    return known.refitted(resample_weights(len(table)) @ table, n)


def _conditions(a: Examined, b: Examined, n: int, known: Transferred) -> Iterator[Condition]:
    yield Condition(
        n >= known.least, f"{n} prompts were compared; at least {known.least} are needed"
    )
    low, high = known.lengths
    for called, side in (("A", a), ("B", b)):
        cut = sum(not answer.complete for answer in side.answers) / max(len(side.answers), 1)
        yield Condition(
            cut <= _CUT_OFF,
            f"{cut:.0%} of {called}'s answers are cut off; at most {_CUT_OFF:.0%} may be",
        )
        length = median([len(answer.text) for answer in side.answers] or [0])
        inside = low <= length <= high
        yield Condition(
            inside,
            f"the median answer of {called}, {length:.0f} characters, lies "
            f"{'in' if inside else 'outside'} the {low:.0f} to {high:.0f} of the models fitted to",
        )
    first, second = _system_prompt(a), _system_prompt(b)
    if first and first == second:
        yield Condition(False, "both were asked under one system prompt")
    else:
        yield Condition(True, "the subjects were not asked under one system prompt")


def _system_prompt(side: Examined) -> str:
    told = [m.settings.get("system_prompt") for m in side.transcript.manifests]
    return next((str(one) for one in told if one), "")
