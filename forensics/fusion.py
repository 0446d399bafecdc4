"""What weights and behaviour say together: kinship, and of which kind.

| weights kin | behaviour kin | reading |
|---|---|---|
| yes | yes | derivative: fine-tune, merge or quantisation |
| yes | no | same base, retrained behaviour |
| no | yes | distillation or shared training data |
| no | no | independent as far as measured |
| not measured | yes | kinship, mechanism undetermined |

p-values enter as e-values, never as likelihood ratios: ½·p^(−½) is expected to be at most 1 where
two models are independent, and so is the mean of several such numbers, however they depend on each
other (Vovk and Wang 2021, "E-values: Calibration, combination and applications", sections 2, 3). By
Markov's inequality independent models then reach `KIN` with a chance of at most 1 / `KIN`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from forensics.case import Finding, Verdict
from forensics.evidence import Evidence, Tier

Kin = Literal["yes", "no", "open", "not_measured"]

KIN = 1000.0
_NO_KIN = 10.0  # between the two a tier is left open
_KIN_LOG10_LR = 1.0  # ENFSI's "moderate support" begins here
_SMALLEST = 1e-300
LIKENESS = "likeness"  # the evidence that a cohort adds, see `cohorts.judging`
TRANSFERRED = "transferred"  # what stands in for it without one, see `cohorts.transferred`

_TOGETHER: dict[tuple[Kin, Kin], str] = {
    ("yes", "yes"): (
        "Derivative: they share weights and behave alike. One is a fine-tune, merge, quantisation "
        "or other altered copy of the other, or both are of one parent."
    ),
    ("yes", "no"): ("Same base, retrained behaviour: they share weights, and do not behave alike."),
    ("no", "yes"): (
        "Distillation or shared training data: they behave alike, and their weights agree no more "
        "than chance has it."
    ),
    ("no", "no"): (
        "Independent as far as measured: neither weights nor behaviour agree more than chance has "
        "it."
    ),
    ("not_measured", "yes"): (
        "Kinship, mechanism undetermined: they behave alike, and weights were not measured."
    ),
    ("yes", "not_measured"): (
        "They share weights: one is an altered copy of the other, or both are of one parent. "
        "Whether they also behave alike was not measured against a reference."
    ),
    ("no", "not_measured"): (
        "Their weights agree no more than chance has it: neither is a fine-tune, merge or "
        "quantisation of the other. Training on one another's outputs leaves no trace in weights "
        "and is not excluded."
    ),
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
    return _by_e_values(evidence, "weights"), _behaviour(evidence)


def fuse(verdict: Verdict, evidence: Sequence[Evidence]) -> Verdict:
    """Return the verdict with what the tiers say together.

    Where no tier beyond text was measured the verdict stays as it is, and text alone never says
    how one model came of another.

    Args:
        verdict: what text says, as screened or calibrated.
        evidence: all evidence of the case.
    """
    weights, behaviour = read_tiers(evidence)
    beyond = [e for e in evidence if e.tier != "text" and e.status == "ok"]
    if not beyond:
        return verdict
    together = _TOGETHER.get((_settled(weights.kin), _settled(behaviour.kin)))
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
    shown = [one.text for one in (weights, behaviour) if one.e_value is not None]
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


def _settled(kin: Kin) -> Kin:
    return "not_measured" if kin == "open" else kin


def _by_e_values(evidence: Sequence[Evidence], tier: Tier) -> TierReading:
    tested = [e for e in evidence if e.tier == tier and e.status == "ok" and e.p_value is not None]
    if not tested:
        return TierReading("not_measured", f"{_NAMES[tier]} were not tested.")
    mean = sum(e_value(e.p_value) for e in tested if e.p_value is not None) / len(tested)
    kin: Kin = "yes" if mean >= KIN else "no" if mean < _NO_KIN else "open"
    smallest = min(e.p_value for e in tested if e.p_value is not None)
    shown = "< 1e-300" if smallest <= _SMALLEST else f"= {smallest:.2g}"
    tests = "1 test" if len(tested) == 1 else f"{len(tested)} tests"
    text = f"{_NAMES[tier]} {_SAYS[kin]} (smallest p {shown} of {tests}, e-value {mean:.2g})."
    return TierReading(kin, text, mean)


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


def e_value(p_value: float) -> float:
    """Return ½·p^(−½), which turns a p-value into an e-value."""
    return 0.5 / math.sqrt(max(p_value, _SMALLEST))


def _behaviour(evidence: Sequence[Evidence]) -> TierReading:
    probabilities = _by_e_values(evidence, "logprobs")
    if probabilities.kin in ("yes", "no"):
        return probabilities
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
        and (e_value(one.p_value) >= KIN if kin else e_value(one.p_value) < _NO_KIN)
    ]


def _finding(evidence: Evidence) -> str:
    assert evidence.p_value is not None and evidence.score is not None  # noqa: S101 (by selection)
    shown = "< 1e-300" if evidence.p_value <= _SMALLEST else f"= {evidence.p_value:.2g}"
    interval = evidence.interval
    span = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval else ""
    return f"{evidence.score:.3f}{span}, p {shown} if they were independent, n = {evidence.n}"
