"""The answers in sentences that a reader outside the field understands at first reading.

`standing` and `answering` decide what the answers are. A label says the answer, sentences say why;
none holds a term of art: reports put them on their first screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from forensics.case.details.weights import TensorsDetails
from forensics.case.evidence import Evidence
from forensics.case.questions import KnownCases
from forensics.support.numbers import percent
from forensics.verdicts.answering import Answered, Reason
from forensics.verdicts.decision import Decision, NoRatio, Ratio, SameTensors, TierTests
from forensics.verdicts.neighbours import standing_out
from forensics.verdicts.one_model import Foils, Manner, at_floors, tested_manner
from forensics.verdicts.ratio_wording import (
    elsewhere,
    higher,
    lineages,
    most,
    other_prompts,
    students_alike,
    text_or_kinship,
    times,
    told_from_students,
)
from forensics.verdicts.shift_wording import shift_points, shift_silent
from forensics.verdicts.standing import Standing
from forensics.verdicts.tier_readings import read_tiers
from forensics.verdicts.weights_wording import unrelated_weights

_MILLION = 1e-6
_NAMED = 3  # pairs of foils, of which a sentence gives the names


@dataclass(frozen=True)
class Grounds:
    """What sentences speak of besides the answer itself."""

    decision: Decision
    standing: Standing
    evidence: tuple[Evidence, ...]
    detection: KnownCases | None


def sentences(answered: Answered, grounds: Grounds) -> tuple[str, ...]:
    """Return an answer's reasons in sentences, the first of which says the answer."""
    return tuple(filter(None, _REASONS[answered.reason](grounds)))


def _ratio(grounds: Grounds) -> Ratio:
    ratio = grounds.decision.weighed
    assert ratio is not None  # noqa: S101 (these reasons are given of ratios only)
    return ratio


def _identical_weights(grounds: Grounds) -> list[str]:
    details = (entry.details for entry in grounds.evidence)
    count = next(record.tensors_b for record in details if isinstance(record, TensorsDetails))
    return [f"All {count} tensors of their weights are identical, byte for byte."]


def _copies(grounds: Grounds) -> list[str]:
    wire = grounds.decision.screening.tripwire
    return [
        f"{wire.identical} of {wire.compared} long answers are identical, character by character.",
        "A cache or a proxy in front of two models would look the same.",
    ]


def _share(manner: Manner) -> str:
    low, high = map(percent, manner.interval)
    return f"{percent(manner.share)} of their manner of answering (90 % interval {low} to {high})"


def _same_manner(grounds: Grounds) -> list[str]:
    manner = tested_manner(grounds.evidence)
    if manner is None:
        return []
    low, high = map(percent, manner.margin)
    return [
        f"The two models share {_share(manner)}; 100 % is one model, and the interval of one "
        f"model must lie between {low} and {high}.",
        _foils(manner.foils),
    ]


def _foils(foils: Foils) -> str:
    if not foils.apart and not foils.together:
        return "How well this test tells near relatives apart was not measured on these prompts."
    elsewhere = ", which answered other prompts" if foils.elsewhere else ""
    of = len(foils.apart) + len(foils.together)
    beside = f"; it does not tell apart {_named(foils.together)}" if foils.together else ""
    apart = f": {_named(foils.apart)}" if foils.apart else ""
    return (
        f"The same test tells apart {len(foils.apart)} of {of} pairs of near relatives"
        f"{elsewhere}{apart}{beside}."
    )


def _named(pairs: Sequence[str]) -> str:
    more = len(pairs) - _NAMED
    return "; ".join([*pairs[:_NAMED], *([f"{more} more"] if more > 0 else [])])


def _other_weights(grounds: Grounds) -> list[str]:
    if grounds.standing.signs.weights == "no":
        return ["Their weights agree no more than expected by chance."]
    return ["Their weights are not the same, byte for byte."]


def _other_manner(grounds: Grounds) -> list[str]:
    manner = tested_manner(grounds.evidence)
    mode = (
        "One model that answers in two modes (with and without thinking, or under two system "
        "prompts) can look the same."
    )
    if manner is not None:
        return [f"The two models share only {_share(manner)}; 100 % is one model.", mode]
    floors = at_floors(grounds.evidence)
    less = floors.kinds - floors.reached
    return [
        f"In {less} of {floors.kinds} kinds of evidence, each model is more similar to itself, "
        "asked again, than to the other.",
        mode,
    ]


def _manner_undecided(grounds: Grounds) -> list[str]:
    manner = tested_manner(grounds.evidence)
    if manner is None:
        return [
            "The two models are about as similar as one model asked twice, but the test was not "
            "checked against near relatives on these prompts."
        ]
    return [f"The two models share {_share(manner)}, so they may or may not be one model."]


def _one_sample(_: Grounds) -> list[str]:
    return [
        "Too few prompts were put to both models several times, so how much one model's own "
        "answers vary is not known (--samples 3 is needed)."
    ]


def _is_one_model(_: Grounds) -> list[str]:
    return ["They are indistinguishable from one model."]


def _weights(grounds: Grounds) -> list[str]:
    weights, _ = read_tiers(grounds.evidence)
    ground = weights.grounds[0]
    if isinstance(ground, SameTensors):
        return [
            f"{ground.identical} of {ground.of} tensors of their weights are identical, byte for "
            f"byte: {percent(ground.share)} of all weights."
        ]
    assert isinstance(ground, TierTests)  # noqa: S101 (weights are read by nothing else)
    rare = "a million" if ground.least_p < _MILLION else f"{1 / ground.least_p:,.0f}"
    return [
        f"Unrelated weights would agree this closely by chance less than once in {rare} cases.",
        "One is an altered copy of the other, or both derive from one parent.",
    ]


def _weights_unrelated(grounds: Grounds) -> list[str]:
    return unrelated_weights(grounds.evidence)


def _by_ratio(grounds: Grounds) -> list[str]:
    ratio = _ratio(grounds)
    limit = most(ratio) if ratio.at_bound == "highest" else ""
    return [
        f"A similarity this high is {times(ratio.value)} times as likely between relatives as "
        f"between unrelated models{limit}.",
        told_from_students(ratio),
        lineages(ratio),
        elsewhere(ratio),
    ]


def _ratio_or_learned(grounds: Grounds) -> list[str]:
    ratio = _ratio(grounds)
    limit = most(ratio) if ratio.at_bound == "highest" else ""
    return [
        f"A similarity this high is {times(ratio.value)} times as likely between relatives as "
        f"between unrelated models{limit}, but text cannot tell here whether it comes from "
        "descent or from learning from the other's answers.",
        students_alike(ratio),
        lineages(ratio),
        elsewhere(ratio),
    ]


def _ratio_small(grounds: Grounds) -> list[str]:
    ratio = _ratio(grounds)
    return [
        f"A similarity this high is only {times(ratio.value)} times as likely between relatives "
        "as between unrelated models; more than 10 times is needed.",
        lineages(ratio),
        elsewhere(ratio),
    ]


def _ratio_against(grounds: Grounds) -> list[str]:
    ratio = _ratio(grounds)
    return [
        higher(ratio),
        f"A similarity this low is {times(ratio.value)} times as likely between unrelated models "
        "as between relatives.",
        elsewhere(ratio),
    ]


def _no_ratio(grounds: Grounds) -> list[str]:
    ratio, screening = grounds.decision.ratio, grounds.decision.screening
    if screening.shortfall is not None:
        return ["Too little could be compared."]
    unknown = "How similar unrelated models are on these prompts is not known."
    if not isinstance(ratio, NoRatio) or ratio.cause == "uncalibrated":
        return [unknown]
    if ratio.cause == "not_judged" and ratio.judged.status == "insufficient":
        return [
            "Too few of these prompts were answered both by the two models and by models of "
            "known origin."
        ]
    return [
        "The models of known origin that answered such prompts are of another time or kind.",
        "The unmet condition is listed below, with what could not be weighed.",
    ]


def _stands_out(grounds: Grounds) -> list[str]:
    beyond, kinds = standing_out(grounds.decision.screening.measured)
    ratio = grounds.decision.weighed
    return [
        f"In {beyond} of {kinds} kinds of evidence the two are more similar than unrelated models "
        "that answered the same prompts.",
        "Too few known relatives answered these prompts to say how much weight this carries.",
        other_prompts(ratio) if ratio else "",
    ]


def _probabilities(_: Grounds) -> list[str]:
    return [
        "Their weights are unrelated, yet both expect the same words more than any control model "
        "does.",
        "Data that both models learned from would have the same effect.",
    ]


def _probabilities_or_weights(_: Grounds) -> list[str]:
    return [
        "Both expect the same words more than any control model does.",
        "Shared weights would explain this too; they were not compared, or the comparison "
        "left it open.",
    ]


def _probabilities_point(_: Grounds) -> list[str]:
    return [
        "Their weights are unrelated, and both expect the same words more than the control "
        "models do, but not by enough to count as a finding."
    ]


def _text_points(_: Grounds) -> list[str]:
    return [
        "Their answers are as similar as those of close relatives, but their weights are "
        "unrelated.",
        "Text alone cannot distinguish a teacher from public text that both models learned from.",
    ]


def _probabilities_silent(grounds: Grounds) -> list[str]:
    return [
        "No kinship was detected at this detection limit: the two do not expect the same words "
        f"more than every control model does.{_students(grounds)}"
    ]


def _students(grounds: Grounds) -> str:
    detection = grounds.detection
    if detection is None or detection.kind != "learned":
        return ""
    return (
        f" Of small students trained on nothing but a teacher's text, {detection.seen} of "
        f"{detection.of} were detected; students that read less of it were missed more often."
    )


def _of_one_model(_: Grounds) -> list[str]:
    return ["The question does not arise between a model and itself."]


def _shared_weights(_: Grounds) -> list[str]:
    return ["Shared weights would also explain whatever their answers have in common."]


def _kinship_explains(_: Grounds) -> list[str]:
    return [
        "Their answers have much in common, but text cannot tell whether that comes from descent "
        "or from learning from the other's answers."
    ]


def _text_only(_: Grounds) -> list[str]:
    return [
        "In text alone, models that learned from one another look the same as models that "
        "learned from the same public text."
    ]


def _kinship(grounds: Grounds) -> list[str]:
    by = {
        "identical_weights": "Their weights are the same.",
        "copies": "Their long answers are the same.",
        "manner": "Their manner of answering is that of one model.",
        "weights": "They share weights.",
        "ratio": "A similarity this high is rare between unrelated models.",
        "token_probabilities": "Both expect the same words more than any control model does.",
    }
    return [by[grounds.standing.ground or "ratio"]]


def _unexplained(_: Grounds) -> list[str]:
    return ["Their answers are more similar than unrelated weights explain."]


def _pointed(_: Grounds) -> list[str]:
    return ["Some evidence points to kinship but does not settle it."]


def _seen(grounds: Grounds) -> list[str]:
    detection = grounds.detection
    if detection is None:
        return []
    missed = "Learning from the other's answers can leave too little to be detected."
    if detection.kind == "learned":
        return [
            f"Neither weights nor token probabilities show kinship.{_students(grounds)}",
            missed,
        ]
    return [
        f"In {detection.seen} of {detection.of} known cases, close relatives scored higher than "
        "this pair.",
        missed,
    ]


def _missed(_: Grounds) -> list[str]:
    return [
        "This comparison could have missed kinship, and low similarity does not show independence."
    ]


_REASONS: Mapping[Reason, Callable[[Grounds], Sequence[str]]] = {
    "identical_weights": _identical_weights,
    "copies": _copies,
    "same_manner": _same_manner,
    "other_weights": _other_weights,
    "other_manner": _other_manner,
    "manner_undecided": _manner_undecided,
    "one_sample": _one_sample,
    "one_model": _is_one_model,
    "of_one_model": _of_one_model,
    "weights": _weights,
    "weights_unrelated": _weights_unrelated,
    "ratio": _by_ratio,
    "ratio_or_learned": _ratio_or_learned,
    "ratio_small": _ratio_small,
    "ratio_against": _ratio_against,
    "no_ratio": _no_ratio,
    "stands_out": _stands_out,
    "probabilities": _probabilities,
    "probabilities_or_weights": _probabilities_or_weights,
    "probabilities_point": _probabilities_point,
    "text_points": _text_points,
    "probabilities_silent": _probabilities_silent,
    "shared_weights": _shared_weights,
    "kinship_explains": _kinship_explains,
    "shift_points": lambda grounds: shift_points(grounds.evidence),
    "shift_silent": lambda grounds: shift_silent(grounds.evidence),
    "text_or_kinship": lambda _: text_or_kinship(),
    "text_only": _text_only,
    "kinship": _kinship,
    "unexplained": _unexplained,
    "pointed": _pointed,
    "would_have_been_seen": _seen,
    "could_have_been_missed": _missed,
}
