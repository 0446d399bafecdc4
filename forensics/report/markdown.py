"""The Markdown report: fits a GitHub comment, and nothing a model wrote acts in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forensics.case.document import Case, CaseSubject, Finding
from forensics.case.evidence import Evidence
from forensics.report import view
from forensics.report.exhibits import (
    EXHIBITS_ARE,
    SIDE_TITLES,
    SIDES,
    ShownExhibit,
    balance_words,
    caption,
    shown_exhibits,
)
from forensics.report.four_answers import shown_answers, shown_claims
from forensics.report.likelihood import error_rate, likelihood_words, likelihoods, plain
from forensics.report.tiers import tier_summaries
from forensics.support.ci_commands import harmless
from forensics.support.numbers import DASH, number
from forensics.support.sanitise import Span, clip, excerpt, one_line, segments, visible

MAX_CHARS = 65_000
_EXHIBITS_PER_SIDE = 3
_EXCERPT = 700
_LINES = 40
_RUN = re.compile(r"`+")
_ACTIVE = re.compile(r"[\\`*_\[\]|~$]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_LINE_START = re.compile(r"^(?=[-+=#])|^(\d+)(?=[.)])")
# A zero-width space inside keeps GitHub from making a mention, an issue or a link of plain text.
_MENTION = re.compile(r"@(?=\w)|#(?=\d)|(?i:\bgh-(?=\d))|(?i:https?:|ftp:|www\.|mailto:)")


@dataclass(frozen=True)
class MarkdownReport:
    """GitHub-flavoured Markdown, short enough for a comment."""

    name: str = "markdown"

    def render(self, case: Case) -> str:
        """Return the Markdown."""
        return render_markdown(case)


def render_markdown(case: Case) -> str:
    """Return the report of `case` as GitHub-flavoured Markdown of at most `MAX_CHARS` characters.

    Exhibits are left out from the end where the report would not fit, and the report says so.
    """
    blocks = [
        *_answers(case),
        *_answer(case),
        *_claims(case),
        *_subjects(case),
        *_evidence(case),
        *_findings(case),
        *_limits(case),
    ]
    exhibits = _exhibits(case)
    notice = "_More exhibits did not fit here; the JSON and HTML reports have all of them._"
    # The report without exhibits is small unless a plugin floods it; then it is cut block by block.
    text, left_out = _fitting([*map(harmless, [*blocks, *exhibits])], MAX_CHARS - len(notice) - 2)
    return text + (f"\n{notice}\n" if left_out else "")


def _fitting(blocks: Sequence[str], limit: int) -> tuple[str, bool]:
    fitting: list[str] = []
    used = 0
    for block in blocks:
        used += len(block) + 2
        if used > limit:
            return "\n\n".join(fitting) + "\n", True
        fitting.append(block)
    return "\n\n".join(fitting) + "\n", False


def prose(text: str, limit: int = 400) -> str:
    """Return `text` as one line of Markdown that shows as it is: no markup, mention or link."""
    escaped = _ACTIVE.sub(r"\\\g<0>", one_line(text, limit).translate(_ENTITIES))
    return _LINE_START.sub(r"\g<0>\\", _MENTION.sub(_broken, escaped))


def _broken(match: re.Match[str]) -> str:
    text = match.group()
    return f"{text[0]}&#8203;{text[1:]}"


def code(text: str, limit: int = 160, cell: bool = False) -> str:
    """Return `text` as a code span on one line; a table `cell` needs its `|` escaped."""
    flat = one_line(text, limit)
    if cell:
        flat = flat.replace("|", "\\|")
    if not flat:
        return DASH
    mark = "`" * (max((len(run) for run in _RUN.findall(flat)), default=0) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{mark}{pad}{flat}{pad}{mark}"


def fenced(text: str) -> str:
    """Return `text` in a code fence longer than any run of backticks in it."""
    shown = visible(text)
    mark = "`" * max(3, max((len(run) for run in _RUN.findall(shown)), default=0) + 1)
    return f"{mark}text\n{shown}\n{mark}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _answers(case: Case) -> list[str]:
    """Return what was asked and what can be said of it; nothing of a case without answers."""
    answers = shown_answers(case)
    if not answers:
        return []
    blocks = []
    for claim in shown_claims(case):
        blocks.append(f"## Claim: “{prose(claim.text, 600)}” ({prose(claim.source, 200)})")
        blocks.append(f"**{prose(claim.label.upper())}.** {prose(claim.reason, 600)}")
        blocks += [prose(claim.step, 600)] if claim.step else []
    lead, *others = answers
    blocks.append(f"## {prose(lead.opening)}")
    blocks.append(f"{code(case.a.name)} · {code(case.b.name)}")
    blocks += [prose(lead.further, 1_000)] if lead.further else []
    blocks.append(_bullets(f"**{prose(answer.short)}** {prose(answer.label)}" for answer in others))
    blocks += [prose(lead.step, 600)] if lead.step else []
    return blocks


def _answer(case: Case) -> list[str]:
    verdict = case.verdict
    blocks = [
        f"## {prose(verdict.headline)}",
        f"**{prose(view.status_line(case))}**",
        prose(verdict.reading, 1500),
    ]
    if verdict.reasons:
        blocks.append(_bullets(prose(reason) for reason in verdict.reasons[:_LINES]))
    lines = [f"{prose(plain(x))} {prose(likelihood_words(x))}" for x in likelihoods(case)[:_LINES]]
    if lines:
        lines.append(prose(f"Error rate at this score: {error_rate(case)}."))
        blocks.append(_bullets(lines))
    if case.copy_tripwire.tripped:
        blocks.append(f"**Copy tripwire:** {prose(view.tripwire_words(case))}")
    return blocks


def _claims(case: Case) -> list[str]:
    plan = case.plan
    if not plan or not (plan.claims or plan.deviations):
        return []
    claims = [prose(view.claim_words(claim), 600) for claim in plan.claims[:_LINES]]
    blocks = ["### What is claimed", _bullets(claims)] if claims else []
    deviations = [prose(deviation) for deviation in plan.deviations[:_LINES]]
    if deviations:
        blocks += ["### Deviations from the frozen case file", _bullets(deviations)]
    return blocks


def _subjects(case: Case) -> list[str]:
    head = ("subject", "answers", "empty", "errors", "provenance")
    rows = [_subject_row("A, known", case.a), _subject_row("B, questioned", case.b)]
    overlap = case.overlap
    both = f"Prompts answered by both: {overlap.both} (A {overlap.a}, B {overlap.b})."
    warnings = [prose(f"{s.name}: {w}") for s in (case.a, case.b) for w in s.warnings]
    comparability = [prose(warning) for warning in case.comparability]
    masked = [view.MASKED] if case.masked else []
    notes = _bullets([*masked, *comparability, *warnings][:_LINES])
    return ["### Subjects", _table(head, rows), both, *([notes] if notes else [])]


def _subject_row(role: str, subject: CaseSubject) -> tuple[str, ...]:
    return (
        f"{role}: {code(subject.name, cell=True)}",
        str(subject.answers),
        str(subject.empty),
        str(subject.errors),
        subject.provenance,
    )


def _evidence(case: Case) -> list[str]:
    head: Sequence[str]
    head = ("evidence", "score", "95 % interval", "noise floor A / B", "n", "explained", "")
    rows: list[Sequence[str]] = [_evidence_row(entry) for entry in case.evidence[:_LINES]]
    if any(entry.neighbourhood for entry in case.evidence):
        head = (*head, "among unrelated pairs")
        beside = (view.among_unrelated(entry) or DASH for entry in case.evidence[:_LINES])
        rows = [(*cells, place) for cells, place in zip(rows, beside, strict=True)]
    about = (
        "A higher score means more alike; every row has its own scale. The noise floor is what a "
        "model scores against itself. Explained is the share of the differences between prompts "
        "that length and formatting account for."
    )
    return ["### Evidence", _table(head, rows), about, "### Tiers of evidence", _tiers(case)]


def _tiers(case: Case) -> str:
    lines = []
    for summary in tier_summaries(case):
        said = (prose(summary.asks), prose(summary.outcome, 600), prose(summary.reading))
        lines.append(" ".join([f"**{summary.title}.**", *filter(None, said)]))
    return _bullets(lines)


def _evidence_row(entry: Evidence) -> tuple[str, ...]:
    interval, floor = entry.interval, entry.noise_floor
    weak = " (weak)" if entry.weight == "low" else ""
    reason = f": {entry.reason}" if entry.reason else ""
    status = f"{view.EVIDENCE_STATUS[entry.status]}{reason}"
    return (
        prose(entry.title, 80) + weak,
        number(entry.score),
        f"{number(interval.low)} to {number(interval.high)}" if interval else DASH,
        f"{number(floor.a)} / {number(floor.b)}" if floor else DASH,
        str(entry.n),
        view.explained(entry),
        prose(view.position(entry) if entry.status == "ok" else status, 200),
    )


def _findings(case: Case) -> list[str]:
    named = view.titles(case)

    def lines(findings: Sequence[Finding]) -> str:
        shown = [
            f"**{prose(named.get(f.comparator, f.comparator), 80)}**: {prose(f.text)}"
            for f in findings[:_LINES]
        ]
        return _bullets(shown or ["nothing found"])

    sides = view.sides(case)
    grey = ((f"### {title}", lines(findings)) for title, findings in sides.grey)
    return [
        "### For kinship",
        lines(sides.speak_for),
        *(block for blocks in grey for block in blocks),
        "### Against kinship",
        lines(sides.against),
    ]


def _exhibits(case: Case) -> list[str]:
    blocks: list[str] = []
    shown = shown_exhibits(case, _EXHIBITS_PER_SIDE)
    for side in SIDES:
        parts = [_exhibit(exhibit) for exhibit in shown.of(side)]
        if parts:
            blocks += [f"### {SIDE_TITLES[side]}\n\n{parts[0]}", *parts[1:]]
    if not blocks:
        return []
    note = prose(balance_words(case, shown), 800)
    return ["\n\n".join([f"_{EXHIBITS_ARE}_", note] if note else [f"_{EXHIBITS_ARE}_"]), *blocks]


def _exhibit(shown: ShownExhibit) -> str:
    entry = shown.exhibit
    title = prose(shown.evidence.title, 80)
    parts = [
        f"**{title} {number(entry.score)}**, prompt {code(shown.prompt.prompt_id)}: "
        f"{code(shown.prompt.prompt, 240)}",
        f"A:\n\n{_quoted(shown.a.text, entry.spans_a)}",
        f"B:\n\n{_quoted(shown.b.text, entry.spans_b)}",
    ]
    shared = _shared(shown.a.text, entry.spans_a)
    if shared:
        parts.append(f"Shared, as A has it: {', '.join(shared)}")
    if said := caption(shown) or entry.note:
        parts.append(prose(said))
    return "\n\n".join(parts)


def _quoted(answer: str, spans: tuple[Span, ...]) -> str:
    if len(answer) <= _EXCERPT:
        return fenced(answer)
    return fenced("".join(piece for piece, _ in excerpt(answer, spans, _EXCERPT)))


def _shared(answer: str, spans: tuple[Span, ...]) -> list[str]:
    passages = {piece.strip() for piece, is_shared in segments(answer, spans) if is_shared}
    longest = sorted(passages - {""}, key=lambda piece: (-len(piece), piece))
    return [code(piece, 120) for piece in longest[:4]]


def _limits(case: Case) -> list[str]:
    of_case = [prose(limit, 600) for limit in case.verdict.limits[:_LINES]]
    general = [prose(line) for line in (view.holds_for(case), *view.is_not(case))]
    made = f"Made by model-forensics {code(case.version)} with {code(case.command, 400)}."
    if not case.copy_tripwire.tripped:
        general.append(prose(f"Copy tripwire: {clip(view.tripwire_words(case), 300)}"))
    return ["### What this result is, and is not", _bullets([*general, *of_case]), made]
