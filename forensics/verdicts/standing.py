"""Which of six mutually exclusive hypotheses the evidence supports, and which weights exclude.

`signs_of` reads the evidence, `stand` weighs what it reads, and `answers` asks the outcome four
questions. As all four are asked of one standing, no answer contradicts another.

The evidence supports the smallest set of hypotheses that it sets apart from independence and from
every rival that was weighed by a likelihood ratio above 10, or as much: e-values (Vovk and Wang
2021, see `tier_readings`) are held to 100 and more, and one model to an exact equality or a test of
equivalence. Only weights exclude.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from forensics.case.details.shift import ShiftReading
from forensics.case.details.weights import TensorsDetails
from forensics.case.evidence import Evidence
from forensics.cohorts.lineage.hypotheses import HYPOTHESES, Hypothesis
from forensics.verdicts.decision import Decision, Kin, NoRatio
from forensics.verdicts.neighbours import stands_out
from forensics.verdicts.one_model import SameManner, same_manner
from forensics.verdicts.shifting import shift_of
from forensics.verdicts.tier_readings import read_probabilities, read_tiers

Hypotheses = frozenset[Hypothesis]
Ground = Literal["identical_weights", "copies", "manner", "weights", "ratio", "token_probabilities"]

SUPPORTED = 1.0  # log10 of the likelihood ratio above which a hypothesis is supported
ONE_MODEL: Hypotheses = frozenset({"same_model"})
OF_WEIGHTS: Hypotheses = frozenset({"same_model", "close_descent", "same_base"})
OF_TEXT: Hypotheses = frozenset({"same_model", "close_descent"})
LEARNED: Hypotheses = frozenset({"common_teacher"})
RELATED: Hypotheses = frozenset(HYPOTHESES) - {"independent", "same_developer"}


@dataclass(frozen=True)
class Signs:
    """What the evidence shows, as far as the answers hang on it.

    `same_weights`: whether every tensor is the same byte for byte, None where tensors were not
    compared. `ratio` is the log10 likelihood ratio of close kinship by text against independence,
    `learned` against one having learned from the other, None where that was not weighed; `matched`:
    a cohort covers both. `manner`: is likeness as great as each model's to itself? `stands_out`: do
    most kinds of evidence lie beyond unrelated pairs on the same prompts, and no ratio was fitted
    on these? `shift`: did the questioned model, against its own past, change towards the known
    one? None where no past was named or measured.
    """

    weights: Kin = "not_measured"
    same_weights: bool | None = None
    probabilities: Kin = "not_measured"
    ratio: float | None = None
    matched: bool = False
    manner: SameManner = "not_measured"
    copies: bool = False
    stands_out: bool = False
    learned: float | None = None
    shift: ShiftReading | None = None


@dataclass(frozen=True)
class Standing:
    """Which hypotheses are supported together, on which ground, and which weights exclude.

    `unlike`: the manner of answering tells them from one model. `unexplained`: something speaks for
    kinship that weights exclude.
    """

    signs: Signs
    supported: Hypotheses
    ground: Ground | None
    excluded: Hypotheses
    unlike: bool
    unexplained: bool


def signs_of(decision: Decision, evidence: Sequence[Evidence]) -> Signs:
    """Return what the evidence of a case shows.

    Args:
        decision: what was decided of it.
        evidence: all of the case.
    """
    ratio = decision.weighed
    weights, _ = read_tiers(evidence)
    shift = shift_of(evidence)
    return Signs(
        weights=weights.kin,
        same_weights=_same_weights(evidence),
        probabilities=read_probabilities(evidence).kin,
        ratio=ratio.value if ratio else None,
        learned=ratio.learned if ratio else None,
        matched=ratio is not None and ratio.calibration == "matched",
        manner=same_manner(evidence),
        copies=decision.screening.tripwire.tripped,
        stands_out=_uncalibrated(decision) and stands_out(decision.screening.measured),
        shift=shift.reading if shift else None,
    )


def _uncalibrated(decision: Decision) -> bool:
    """Tell whether no ratio was fitted on the prompts of the case."""
    ratio = decision.ratio
    if isinstance(ratio, NoRatio):
        return ratio.cause == "uncalibrated"
    return ratio is None or ratio.calibration != "matched"


def _same_weights(evidence: Sequence[Evidence]) -> bool | None:
    for entry in evidence:
        details = entry.details
        if isinstance(details, TensorsDetails) and entry.status == "ok" and entry.score is not None:
            return details.identical_tensors == details.tensors_b and entry.score >= 1.0
    return None


def stand(signs: Signs) -> Standing:
    """Return what the signs come to."""
    excluded = _excluded(signs)
    grounds = _grounds(signs)
    unlike = signs.manner == "another_manner"
    for ground, claimed in grounds:
        left = claimed - excluded
        if unlike and ground in ("weights", "ratio", "token_probabilities"):
            left -= ONE_MODEL
        if left:
            unexplained = any(not of - excluded for _, of in grounds)
            return Standing(signs, left, ground, excluded, unlike, unexplained)
    return Standing(signs, frozenset(), None, excluded, unlike, bool(grounds))


def _excluded(signs: Signs) -> Hypotheses:
    if signs.same_weights:
        return frozenset()
    if signs.weights == "no":
        return OF_WEIGHTS
    return ONE_MODEL if signs.same_weights is False else frozenset()


def _by_text(signs: Signs) -> Hypotheses:
    """Return what likeness supports: kinship, and learning unless that is told from it.

    Where weights exclude kinship, learning alone is not supported by text: public text that both
    learned from looks the same.
    """
    is_above = signs.learned is not None and signs.learned > SUPPORTED
    return OF_TEXT if is_above or _excluded(signs) >= OF_WEIGHTS else OF_TEXT | LEARNED


def _grounds(signs: Signs) -> list[tuple[Ground, Hypotheses]]:
    """Return what each sign supports, those that say most precisely first."""
    grounds: list[tuple[Ground, Hypotheses]] = []
    if signs.same_weights:
        grounds.append(("identical_weights", ONE_MODEL))
    if signs.copies:
        grounds.append(("copies", ONE_MODEL))
    if signs.manner == "one_model":
        grounds.append(("manner", ONE_MODEL))
    if signs.weights == "yes":
        grounds.append(("weights", OF_WEIGHTS))
    if signs.ratio is not None and signs.ratio > SUPPORTED:
        grounds.append(("ratio", _by_text(signs)))
    if signs.probabilities == "yes":
        grounds.append(("token_probabilities", RELATED))
    return grounds
