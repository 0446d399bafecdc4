"""Case files: what is claimed and how it will be tested, frozen before anything is collected.

A case file is JSON Lines. The first line is the frozen plan, every later line a note, and the lines
are hash-chained as those of a transcript are: `chain` is the sha256 of the `chain` before it and of
the line's own content. So notes can only be appended, and an edit of the plan or of a note shows.
The first line's `chain` is the plan's hash: kept elsewhere before collecting, it also shows that
the file was not written anew afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from forensics.case.document import CaseNote, CasePlan, Claim
from forensics.errors import InputFileError, OutputError, UsageError
from forensics.support.chained_file import append, is_begun, lock, mend
from forensics.support.clock import now
from forensics.support.hash_chain import (
    CHAIN_START,
    chain_faults,
    encode_line,
    is_chain_value,
    split_lines,
)

PLAN = "model-forensics case file"
NOTE = "note"
FORMAT_VERSION = 1
_PATIENCE = 20.0  # seconds; a note takes milliseconds
_AFTER_A_KILL = " (a killed `case note` leaves that; the next one sets it aside)"


@dataclass(frozen=True)
class CaseFile:
    """A case file that was read and is intact; `seal` is its last line's chain value.

    `cut_off`: a last note had been cut off while being written, and is left out.
    """

    plan: CasePlan
    chains: tuple[str, ...]
    cut_off: bool = False

    @property
    def seal(self) -> str:
        """The last line's chain value: with it removed notes show too."""
        return self.chains[-1]


def frozen_content(plan: CasePlan) -> dict[str, Any]:
    """Return what a plan's hash is taken of, in the order in which it is written."""
    return {
        "kind": PLAN,
        "format_version": FORMAT_VERSION,
        "frozen_at": plan.frozen_at,
        "title": plan.title,
        "propositions": list(plan.propositions),
        "claims": [_frozen_claim(claim) for claim in plan.claims],
        "settings": plan.settings.written(),
    }


def _frozen_claim(claim: Claim) -> dict[str, Any]:
    """Return a claim as it was frozen: what later versions add to claims was not there then."""
    content = claim.model_dump(exclude_unset=True)
    return content if claim.kind else {k: v for k, v in content.items() if k != "kind"}


def plan_sha256(plan: CasePlan) -> str:
    """Return the hash (hex) that the plan must have, from its own content."""
    return encode_line(frozen_content(plan), CHAIN_START)[1]


def freeze(path: Path, plan: CasePlan) -> CasePlan:
    """Write a new case file and return the plan with its path, time and hash.

    Raises:
        UsageError: the file exists: what is frozen is never replaced.
        OutputError: it cannot be written.
    """
    frozen = plan.model_copy(update={"path": str(path), "frozen_at": now()})
    line, chain = encode_line(frozen_content(frozen), CHAIN_START)
    try:
        with path.open("xb", buffering=0) as file:
            try:
                append(file, line)
            except OSError:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError as error:
        raise UsageError(
            f"{path} exists, and what is frozen is never replaced; choose another file"
        ) from error
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    return frozen.model_copy(update={"sha256": chain})


def append_note(path: Path, text: str) -> CaseFile:
    """Append a note to an intact case file and return the file as it is then.

    Notes made at once wait for each other. Of a note that was cut off (a full disk, a killed run)
    what there is goes to `<file>.cut-off` first; `cut_off` then says so.

    Raises:
        InputFileError: no case file, or one that was changed.
        OutputError: it cannot be written.
        UsageError: another note is being written for too long.
    """
    before = read_case_file(path)  # nothing of what is no case file may be touched
    try:
        with path.open("rb+", buffering=0) as file:
            if not lock(file, _PATIENCE):
                raise UsageError(f"{path} is being written by another run; try again")
            case_file = _parse(path, mend(file, path))
            note = CaseNote(at=now(), text=text)
            line, chain = encode_line({"kind": NOTE, **note.model_dump()}, case_file.seal)
            append(file, line)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    plan = case_file.plan.model_copy(update={"notes": (*case_file.plan.notes, note)})
    return CaseFile(plan, (*case_file.chains, chain), before.cut_off)


def read_case_file(path: Path) -> CaseFile:
    """Read a case file; a note that was cut off while being written is left out.

    Raises:
        InputFileError: missing, no case file, or changed since it was written.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"cannot read case file {path}: {error.strerror}") from error
    if not is_case_file(raw):
        raise InputFileError(f"{path} is not a case file; make one with `forensics case init`")
    return _parse(path, raw)


def _parse(path: Path, raw: bytes) -> CaseFile:
    whole, end, unended = raw.rpartition(b"\n")
    is_cut_off = bool(unended) and is_begun(unended)
    if unended and not is_cut_off:
        whole, end = raw, b"\n"
    fault = chain_fault(whole + end)
    if fault is not None:
        raise InputFileError(f"case file {path}, {fault}; go back to the unchanged file")
    values = [json.loads(line.raw) for line in split_lines(whole + end)[0]]
    chains = tuple(str(value.pop("chain")) for value in values)
    head, *notes = values
    if head.get("format_version") != FORMAT_VERSION:
        raise InputFileError(
            f"case file {path} has format version {head.get('format_version')}, this program reads "
            f"{FORMAT_VERSION}; upgrade model-forensics"
        )
    try:
        plan = CasePlan(
            path=str(path),
            sha256=chains[0],
            notes=tuple(CaseNote.model_validate(note) for note in notes),
            **{name: head[name] for name in _FROZEN},
        )
    except (KeyError, ValidationError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else _first(error)
        raise InputFileError(f"case file {path}: {why}; make it with `case init`") from error
    return CaseFile(plan, chains, is_cut_off)


_FROZEN = ("frozen_at", "title", "propositions", "claims", "settings")


def is_case_file(raw: bytes) -> bool:
    """Tell whether bytes begin as a case file does."""
    return raw.startswith(f'{{"kind":"{PLAN}"'.encode("ascii"))


def chain_fault(raw: bytes) -> str | None:
    """Return what was changed in a case file's bytes, in words; None where it is intact."""
    lines, unended = split_lines(raw)
    fault = next(chain_faults(lines), None)
    odd = next((n for n, line in enumerate(lines, 1) if not _is_object(line.raw)), None)
    numbers = [number for number in (fault and fault.line, odd) if number]
    if numbers:
        number = min(numbers)
        what = "the frozen plan" if number == 1 else "a note"
        return f"line {number}: {what} was changed, or lines before it were"
    if unended or not lines:
        return f"line {len(lines) + 1}: it is cut off, or its line end is missing{_AFTER_A_KILL}"
    return None


def seal_problem(chains: Sequence[str], seal: str) -> str | None:
    """Return what is wrong with a case file, given a hash kept elsewhere; None where it fits.

    The plan's hash fits whatever was noted since; any other must be the last line's.

    Raises:
        UsageError: the hash is not one.
    """
    wanted = seal.strip().lower()
    if not is_chain_value(wanted):
        raise UsageError(
            f"--seal takes the 64 hex digits that `forensics case` prints, not {seal!r}"
        )
    if wanted in (chains[0], chains[-1]):
        return None
    if wanted in chains:
        at = chains.index(wanted) + 1
        return f"the seal is that of line {at}: the notes after it were added since"
    return "the seal is not in the file: notes were removed, or it was rewritten"


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
