"""What was decided of a pair, as data; `verdict_wording` and `tier_wording` say it in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from forensics.case.details.reference import CohortErrorRates, Range, TransferredErrorRates
from forensics.case.document import CopyTripwire, Overlap, VerdictStatus
from forensics.case.evidence import Evidence, Tier
from forensics.case.record import ErrorAtScore
from forensics.cohorts.calibration.verbal import Verbal, verbal_tier

Kin = Literal["yes", "no", "open", "not_measured"]
Shortfall = Literal[
    "out_of_reach", "no_shared_prompt", "few_prompts", "nothing_measured", "unplaced"
]
Calibration = Literal["none", "transferred", "matched"]

POINTS = 10.0  # an e-value from which a tier points to kinship
_NEAR_BOUND = 1e-3


@dataclass(frozen=True)
class Screening:
    """What text says without a cohort.

    `shortfall` tells why nothing can be said, None where something can. Of the evidence `measured`
    counts, and `alike` is beyond habit; `findings_for` and `findings_against` also hold what weighs
    little, and `findings_apart` those for kinship that unrelated pairs reach too. `by_numbers`
    marks a cohort's own models, of which there is no text.
    """

    evidence: tuple[Evidence, ...]
    overlap: Overlap
    tripwire: CopyTripwire
    shortfall: Shortfall | None = None
    measured: tuple[Evidence, ...] = ()
    alike: tuple[Evidence, ...] = ()
    findings_for: tuple[Evidence, ...] = ()
    findings_against: tuple[Evidence, ...] = ()
    findings_apart: tuple[Evidence, ...] = ()
    by_numbers: bool = False


@dataclass(frozen=True)
class Ratio:
    """A likelihood ratio of close kinship against independence, as log10.

    `cohort` is empty where the calibration is transferred; `is_member`: a subject is one of the
    cohort's models; `rates` are the calibration's error rates, by test where it is transferred.
    `learned` weighs close kinship against its strongest rival that text knows, that one learned
    from the other's answers or both from one model's; None where that was not measured.
    """

    judged: Evidence
    value: float
    interval: Range
    bounds: Range
    calibration: Calibration
    error_at_score: ErrorAtScore | None
    rates: CohortErrorRates | Mapping[str, TransferredErrorRates]
    cohort: str = ""
    is_member: bool = False
    learned: float | None = None

    @property
    def verbal(self) -> Verbal:
        """Its verbal tier and direction."""
        return verbal_tier(self.value)

    @property
    def at_bound(self) -> Literal["highest", "lowest"] | None:
        """Whether it is the most extreme that the calibration can give."""
        low, high = self.bounds
        if self.value >= high - _NEAR_BOUND:
            return "highest"
        return "lowest" if self.value <= low + _NEAR_BOUND else None


@dataclass(frozen=True)
class NoRatio:
    """Why a calibration gave no likelihood ratio.

    `not_judged`: `judged` says why; `unread`: its details are of another version's form;
    `uncalibrated`: the cohort holds too few kin; `outside`: the subjects lie outside its
    population, as `unmet` says.
    """

    cause: Literal["not_judged", "unread", "uncalibrated", "outside"]
    judged: Evidence
    cohort: str = ""
    unmet: tuple[str, ...] = ()


@dataclass(frozen=True)
class TierTests:
    """What a tier's tests say together: the least of `count` p-values, and their mean e-value."""

    tier: Tier
    kin: Kin
    count: int
    least_p: float
    e_value: float


@dataclass(frozen=True)
class SameTensors:
    """Tensors of B that stand in A byte for byte: `identical` of `of`, `share` of its weights."""

    identical: int
    of: int
    share: float


@dataclass(frozen=True)
class ByRatio:
    """Text, turned into a log10 likelihood ratio by a cohort."""

    log10_lr: float


@dataclass(frozen=True)
class Untested:
    """A tier without a test; `text` and token probabilities together are behaviour."""

    tier: Tier


Ground = TierTests | SameTensors | ByRatio | Untested


@dataclass(frozen=True)
class TierReading:
    """Whether a tier says kin, and on which grounds; `e_value` is None without a p-value."""

    kin: Kin
    grounds: tuple[Ground, ...]
    e_value: float | None = None


@dataclass(frozen=True)
class Tiers:
    """What the tiers beyond text say, each and together.

    `measured` is their evidence, and `tokenizers` that of it which says what tokenizers share.
    """

    weights: TierReading
    behaviour: TierReading
    measured: tuple[Evidence, ...]
    tokenizers: tuple[Evidence, ...]

    @property
    def speak(self) -> bool:
        """Whether anything can be said of them."""
        return bool(self.tokenizers) or any(
            tier.kin != "not_measured" for tier in (self.weights, self.behaviour)
        )

    @property
    def pointed(self) -> bool:
        """Whether weights say no, and token probabilities point to kinship without finding it."""
        return (self.weights.kin, self.behaviour.kin) == ("no", "open") and (
            self.behaviour.e_value or 0.0
        ) >= POINTS


@dataclass(frozen=True)
class Decision:
    """All that was decided of a pair.

    `ratio` is None where no calibration was asked; `tiers` where they are not read (a cohort's own
    models have none).
    """

    screening: Screening
    ratio: Ratio | NoRatio | None = None
    tiers: Tiers | None = None

    @property
    def weighed(self) -> Ratio | None:
        """The likelihood ratio, if there is one."""
        return self.ratio if isinstance(self.ratio, Ratio) else None

    @property
    def silence(self) -> bool:
        """Whether behaviour that was compared is not found to be alike."""
        return (
            self.tiers is not None
            and self.tiers.behaviour.kin != "yes"
            and (bool(self.tiers.measured) or self.screening.shortfall is None)
        )

    @property
    def status(self) -> VerdictStatus:
        """What kind of answer it is."""
        if self.screening.shortfall is not None:
            return "screening" if self._speaks_beyond_text else "insufficient"
        ratio = self.weighed
        if ratio is None or ratio.calibration == "transferred":
            return "screening"
        return "inconclusive" if ratio.verbal.direction == "neither" else "calibrated"

    @property
    def _speaks_beyond_text(self) -> bool:
        tiers = self.tiers
        return tiers is not None and bool(tiers.measured) and tiers.speak
