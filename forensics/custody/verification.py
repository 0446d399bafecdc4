"""Verification: transcripts against seals and cases, bundles against themselves."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from forensics.case.document import Case, CaseSubject, read_case
from forensics.custody.bundle import CASE, Bundle, read_bundle, suite_from_json
from forensics.custody.bundle_checks import (
    Unpacked,
    contradictions,
    left_out,
    underived,
    unknown_fields,
)
from forensics.custody.case_file import chain_fault, plan_sha256, read_case_file, seal_problem
from forensics.custody.rederive import Difference, Rederivation, rederive
from forensics.custody.transcript_chain import Custody, check_seal, examine, prefix_with_hash
from forensics.errors import InputFileError
from forensics.support.sanitise import one_line
from forensics.support.version import VERSION
from forensics.transcripts.transcript import Transcript, read_transcript, unbroken

BundleResult = Literal["identical", "reworded", "different", "partly"]
_NEW_AS_A_WHOLE = (
    "A bundle rewritten as a whole, transcripts included, cannot be seen from the bundle "
    "alone: compare its seal with one kept elsewhere (--seal)."
)
_HIDDEN = "differs (not shown: the case is blind)"


def verify_transcript(
    path: Path, seal: str | None = None, case_path: Path | None = None
) -> tuple[Custody, list[str]]:
    """Return what a transcript's bytes show, and what does not fit the seal or the case.

    Raises:
        InputFileError: the file cannot be read, is empty or is no transcript at all.
        UsageError: the seal is not one.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"cannot read {path}: {error.strerror}") from error
    custody = examine(raw)
    if not custody.lines:
        raise InputFileError(f"{path} is empty; name a transcript")
    if not any(custody.chains):
        _check_kind(path, raw)
    problems = []
    if seal is not None and (problem := check_seal(custody, seal)):
        problems.append(problem)
    if case_path is not None and (problem := _against_case(raw, custody, case_path)):
        problems.append(problem)
    return custody, problems


def _check_kind(path: Path, raw: bytes) -> None:
    if b'"schema_version"' in raw[:200]:
        raise InputFileError(
            f"{path} is a case: pack it with `forensics bundle {path} -o ZIP` and verify that"
        )
    # Says what is wrong, and on which line.
    read_transcript(path)


def _against_case(raw: bytes, custody: Custody, case_path: Path) -> str | None:
    case = read_case(case_path)
    hashes = {case.a.transcript_sha256, case.b.transcript_sha256}
    if custody.sha256 in hashes:
        return None
    for sha256 in sorted(hashes):
        part = prefix_with_hash(raw, sha256)
        if part is not None:
            lines = part.count(b"\n")
            return f"{case_path} was made from the first {lines} lines; the others were added since"
    return f"{case_path} was made from other files: neither of its transcripts is this one"


@dataclass(frozen=True)
class CaseFileReport:
    """What verifying a case file found; `chains` are its lines' where it is intact."""

    result: Literal["intact", "changed"]
    problems: tuple[str, ...]
    chains: tuple[str, ...]


def verify_case_file(path: Path, seal: str | None = None) -> CaseFileReport:
    """Check a case file's chain, and its plan's or last note's hash where that was kept elsewhere.

    Raises:
        InputFileError: the file cannot be read, or this program does not read its version.
    """
    fault = chain_fault(path.read_bytes())
    if fault is not None:
        return CaseFileReport("changed", (fault,), ())
    case_file = read_case_file(path)
    problem = seal_problem(case_file.chains, seal) if seal is not None else None
    if problem is not None:
        return CaseFileReport("changed", (problem,), case_file.chains)
    return CaseFileReport("intact", (), case_file.chains)


@dataclass(frozen=True)
class BundleReport:
    """What verifying a bundle found.

    `reworded`: the same data, in other words than this version's; `partly`: nothing wrong, but not
    all could be derived. `underived` names every field that no transcript tells, whatever the
    result.
    """

    result: BundleResult
    problems: tuple[str, ...]
    differences: tuple[Difference, ...]
    wording: tuple[Difference, ...]
    missing: tuple[str, ...]
    underived: tuple[str, ...]
    notes: tuple[str, ...]
    seal: str
    blind: bool
    version: str

    def shown_differences(self, limit: int) -> list[str]:
        """Return up to `limit` differences in words, and how many more there are."""
        return self._shown(self.differences, "", limit, "more differences")

    def shown_wording(self, limit: int) -> list[str]:
        """Return up to `limit` sentences that differ, and how many more there are."""
        return self._shown(self.wording, "wording differs: ", limit, "more sentences")

    def _shown(
        self, differences: Sequence[Difference], what: str, limit: int, others: str
    ) -> list[str]:
        text = [what + (f"{d.where}: {_HIDDEN}" if self.blind else str(d)) for d in differences]
        more = [f"and {len(text) - limit} {others}"] if len(text) > limit else []
        return text[:limit] + more

    @property
    def document(self) -> dict[str, Any]:
        """The report as a JSON value."""
        document = asdict(self) | {"kind": "bundle"}
        if self.blind:
            for name in ("differences", "wording"):
                document[name] = [{"where": d.where} for d in getattr(self, name)]
        return document


def verify_bundle(
    path: Path, seal: str | None = None, progress: Callable[[str], None] | None = None
) -> BundleReport:
    """Check a bundle's hashes and chains, and derive its case again, offline.

    Args:
        path: the ZIP.
        seal: the bundle's seal as kept elsewhere.
        progress: called with each comparator's title before it runs.

    Raises:
        InputFileError: not a bundle, or a hostile one.
    """
    bundle = read_bundle(path)
    problems = list(bundle.problems)
    if seal is not None and seal.strip().lower() != bundle.seal:
        problems.insert(0, f"the seal given is not this bundle's ({bundle.seal})")
    with tempfile.TemporaryDirectory() as folder, _offline():
        unpacked, again = _derive(path, bundle, Path(folder), progress)
    case, members = unpacked.case, bundle.members
    named = {"a": bundle.manifest.a, "b": bundle.manifest.b}
    for number, past in enumerate(bundle.manifest.bases, 1):
        if past is not None:
            named[f"past {number}"] = past
    custody = {side: examine(members[listed.transcript]) for side, listed in named.items()}
    problems += [*contradictions(unpacked, custody), *left_out(unpacked)]
    unknown = [f"{where}: this version does not know it" for where in unknown_fields(unpacked)]
    notes = [f"seal {bundle.seal}", *_versions(bundle, case)]
    notes += [f"not recorded by that version: {where}" for where in again.unrecorded]
    if case.plan is not None:
        notes.append(f"plan frozen at {case.plan.frozen_at}, sha256 {case.plan.sha256}")
        if plan_sha256(case.plan) != case.plan.sha256:
            problems.append("the case's plan is not the one that was frozen: its hash differs")
    for side, seen in custody.items():
        problems += _custody_problems(side, seen, case)
        chain = {"intact": "chain intact", "unchained": "carries no chain"}.get(seen.result)
        if chain:
            notes.append(f"transcript {_called(side)}: {seen.lines} lines, {chain}")
    if seal is None:
        notes.append(_NEW_AS_A_WHOLE)
    missing = (*again.missing, *unknown)
    return BundleReport(
        _result(problems, again, missing),
        tuple(problems),
        again.differences,
        again.wording,
        missing,
        tuple(underived(unpacked)),
        tuple(notes),
        bundle.seal,
        case.blind,
        one_line(case.version, 40),
    )


def _derive(
    path: Path, bundle: Bundle, folder: Path, progress: Callable[[str], None] | None
) -> tuple[Unpacked, Rederivation]:
    manifest, members = bundle.manifest, bundle.members
    files = {"case": CASE, "a": manifest.a.transcript, "b": manifest.b.transcript}
    places = {}
    for role, member in files.items():
        # Names of our own: nothing of the bundle decides where a file is written.
        places[role] = folder / f"{role}.{'json' if role == 'case' else 'jsonl'}"
        places[role].write_bytes(members[member])
    suite = suite_from_json(members[manifest.suite.member])
    try:
        case = read_case(places["case"])
        a, b = (_as_named(places[s], side) for s, side in (("a", case.a), ("b", case.b)))
    except InputFileError as error:
        text = str(error).replace(f"{folder}{os.sep}", f"{path}: ")
        raise InputFileError(text) from error
    pasts = [
        None if past is None else _past(folder, members[past.transcript]) for past in manifest.bases
    ]
    again = rederive(case, a, b, suite if manifest.suite.cut else None, progress, pasts)
    return Unpacked(bundle, case, suite, a, b), again


def _past(folder: Path, content: bytes) -> Transcript:
    place = folder / "past.jsonl"
    place.write_bytes(content)
    return unbroken(read_transcript(place), allow=True)


def _as_named(place: Path, side: CaseSubject) -> Transcript:
    """Read a transcript under the name that the case has for its file."""
    read = read_transcript(place)
    name = side.transcript_path or str(place)
    warnings = tuple(text.replace(str(place), name) for text in read.warnings)
    # Only with --allow-broken can a case have been made of a broken one; it then says so.
    return unbroken(replace(read, path=name, warnings=warnings), allow=True)


def _called(side: str) -> str:
    return side.upper() if side in ("a", "b") else f"of {side}"


def _custody_problems(side: str, custody: Custody, case: Case) -> Iterator[str]:
    recorded = {"a": case.a.transcript_sha256, "b": case.b.transcript_sha256}
    # The case has no hash of a past's transcript: shift, derived again, tells whether it is.
    same = custody.sha256 == recorded.get(side, custody.sha256)
    if not same:
        yield f"transcript {_called(side)} is not the file the case was made from"
    for fault in custody.faults:
        # A run that was killed leaves this, and the case was made from the file as it was.
        if not (same and custody.cut_off and fault.line == custody.lines):
            yield f"transcript {_called(side)}, line {fault.line}: {fault.what}"


def _result(problems: Sequence[str], again: Rederivation, missing: Sequence[str]) -> BundleResult:
    if problems or any(not difference.rounding for difference in again.differences):
        return "different"
    if missing or again.differences:
        return "partly"
    return "reworded" if again.wording or again.unrecorded else "identical"


def _versions(bundle: Bundle, case: Case) -> list[str]:
    versions = dict.fromkeys([case.version, bundle.manifest.version])
    if [*versions] == [VERSION]:
        return [f"made and checked with model-forensics {VERSION}"]
    made = " and ".join(one_line(version, 40) for version in versions)
    return [
        f"made with model-forensics {made}, checked with {VERSION}: a difference may come "
        "from the program"
    ]


@contextmanager
def _offline() -> Iterator[None]:
    """Keep libraries from looking for a model on the network."""
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = before
