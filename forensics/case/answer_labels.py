"""What the four questions and their answers are called, in every report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.case.questions import AnswerWord, Question, QuestionAnswer

QUESTIONS: Mapping[Question, str] = {
    "one_model": "Are they one model?",
    "close_relatives": "Are they close relatives?",
    "learned": "Did one learn from the other's answers?",
    "independent": "Are they independent?",
}
SHORT_QUESTIONS: Mapping[Question, str] = {
    "one_model": "One model?",
    "close_relatives": "Close relatives?",
    "learned": "Learned from the other?",
    "independent": "Independent?",
}
# What an answer is called; that something speaks against kinship by text is no contradiction.
LABELS: Mapping[AnswerWord, str] = {
    "indistinguishable": "indistinguishable from one model",
    "not one model": "not one model",
    "supported": "supported",
    "points to it": "some evidence",
    "speaks against": "not supported",
    "contradicted": "contradicted",
    "not supported": "not supported",
    "no": "no",
    "no sign of kinship": "no sign of kinship",
    "cannot be told": "cannot be told",
}
_ADVERBS: Mapping[str, str] = {
    "no support": "",
    "weak": "weakly",
    "moderate": "moderately",
    "moderately strong": "moderately strongly",
    "strong": "strongly",
    "very strong": "very strongly",
    "extremely strong": "extremely strongly",
}


_OF_THE_PAST = "shift"  # the kind of evidence that --base adds


def label(answer: AnswerWord, strength: str = "") -> str:
    """Return an answer as it stands behind its question, with its strength where it has one."""
    if answer == "points to it" and strength:
        return "relatives, or one learned from the other"
    adverb = _ADVERBS.get(strength, "") if answer == "supported" else ""
    return f"{LABELS[answer]}, {adverb}" if adverb else LABELS[answer]


def lead_of(answers: Sequence[QuestionAnswer]) -> int:
    """Return the place of the answer that says most: one model, then what was learned, kinship.

    Who gives the questioned model's past asks what it learned since: unless they turn out to be
    relatives, that question leads.
    """
    by_question = {answer.question: index for index, answer in enumerate(answers)}
    said = {answer.question: answer for answer in answers}
    if "one_model" in said and said["one_model"].answer == "indistinguishable":
        return by_question["one_model"]
    learned, relatives = said.get("learned"), said.get("close_relatives")
    if learned is not None and learned.answer == "supported":
        return by_question["learned"]
    related = relatives is not None and relatives.answer == "supported"
    if learned is not None and _OF_THE_PAST in learned.evidence and not related:
        return by_question["learned"]
    return by_question.get("close_relatives", 0)
