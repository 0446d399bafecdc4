"""What weights and behaviour say together: kinship, and of which kind.

| weights kin | behaviour kin | reading |
|---|---|---|
| yes | yes | derivative: fine-tune, merge or quantisation |
| yes | no | same base, retrained behaviour |
| no | yes | distillation or shared training data |
| no | no | independent as far as measured |
| not measured | yes | kinship, mechanism undetermined |

p-values enter as e-values, never as likelihood ratios: (1 − p + p ln p) / (p ln² p), the mean of
all κ·p^(κ−1), is expected to be at most 1 where two models are independent, and so is the mean of
several such numbers, however they depend on each other (Vovk and Wang 2021, "E-values: Calibration,
combination and applications", sections 2, 3). By Markov's inequality independent models then reach
`KIN` with a chance of at most 1 / `KIN`, as far as the p-values hold. Some are approximate, and of
weights one of those that no other test supports never makes kin. Those of token probabilities hold
where some control is as near as the two are to each other: the controls are what unrelated models
are taken to be, and `ALIKE` is enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from forensics.case.details.details_record import OtherDetails
from forensics.case.details.kinds import ApproximateTest
from forensics.case.details.reference import LikenessDetails
from forensics.case.details.tokenizer import TokenizerReading
from forensics.case.details.weights import TensorsDetails
from forensics.case.evidence import Evidence, Tier
from forensics.verdicts.decision import (
    POINTS,
    ByRatio,
    Kin,
    SameTensors,
    TierReading,
    Tiers,
    TierTests,
    Untested,
)

KIN = 1000.0
# What behaviour says is no statement about weights: the false alarms that text is held to, 1 %.
ALIKE = 100.0
_KIN_LOG10_LR = 1.0  # ENFSI's "moderate support" begins here
SMALLEST_P = 1e-300
_FLAT = 0.9999
_MOST = 0.5  # of the weights
LIKENESS = "likeness"  # the evidence that a cohort adds, see `cohorts.judging`
SHARED_MANNER = "shared_manner"  # ground of the answer whether both are one model
TRANSFERRED = "transferred"  # what stands in for it without one, see `cohorts.transferred`


def read_tiers(evidence: Sequence[Evidence]) -> tuple[TierReading, TierReading]:
    """Return what the weights say, and what behaviour says.

    Behaviour is token probabilities, and text where a cohort turned it into a likelihood ratio:
    text without a cohort says how alike two models are, not whether that is more than usual.
    """
    return _weights(evidence), _behaviour(evidence)


def read_probabilities(evidence: Sequence[Evidence]) -> TierReading:
    """Return what token probabilities say, text left aside."""
    return _by_e_values(evidence, "logprobs")


def tiers_of(evidence: Sequence[Evidence]) -> Tiers:
    """Return what the tiers beyond text say, each and together; `evidence` is all of the case."""
    weights, behaviour = read_tiers(evidence)
    beyond = tuple(e for e in evidence if e.tier != "text" and e.status == "ok")
    tokenizers = tuple(e for e in beyond if tokenizer_reading(e))
    return Tiers(weights, behaviour, beyond, tokenizers)


def speaks_for_kin(evidence: Evidence) -> bool:
    """Tell whether one test speaks for kinship."""
    enough = POINTS if evidence.tier == "logprobs" else KIN
    return evidence.p_value is not None and e_value(evidence.p_value) >= enough


def speaks_against_kin(evidence: Evidence) -> bool:
    """Tell whether one test finds no more than chance has it."""
    return evidence.p_value is not None and e_value(evidence.p_value) < POINTS


def _weights(evidence: Sequence[Evidence]) -> TierReading:
    """Return what tests say, and what tensors say that are the same byte for byte.

    Without a test most of the weights must be the same. Beside tests that find nothing a few leave
    the matter open: embeddings may be taken over, and some tables are computed and not trained.
    """
    tests = _by_e_values(evidence, "weights")
    same_tensors = [
        SameTensors(e.details.identical_tensors, e.details.tensors_b, e.score)
        for e in evidence
        if isinstance(e.details, TensorsDetails)
        and e.details.identical_tensors
        and e.score is not None
    ]
    if not same_tensors or tests.kin in ("yes", "open"):
        return tests
    same = same_tensors[0]
    if tests.kin == "no":
        return TierReading("open", (*tests.grounds, same), tests.e_value)
    return TierReading("yes", (same,)) if same.share >= _MOST else tests


def _by_e_values(evidence: Sequence[Evidence], tier: Tier) -> TierReading:
    tested = [e for e in evidence if e.tier == tier and e.status == "ok" and e.p_value is not None]
    if not tested:
        return TierReading("not_measured", (Untested(tier),))
    p_values = [e.p_value for e in tested if e.p_value is not None]
    mean = sum(map(e_value, p_values)) / len(tested)
    enough = ALIKE if tier == "logprobs" else KIN
    kin: Kin = "yes" if mean >= enough else "no" if mean < POINTS else "open"
    if kin == "yes" and tier == "weights" and _one_approximate(tested):
        kin = "open"
    return TierReading(kin, (TierTests(tier, kin, len(tested), min(p_values), mean),), mean)


def _one_approximate(tested: Sequence[Evidence]) -> bool:
    """Tell whether a test whose p-value is approximate speaks for kinship, and no other does."""
    values = [(e_value(e.p_value), e) for e in tested if e.p_value is not None]
    spoken = [test for value, test in values if value >= POINTS]
    return len(spoken) == 1 and is_approximate(spoken[0])


def is_approximate(evidence: Evidence) -> bool:
    """Tell whether a p-value holds approximately only."""
    details = evidence.details
    return isinstance(details, ApproximateTest) and details.p_value_is_approximate


def tokenizer_reading(evidence: Evidence) -> str:
    """Return what evidence of a tokenizer tells in words; blank of any other."""
    details = evidence.details
    if evidence.tier != "tokenizer" or not isinstance(details, TokenizerReading | OtherDetails):
        return ""
    return details.reading


def e_value(p_value: float) -> float:
    """Return what turns a p-value into an e-value: ∫ κ·p^(κ−1) dκ, κ from 0 to 1.

    No power of p has to be chosen, and for p below 0.004 it is more than ½·p^(−½) (Vovk and Wang
    2021, section 2, equation 1).
    """
    p = max(p_value, SMALLEST_P)
    if p > _FLAT:
        return 0.5  # the limit, which the formula's differences do not reach
    log = math.log(p)
    return (1 - p + p * log) / (p * log * log)


def _behaviour(evidence: Sequence[Evidence]) -> TierReading:
    """Return what token probabilities and calibrated text say; where they disagree, both.

    Either may miss what the other sees, so that one that finds nothing outweighs nothing.
    """
    probabilities, text = _by_e_values(evidence, "logprobs"), _by_ratio(evidence)
    if probabilities.kin == "not_measured":
        return text
    if text.kin == "not_measured":
        return probabilities
    said = {probabilities.kin, text.kin}
    kin: Kin = "yes" if "yes" in said else "no" if said == {"no"} else "open"
    return TierReading(kin, (*probabilities.grounds, *text.grounds), probabilities.e_value)


def _by_ratio(evidence: Sequence[Evidence]) -> TierReading:
    judged = next((e for e in evidence if e.comparator == LIKENESS and e.status == "ok"), None)
    population = judged.details if judged is not None else None
    covered = isinstance(population, LikenessDetails) and all(c.met for c in population.conditions)
    value = (judged.log10_lr or {}).get("close_descent") if judged is not None else None
    if not covered or value is None:
        return TierReading("not_measured", (Untested("text"),))
    kin: Kin = "yes" if value >= _KIN_LOG10_LR else "no" if value <= -_KIN_LOG10_LR else "open"
    return TierReading(kin, (ByRatio(value),))
