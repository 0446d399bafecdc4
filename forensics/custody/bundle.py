"""Bundles: everything a case rests on in one ZIP, and how to read one that may be hostile.

Members: `case.json` as it was, `suite.json`, `transcripts/*.jsonl`, and `manifest.json` with the
sha256 of each of them. The manifest's own sha256 is the bundle's seal: whoever holds it can tell
this bundle from any other.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from forensics.case.document import Case, CaseSubject, read_case
from forensics.case.run_records import LedgerSettings
from forensics.cohorts.finding import weighed
from forensics.custody.bundle_manifest import BundleManifest, BundleSubject, BundleSuite
from forensics.custody.bundled_pasts import PastFile, find_pasts
from forensics.custody.transcript_chain import examine, prefix_with_hash
from forensics.errors import InputFileError, UsageError
from forensics.suites.loading import load_suite
from forensics.suites.suite import Message, Prompt, Suite
from forensics.support.files import whole_file
from forensics.support.version import VERSION
from forensics.transcripts.transcript import Transcript, ad_hoc_suite, read_transcript

MANIFEST = "manifest.json"
CASE = "case.json"
SUITE = "suite.json"
MAX_MEMBERS = 64
MAX_BYTES = 1 << 30
# Text deflates about tenfold; past this much, a thousandfold is meant to fill the memory.
_FREE_BYTES = 64 << 20
_MAX_RATIO = 200
_EPOCH = (1980, 1, 1, 0, 0, 0)
# Whose versions can change a score.
_LIBRARIES = (
    "numpy", "scipy", "scikit-learn", "regex", "torch", "transformers", "sentence-transformers",
)  # fmt: skip


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read; `problems` are members that are not what the manifest lists."""

    manifest: BundleManifest
    members: Mapping[str, bytes]
    problems: tuple[str, ...]

    @property
    def seal(self) -> str:
        """The manifest's sha256 (hex)."""
        return hashlib.sha256(self.members[MANIFEST]).hexdigest()


@dataclass(frozen=True)
class Made:
    """A bundle that was written."""

    seal: str
    members: tuple[str, ...]
    notes: tuple[str, ...]


def make_bundle(
    case_path: Path, out: Path, transcripts: Sequence[Path] = (), suite: str | None = None
) -> Made:
    """Pack a case with all it rests on; the same files give the same bytes.

    Args:
        case_path: a case written by `forensics compare --json`.
        out: the ZIP to write.
        transcripts: where to look for transcripts besides the places the case names. Whatever the
            place, only a file whose leading lines have the case's hash is taken.
        suite: the suite's name or file, where the case does not say or it moved.

    Raises:
        InputFileError: the case, a transcript or the suite is missing or is not the one used.
        OutputError: the ZIP cannot be written.
    """
    case = read_case(case_path)
    raw = case_path.read_bytes()
    if case.masked:
        raise InputFileError(f"{case_path} was written masked; bundle the case it was made from")
    transcript_files = {
        s: _find(c, s, case_path, transcripts) for s, c in (("a", case.a), ("b", case.b))
    }
    same = case.a.transcript_sha256 == case.b.transcript_sha256
    names = {"a": "transcripts/a.jsonl", "b": f"transcripts/{'a' if same else 'b'}.jsonl"}
    read = {s: _transcript(path, content) for s, (path, content) in transcript_files.items()}
    cut, prompts = _suite(case, read, suite)
    members = {names[s]: content for s, (_, content) in transcript_files.items()}
    members |= {CASE: raw, SUITE: suite_to_json(prompts)}
    pasts = find_pasts(case, case_path, transcripts)
    bases = _add_pasts(pasts, members)
    manifest = _manifest(case, members, names, BundleSuite(
        member=SUITE, sha256=prompts.sha256, cut=cut
    )).model_copy(update={"bases": bases})  # fmt: skip
    # Without pasts a bundle is, byte for byte, what it was before they could be in one.
    members[MANIFEST] = _json(manifest.model_dump(exclude=None if bases else {"bases"}))
    with whole_file(out) as file:
        file.write(_zip(members))
    notes = [
        f"transcript {s.upper()}, line {fault.line}: {fault.what}"
        for s in ("a", "b")
        for fault in examine(transcript_files[s][1]).faults[:3]
    ]
    notes += [
        f"the transcript of the past {past.spec} was not found, so that nobody can derive the "
        "change against it again; name it with --transcript FILE"
        for past in pasts
        if past.is_missing
    ]
    seal = hashlib.sha256(members[MANIFEST]).hexdigest()
    return Made(seal, tuple(sorted(members)), tuple(notes))


def _add_pasts(
    pasts: Sequence[PastFile], members: dict[str, bytes]
) -> tuple[BundleSubject | None, ...]:
    """Add the transcripts of pasts to the members; return how the manifest lists them."""
    listed: list[BundleSubject | None] = []
    for number, past in enumerate(pasts, 1):
        if past.path is None:
            listed.append(None)
            continue
        name = f"transcripts/base-{number}.jsonl"
        members[name] = past.path.read_bytes()
        listed.append(_listed(name, members[name]))
    return tuple(listed)


def _listed(name: str, content: bytes) -> BundleSubject:
    custody = examine(content)
    return BundleSubject(
        transcript=name, sha256=custody.sha256, lines=custody.lines, seal=custody.seal
    )


def _find(
    side: CaseSubject, letter: str, case_path: Path, extra: Iterable[Path]
) -> tuple[Path, bytes]:
    if side.kind == "cohort":
        raise InputFileError(
            f"{letter.upper()} is a cohort's model, of which only numbers are kept: there is no "
            "transcript to bundle"
        )
    named = side.transcript_path or (
        side.spec.removeprefix("transcript:") if side.kind == "transcript" else ""
    )
    places = [*extra]
    if named:
        places += [Path(named), case_path.parent / named, case_path.parent / Path(named).name]
    seen = []
    for path in places:
        if not path.is_file():
            continue
        content = prefix_with_hash(path.read_bytes(), side.transcript_sha256)
        if content is not None:
            return path, content
        seen.append(str(path))
    which = f"the transcript of {letter.upper()} (sha256 {side.transcript_sha256[:16]}…)"
    if seen:
        raise InputFileError(
            f"{which} is not {', '.join(dict.fromkeys(seen))}: changed since the case was made; "
            "name the unchanged file with --transcript FILE"
        )
    raise InputFileError(f"{which} was not found; name it with --transcript FILE")


def _transcript(path: Path, content: bytes) -> Transcript:
    import tempfile

    # The file may have grown since: what counts is the part the case was made of.
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / path.name
        part.write_bytes(content)
        return read_transcript(part)


def _suite(case: Case, read: Mapping[str, Transcript], override: str | None) -> tuple[bool, Suite]:
    """Return whether the comparison was cut to a suite, and the prompts."""
    entry = next((e for e in case.ledger if e.what == "compare"), None)
    chosen = entry.settings if entry else LedgerSettings()
    live = any(side.kind != "transcript" for side in (case.a, case.b))
    cut = live if chosen.cut is None else chosen.cut
    if not (cut or override):
        return False, ad_hoc_suite(read.values())
    wanted = case.suite.sha256
    name = override or chosen.suite or case.suite.name
    if name == "ad-hoc" and not override:
        sides = {"a": case.a, "b": case.b}
        recorded = [t for s, t in read.items() if sides[s].kind == "transcript"]
        asked = ad_hoc_suite(recorded)
        suite = replace(asked, prompts=tuple(p for p in asked.prompts if p.messages))
    else:
        suite = _load(name)
    part = chosen.category, chosen.limit
    usual = weighed(suite).select(limit=suite.usual)
    for candidate in (weighed(suite).select(*part), suite.select(*part), usual, suite):
        if candidate.sha256 == wanted:
            return True, candidate
    raise InputFileError(
        f"suite {name} is not the one the case was made with (sha256 {str(wanted)[:16]}…): it has "
        "changed since; give the version used with --suite FILE"
    )


def _load(name: str) -> Suite:
    try:
        return load_suite(name)
    except UsageError as error:
        raise InputFileError(f"{error}; name the case's suite with --suite FILE") from error


def _manifest(
    case: Case, members: Mapping[str, bytes], names: Mapping[str, str], suite: BundleSuite
) -> BundleManifest:
    sides = {side: _listed(name, members[name]) for side, name in names.items()}
    entry = next((e for e in case.ledger if e.what == "compare"), None)
    return BundleManifest(
        version=VERSION,
        members={name: hashlib.sha256(members[name]).hexdigest() for name in sorted(members)},
        a=sides["a"],
        b=sides["b"],
        suite=suite,
        comparators=tuple(e.comparator for e in case.evidence),
        settings=entry.settings if entry else LedgerSettings(),
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def suite_to_json(suite: Suite) -> bytes:
    """Return a suite with its prompts as JSON, one that `suite_from_json` reads."""
    prompts = [
        {
            "id": p.id,
            "sha256": p.sha256,
            "category": p.category,
            "language": p.language,
            "max_tokens": p.max_tokens,
            "messages": [list(message) for message in p.messages],
        }
        for p in suite.prompts
    ]
    head = {"name": suite.name, "version": suite.version, "title": suite.title}
    return _json({**head, "license": suite.license, "sha256": suite.sha256, "prompts": prompts})


def suite_from_json(raw: bytes) -> Suite:
    """Read what `suite_to_json` wrote.

    Raises:
        InputFileError: it is something else.
    """
    try:
        value = json.loads(raw)
        prompts = tuple(_prompt(entry) for entry in value["prompts"])
        name, version, title = (str(value[field]) for field in ("name", "version", "title"))
        return Suite(name, version, title, prompts, license=str(value.get("license", "")))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InputFileError(f"the bundle's {SUITE} is not a suite; ask for it again") from error


def _prompt(entry: Mapping[str, Any]) -> Prompt:
    messages = tuple(Message(role, str(content)) for role, content in entry["messages"])
    prompt = Prompt(str(entry["id"]), messages, str(entry["category"]), str(entry["language"]))
    if not messages:
        # A referenced prompt: its text is elsewhere, its hash is all there is.
        prompt.__dict__["sha256"] = str(entry["sha256"])
    return prompt


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=True, sort_keys=True, indent=1) + "\n").encode("ascii")


def _zip(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, members[name], compresslevel=6)
    return buffer.getvalue()


def read_bundle(path: Path) -> Bundle:
    """Read a bundle into memory; nothing is unpacked to disk.

    Raises:
        InputFileError: not a ZIP or not a bundle, damaged, or made to do harm (too large, unsafe
            member names).
    """
    members = _members(path)
    try:
        manifest = BundleManifest.model_validate_json(members.get(MANIFEST, b""))
    except (ValidationError, RecursionError) as error:
        raise InputFileError(
            f"{path} is not a bundle written by `forensics bundle`: its {MANIFEST} is missing or "
            "is not one this version reads"
        ) from error
    for needed in (CASE, manifest.suite.member, *manifest.transcripts):
        if needed not in members:
            raise InputFileError(f"bundle {path} has no {needed}; ask for a complete one")
    return Bundle(manifest, members, tuple(_problems(manifest, members)))


def _problems(manifest: BundleManifest, members: Mapping[str, bytes]) -> Iterable[str]:
    for name in sorted({*members, *manifest.members} - {MANIFEST}):
        if name not in members:
            yield f"{name} is missing"
        elif name not in manifest.members:
            yield f"{name} is not listed in {MANIFEST}: it was added"
        elif hashlib.sha256(members[name]).hexdigest() != manifest.members[name]:
            yield f"{name} does not have the hash that {MANIFEST} lists: it was changed"


def _members(path: Path) -> dict[str, bytes]:
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            _check(path, infos, size)
            return {info.filename: _content(archive, info) for info in infos}
    except OSError as error:
        raise InputFileError(f"cannot read {path}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise InputFileError(f"{path} is not a readable ZIP file: {error}") from error


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    # Asked for as many bytes as were announced: `archive.read` first unpacks what there is.
    with archive.open(info) as member:
        return member.read(info.file_size + 1)


def _check(path: Path, infos: Sequence[zipfile.ZipInfo], size: int) -> None:
    """Refuse what no bundle of ours can be, before a byte of it is inflated."""
    total = sum(info.file_size for info in infos)
    names = [info.filename for info in infos]
    if len(infos) > MAX_MEMBERS:
        why = f"{len(infos)} members"
    elif total > MAX_BYTES or (total > _FREE_BYTES and total > _MAX_RATIO * size):
        why = f"{total:,} bytes when unpacked"
    elif len(set(names)) < len(names):
        why = "two members of one name"
    elif unsafe := next((name for name in names if not _safe(name)), None):
        why = f"a member named {unsafe!r}"
    elif odd := next((info.filename for info in infos if not _plain(info)), None):
        why = f"{odd!r}, which is encrypted, linked or packed in an unusual way"
    else:
        return
    raise InputFileError(f"{path} is not a bundle written by `forensics bundle`: it has {why}")


def _safe(name: str) -> bool:
    parts = PurePosixPath(name).parts
    odd = any(c in name for c in "\\:\0") or not name.isprintable()
    return bool(parts) and not odd and not name.startswith("/") and ".." not in parts


def _plain(info: zipfile.ZipInfo) -> bool:
    link = (info.external_attr >> 16) & 0o170000 == 0o120000
    packed = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    return packed and not link and not info.flag_bits & 1
