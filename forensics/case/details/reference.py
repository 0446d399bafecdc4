"""Details of what a reference population says: a cohort, or a calibration from elsewhere."""

from __future__ import annotations

from typing import Self

from forensics.case.details.details_record import Details
from forensics.case.record import ErrorAtScore, Finite, ModelText

Range = tuple[Finite, Finite]


class MetCondition(Details):
    """A condition of the validated population, and whether it is met."""

    met: bool
    text: ModelText


class KnownAs(Details):
    """Which of the cohort's models each subject is; None where it is none of them."""

    a: ModelText | None
    b: ModelText | None

    @property
    def any(self) -> bool:
        """Whether either is one of them."""
        return bool(self.a or self.b)


class ReleaseMonths(Details):
    """When each subject was released, `YYYY-MM`; blank where that is not known."""

    a: ModelText
    b: ModelText


class CohortErrorRates(Details):
    """Error rates of the cohort's own pairs of close descent, held out by lineage cluster."""

    n_pos: int | None = None
    n_neg: int | None = None
    n_clusters: int | None = None
    auc: Finite | None = None
    tpr_at_fpr: dict[str, Finite | None] | None = None
    cllr: Finite | None = None
    interval: dict[str, Range | None] | None = None


class LikenessDetails(Details):
    """What a cohort was asked about a pair, and how far its answer reaches.

    Intervals and bounds are log10 likelihood ratios; they and error rates are left out where the
    cohort has no calibration. `log10_lr_learned` weighs close kinship against one having learned
    from the other's answers, or both from one model's; None where that was not measured.
    """

    cohort: ModelText
    cohort_sha256: str
    known_as: KnownAs
    released: ReleaseMonths
    reference_models: int | None = None
    conditions: tuple[MetCondition, ...] = ()
    log10_lr_interval: Range | None = None
    log10_lr_bounds: Range | None = None
    error_rates: CohortErrorRates = CohortErrorRates()
    error_at_score: ErrorAtScore | None = None
    log10_lr_learned: Finite | None = None

    def calibrated(self, interval: Range, bounds: Range, error_rates: CohortErrorRates) -> Self:
        """Return the details of a calibrated cohort's answer, a log10 likelihood ratio."""
        return self.model_copy(
            update={
                "log10_lr_interval": interval,
                "log10_lr_bounds": bounds,
                "error_rates": error_rates,
            }
        )

    def with_error(self, error: ErrorAtScore) -> Self:
        """Return the details with how many unrelated pairs score as high."""
        return self.model_copy(update={"error_at_score": error})

    def with_learned(self, log10_lr: float) -> Self:
        """Return the details with what close kinship weighs against learning from answers."""
        return self.model_copy(update={"log10_lr_learned": log10_lr})


class TransferredErrorRates(Details):
    """Error rates of one test of a transferred calibration; rates are of a ratio above 10."""

    kin_pairs: int
    kin_clusters: int
    unrelated_pairs: int
    clusters: int
    auc: Finite
    cllr: Finite
    false_above_10: Finite
    clusters_in_error: int
    cluster_rate_below: Finite
    found_above_10: Finite
    cllr_interval: Range | None = None
    false_interval: Range | None = None


class TransferredDetails(Details):
    """The calibration that was transferred, its conditions, and its error rates by test.

    Intervals and bounds are log10 likelihood ratios; `log10_lr_learned` as in `LikenessDetails`.
    """

    calibration_sha256: str
    released: ReleaseMonths = ReleaseMonths(a="", b="")
    conditions: tuple[MetCondition, ...] = ()
    log10_lr_interval: Range | None = None
    log10_lr_bounds: Range | None = None
    error_at_score: ErrorAtScore | None = None
    error_rates: dict[ModelText, TransferredErrorRates] = {}
    log10_lr_learned: Finite | None = None


Judged = LikenessDetails | TransferredDetails
