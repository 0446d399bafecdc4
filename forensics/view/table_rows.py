"""What the first page lists: a row for each pair, check, trace, case file, cohort and file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar, get_args

from forensics.case.answer_labels import SHORT_QUESTIONS, label, lead_of
from forensics.case.questions import Question, QuestionAnswer
from forensics.cohorts.calibration.verbal import Tier as Strength
from forensics.errors import ForensicsError, InputFileError
from forensics.evidence.exposure.result_files import read_exposure
from forensics.policy.outcomes import STATUSES, Outcome, Status
from forensics.report.check.view import STATUS_WORDS
from forensics.report.exposure import headline
from forensics.report.first_screen import Tone, tone
from forensics.support.sanitise import one_line
from forensics.view.file_heads import (
    CaseHead,
    CheckHead,
    TraceHead,
    TranscriptHead,
    case_head,
    check_head,
    trace_head,
    transcript_head,
)
from forensics.view.fleet_page import finding_words, fleet_result
from forensics.view.recognising import FileKind, recognised
from forensics.view.viewed_folder import NotRead, Place, ViewedFolder

Head = TypeVar("Head")
_STRENGTHS: tuple[str, ...] = get_args(Strength)
_QUESTIONS: tuple[Question, ...] = get_args(Question)
_LEAST_ANSWER = -400.0  # sorts behind every log10 likelihood ratio


@dataclass(frozen=True)
class AnswerCell:
    """An answer in a table; `brief` is its reason in a few words."""

    label: str
    tone: Tone
    brief: str = ""


@dataclass(frozen=True)
class PolicyCell:
    """What checks came to for a pair, the gravest; `rank` sorts it, 0 the gravest."""

    words: str
    status: Status
    rank: int


@dataclass(frozen=True)
class PairRow:
    """A pair of models: four answers in the order of `_QUESTIONS`, strength, date, policy.

    `headline` stands instead of the answers in cases of versions that gave none.
    """

    place: Place
    known: str
    questioned: str
    answers: tuple[AnswerCell, ...]
    headline: str
    strength: str
    log10_lr: float | None
    sorted_by: float
    created_at: str
    policy: PolicyCell | None


@dataclass(frozen=True)
class CheckRow:
    """A check: of whom, by which policy, and what it came to."""

    place: Place
    head: CheckHead
    policy: PolicyCell


@dataclass(frozen=True)
class TraceRow:
    """A trace: of whom, in which cohort, and who was named."""

    place: Place
    head: TraceHead


@dataclass(frozen=True)
class ExposureRow:
    """A test of whether a model learned served answers: of whom, and what it found."""

    place: Place
    subject: str
    found: str
    tone: Tone
    p_value: float | None
    pairs: int


@dataclass(frozen=True)
class TranscriptRow:
    """A transcript: who was asked what, and when."""

    place: Place
    head: TranscriptHead


@dataclass(frozen=True)
class CohortRow:
    """A cohort: its name, and how many models and prompts it has."""

    place: Place
    name: str
    models: int
    prompts: int


@dataclass(frozen=True)
class PlanRow:
    """A case file: its title, when it was frozen, and how many claims it has."""

    place: Place
    title: str
    frozen_at: str
    claims: int


@dataclass(frozen=True)
class FleetRow:
    """What came of one subject of a fleet's job; `findings` in a few words each."""

    place: Place
    subject: str
    work: str
    status: str
    findings: tuple[str, ...]


PairKey = tuple[str, str, str]


@dataclass
class Listing:
    """The files of a folder by kind, and rows made of them, one file after another.

    A file that turns out to be damaged while its row is made goes to `not_read`, so that this is
    to be shown last.
    """

    folder: ViewedFolder
    places: Mapping[FileKind, list[Place]]
    not_read: list[NotRead]

    @classmethod
    def of(cls, folder: ViewedFolder) -> Listing:
        """Look at the beginning of every file."""
        places: dict[FileKind, list[Place]] = {kind: [] for kind in get_args(FileKind)}
        not_read: list[NotRead] = []
        for entry in folder.files():
            if isinstance(entry, NotRead):
                not_read.append(entry)
                continue
            try:
                places[recognised(folder.inside(entry.relative))].append(entry)
            except InputFileError as error:
                not_read.append(NotRead(entry.relative, str(error)))
        return cls(folder, places, not_read)

    @property
    def questions(self) -> tuple[str, ...]:
        """The four questions, in the order of a row's answers."""
        return tuple(SHORT_QUESTIONS[question] for question in _QUESTIONS)

    @cached_property
    def checks(self) -> tuple[CheckRow, ...]:
        """The checks; each is read once."""
        heads = ((place, self._read(place, check_head)) for place in self.places["check"])
        return tuple(
            CheckRow(place, head, _gravest(head.outcomes)) for place, head in heads if head
        )

    def pairs(self) -> Iterator[PairRow]:
        """Yield the pairs: those of checks, then those of cases that no check holds."""
        seen: set[PairKey] = set()
        for row in self.checks:
            for number, head in enumerate(row.head.cases):
                seen.add(_key(head))
                of_pair = [o for o in row.head.outcomes if o.case == number]
                policy = _gravest(of_pair) if of_pair else None
                yield pair_row(Place(row.place.relative, number), head, policy)
        for place in self.places["case"]:
            alone = self._read(place, case_head)
            if alone is not None and _key(alone) not in seen:
                yield pair_row(place, alone, None)

    def traces(self) -> Iterator[TraceRow]:
        """Yield the traces."""
        for place in self.places["trace"]:
            head = self._read(place, trace_head)
            if head is not None:
                yield TraceRow(place, head)

    def exposures(self) -> Iterator[ExposureRow]:
        """Yield the exposure tests."""
        for place in self.places["exposure"]:
            result = self._read(place, read_exposure)
            if result is not None:
                yield ExposureRow(
                    place,
                    result.subject,
                    headline(result),
                    "yes" if result.finding == "depended" else "open",
                    result.p_value,
                    result.pairs.used,
                )

    def transcripts(self) -> Iterator[TranscriptRow]:
        """Yield the transcripts."""
        for place in self.places["transcript"]:
            head = self._read(place, transcript_head)
            if head is not None:
                yield TranscriptRow(place, head)

    def cohorts(self) -> Iterator[CohortRow]:
        """Yield the cohorts; other files of tensors are not read."""
        from forensics.cohorts.pack_files import read_head

        for place in self.places["cohort"]:
            head = self._read(place, read_head)
            if head is not None:
                name = one_line(str(head.get("name", "")), 200)
                yield CohortRow(place, name, len(head["models"]), len(head["prompts"]))

    def plans(self) -> Iterator[PlanRow]:
        """Yield the case files that are intact."""
        from forensics.custody.case_file import read_case_file

        for place in self.places["plan"]:
            case_file = self._read(place, read_case_file)
            if case_file is not None:
                plan = case_file.plan
                yield PlanRow(place, plan.title, plan.frozen_at, len(plan.claims))

    def fleet(self) -> Iterator[FleetRow]:
        """Yield the subjects of fleets' jobs."""
        for place in self.places["fleet"]:
            result = self._read(place, fleet_result)
            if result is not None:
                said = (finding_words(finding) for finding in result.findings)
                in_words = tuple(filter(None, said)) or (result.reason,)
                yield FleetRow(place, result.subject, result.work, result.status, in_words)

    def _read(self, place: Place, read: Callable[[Path], Head]) -> Head | None:
        try:
            return read(self.folder.inside(place.relative))
        except ForensicsError as error:
            self.not_read.append(NotRead(place.relative, self.folder.reason(error)))
            return None


def pair_row(place: Place, head: CaseHead, policy: PolicyCell | None) -> PairRow:
    """Return the row of a case; names of a blind case are masked, and so are its reasons."""
    by_question = {answer.question: answer for answer in head.answers}
    lead = head.answers[lead_of(head.answers)] if head.answers else None
    return PairRow(
        place=place,
        known="Model A" if head.blind else head.known,
        questioned="Model B" if head.blind else head.questioned,
        answers=tuple(_cell(by_question.get(name), head.blind) for name in _QUESTIONS)
        if head.answers
        else (),
        headline="" if head.blind else head.headline,
        strength=lead.strength if lead else "",
        log10_lr=lead.log10_lr if lead else None,
        sorted_by=_rank(lead),
        created_at=head.created_at,
        policy=policy,
    )


def _cell(answer: QuestionAnswer | None, blind: bool) -> AnswerCell:
    if answer is None:
        return AnswerCell("not asked", "open")
    brief = "" if blind else answer.brief
    return AnswerCell(label(answer.answer), tone(answer.answer), brief)


def _rank(lead: QuestionAnswer | None) -> float:
    """Return by what rows are sorted: the likelihood ratio, else the strength in words."""
    if lead is None:
        return _LEAST_ANSWER
    if lead.log10_lr is not None:
        return lead.log10_lr
    return _STRENGTHS.index(lead.strength) - 100.0 if lead.strength in _STRENGTHS else -200.0


def _gravest(outcomes: tuple[Outcome, ...] | list[Outcome]) -> PolicyCell:
    statuses = {outcome.status for outcome in outcomes if outcome.allowed is None}
    gravest: Status = next((status for status in STATUSES if status in statuses), "pass")
    return PolicyCell(STATUS_WORDS[gravest], gravest, STATUSES.index(gravest))


def _key(head: CaseHead) -> PairKey:
    return (*head.transcripts, head.created_at)
