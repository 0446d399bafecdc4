"""The result of a check as Markdown: a comment on a pull request, or a step summary."""

from __future__ import annotations

from collections.abc import Iterable

from forensics.policy.outcomes import CheckResult, Outcome, Status
from forensics.report.check import view
from forensics.report.four_answers import claim_line
from forensics.report.markdown import MAX_CHARS, code, prose
from forensics.support.ci_commands import harmless

_MARKS: dict[Status, str] = {
    "violated": "❌",
    "error": "❌",
    "review": "🔎",
    "inconclusive": "❔",
    "not_measured": "➖",
    "pass": "✅",
}
_MORE = "_More did not fit here; the JSON result has all of it._"


def check_to_markdown(result: CheckResult) -> str:
    """Return the result as GitHub-flavoured Markdown of at most `MAX_CHARS` characters.

    Nothing a model wrote acts in it, nor in the log of a job that prints it.
    """
    fitting: list[str] = []
    room = MAX_CHARS - len(_MORE) - 2
    for block in map(harmless, _blocks(result)):
        room -= len(block) + 2
        if room < 0:
            return "\n\n".join([*fitting, _MORE]) + "\n"
        fitting.append(block)
    return "\n\n".join(fitting) + "\n"


def _blocks(result: CheckResult) -> Iterable[str]:
    yield f"## {_MARKS[result.status]} {prose(view.headline(result))}"
    yield (
        f"{code(result.subject)} against {code(result.policy)} · {prose(view.exit_words(result))}"
    )
    if result.declared_claims:
        yield _bullets(claim_line(claim) for claim in result.declared_claims)
    yield _table(result)
    for outcome in view.ordered(result):
        if outcome.status != "pass" or outcome.allowed:
            yield _outcome(outcome)
    yield "### Declared"
    yield _bullets(view.declared_lines(result.declared))
    yield "### False alarms to expect per 100 checked models"
    yield _bullets(view.alarm_line(alarm) for alarm in result.false_alarms)
    if result.notes:
        yield "### Notes"
        yield _bullets(result.notes)
    if result.status == "error":
        yield "### Kept"
        yield _bullets(result.kept)
    yield f"Made by model-forensics {code(result.version)} with {code(result.command, 400)}."


def _table(result: CheckResult) -> str:
    head = ["| | rule | reference | value | bound |", "| --- | --- | --- | --- | --- |"]
    rows = [
        f"| {_MARKS[o.status]} {view.status_of(o)} | {o.rule} | {code(o.reference, cell=True)} | "
        f"{_number(o.value)} | {_number(o.bound)} |"
        for o in view.ordered(result)
    ]
    return "\n".join([*head, *rows])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _outcome(outcome: Outcome) -> str:
    lines = [
        f"**{outcome.rule}** · {code(outcome.reference)}: {prose(view.message_of(outcome), 1_200)}"
    ]
    if outcome.exhibit is not None:
        where = f"Exhibit, prompt {code(outcome.exhibit.prompt_id)}"
        lines.append(f"{where}: {code(outcome.exhibit.shared, 240)}")
    if outcome.next_step:
        lines.append(f"Next: {prose(outcome.next_step)}")
    return "\n\n".join(lines)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {prose(line, 600)}" for line in lines)
