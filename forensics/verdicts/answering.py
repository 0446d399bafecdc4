"""Four questions, asked of one standing of the hypotheses: what can be said of each, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from forensics.case.questions import AnswerWord, Question
from forensics.cohorts.lineage.hypotheses import Hypothesis
from forensics.verdicts.standing import (
    LEARNED,
    OF_TEXT,
    OF_WEIGHTS,
    ONE_MODEL,
    SUPPORTED,
    Hypotheses,
    Signs,
    Standing,
)

# Why an answer is what it is; `answer_wording` has a sentence for each.
Reason = Literal[
    "identical_weights",
    "copies",
    "same_manner",
    "other_weights",
    "other_manner",
    "manner_undecided",
    "one_sample",
    "one_model",
    "of_one_model",
    "weights",
    "weights_unrelated",
    "ratio",
    "ratio_or_learned",
    "ratio_small",
    "ratio_against",
    "no_ratio",
    "stands_out",
    "probabilities",
    "probabilities_or_weights",
    "probabilities_point",
    "text_points",
    "probabilities_silent",
    "shared_weights",
    "kinship_explains",
    "shift_points",
    "shift_silent",
    "text_or_kinship",
    "text_only",
    "kinship",
    "unexplained",
    "pointed",
    "would_have_been_seen",
    "could_have_been_missed",
]


@dataclass(frozen=True)
class Answered:
    """What can be said of a question, and why."""

    question: Question
    answer: AnswerWord
    reason: Reason


def answer_all(standing: Standing, detection_known: bool) -> tuple[Answered, ...]:
    """Answer the four questions.

    Args:
        standing: of the hypotheses.
        detection_known: whether it was measured how often known kinship would have been seen.
    """
    learned = _learned(standing)
    related = _related(standing)
    return (
        _one_model(standing),
        related,
        learned,
        _independent(standing, related, learned, detection_known),
    )


def _one_model(standing: Standing) -> Answered:
    signs = standing.signs
    if standing.supported == ONE_MODEL:
        reasons: dict[str, Reason] = {"identical_weights": "identical_weights", "copies": "copies"}
        reason = reasons.get(standing.ground or "", "same_manner")
        return Answered("one_model", "indistinguishable", reason)
    if standing.excluded >= ONE_MODEL:
        return Answered("one_model", "not one model", "other_weights")
    if standing.unlike:
        return Answered("one_model", "not one model", "other_manner")
    if signs.manner == "undecided":
        return Answered("one_model", "cannot be told", "manner_undecided")
    return Answered("one_model", "cannot be told", "one_sample")


def _related(standing: Standing) -> Answered:
    signs, supported = standing.signs, standing.supported
    if standing.excluded >= OF_WEIGHTS:
        return Answered("close_relatives", "contradicted", "weights_unrelated")
    if supported and supported <= OF_WEIGHTS:
        reason: Reason = "weights" if standing.ground == "weights" else "ratio"
        reason = "one_model" if supported == ONE_MODEL else reason
        return Answered("close_relatives", "supported", reason)
    if standing.ground == "ratio":
        return Answered("close_relatives", "points to it", "ratio_or_learned")
    if signs.stands_out and not signs.matched:
        return Answered("close_relatives", "cannot be told", "stands_out")
    return _unsupported(signs)


def _unsupported(signs: Signs) -> Answered:
    if signs.ratio is None:
        return Answered("close_relatives", "cannot be told", "no_ratio")
    if signs.ratio >= 0:
        return Answered("close_relatives", "not supported", "ratio_small")
    word: AnswerWord = "speaks against" if signs.matched else "not supported"
    return Answered("close_relatives", word, "ratio_against")


def _learned(standing: Standing) -> Answered:
    signs, supported = standing.signs, standing.supported
    unrelated = standing.excluded >= OF_WEIGHTS
    answer: AnswerWord = "cannot be told"
    reason: Reason = "text_only"
    if supported == ONE_MODEL:
        reason = "of_one_model"
    elif supported == LEARNED:
        answer, reason = "supported", "probabilities"
    elif standing.ground == "ratio" and supported & LEARNED:
        answer = "points to it"
        reason = "shift_points" if signs.shift == "points" else "text_or_kinship"
    elif supported & LEARNED:
        answer, reason = "points to it", "probabilities_or_weights"
    elif unrelated and signs.probabilities == "open":
        answer, reason = "points to it", "probabilities_point"
    elif unrelated and signs.ratio is not None and signs.ratio > SUPPORTED:
        answer, reason = "points to it", "text_points"
    elif signs.probabilities == "no":
        answer, reason = "not supported", "probabilities_silent"
    elif standing.ground == "weights":
        reason = "shared_weights"
    elif supported:
        reason = "kinship_explains"
    elif signs.shift == "points":
        answer, reason = "points to it", "shift_points"
    elif signs.shift is not None:
        reason = "shift_silent"
    return Answered("learned", answer, reason)


def _independent(
    standing: Standing, related: Answered, learned: Answered, detection_known: bool
) -> Answered:
    if standing.supported:
        return Answered("independent", "no", "kinship")
    if standing.unexplained:
        return Answered("independent", "cannot be told", "unexplained")
    pointed = learned.answer == "points to it" or related.reason == "stands_out"
    if pointed or standing.signs.probabilities == "open":
        return Answered("independent", "cannot be told", "pointed")
    denied = related.answer == "contradicted" or related.reason == "ratio_against"
    if denied and detection_known:
        return Answered("independent", "no sign of kinship", "would_have_been_seen")
    return Answered("independent", "cannot be told", "could_have_been_missed")


ASKED: dict[Question, Hypotheses] = {
    "one_model": ONE_MODEL,
    "close_relatives": OF_WEIGHTS,
    "learned": LEARNED,
    "independent": frozenset({"independent"}),
}


def not_weighed(standing: Standing, question: Question) -> Hypotheses:
    """Return the rivals of a supported answer for which there was no measurement.

    Text supports kinship only where it tells relatives from strangers and from students; token
    probabilities tell shared text from none; weights leave no rival.
    """
    rivals: Hypotheses = frozenset({"common_teacher", "same_base", "same_developer"})
    if standing.ground == "ratio" and question == "close_relatives":
        return rivals - OF_TEXT - LEARNED - standing.excluded
    developer: frozenset[Hypothesis] = frozenset({"same_developer"})
    return developer if standing.ground == "token_probabilities" else frozenset()
