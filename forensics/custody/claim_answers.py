"""What a case says of each claim: supported, contradicted, or not to be told from its material.

A claim comes to one of the four questions. It is supported where that question is, from material
that can show what is claimed (a copy of weights, only by weights); it is contradicted by weights
alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from forensics.case.document import Claim
from forensics.case.evidence import Evidence
from forensics.case.questions import ClaimAnswer, ClaimWord, NextStep, QuestionAnswer
from forensics.custody import claim_wording as words
from forensics.custody.claims import ClaimKind, kind_of


def claim_answers(
    claims: Sequence[Claim], answers: Sequence[QuestionAnswer], evidence: Sequence[Evidence]
) -> tuple[ClaimAnswer, ...]:
    """Answer claims, in their order; nothing where the case has no answers.

    Args:
        claims: as they were frozen.
        answers: of the case, to the four questions.
        evidence: of the case.
    """
    if not answers:
        return ()
    weights = {e.comparator for e in evidence if e.tier == "weights" and e.status == "ok"}
    return tuple(_answer(claim, kind_of(claim), answers, weights) for claim in claims)


def _answer(
    claim: Claim, kind: ClaimKind, answers: Sequence[QuestionAnswer], weights: set[str]
) -> ClaimAnswer:
    by_question = {answer.question: answer for answer in answers}
    if kind.question is None or kind.question not in by_question:
        return ClaimAnswer(
            claim=claim.text,
            question=None,
            answer="cannot be told",
            reason=words.UNTESTABLE,
            next_step=NextStep(material="; ".join(claim.needs)) if claim.needs else None,
        )
    asked = by_question[kind.question]
    related = by_question["close_relatives"]
    by_weights = bool(weights.intersection(related.evidence))
    if kind.question == "independent":
        word: ClaimWord = "cannot be told"
        if related.answer == "supported" and by_weights:
            word = "contradicted"
        return _claim_answer(claim, kind, word, asked if word != "contradicted" else related)
    if kind.tested_from == "weights" and asked.answer == "supported" and not by_weights:
        return _claim_answer(claim, kind, "cannot be told", asked, words.TEXT_ONLY_OF_WEIGHTS)
    return _claim_answer(claim, kind, _word(asked, weights), asked)


def _word(asked: QuestionAnswer, weights: set[str]) -> ClaimWord:
    if asked.answer in ("supported", "indistinguishable"):
        return "supported"
    if asked.answer in ("contradicted", "not one model") and weights.intersection(asked.evidence):
        return "contradicted"
    return "cannot be told"


def _claim_answer(
    claim: Claim, kind: ClaimKind, word: ClaimWord, asked: QuestionAnswer, reason: str = ""
) -> ClaimAnswer:
    step = asked.next_step if word == "cannot be told" else None
    if step is None and word == "cannot be told" and claim.needs:
        step = NextStep(material="; ".join(claim.needs))
    return ClaimAnswer(
        claim=claim.text,
        question=kind.question,
        answer=word,
        reason=reason or next(iter(asked.reasons), ""),
        next_step=step,
    )
