"""What a model's card declares of its lineage, answered as claims are.

A declared parent says that the subject was made from it; a card may say that it was trained from
scratch. Each is answered by the cases of a check: a parent by the one with that model, training
from scratch by all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forensics.case.document import Case, Claim
from forensics.case.questions import ClaimAnswer
from forensics.custody.claim_answers import claim_answers
from forensics.custody.claims import KINDS
from forensics.policy import rule_wording as words
from forensics.policy.declarations import Declarations
from forensics.policy.names import same_name


@dataclass(frozen=True)
class Compared:
    """A case of a check, and every name that means its reference, or one of its lineage."""

    names: tuple[str, ...]
    case: Case


def declared_claims(
    declared: Declarations, compared: Sequence[Compared]
) -> tuple[ClaimAnswer, ...]:
    """Answer what is declared; a parent that is no reference of the check is left to its rule."""
    return tuple(_of_parents(declared, compared)) + tuple(_of_scratch(declared, compared))


def _of_parents(declared: Declarations, compared: Sequence[Compared]) -> Iterator[ClaimAnswer]:
    for parent in declared.base_models:
        for comparison in compared:
            if any(same_name(parent.name, name) for name in comparison.names):
                text = words.declares(parent)
                yield from _answers(_claim(text, parent.source, "fine-tuned"), [comparison.case])
                break


def _of_scratch(declared: Declarations, compared: Sequence[Compared]) -> Iterator[ClaimAnswer]:
    if declared.from_scratch:
        claim = _claim(declared.from_scratch, "", "trained-from-scratch")
        yield from _answers(claim, [comparison.case for comparison in compared])


def _claim(text: str, source: str, kind: str) -> Claim:
    known = KINDS[kind]
    return Claim(
        text=text, source=source, date="", kind=kind, testable=known.testable, needs=known.needs
    )


def _answers(claim: Claim, cases: Sequence[Case]) -> Iterator[ClaimAnswer]:
    """Yield the answer of the case that contradicts the claim, or else of the first."""
    answers = [
        answer
        for case in cases
        for answer in claim_answers([claim], case.verdict.answers, case.evidence)
    ]
    contradicting = (answer for answer in answers if answer.answer == "contradicted")
    yield from [next(contradicting, answers[0])] if answers else []
