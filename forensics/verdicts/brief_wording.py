"""Why an answer is what it is in a few words, for a line of a terminal; none names a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from forensics.support.numbers import percent
from forensics.verdicts.answer_wording import Grounds
from forensics.verdicts.answering import Answered, Reason
from forensics.verdicts.neighbours import standing_out
from forensics.verdicts.one_model import tested_manner
from forensics.verdicts.ratio_wording import times
from forensics.verdicts.shifting import shift_of


def in_brief(answered: Answered, grounds: Grounds) -> str:
    """Return an answer's first reason in at most 40 characters; empty where its label says all."""
    words = _BRIEF[answered.reason]
    return words if isinstance(words, str) else words(grounds)


def _manner(grounds: Grounds) -> str:
    manner = tested_manner(grounds.evidence)
    return (
        f"{percent(manner.share)} of their manner is shared" if manner else "their manner differs"
    )


def _likelier(grounds: Grounds) -> str:
    ratio = grounds.decision.weighed
    return f"{times(ratio.value)} times as likely if related" if ratio else ""


def _too_little(grounds: Grounds) -> str:
    ratio = grounds.decision.weighed
    return f"only {times(ratio.value)} times as likely, 10 needed" if ratio else ""


def _unlikelier(grounds: Grounds) -> str:
    ratio = grounds.decision.weighed
    return f"{times(ratio.value)} times as likely if unrelated" if ratio else ""


def _outstanding(grounds: Grounds) -> str:
    beyond, kinds = standing_out(grounds.decision.screening.measured)
    return f"above unrelated pairs in {beyond} of {kinds} kinds"


def _changed_less(grounds: Grounds) -> str:
    shift = shift_of(grounds.evidence)
    if shift is None or shift.others is None:
        return ""
    return f"{shift.others.less} of {shift.others.models} others changed less"


def _seen(grounds: Grounds) -> str:
    detection = grounds.detection
    return f"known kinship shows in {detection.seen} of {detection.of} cases" if detection else ""


_BRIEF: Mapping[Reason, str | Callable[[Grounds], str]] = {
    "identical_weights": "their weights are the same",
    "copies": "their long answers are the same",
    "same_manner": _manner,
    "other_weights": "their weights differ",
    "other_manner": _manner,
    "manner_undecided": _manner,
    "one_sample": "needs --samples 3",
    "one_model": "they are one model",
    "of_one_model": "they are one model",
    "weights": "they share weights",
    "weights_unrelated": "their weights are unrelated",
    "ratio": _likelier,
    "ratio_or_learned": "text cannot tell",
    "ratio_small": _too_little,
    "ratio_against": _unlikelier,
    "no_ratio": "no comparable reference models",
    "stands_out": _outstanding,
    "probabilities": "both expect the same words",
    "probabilities_or_weights": "or they share weights",
    "probabilities_point": "both expect the same words",
    "text_points": "yet weights are unrelated",
    "probabilities_silent": "nothing detected at this limit",
    "shared_weights": "shared weights explain it too",
    "kinship_explains": "kinship explains it too",
    "text_or_kinship": "descent explains it too",
    "text_only": "not from text alone",
    "kinship": "",
    "unexplained": "closer than their weights explain",
    "pointed": "some evidence points to kinship",
    "would_have_been_seen": _seen,
    "could_have_been_missed": "kinship could have been missed",
    "shift_points": _changed_less,
    "shift_silent": "others changed as much",
}
