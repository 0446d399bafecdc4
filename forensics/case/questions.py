"""Answers: what was asked of two models, what can be said of it, and what would settle it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from forensics.case.record import ErrorAtScore, Finite, ModelText, Record

Question = Literal["one_model", "close_relatives", "learned", "independent"]
AnswerWord = Literal[
    "indistinguishable",  # from one model
    "not one model",
    "supported",
    "points to it",
    "speaks against",
    "contradicted",  # by weights only
    "not supported",
    "no",
    "no sign of kinship",
    "cannot be told",
]
ClaimWord = Literal["supported", "contradicted", "cannot be told"]
Bounds = tuple[Finite, Finite]


class KnownCases(Record):
    """Known cases of a kind of kinship, and in how many it would have been seen here.

    `close_relatives`: pairs of documented relatives, `seen` of which score higher than this pair or
    get a likelihood ratio above 10. `learned`: students trained on a teacher's text only.
    """

    kind: Literal["close_relatives", "learned"]
    seen: int
    of: int


class NextStep(Record):
    """What would settle a question: the material, commands that obtain it, and what they cost."""

    material: ModelText
    commands: tuple[ModelText, ...] = ()
    cost: ModelText = ""


class QuestionAnswer(Record):
    """The answer to one of four questions about two models.

    All four follow from one set of mutually exclusive hypotheses, so that none contradicts another:
    `hypotheses` are those that the question asks for, `not_weighed` rivals of these for which there
    was no measurement. `log10_lr` weighs `hypotheses` against independence, `log10_lr_rival`
    against the strongest rival that text weighs, one having learned from the other's answers; None
    where nothing gave a likelihood ratio. `strength` is the verbal tier (ENFSI) of `log10_lr`;
    empty without one.
    """

    question: Question
    answer: AnswerWord
    strength: str = ""
    log10_lr: Finite | None = None
    log10_lr_rival: Finite | None = None
    interval: Bounds | None = Field(default=None, description="of log10_lr, 95 %")
    bounds: Bounds | None = Field(
        default=None, description="the least and the most log10_lr that the calibration can give"
    )
    error_rate: ErrorAtScore | None = None
    detection: KnownCases | None = None
    hypotheses: tuple[str, ...] = ()
    not_weighed: tuple[str, ...] = ()
    evidence: tuple[str, ...] = Field(default=(), description="comparators that it rests on")
    reasons: tuple[ModelText, ...] = Field(
        default=(), description="in sentences, the first of which says the answer"
    )
    brief: str = Field(default="", description="the first reason in a few words")
    next_step: NextStep | None = None


class ClaimAnswer(Record):
    """What can be said of a claim: the answer to the question that it comes to.

    `question` is None of claims that no measurement of two models can test.
    """

    claim: ModelText
    question: Question | None
    answer: ClaimWord
    reason: ModelText
    next_step: NextStep | None = None
