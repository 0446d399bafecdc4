"""What silence means: from which share of a teacher's text on a student was detectable at all.

The numbers are those of `studies.detection.study`, measured on tiny students.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from forensics.errors import InputFileError
from forensics.support.resources import data_folder

FILE = "detection.json"


@dataclass(frozen=True)
class Rate:
    """Students of one share of a teacher's text, and what was found of them.

    `tokens` of each student's training text are the teacher's. Of `n` students `detected` had a
    p-value of mutual fit below 0.01, `pointed` were read as pointing to kinship by their behaviour
    or as kin, `alike` as kin, and `shares_weights` were taken to share weights, which none does. At
    share 0 all of these are false alarms.
    """

    share: float
    tokens: int
    n: int
    detected: int
    pointed: int
    alike: int
    shares_weights: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the rate of detection (Clopper and Pearson 1934)."""
        from scipy.stats import binomtest

        limits = binomtest(self.detected, self.n).proportion_ci(method="exact")
        return float(limits.low), float(limits.high)


@dataclass(frozen=True)
class Detection:
    """The detection curve of tiny students with `weights` weights, of several teachers.

    Of `pairs` of strangers and controls, tested with all others as controls, `alarms` had a p-value
    below 0.01; they share models and are no independent trials.
    """

    rates: tuple[Rate, ...]
    teachers: int
    controls: int
    weights: int
    pairs: int
    alarms: int
    command: str
    date: str

    @property
    def smallest(self) -> Rate | None:
        """The smallest share from which on every student was detected; None if none was."""
        reliable = None
        for rate in sorted(self.rates, key=lambda rate: -rate.share):
            if rate.detected < rate.n or not rate.share:
                break
            reliable = rate
        return reliable

    @property
    def silence(self) -> str:
        """What it means that token probabilities show nothing, in a sentence for every report."""
        start = (
            f"What silence means: tiny students ({self.weights / 1e6:.1f} million weights, "
            f"trained from random ones; {self.teachers} teachers) were tested beside "
            f"{self.controls} controls. Token probabilities showed kinship (p < 0.01), by the "
            f"share of the training text that a teacher wrote, in {_counted(self.rates)}."
        )
        limit = self.smallest
        least = (
            "At no share were all students detected"
            if limit is None
            else f"Less than {percent(limit.share)} was not reliably detected"
        )
        return (
            f"{start} {least}, and larger models were not measured. A negative result is "
            "not evidence that no training on outputs took place."
        )

    def to_json(self) -> str:
        """Return the file's text."""
        return json.dumps(asdict(self), indent=1) + "\n"


def percent(share: float) -> str:
    """Return a share (0 to 1) in per cent, as short as it goes."""
    return f"{share * 100:g} %"


def _counted(rates: Sequence[Rate]) -> str:
    by_share = sorted(rates, key=lambda rate: -rate.share)
    return ", ".join(
        f"{percent(rate.share) if rate.share else 'none'}: {rate.detected} of {rate.n}"
        for rate in by_share
    )


def read_detection(path: Path) -> Detection:
    """Read what the study wrote.

    Raises:
        InputFileError: it is missing or malformed.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        rates = tuple(Rate(**rate) for rate in document.pop("rates"))
        return Detection(rates=rates, **document)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputFileError(
            f"{path}: no detection curve ({error}); reinstall model-forensics"
        ) from error


def pairs_above(edges: Sequence[float], counts: Sequence[int], score: float) -> int:
    """Count the pairs of a histogram in bins that lie wholly above a score.

    Args:
        edges: the n + 1 ends of n bins.
        counts: of pairs in each.
        score: on the same scale.
    """
    return sum(count for low, count in zip(edges[:-1], counts, strict=True) if low >= score)


@cache
def shipped() -> Detection:
    """Return the detection curve that comes with the package.

    Raises:
        InputFileError: it is missing or malformed.
    """
    return read_detection(data_folder("probes") / FILE)
