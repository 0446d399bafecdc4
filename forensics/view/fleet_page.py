"""What a fleet found of one subject: its findings, and the documents that they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import cast

from forensics.errors import InputFileError
from forensics.fleet.subject_result import (
    DOCUMENTS,
    SubjectFinding,
    SubjectResult,
    read_result,
)
from forensics.support.numbers import percent
from forensics.support.sanitise import one_line
from forensics.view.links import Screen
from forensics.view.recognising import LARGEST, recognised
from forensics.view.viewed_folder import Place, ViewedFolder

_LONGEST = 160
_OPENED = ("case", "check", "trace", "transcript")


@dataclass(frozen=True)
class ShownDocument:
    """A document of a result; `screen` shows it, None where the folder does not have it."""

    name: str
    place: Place
    screen: Screen | None


def fleet_result(path: Path) -> SubjectResult:
    """Read the file of one subject of a job.

    Raises:
        InputFileError: it is not one, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            result = read_result(file.read(LARGEST))
    except OSError as error:
        raise InputFileError(f"it cannot be read: {error.strerror}") from error
    if result is None:
        raise InputFileError("it is not the result of a fleet's subject")
    return result


def finding_words(finding: SubjectFinding) -> str:
    """Return a finding in a few words; empty where it says nothing but what was counted."""
    about = f"{finding.reference}: " if finding.reference else ""
    if finding.close_relatives:
        said = f"close relatives? {finding.close_relatives}"
    elif finding.outcome:
        said = finding.outcome
    elif finding.candidate:
        named = "named" if finding.candidate_named else "not named"
        said = f"likeliest relative {finding.candidate} ({named})"
    else:
        said = finding.reading or finding.architecture
        if not said and finding.answers is not None:
            said = f"{finding.answers:,} answers"
    return one_line(f"{about}{said}", _LONGEST) if said else ""


def shown_finding(finding: SubjectFinding) -> list[tuple[str, str]]:
    """Return what a finding has as (label, text), without what its work did not measure."""
    rows = [
        ("Reference", finding.reference),
        ("One model?", finding.one_model),
        ("Close relatives?", finding.close_relatives),
        ("Learned?", finding.learned),
        ("Independent?", finding.independent),
        ("Calibration", finding.calibration),
        ("log10 LR", _number(finding.log10_lr, "+.2f")),
        ("Shared manner", "" if finding.shared_manner is None else percent(finding.shared_manner)),
        ("Outcome", finding.outcome),
        ("Reading", finding.reading),
        ("Likeliest relative", finding.candidate),
        ("Named", {None: "", True: "yes", False: "no"}[finding.candidate_named]),
        ("Error rate", _number(finding.family_wise, ".3g")),
        ("Answers", _number(finding.answers, ",")),
        ("Calls that failed", _number(finding.errors, ",")),
        ("Format", finding.model_format),
        ("Architecture", finding.architecture),
        ("Parameters", _number(finding.parameters, ",")),
        ("sha256 of the weights", finding.weights_sha256),
        ("Declared parents", ", ".join(finding.declared_parents)),
    ]
    return [(label, text) for label, text in rows if text]


def document_places(
    folder: ViewedFolder, place: Place, result: SubjectResult
) -> list[ShownDocument]:
    """Return where the documents of a result lie: beside the folder that holds its file."""
    job = PurePosixPath(place.relative).parent.parent
    return [
        _document(folder, name, Place(str(job / DOCUMENTS / result.key / name)))
        for name in result.documents
    ]


def _document(folder: ViewedFolder, name: str, place: Place) -> ShownDocument:
    try:
        kind = recognised(folder.inside(place.relative))
    except InputFileError:
        return ShownDocument(name, place, None)
    return ShownDocument(name, place, cast("Screen", kind) if kind in _OPENED else None)


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
