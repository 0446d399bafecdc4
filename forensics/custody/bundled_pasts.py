"""The questioned model's own pasts in a bundle: their transcripts, so that shift can be derived.

The case names its pasts and has no hash of their transcripts: whether one is still the file that
was used shows when shift is derived again from it. A cohort's model has no transcript and needs
none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.case.document import Case
from forensics.case.run_records import LedgerSettings
from forensics.errors import ForensicsError
from forensics.evidence.shift.shift_evidence import NAME
from forensics.examination.examined import Examined
from forensics.subjects.subject import BUILT_IN_KINDS, Subject
from forensics.suites.suite import Suite
from forensics.transcripts.transcript import Transcript, read_transcript
from forensics.verdicts.compare import restrict


@dataclass(frozen=True)
class PastFile:
    """A past, as the case names it, and its transcript's file; None where there is none."""

    spec: str
    path: Path | None

    @property
    def is_missing(self) -> bool:
        """Whether it needs a transcript and none was found."""
        return self.path is None and not self.spec.startswith("cohort:")


def pasts_of(case: Case) -> tuple[str, ...]:
    """Return the pasts that a case's change was measured against, as the ledger names them."""
    if not any(entry.comparator == NAME for entry in case.evidence):
        return ()
    entry = next((e for e in case.ledger if e.what == "compare"), None)
    return (entry.settings if entry else LedgerSettings()).bases


def find_pasts(case: Case, case_path: Path, extra: Sequence[Path]) -> tuple[PastFile, ...]:
    """Look for the transcripts of a case's pasts.

    Args:
        case: the case.
        case_path: its file; relative names are also looked for beside it.
        extra: further transcripts: taken where the file's name, or whom it is of, is the past's.
    """
    return tuple(PastFile(spec, _find(spec, case_path, extra)) for spec in pasts_of(case))


def _find(spec: str, case_path: Path, extra: Sequence[Path]) -> Path | None:
    if spec.startswith("cohort:"):
        return None
    named = Path(spec.removeprefix("transcript:"))
    moved = [path for path in extra if path.name == named.name or _is_of(path, spec)]
    places = [*moved, named, case_path.parent / named, case_path.parent / named.name]
    return next((path for path in places if path.is_file()), None)


def _is_of(path: Path, spec: str) -> bool:
    try:
        manifests = read_transcript(path).manifests
    except ForensicsError:
        return False
    return any(manifest.subject == spec for manifest in manifests)


def examined_pasts(
    case: Case, transcripts: Sequence[Transcript | None], suite: Suite | None
) -> tuple[list[Examined], str]:
    """Return the pasts with their answers, and why shift cannot be derived from them, if so.

    Args:
        case: whose pasts they are.
        transcripts: theirs, in the case's order; None of a cohort's model.
        suite: what the comparison was cut to; None for all prompts.
    """
    specs = pasts_of(case)
    if len(specs) != len(transcripts):
        return [], "the answers of the questioned model's past are not among the transcripts"
    pasts = []
    for spec, transcript in zip(specs, transcripts, strict=True):
        if transcript is None and not spec.startswith("cohort:"):
            return [], f"the answers of the past {spec} are not among the transcripts"
        past = Examined(_subject(spec), transcript or Transcript(spec, ()))
        pasts.append(past if suite is None else restrict(past, suite))
    return pasts, ""


def _subject(spec: str) -> Subject:
    """Return the subject of a past, called as it was then; its file need not be here."""
    prefix, colon, rest = spec.partition(":")
    if not colon or prefix not in BUILT_IN_KINDS:
        return Subject(spec, "transcript", spec)
    followed = prefix in ("hf", "openai")  # by a revision, or by an address
    return Subject(spec, prefix, rest.partition("@")[0] if followed else rest)
