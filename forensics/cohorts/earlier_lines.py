"""The transferred lines of earlier releases, by which their cases are derived again.

Release 0.1 fused openings, style and layout as they are, refused long answers and one shared system
prompt. Its file stays as it was shipped; a case names it by its hash.
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
from forensics.case.evidence import Evidence, Interval, ReferenceScores
from forensics.case.record import ErrorAtScore
from forensics.cohorts.calibration import CalibrationError, to_log10
from forensics.cohorts.fitting import CLOSE_KIN, Calibration
from forensics.cohorts.population import Condition
from forensics.cohorts.similarity import Floats
from forensics.cohorts.transferred import NAME, refitted_llr, unrelated_above
from forensics.errors import InputFileError
from forensics.evidence.features.matched_prompts import resample_weights
from forensics.examination.examined import Examined
from forensics.support.numbers import percent
from forensics.support.resources import data_folder

FOLDER = "earlier"
FEATURES = ("openings", "style", "formatting")
_TITLE = "Style, layout and openings together"
_JUDGED = ("AlpacaEval, clusters held out", "other data sets together")
_CUT_OFF = 0.2
_SCALE = "log10 likelihood ratio of close kinship against independence, calibration transferred"


@dataclass(frozen=True, eq=False)
class EarlierLines:
    """Lines over the scores of `FEATURES` themselves; see `Transferred` for the fields."""

    calibration: Calibration
    refits: Floats
    strangers: Floats
    clusters: Floats
    lengths: tuple[float, float]
    rates: Mapping[str, Any]
    sha256: str

    @property
    def needs(self) -> frozenset[str]:
        """The comparators whose scores the lines take."""
        return frozenset(FEATURES)

    @property
    def reference(self) -> Mapping[str, ReferenceScores]:
        """Of unrelated pairs nothing was kept."""
        return {}

    def judge(self, a: Examined, b: Examined, evidence: Sequence[Evidence]) -> Evidence:
        """Return what these lines say of a pair, as the release that shipped them did.

        Args:
            a: the known subject.
            b: the questioned subject.
            evidence: what the comparators found, those of `FEATURES` among them.
        """
        by_name = {entry.comparator: entry for entry in evidence}
        used = [by_name[name] for name in FEATURES if name in by_name]
        details = TransferredDetails(calibration_sha256=self.sha256)
        lacking = [n for n in FEATURES if n not in by_name or by_name[n].score is None]
        if lacking:
            return _without("insufficient", f"no score of {', '.join(lacking)}", 0, details)
        n = min(entry.n for entry in used)
        conditions = list(self._conditions(a, b, n))
        met = tuple(MetCondition(met=c.met, text=c.text) for c in conditions)
        details = details.model_copy(update={"conditions": met})
        unmet = "; ".join(condition.text for condition in conditions if not condition.met)
        if unmet:
            return _without("not_applicable", unmet, n, details)
        return self._weighed(used, n, details)

    def _weighed(self, used: Sequence[Evidence], n: int, details: TransferredDetails) -> Evidence:
        scores = np.array([[entry.score for entry in used]], dtype=np.float64)
        llr = self._llr(scores, n)
        low, high = (float(x) for x in np.quantile(self._draws(used, n), [0.025, 0.975]))
        bounds = self.calibration.nearest(n).bounds
        limits = to_log10(np.array([low, high, bounds.lower, bounds.upper])).round(4).tolist()
        value = round(float(to_log10(llr)[0]), 4)
        return Evidence(
            comparator=NAME,
            title=_TITLE,
            status="ok",
            scale=_SCALE,
            score=value,
            interval=Interval(
                low=limits[0],
                high=limits[1],
                method="percentile bootstrap over prompts and clusters",
            ),
            n=n,
            log10_lr={str(name): value for name in CLOSE_KIN},
            caveats=("Fitted on other prompts and other models than these.",),
            details=details.model_copy(
                update={
                    "log10_lr_interval": (limits[0], limits[1]),
                    "log10_lr_bounds": (limits[2], limits[3]),
                    "error_at_score": self._error_at(float(llr[0]), n),
                    "error_rates": self._rates_at(n),
                }
            ),
        )

    def _llr(self, scores: Floats, prompts: int) -> Floats:
        mixed = np.zeros(len(scores))
        for place, share in self.calibration.shares(prompts):
            mixed += share * self.calibration.lines[place][1].llr(scores)
        return mixed

    def _draws(self, used: Sequence[Evidence], n: int) -> Floats:
        """Return LLRs over resampled prompts and refits; scores are means over prompts."""
        by_prompt = [{p.prompt_sha256: p.score for p in entry.per_prompt} for entry in used]
        common = sorted(set.intersection(*map(set, by_prompt)))
        rows = [[scores[prompt] for prompt in common] for scores in by_prompt]
        scores = resample_weights(len(common)) @ np.array(rows, dtype=np.float64).T
        return refitted_llr(self.calibration, self.refits, scores, n)

    def _error_at(self, llr: float, prompts: int) -> ErrorAtScore:
        mixed = sum(share * self.strangers[i] for i, share in self.calibration.shares(prompts))
        return unrelated_above(np.asarray(mixed), self.clusters, llr)

    def _rates_at(self, prompts: int) -> dict[str, TransferredErrorRates]:
        rows = [row for row in self.rates["rows"] if row["scores"] == "+".join(FEATURES)]
        nearest = min(rows, key=lambda row: abs(np.log(row["prompts"] / max(prompts, 1))))
        tests = nearest["tests"]
        return {where: TransferredErrorRates.model_validate(tests[where]) for where in _JUDGED}

    def _conditions(self, a: Examined, b: Examined, n: int) -> Iterator[Condition]:
        least = self.calibration.lines[0][0]
        yield Condition(n >= least, f"{n} prompts were compared; at least {least} are needed")
        low, high = self.lengths
        for called, side in (("A", a), ("B", b)):
            cut = sum(not answer.complete for answer in side.answers) / max(len(side.answers), 1)
            yield Condition(
                cut <= _CUT_OFF,
                f"{percent(cut)} of {called}'s answers are cut off; at most "
                f"{percent(_CUT_OFF)} may be",
            )
            length = median([len(answer.text) for answer in side.answers] or [0])
            inside = low <= length <= high
            yield Condition(
                inside,
                f"the median answer of {called}, {length:.0f} characters, lies "
                f"{'in' if inside else 'outside'} the {low:.0f} to {high:.0f} of the models "
                "fitted to",
            )
        first, second = _system_prompt(a), _system_prompt(b)
        if first and first == second:
            yield Condition(False, "both were asked under one system prompt")
        else:
            yield Condition(True, "the subjects were not asked under one system prompt")


def _without(status: Any, reason: str, n: int, details: TransferredDetails) -> Evidence:
    return Evidence(
        comparator=NAME, title=_TITLE, status=status, reason=reason, n=n, details=details
    )


def _system_prompt(side: Examined) -> str:
    settings = [m.settings.get("system_prompt") for m in side.transcript.manifests]
    return next((str(prompt) for prompt in settings if prompt), "")


@cache
def earlier_lines() -> Mapping[str, EarlierLines]:
    """Return the lines of earlier releases: hash of the file → lines.

    Raises:
        InputFileError: a file is missing or malformed.
    """
    folder = data_folder("probes") / FOLDER
    read = [_read(path) for path in sorted(folder.glob("transferred-*.json"))]
    return {lines.sha256: lines for lines in read}


def _read(path: Path) -> EarlierLines:
    try:
        content = path.read_bytes()
        document = json.loads(content)
        low, high = document["lengths"]
        return EarlierLines(
            Calibration.from_json(document["calibration"]),
            np.array(document["refits"], dtype=np.float64),
            np.array(document["strangers"], dtype=np.float64),
            np.array(document["clusters"], dtype=np.float64),
            (float(low), float(high)),
            dict(document["rates"]),
            hashlib.sha256(content).hexdigest(),
        )
    except (OSError, ValueError, KeyError, TypeError, CalibrationError) as error:
        raise InputFileError(
            f"{path}: no transferred calibration ({error}); reinstall model-forensics"
        ) from error
