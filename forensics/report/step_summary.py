"""The GitHub step summary: the answer and its evidence, on one screen of a workflow's page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forensics.case.document import Case
from forensics.case.evidence import Evidence
from forensics.report import view
from forensics.report.four_answers import shown_answers, shown_claims
from forensics.report.markdown import code, prose
from forensics.support.numbers import number

_ROWS = 30
_LINES = 10


@dataclass(frozen=True)
class StepSummaryReport:
    """Short Markdown that can stand beside other summaries."""

    name: str = "step-summary"

    def render(self, case: Case) -> str:
        """Return the summary: no exhibits, a few thousand characters whatever the case holds."""
        verdict = case.verdict
        title = f"{code(case.a.name, 80)} (known) and {code(case.b.name, 80)} (questioned)"
        answers = _answers(case)
        headline = prose(verdict.headline)
        blocks = [
            *answers,
            f"**{headline}**" if answers else f"### {headline}",
            title,
            f"**{prose(view.status_line(case))}.** {prose(verdict.reading, 800)}",
            _bullets(verdict.reasons),
            _table(case.evidence),
            "<details><summary>What this is, and is not</summary>",
            _limits(case),
            "</details>",
            *([_plan(case)] if case.plan else []),
        ]
        if case.copy_tripwire.tripped:
            wire = f"**Copy tripwire:** {prose(view.tripwire_words(case))}"
            blocks.insert(len(answers) + 3, wire)
        return "\n\n".join(filter(None, blocks)) + "\n"


def _answers(case: Case) -> list[str]:
    claims = [
        f"### Claim: “{prose(claim.text, 400)}”\n\n**{prose(claim.label.upper())}.** "
        f"{prose(claim.reason, 400)} {prose(claim.step, 400)}".rstrip()
        for claim in shown_claims(case)[:_LINES]
    ]
    answers = shown_answers(case)
    if not answers:
        return claims
    lead, *others = answers
    rest = " · ".join(f"{answer.short} {answer.label}" for answer in others)
    lines = [line for line in (lead.further, rest, lead.step) if line]
    return [*claims, f"### {prose(lead.opening)}", *(prose(line, 600) for line in lines)]


def _bullets(texts: Sequence[str], limit: int = 300) -> str:
    more = [f"and {len(texts) - _LINES} more"] if len(texts) > _LINES else []
    return "\n".join(f"- {prose(text, limit)}" for text in (*texts[:_LINES], *more))


def _table(evidence: Iterable[Evidence]) -> str:
    lines = ["| evidence | score | n | |", "| --- | ---: | ---: | --- |"]
    for entry in list(evidence)[:_ROWS]:
        weak = " (weak)" if entry.weight == "low" else ""
        status = f"{view.EVIDENCE_STATUS[entry.status]}: {entry.reason}".removesuffix(": ")
        outcome = view.position(entry) if entry.status == "ok" else status
        score = number(entry.score)
        lines.append(
            f"| {prose(entry.title, 60)}{weak} | {score} | {entry.n} | {prose(outcome, 120)} |"
        )
    return "\n".join(lines)


def _limits(case: Case) -> str:
    # A limit cut short would be another limit.
    return _bullets((view.holds_for(case), *view.is_not(case), *case.verdict.limits), 900)


def _plan(case: Case) -> str:
    plan = case.plan
    if plan is None:
        return ""
    when = f"Plan frozen at {prose(plan.frozen_at, 40)}, sha256 {code(plan.sha256, 64)}"
    if not plan.deviations:
        return f"{when}; no deviations."
    return f"{when}; deviations:\n\n{_bullets(plan.deviations)}"
