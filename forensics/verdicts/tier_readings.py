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
from dataclasses import dataclass
from typing import Literal

from forensics.case.document import Finding, Verdict
from forensics.case.evidence import Evidence, Tier
from forensics.verdicts.detection_limit import shipped

Kin = Literal["yes", "no", "open", "not_measured"]

KIN = 1000.0
# What behaviour says is no statement about weights: the false alarms that text is held to, 1 %.
ALIKE = 100.0
POINTS = 10.0  # between the two a tier is left open, and points to kinship
_KIN_LOG10_LR = 1.0  # ENFSI's "moderate support" begins here
_SMALLEST = 1e-300
_FLAT = 0.9999
_MOST = 0.5  # of the weights
LIKENESS = "likeness"  # the evidence that a cohort adds, see `cohorts.judging`
TRANSFERRED = "transferred"  # what stands in for it without one, see `cohorts.transferred`

_SHARED = "They share weights: one is an altered copy of the other, or both are of one parent."
_UNSHARED = (
    "Their weights agree no more than chance has it: nothing shows that either is a fine-tune, "
    "merge or quantisation of the other. Training on one another's outputs leaves no trace in "
    "weights and is not excluded."
)
_POINTED = (
    "Points to distillation or shared training data: their weights agree no more than chance has "
    "it, and by their token probabilities they are nearer to each other than to the controls, "
    "though not by so much that it is taken for a finding."
)
_TOGETHER: dict[tuple[Kin, Kin], str] = {
    ("yes", "yes"): (
        "Derivative: they share weights and behave alike. One is a fine-tune, merge, quantisation "
        "or other altered copy of the other, or both are of one parent."
    ),
    ("yes", "no"): (
        "Same base, retrained behaviour: they share weights, and no more likeness of behaviour was "
        "found than unrelated models have."
    ),
    ("no", "yes"): (
        "Distillation or shared training data: they behave alike, and their weights agree no more "
        "than chance has it."
    ),
    ("no", "no"): (
        "Independent as far as measured: neither weights nor behaviour agree more than chance has "
        "it. Training on one another's outputs can leave too little to be seen: silence is no "
        "evidence that there was none."
    ),
    ("not_measured", "yes"): (
        "Kinship, mechanism undetermined: they behave alike, and weights were not measured."
    ),
    ("yes", "not_measured"): (
        f"{_SHARED} Whether they also behave alike was not measured against a reference."
    ),
    ("yes", "open"): f"{_SHARED} Whether they also behave alike was left open.",
    ("no", "not_measured"): _UNSHARED,
    ("no", "open"): f"{_UNSHARED} Whether they behave alike was left open.",
}


@dataclass(frozen=True)
class TierReading:
    """Whether a tier says kin, and in a sentence why; `e_value` is None without a p-value."""

    kin: Kin
    text: str
    e_value: float | None = None


def read_tiers(evidence: Sequence[Evidence]) -> tuple[TierReading, TierReading]:
    """Return what the weights say, and what behaviour says.

    Behaviour is token probabilities, and text where a cohort turned it into a likelihood ratio:
    text without a cohort says how alike two models are, not whether that is more than usual.
    """
    return _weights(evidence), _behaviour(evidence)


def fuse(verdict: Verdict, evidence: Sequence[Evidence]) -> Verdict:
    """Return the verdict with what the tiers say together.

    Where no tier beyond text was measured the verdict stays as it is but for its limits, and text
    alone never says how one model came of another. Where behaviour is not found to be alike, the
    limits say from which exposure on that would have shown.

    Args:
        verdict: what text says, as screened or calibrated.
        evidence: all evidence of the case.
    """
    weights, behaviour = read_tiers(evidence)
    beyond = [e for e in evidence if e.tier != "text" and e.status == "ok"]
    if behaviour.kin != "yes" and (beyond or verdict.status != "insufficient"):
        verdict = verdict.model_copy(update={"limits": (*verdict.limits, shipped().silence)})
    if not beyond:
        return verdict
    together = _TOGETHER.get((weights.kin, behaviour.kin))
    if (weights.kin, behaviour.kin) == ("no", "open") and (behaviour.e_value or 0.0) >= POINTS:
        together = _POINTED
    read = [one.text for one in (weights, behaviour) if one.kin != "not_measured"]
    spoken = " ".join([together] if together else read)
    told = [e for e in beyond if e.tier == "tokenizer" and e.details.get("reading")]
    tokenizers = _tokenizers(told)
    readings = {"weights": weights.text, "behaviour": behaviour.text}
    readings |= {"tokenizer": tokenizers} if tokenizers else {}
    had_text = verdict.status != "insufficient"
    spoken = " ".join(filter(None, [spoken, tokenizers]))
    if not spoken:
        return verdict.model_copy(update={"readings": readings})
    shown = [
        one.text
        for one in (weights, behaviour)
        if one.e_value is not None or (one is weights and one.kin == "yes")
    ]
    shown = shown or [f"Tokenizers: {e.details['reading']}." for e in told[:1]]
    return verdict.model_copy(
        update={
            "status": verdict.status if had_text else "screening",
            "headline": " ".join([*shown, *([verdict.headline] if had_text else [])]),
            "reading": " ".join([spoken, *([verdict.reading] if had_text else [])]),
            "readings": readings | ({"together": together} if together else {}),
            "findings_for": (*_findings(beyond, kin=True), *verdict.findings_for),
            "findings_against": (*_findings(beyond, kin=False), *verdict.findings_against),
        }
    )


def _tokenizers(told: Sequence[Evidence]) -> str:
    """Return what tokenizers say: context, which by itself never says that weights are kin."""
    if not told:
        return ""
    said = "; ".join(f"{e.title.lower()}: {e.details['reading']}" for e in told)
    return f"Tokenizers ({said}). A shared tokenizer is not shared weights."


def _weights(evidence: Sequence[Evidence]) -> TierReading:
    """Return what tests say, and what tensors say that are the same byte for byte.

    Without a test most of the weights must be the same. Beside tests that find nothing a few leave
    the matter open: embeddings may be taken over, and some tables are computed and not trained.
    """
    tests = _by_e_values(evidence, "weights")
    found = [e for e in evidence if e.details.get("identical_tensors") and e.score is not None]
    if not found or tests.kin in ("yes", "open"):
        return tests
    same = found[0].details
    text = (
        f"{same['identical_tensors']} of {same['tensors_b']} tensors of B stand in A byte for "
        f"byte, {found[0].score:.1%} of its weights."
    )
    if tests.kin == "no":
        return TierReading("open", f"{tests.text} But {text}", tests.e_value)
    most = found[0].score is not None and found[0].score >= _MOST
    return TierReading("yes", f"Weights are kin ({text[:-1]}).") if most else tests


def _by_e_values(evidence: Sequence[Evidence], tier: Tier) -> TierReading:
    tested = [e for e in evidence if e.tier == tier and e.status == "ok" and e.p_value is not None]
    if not tested:
        return TierReading("not_measured", f"{_NAMES[tier]} were not tested.")
    mean = sum(e_value(e.p_value) for e in tested if e.p_value is not None) / len(tested)
    enough = ALIKE if tier == "logprobs" else KIN
    kin: Kin = "yes" if mean >= enough else "no" if mean < POINTS else "open"
    if kin == "yes" and tier == "weights" and _one_approximate(tested):
        kin = "open"
    smallest = min(e.p_value for e in tested if e.p_value is not None)
    shown = "< 1e-300" if smallest <= _SMALLEST else f"= {smallest:.2g}"
    tests = "1 test" if len(tested) == 1 else f"{len(tested)} tests"
    says = _SAYS_OF_PROBABILITIES if tier == "logprobs" else _SAYS
    text = f"{_NAMES[tier]} {says[kin]} (smallest p {shown} of {tests}, e-value {mean:.2g})."
    return TierReading(kin, text, mean)


def _one_approximate(tested: Sequence[Evidence]) -> bool:
    """Tell whether a test whose p-value is approximate speaks for kinship, and no other does."""
    values = [(e_value(e.p_value), e) for e in tested if e.p_value is not None]
    spoken = [one for value, one in values if value >= POINTS]
    return len(spoken) == 1 and bool(spoken[0].details.get("p_value_is_approximate"))


_NAMES: dict[Tier, str] = {
    "text": "Texts",
    "logprobs": "Token probabilities",
    "tokenizer": "Tokenizers",
    "weights": "Weights",
}
_SAYS: dict[Kin, str] = {
    "yes": "are kin",
    "no": "show no kinship",
    "open": "leave kinship open",
}
_SAYS_OF_PROBABILITIES: dict[Kin, str] = {
    "yes": "are nearer to each other than to any control",
    "no": "are not seen to be nearer to each other than to every control",
    "open": "leave kinship open",
}


def e_value(p_value: float) -> float:
    """Return what turns a p-value into an e-value: ∫ κ·p^(κ−1) dκ, κ from 0 to 1.

    No power of p has to be chosen, and for p below 0.004 it is more than ½·p^(−½) (Vovk and Wang
    2021, section 2, equation 1).
    """
    p = max(p_value, _SMALLEST)
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
    return TierReading(kin, f"{probabilities.text} {text.text}", probabilities.e_value)


def _by_ratio(evidence: Sequence[Evidence]) -> TierReading:
    judged = next((e for e in evidence if e.comparator == LIKENESS and e.status == "ok"), None)
    unmet = judged is not None and any(not c["met"] for c in judged.details.get("conditions", ()))
    if judged is None or unmet or not judged.log10_lr or "close_descent" not in judged.log10_lr:
        return TierReading("not_measured", "Behaviour was not measured against a reference.")
    value = judged.log10_lr["close_descent"]
    kin: Kin = "yes" if value >= _KIN_LOG10_LR else "no" if value <= -_KIN_LOG10_LR else "open"
    return TierReading(kin, f"Behaviour: log10 likelihood ratio of close kinship {value:+.2f}.")


def _findings(evidence: Sequence[Evidence], *, kin: bool) -> list[Finding]:
    return [
        Finding(comparator=one.comparator, text=_finding(one))
        for one in evidence
        if one.p_value is not None
        and (e_value(one.p_value) >= _enough(one.tier) if kin else e_value(one.p_value) < POINTS)
    ]


def _enough(tier: Tier) -> float:
    return POINTS if tier == "logprobs" else KIN


def _finding(evidence: Evidence) -> str:
    assert evidence.p_value is not None and evidence.score is not None  # noqa: S101 (by selection)
    shown = "< 1e-300" if evidence.p_value <= _SMALLEST else f"= {evidence.p_value:.2g}"
    interval = evidence.interval
    span = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval else ""
    unless = "some control were as near" if evidence.tier == "logprobs" else "they were independent"
    about = "about " if evidence.details.get("p_value_is_approximate") else ""
    return f"{evidence.score:.3f}{span}, {about}p {shown} if {unless}, n = {evidence.n}"
