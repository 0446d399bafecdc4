"""What two cases are compared by when they stand side by side: short facts with labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forensics.case.answer_labels import QUESTIONS, label
from forensics.case.document import Case, CaseSubject
from forensics.case.evidence import Evidence
from forensics.report import view
from forensics.support.numbers import DASH, number
from forensics.support.sanitise import one_line

_LONGEST = 400
_LONGEST_NAME = 120
_SETTINGS = ("temperature", "max_tokens", "system_prompt")


@dataclass(frozen=True)
class Fact:
    """A short text about a case; facts of one `group` stand together."""

    group: str
    label: str
    text: str


@dataclass(frozen=True)
class FactRow:
    """A fact of both cases; a case that lacks it has a dash."""

    label: str
    first: str
    second: str


@dataclass(frozen=True)
class FactGroup:
    """Facts of one kind."""

    name: str
    rows: tuple[FactRow, ...]


def case_facts(case: Case) -> tuple[Fact, ...]:
    """Return the facts of a case, all on one line and without hidden characters."""
    made = (*_about(case), *_answers(case), *_evidence(case), *_settings(case))
    return tuple(
        Fact(group, one_line(name, _LONGEST_NAME), one_line(text, _LONGEST) or DASH)
        for group, name, text in made
    )


def side_by_side(first: Sequence[Fact], second: Sequence[Fact]) -> tuple[FactGroup, ...]:
    """Return facts of two cases row by row: those of the first in order, then what it lacks."""
    texts = {(fact.group, fact.label): fact.text for fact in first}
    others = {(fact.group, fact.label): fact.text for fact in second}
    rows: dict[str, list[FactRow]] = {}
    for name in dict.fromkeys((*texts, *others)):
        row = FactRow(name[1], texts.get(name, DASH), others.get(name, DASH))
        rows.setdefault(name[0], []).append(row)
    return tuple(FactGroup(group, tuple(of_group)) for group, of_group in rows.items())


def _about(case: Case) -> Iterator[tuple[str, str, str]]:
    yield "Case", "Known", case.a.name
    yield "Case", "Questioned", case.b.name
    yield "Case", "Date", case.created_at[:16].replace("T", " ")
    yield "Case", "Result", view.status_line(case)
    yield "Case", "Suite", f"{case.suite.name or DASH} {case.suite.version or ''}"
    yield "Case", "Prompts both answered", str(case.overlap.both)
    yield "Case", "Identical long answers", view.tripwire_words(case)


def _answers(case: Case) -> Iterator[tuple[str, str, str]]:
    for answer in case.verdict.answers:
        said = label(answer.answer, answer.strength)
        ratio = "" if answer.log10_lr is None else f" (log10 LR {answer.log10_lr:+.2f})"
        reason = f": {answer.reasons[0]}" if answer.reasons else ""
        yield "Answers", QUESTIONS[answer.question], f"{said}{ratio}{reason}"
    if not case.verdict.answers:
        yield "Answers", "Headline", case.verdict.headline


def _evidence(case: Case) -> Iterator[tuple[str, str, str]]:
    for entry in case.evidence:
        yield "Evidence", entry.title, _measured(entry)


def _measured(entry: Evidence) -> str:
    if entry.score is None:
        return view.EVIDENCE_STATUS[entry.status]
    interval = entry.interval
    span = f" ({number(interval.low)} to {number(interval.high)})" if interval else ""
    where = view.position(entry)
    return f"{number(entry.score)}{span}{', ' if where else ''}{where}"


def _settings(case: Case) -> Iterator[tuple[str, str, str]]:
    for letter, side in (("known", case.a), ("questioned", case.b)):
        yield "Asking", f"Answers of the {letter}", str(side.answers)
        yield "Asking", f"Samples of the {letter}", str(side.samples)
        for name, text in _asked(side):
            yield "Asking", f"{name.replace('_', ' ').capitalize()} of the {letter}", text


def _asked(side: CaseSubject) -> Iterator[tuple[str, str]]:
    given = [manifest.written().get("settings", {}) for manifest in side.manifests]
    for name in _SETTINGS:
        values = [settings.get(name) for settings in given if isinstance(settings, dict)]
        known = dict.fromkeys(view.display(value) for value in values)
        yield name, ", ".join(known)
