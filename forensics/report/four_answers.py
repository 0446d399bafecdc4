"""What every report shows first: each claim answered, then the four questions; plain text."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.case.answer_labels import QUESTIONS, SHORT_QUESTIONS, label, lead_of
from forensics.case.document import Case
from forensics.case.questions import AnswerWord, ClaimAnswer, NextStep, QuestionAnswer
from forensics.custody.claim_wording import CLAIM_WORDS


@dataclass(frozen=True)
class ShownAnswer:
    """An answer in words: `question`, `label` behind it, `reasons`, what would settle it (`step`).

    `path` is where it stands in the case; `answer`, `strength`, `next_step` and `brief`, the first
    reason in a few words, are as it has them.
    """

    question: str
    short: str
    label: str
    reasons: tuple[str, ...]
    step: str
    path: str
    answer: AnswerWord
    strength: str = ""
    next_step: NextStep | None = None
    brief: str = ""

    @property
    def headline(self) -> str:
        """The question and its answer."""
        return f"{self.question} {self.label.upper()}"

    @property
    def opening(self) -> str:
        """The question, its answer, and the first reason."""
        return ": ".join((self.headline, *self.reasons[:1]))

    @property
    def further(self) -> str:
        """The other reasons."""
        return " ".join(self.reasons[1:])


@dataclass(frozen=True)
class ShownClaim:
    """A claim word for word, and its answer in words; `step` says what would settle it."""

    text: str
    source: str
    label: str
    reason: str
    step: str
    path: str
    answer: ClaimAnswer


def shown_claims(case: Case) -> tuple[ShownClaim, ...]:
    """Return the plan's claims with their answers; none where the case does not answer them."""
    plan = case.plan
    if plan is None or len(plan.answers) != len(plan.claims):
        return ()
    return tuple(
        ShownClaim(
            claim.text,
            f"{claim.source}, {claim.date}",
            CLAIM_WORDS[answer.answer],
            answer.reason,
            step_words(answer.next_step),
            f"plan.answers.{index}",
            answer,
        )
        for index, (claim, answer) in enumerate(zip(plan.claims, plan.answers, strict=True))
    )


def shown_answers(case: Case) -> tuple[ShownAnswer, ...]:
    """Return the answers, that which says most first; none of a case before version 0.2."""
    answers = case.verdict.answers
    lead = lead_of(answers)
    order = sorted(range(len(answers)), key=lambda index: (index != lead, index))
    return tuple(_shown(answers[index], index) for index in order)


def _shown(answer: QuestionAnswer, index: int) -> ShownAnswer:
    return ShownAnswer(
        QUESTIONS[answer.question],
        SHORT_QUESTIONS[answer.question],
        label(answer.answer, answer.strength),
        answer.reasons,
        step_words(answer.next_step),
        f"verdict.answers.{index}",
        answer.answer,
        answer.strength,
        answer.next_step,
        answer.brief,
    )


def step_words(step: NextStep | None) -> str:
    """Return what would settle a question on one line; empty where nothing would."""
    if step is None:
        return ""
    cost = f" ({step.cost})" if step.cost else ""
    commands = f": {'; '.join(step.commands)}" if step.commands else ""
    return f"What would settle it: {step.material}{cost}{commands}"


def claim_line(answer: ClaimAnswer) -> str:
    """Return a claim word for word, its answer, the reason and what would settle it on one line."""
    step = step_words(answer.next_step)
    said = f'Claim: "{answer.claim}": {CLAIM_WORDS[answer.answer]}. {answer.reason}'
    return f"{said} {step}".rstrip()
