"""What the tiers say, in sentences; `tier_readings` decides what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.case.document import Finding
from forensics.case.evidence import Evidence
from forensics.case.tier_names import tier_subject
from forensics.support.numbers import percent
from forensics.verdicts.decision import (
    ByRatio,
    Ground,
    Kin,
    SameTensors,
    TierReading,
    Tiers,
    Untested,
)
from forensics.verdicts.tier_readings import (
    SMALLEST_P,
    is_approximate,
    speaks_against_kin,
    speaks_for_kin,
    tokenizer_reading,
)

_SHARED = "They share weights: one is an altered copy of the other, or both come from one parent."
_UNSHARED = (
    "Their weights agree no more than expected by chance, so there is no sign that one is a "
    "fine-tune, merge or quantisation of the other. Training on the other's outputs leaves no "
    "trace in weights and is not excluded."
)
_POINTED = (
    "Points to distillation or shared training data: their weights agree no more than "
    "expected by chance, and their token probabilities are nearer to each other than to the "
    "controls', though not by enough to count as a finding."
)
_TOGETHER: Mapping[tuple[Kin, Kin], str] = {
    ("yes", "yes"): (
        "Derivative: they share weights and behave alike. One is a fine-tune, merge, quantisation "
        "or other altered copy of the other, or both come from one parent."
    ),
    ("yes", "no"): (
        "Same base, retrained behaviour: they share weights, but their behaviour is no more "
        "similar than that of unrelated models."
    ),
    ("no", "yes"): (
        "Distillation or shared training data: they behave alike, but their weights agree no more "
        "than expected by chance."
    ),
    ("no", "no"): (
        "Independent as far as measured: neither weights nor behaviour agree more than expected "
        "by chance. Training on the other's outputs can leave too little to detect, so a negative "
        "result is not evidence that no such training took place."
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
_SAYS: Mapping[Kin, str] = {
    "yes": "show close kinship",
    "no": "show no kinship",
    "open": "leave kinship open",
}
_SAYS_OF_PROBABILITIES: Mapping[Kin, str] = {
    "yes": "are nearer to each other than to any control",
    "no": "are not measurably nearer to each other than to every control",
    "open": "leave kinship open",
}


def tier_clause(reading: TierReading) -> str:
    """Return what a tier says, without the last full stop."""
    first, *others = reading.grounds
    return ". ".join([_clause(first), *map(_beside, others)])


def tier_text(reading: TierReading) -> str:
    """Return what a tier says, in a sentence or two."""
    return f"{tier_clause(reading)}."


def _beside(ground: Ground) -> str:
    return f"But {_same(ground)}" if isinstance(ground, SameTensors) else _clause(ground)


def _clause(ground: Ground) -> str:
    if isinstance(ground, Untested):
        if ground.tier == "text":
            return "Behaviour was not measured against a reference"
        return f"{tier_subject(ground.tier)} were not tested"
    if isinstance(ground, ByRatio):
        return f"Behaviour: log10 likelihood ratio of close kinship {ground.log10_lr:+.2f}"
    if isinstance(ground, SameTensors):
        return f"Weights show close kinship ({_same(ground)})"
    tests = "1 test" if ground.count == 1 else f"{ground.count} tests"
    says = _SAYS_OF_PROBABILITIES if ground.tier == "logprobs" else _SAYS
    return (
        f"{tier_subject(ground.tier)} {says[ground.kin]} (smallest p {_p_value(ground.least_p)} of "
        f"{tests}, e-value {ground.e_value:.2g})"
    )


def _same(same: SameTensors) -> str:
    return (
        f"{same.identical} of {same.of} tensors of B are in A, byte for byte, "
        f"{percent(same.share, 1)} of its weights"
    )


def _p_value(value: float) -> str:
    return "< 1e-300" if value <= SMALLEST_P else f"= {value:.2g}"


def together(tiers: Tiers) -> str:
    """Return what weights and behaviour say together; empty where only one of them speaks."""
    if tiers.pointed:
        return _POINTED
    return _TOGETHER.get((tiers.weights.kin, tiers.behaviour.kin), "")


def tier_headlines(tiers: Tiers) -> list[str]:
    """Return what stands above everything else: what was tested, or what tokenizers have alike."""
    tested = [
        tier_text(tier)
        for tier in (tiers.weights, tiers.behaviour)
        if tier.e_value is not None or (tier is tiers.weights and tier.kin == "yes")
    ]
    return tested or [f"Tokenizers: {tokenizer_reading(e)}." for e in tiers.tokenizers[:1]]


def tier_reading_words(tiers: Tiers) -> str:
    """Return the reading of all tiers, in sentences; empty where nothing can be said of them."""
    both = together(tiers)
    readings = [
        tier_text(tier) for tier in (tiers.weights, tiers.behaviour) if tier.kin != "not_measured"
    ]
    return " ".join(filter(None, [*([both] if both else readings), _tokenizers(tiers.tokenizers)]))


def tier_table(tiers: Tiers) -> dict[str, str]:
    """Return what each tier says, and what they say together, by name."""
    table = {"weights": tier_text(tiers.weights), "behaviour": tier_text(tiers.behaviour)}
    tokenizers, both = _tokenizers(tiers.tokenizers), together(tiers)
    table |= {"tokenizer": tokenizers} if tokenizers else {}
    return table | ({"together": both} if both else {})


def _tokenizers(tokenizers: Sequence[Evidence]) -> str:
    """Return what tokenizers say: context, which by itself never says that weights are kin."""
    if not tokenizers:
        return ""
    said = "; ".join(f"{e.title.lower()}: {tokenizer_reading(e)}" for e in tokenizers)
    return f"Tokenizers ({said}). A shared tokenizer is not shared weights."


def findings_of_tests(evidence: Sequence[Evidence], *, kin: bool) -> list[Finding]:
    """Return the tests that speak for kinship, or those that speak against it, each in a line."""
    speaks = speaks_for_kin if kin else speaks_against_kin
    return [Finding(comparator=e.comparator, text=_finding(e)) for e in evidence if speaks(e)]


def _finding(evidence: Evidence) -> str:
    assert evidence.p_value is not None and evidence.score is not None  # noqa: S101 (by selection)
    interval = evidence.interval
    span = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval else ""
    unless = "some control were as near" if evidence.tier == "logprobs" else "they were independent"
    about = "about " if is_approximate(evidence) else ""
    shown = _p_value(evidence.p_value)
    return f"{evidence.score:.3f}{span}, {about}p {shown} if {unless}, n = {evidence.n}"
