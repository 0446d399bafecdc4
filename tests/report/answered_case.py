"""Cases with answers to all four questions, as `compare` writes them; texts are hostile."""

from __future__ import annotations

from forensics.case.document import Case, CasePlan, Claim
from forensics.case.questions import ClaimAnswer, NextStep, QuestionAnswer
from tests.report.sample_case import sample_case, sha

_STEP = NextStep(
    material="the weight files of both models",
    commands=("forensics compare hf:a/one hf:b/two --tiers weights",),
    cost="minutes of reading",
)


def answers(relatives: QuestionAnswer | None = None) -> tuple[QuestionAnswer, ...]:
    """Return an answer to each question; `relatives` replaces that on kinship."""
    kin = relatives or QuestionAnswer(
        question="close_relatives",
        answer="supported",
        strength="strong",
        log10_lr=3.4,
        evidence=("likeness",),
        reasons=("A similarity this high is 2,500 times as likely between relatives.",),
        next_step=_STEP,
    )
    return (
        QuestionAnswer(question="one_model", answer="cannot be told", reasons=("Asked once.",)),
        kin,
        QuestionAnswer(question="learned", answer="cannot be told", reasons=("By text alone.",)),
        QuestionAnswer(question="independent", answer="no", reasons=("Likeness is rare.",)),
    )


def answered_case(relatives: QuestionAnswer | None = None, claims: int = 0) -> Case:
    """Return a screening case with answers, and so many claims that cannot be told."""
    case = sample_case()
    verdict = case.verdict.model_copy(update={"answers": answers(relatives)})
    told = [
        (
            Claim(
                text=f"B was <i>distilled</i> from A [{i}]",
                source="a post",
                date="2026",
                testable=True,
            ),
            ClaimAnswer(
                claim=f"B was <i>distilled</i> from A [{i}]",
                question="learned",
                answer="cannot be told",
                reason="Text alone does not tell learning from answers from other likeness.",
                next_step=NextStep(material="the log of what A was asked and answered"),
            ),
        )
        for i in range(claims)
    ]
    plan = CasePlan(
        path="case.toml",
        sha256=sha("plan"),
        frozen_at="2026-01-01T00:00:00+00:00",
        claims=tuple(claim for claim, _ in told),
        answers=tuple(answer for _, answer in told),
    )
    return case.model_copy(update={"verdict": verdict, "plan": plan if claims else None})
