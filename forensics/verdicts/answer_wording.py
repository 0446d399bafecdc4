"""The answers in sentences that a reader outside the field understands at first reading.

`standing` and `answering` decide what the answers are. Each sentence begins with the answer, and
none holds a term of art: reports put them on their first screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from forensics.case.details.weights import TensorsDetails
from forensics.case.evidence import Evidence
from forensics.case.questions import KnownCases
from forensics.verdicts.answer_labels import label
from forensics.verdicts.answering import Answered, Reason
from forensics.verdicts.decision import Decision, NoRatio, Ratio, SameTensors, TierTests
from forensics.verdicts.one_model import Foils, Manner, at_floors, tested_manner
from forensics.verdicts.standing import Standing
from forensics.verdicts.tier_readings import read_tiers

_MILLION = 1e-6
_NAMED = 4  # foils, of which a sentence gives the names


@dataclass(frozen=True)
class Known:
    """What sentences speak of besides the answer itself."""

    decision: Decision
    standing: Standing
    evidence: tuple[Evidence, ...]
    detection: KnownCases | None


def sentences(answered: Answered, known: Known) -> tuple[str, ...]:
    """Return an answer's reasons in sentences, the first of which says the answer."""
    return tuple(filter(None, _REASONS[answered.reason](known)))


def _ratio(known: Known) -> Ratio:
    ratio = known.decision.weighed
    assert ratio is not None  # noqa: S101 (these reasons are given of ratios only)
    return ratio


def times(log10_lr: float) -> str:
    """Return how many times likelier one of two things is, as people write it: `86`, `1,200`."""
    size = 10 ** abs(log10_lr)
    if size < 10:
        return f"{size:.2g}"
    digits = len(str(int(size))) - 2
    return f"{round(size, -digits if digits > 0 else 0):,.0f}"


def _identical_weights(known: Known) -> list[str]:
    details = (entry.details for entry in known.evidence)
    count = next(one.tensors_b for one in details if isinstance(one, TensorsDetails))
    return [
        f"Indistinguishable from one model: all {count} tensors of their weights are the same, "
        "byte for byte."
    ]


def _copies(known: Known) -> list[str]:
    wire = known.decision.screening.tripwire
    return [
        f"Indistinguishable from one model: {wire.identical} of {wire.compared} long answers are "
        "identical, character by character.",
        "A cache or a proxy in front of two models would look the same.",
    ]


def _share(manner: Manner) -> str:
    low, high = map(_percent, manner.interval)
    return f"{_percent(manner.share)} of their manner of answering (90 % interval {low} to {high})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _manner(known: Known) -> Manner | None:
    return tested_manner(known.evidence)


def _same_manner(known: Known) -> list[str]:
    manner = _manner(known)
    if manner is None:
        return []
    low, high = map(_percent, manner.margin)
    return [
        f"Indistinguishable from one model: the two share {_share(manner)}; 100 % is one model, "
        f"and one model must lie within {low} and {high}.",
        _foils(manner.foils),
    ]


def _foils(foils: Foils) -> str:
    if not foils.of:
        return "How well this test tells near relatives apart was not measured on these prompts."
    elsewhere = ", which answered other prompts" if foils.elsewhere else ""
    more = len(foils.apart) - _NAMED
    names = [*foils.apart[:_NAMED], *([f"{more} more"] if more > 0 else [])]
    named = f": {'; '.join(names)}" if names else ""
    return (
        f"They would have been told from {len(foils.apart)} of {foils.of} pairs of near relatives"
        f"{elsewhere}{named}."
    )


def _other_weights(known: Known) -> list[str]:
    if known.standing.signs.weights == "no":
        return ["Not one model: their weights agree no more than expected by chance."]
    return ["Not one model: their weights are not the same, byte for byte."]


def _other_manner(known: Known) -> list[str]:
    manner = _manner(known)
    mode = (
        "One model in two modes of answering (thinking or not, another system prompt) can look so."
    )
    if manner is not None:
        return [f"Not one model: the two share only {_share(manner)}; 100 % is one model.", mode]
    floors = at_floors(known.evidence)
    less = floors.kinds - floors.reached
    return [
        f"Not one model: in {less} of {floors.kinds} kinds of evidence each, asked again, is more "
        "like itself than like the other.",
        mode,
    ]


def _manner_undecided(known: Known) -> list[str]:
    manner = _manner(known)
    if manner is None:
        return [
            "Cannot be told: the two are about as alike as one model asked twice, and no test "
            "against near relatives was made on these prompts."
        ]
    return [f"Cannot be told: the two share {_share(manner)}, which leaves one model open."]


def _one_sample(_: Known) -> list[str]:
    return [
        "Cannot be told: too few prompts were asked several times of both, so how much one model's "
        "own answers differ is not known (needs --samples 3)."
    ]


def _is_one_model(_: Known) -> list[str]:
    return ["Supported: they are indistinguishable from one model."]


def _weights(known: Known) -> list[str]:
    weights, _ = read_tiers(known.evidence)
    ground = weights.grounds[0]
    if isinstance(ground, SameTensors):
        return [
            f"Supported by the weights: {ground.identical} of {ground.of} tensors are the same in "
            f"both, byte for byte, {_percent(ground.share)} of all weights."
        ]
    assert isinstance(ground, TierTests)  # noqa: S101 (weights are read by nothing else)
    rare = "a million" if ground.least_p < _MILLION else f"{1 / ground.least_p:,.0f}"
    return [
        "Supported by the weights: unrelated weights would agree as much by chance less than once "
        f"in {rare} times.",
        "One is an altered copy of the other, or both were made from one parent.",
    ]


def _weights_unrelated(_: Known) -> list[str]:
    return [
        "Contradicted by the weights: they agree no more than expected by chance, so there is no "
        "sign that one is a fine-tune, merge or quantisation of the other."
    ]


def _by_ratio(known: Known) -> list[str]:
    ratio = _ratio(known)
    supported = label("supported", ratio.verbal.tier)
    most = _most(ratio) if ratio.at_bound == "highest" else ""
    return [
        f"{supported.capitalize()}: likeness this strong is {times(ratio.value)} times likelier "
        f"between relatives than between strangers{most}.",
        _lineages(ratio),
        _elsewhere(ratio),
        "Text does not tell whether one learned from the other's answers instead.",
    ]


def _most(ratio: Ratio) -> str:
    clusters = ratio.error_at_score.clusters if ratio.error_at_score else 0
    by = f"{clusters} lineages" if clusters else "these models"
    return f" (the most that {by} can show)"


def _elsewhere(ratio: Ratio) -> str:
    if ratio.calibration == "matched":
        return ""
    return "This was learned from other prompts and other models than these."


def _lineages(ratio: Ratio) -> str:
    """Return how many unrelated lineages score as high, in a sentence; empty if not measured."""
    error = ratio.error_at_score
    if error is None or not error.clusters:
        return ""
    return (
        f"{error.clusters_in_error or 'None'} of {error.clusters} unrelated lineages "
        f"{'scores' if error.clusters_in_error == 1 else 'score'} as high."
    )


def _ratio_small(known: Known) -> list[str]:
    ratio = _ratio(known)
    return [
        f"Not supported: likeness this strong is only {times(ratio.value)} times likelier between "
        "relatives than between strangers, and more than 10 times is needed.",
        _lineages(ratio),
        _elsewhere(ratio),
    ]


def _ratio_against(known: Known) -> list[str]:
    ratio = _ratio(known)
    error = ratio.error_at_score
    against = (
        f"Likeness this weak is {times(ratio.value)} times likelier between strangers than between "
        "relatives."
    )
    if error is None or not error.clusters_in_error:
        return [f"Not supported: {against[0].lower()}{against[1:]}", _elsewhere(ratio)]
    scores = "scores" if error.clusters == 1 else "score"
    return [
        f"Not supported: {error.clusters_in_error} of {error.clusters} unrelated lineages {scores} "
        "higher.",
        against,
        _elsewhere(ratio),
    ]


def _no_ratio(known: Known) -> list[str]:
    ratio, screening = known.decision.ratio, known.decision.screening
    if screening.shortfall is not None:
        return ["Cannot be told: too little could be compared."]
    if isinstance(ratio, NoRatio):
        if ratio.cause == "outside":
            return [
                "Cannot be told: the models known for these prompts are not of their time and kind "
                f"({ratio.unmet[0]})."
            ]
        if ratio.judged.reason:
            return [
                "Cannot be told: how alike strangers are on these prompts is not known "
                f"({ratio.judged.reason})."
            ]
    return ["Cannot be told: how alike strangers are on these prompts is not known."]


def _probabilities(_: Known) -> list[str]:
    return [
        "Supported: their weights are unrelated, and yet both expect the same words more than any "
        "control model does.",
        "Data that both learned from would show in the same way.",
    ]


def _probabilities_or_weights(_: Known) -> list[str]:
    return [
        "Something points to it: both expect the same words more than any control model does.",
        "Shared weights would explain that as well, and were not compared or left it open.",
    ]


def _probabilities_point(_: Known) -> list[str]:
    return [
        "Something points to it: their weights are unrelated, and both expect the same words more "
        "than the control models do, though not by enough for a finding."
    ]


def _text_points(_: Known) -> list[str]:
    return [
        "Something points to it: their answers are as alike as those of close relatives, and their "
        "weights are unrelated.",
        "Text alone does not tell a teacher from public text that both learned from.",
    ]


def _probabilities_silent(known: Known) -> list[str]:
    return [
        "Not supported at this detection limit: they do not expect the same words more than every "
        f"control model does.{_students(known)}"
    ]


def _students(known: Known) -> str:
    found = known.detection
    if found is None or found.kind != "learned":
        return ""
    return (
        f" Of small students that learned from nothing but a teacher's text, {found.seen} of "
        f"{found.of} would have been seen; less was missed."
    )


def _of_one_model(_: Known) -> list[str]:
    return ["Cannot be told: between one model and itself the question does not arise."]


def _shared_weights(_: Known) -> list[str]:
    return ["Cannot be told: shared weights explain whatever their answers have in common as well."]


def _kinship_explains(_: Known) -> list[str]:
    return ["Cannot be told: close kinship explains what their answers have in common as well."]


def _text_only(_: Known) -> list[str]:
    return [
        "Cannot be told from text alone: models that learned from one another and models that "
        "learned from the same public text look alike."
    ]


def _kinship(known: Known) -> list[str]:
    by = {
        "identical_weights": "their weights are the same",
        "copies": "their long answers are the same",
        "manner": "their manner of answering is that of one model",
        "weights": "they share weights",
        "ratio": "likeness this strong is rare between strangers",
        "token_probabilities": "both expect the same words more than any control model does",
    }
    return [f"No: {by[known.standing.ground or 'ratio']}."]


def _unexplained(_: Known) -> list[str]:
    return ["Cannot be told: their answers are more alike than unrelated weights explain."]


def _pointed(_: Known) -> list[str]:
    return ["Cannot be told: something points to kinship without settling it."]


def _seen(known: Known) -> list[str]:
    found = known.detection
    if found is None:
        return []
    missed = "Learning from the other's answers can leave too little to be seen."
    if found.kind == "learned":
        return [
            f"No sign of kinship, by weights or by token probabilities.{_students(known)}",
            missed,
        ]
    return [
        "No sign of kinship: close kinship would have shown as more likeness than this in "
        f"{found.seen} of {found.of} known cases.",
        missed,
    ]


def _missed(_: Known) -> list[str]:
    return [
        "Cannot be told: what was compared could have missed kinship, and little likeness does not "
        "show independence."
    ]


_REASONS: Mapping[Reason, Callable[[Known], Sequence[str]]] = {
    "identical_weights": _identical_weights,
    "copies": _copies,
    "same_manner": _same_manner,
    "other_weights": _other_weights,
    "other_manner": _other_manner,
    "manner_undecided": _manner_undecided,
    "one_sample": _one_sample,
    "one_model": _is_one_model,
    "weights": _weights,
    "weights_unrelated": _weights_unrelated,
    "ratio": _by_ratio,
    "ratio_small": _ratio_small,
    "ratio_against": _ratio_against,
    "no_ratio": _no_ratio,
    "probabilities": _probabilities,
    "probabilities_or_weights": _probabilities_or_weights,
    "probabilities_point": _probabilities_point,
    "text_points": _text_points,
    "probabilities_silent": _probabilities_silent,
    "shared_weights": _shared_weights,
    "kinship_explains": _kinship_explains,
    "text_only": _text_only,
    "kinship": _kinship,
    "unexplained": _unexplained,
    "pointed": _pointed,
    "would_have_been_seen": _seen,
    "could_have_been_missed": _missed,
}
