"""What of a bundle does not fit together, and what nothing in it can show.

Deriving a case again (`rederive`) compares what follows from the transcripts. What does not follow
from them is compared here with the places that say it too, and named where no other place does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from forensics.case.document import Case, CaseSubject
from forensics.case.record import Record
from forensics.case.run_records import LedgerSettings
from forensics.custody.bundle import CASE, MANIFEST, Bundle
from forensics.custody.compared_fields import FIELDS
from forensics.custody.transcript_chain import Custody
from forensics.errors import ForensicsError
from forensics.evidence import BUILT_IN, load_comparators
from forensics.subjects.subject import BUILT_IN_KINDS, Subject
from forensics.suites.suite import Prompt, Suite
from forensics.support.distinct_keys import RepeatedKeyError, distinct_keys
from forensics.support.sanitise import one_line
from forensics.support.version import VERSION
from forensics.transcripts.transcript import Manifest, Transcript, ad_hoc_suite
from forensics.verdicts.tier_readings import LIKENESS, TRANSFERRED

_HIDDEN = "(not shown: the case is blind)"


@dataclass(frozen=True)
class Unpacked:
    """A bundle with what was read of it."""

    bundle: Bundle
    case: Case
    suite: Suite
    a: Transcript
    b: Transcript

    @property
    def settings(self) -> LedgerSettings:
        """What the ledger says was chosen."""
        entry = next((e for e in self.case.ledger if e.what == "compare"), None)
        return entry.settings if entry else LedgerSettings()

    @property
    def is_of_this_version(self) -> bool:
        """Whether this version of the program made the case, and so knows all that is in it."""
        return self.case.version == VERSION


def contradictions(unpacked: Unpacked, custody: Mapping[str, Custody]) -> Iterator[str]:
    """Yield what in a bundle contradicts itself, one sentence each."""
    case, manifest = unpacked.case, unpacked.bundle.manifest
    yield from _suite(unpacked)
    for letter, side, transcript in (("A", case.a, unpacked.a), ("B", case.b, unpacked.b)):
        yield from _named(letter, side, transcript, case.blind)
        listed = manifest.a if letter == "A" else manifest.b
        seen = custody[letter.lower()]
        if (listed.sha256, listed.lines, listed.seal) != _as_listed(seen):
            yield f"{MANIFEST}: hash, lines or seal of transcript {letter} are not the transcript's"
    if case.masked:
        yield "the case is masked: no bundle is made of such a case"
    entry = next((e for e in case.ledger if e.what == "compare"), None)
    if entry is None:
        yield "the ledger has no entry of the comparison, which every comparison writes"
    elif entry.settings != manifest.settings:
        yield f"the ledger's settings are not those of {MANIFEST}"
    if list(manifest.comparators) != [e.comparator for e in case.evidence]:
        yield f"the kinds of evidence are not those that {MANIFEST} lists"
    named = [e.comparator for e in case.evidence]
    for name in sorted({name for name in named if named.count(name) > 1}):
        yield f"there are two entries of evidence called {one_line(name, 60)}"
    for name in _doubled(unpacked.bundle):
        yield f"{name} has one field twice: what is read of it depends on who reads"
    for number, past in enumerate(manifest.bases, 1):
        if past is None:
            continue
        if (past.sha256, past.lines, past.seal) != _as_listed(custody[f"past {number}"]):
            yield f"{MANIFEST}: hash, lines or seal of past {number} are not the transcript's"
    parts = {CASE, MANIFEST, manifest.suite.member, *manifest.transcripts}
    for name in sorted(set(unpacked.bundle.members) - parts):
        yield f"{name} is not part of a bundle"


def _as_listed(seen: Custody) -> tuple[str, int, str | None]:
    return seen.sha256, seen.lines, seen.seal


def _suite(unpacked: Unpacked) -> Iterator[str]:
    suite, listed = unpacked.suite, unpacked.bundle.manifest.suite
    document = json.loads(unpacked.bundle.members[listed.member])
    hashes = {suite.sha256, listed.sha256, document.get("sha256")}
    if listed.cut:
        hashes.add(unpacked.case.suite.sha256)
    hashes_in_file = [str(entry.get("sha256")) for entry in document["prompts"]]
    if len(hashes) > 1 or hashes_in_file != [prompt.sha256 for prompt in suite.prompts]:
        yield f"{listed.member} is not the suite of the case: its prompts do not give its hash"
    if listed.cut:
        return
    asked = ad_hoc_suite((unpacked.a, unpacked.b))
    if [*map(_described, asked.prompts)] != [*map(_described, suite.prompts)]:
        yield f"{listed.member} does not hold the prompts that the transcripts do"
    if (suite.name, suite.version, suite.title) != (asked.name, asked.version, asked.title):
        yield f"{listed.member} is not called as the prompts of transcripts are"


def _described(prompt: Prompt) -> tuple[object, ...]:
    return prompt.id, prompt.sha256, prompt.category, prompt.language, prompt.messages


def _named(letter: str, side: CaseSubject, transcript: Transcript, blind: bool) -> Iterator[str]:
    """Compare a subject's names with each other, and with who the transcript says answered."""
    shown = _HIDDEN if blind else one_line(f"{side.name!r} ({side.spec})", 160)
    prefix, colon, rest = side.spec.partition(":")
    is_prefixed = bool(colon) and prefix in (*BUILT_IN_KINDS, side.kind)
    is_path = not is_prefixed and side.kind in ("transcript", "hf", "gguf")
    target = rest if is_prefixed else side.spec
    if not (prefix == side.kind and is_prefixed) and not is_path:
        yield f"{letter} {shown} is not a subject of its kind ({one_line(side.kind, 40)})"
        return
    known = Subject(side.spec, side.kind, target).name
    if side.kind in ("hf", "openai"):  # a revision or an address follows
        fits = known == side.name or known.startswith(f"{side.name}@")
    else:
        fits = known == side.name
    if not fits:
        yield f"the name of {letter} {shown} is not that of its subject"
    if side.kind == "transcript":
        path = side.transcript_path
        if path is not None and PurePath(path).name != PurePath(target).name:
            yield f"{letter} {shown} is not the file that its transcript was read from"
        return
    asked = [m for m in transcript.manifests if m.provenance == "collected"]
    if transcript.responses and not any(_is_of(side, target, manifest) for manifest in asked):
        who = _HIDDEN if blind else ", ".join(dict.fromkeys(m.subject for m in asked)) or "nobody"
        yield f"{letter} {shown} is not whom its transcript is of: {one_line(who, 160)}"


def _is_of(side: CaseSubject, target: str, manifest: Manifest) -> bool:
    if manifest.subject == side.spec:
        return True
    others = {manifest.subject.partition(":")[2], manifest.subject}
    others |= {str(manifest.identity.get(key)) for key in ("model", "path")}
    names = {target, side.name}
    return bool(names & others) or bool(
        {PurePath(name).name for name in names} & {PurePath(name).name for name in others}
    )


def _doubled(bundle: Bundle) -> Iterator[str]:
    for name in (CASE, MANIFEST, bundle.manifest.suite.member):
        try:
            json.loads(bundle.members[name], object_pairs_hook=distinct_keys)
        except RepeatedKeyError:
            yield name


def left_out(unpacked: Unpacked) -> Iterator[str]:
    """Yield each comparator of text that the ledger asked for and the case has no evidence of.

    What another version would have run is not known here.
    """
    if not _says_what_ran(unpacked):
        return
    settings = unpacked.settings
    try:
        asked = load_comparators(settings.only, settings.without)
    except ForensicsError:  # a plugin that is not here
        return
    is_text_measured = not settings.tiers or "text" in settings.tiers
    present = {evidence.comparator for evidence in unpacked.case.evidence}
    for comparator in asked:
        is_text = comparator.name in BUILT_IN and comparator.tier == "text"
        if is_text and is_text_measured and comparator.name not in present:
            yield f"evidence › {comparator.name}: the ledger asks for it, and the case has none"


def _says_what_ran(unpacked: Unpacked) -> bool:
    return unpacked.settings.cut is not None and unpacked.is_of_this_version


def unknown_fields(unpacked: Unpacked) -> Iterator[str]:
    """Yield the place of each field that the case's document has and this version does not know."""
    yield from _unknown(json.loads(unpacked.bundle.members[CASE]), unpacked.case, "")
    manifest = json.loads(unpacked.bundle.members[MANIFEST])
    yield from _unknown(manifest, unpacked.bundle.manifest, MANIFEST)


def _unknown(raw: Any, value: Any, where: str) -> Iterator[str]:
    if isinstance(value, Record) and isinstance(raw, Mapping):
        for key, inner in raw.items():
            path = f"{where} › {key}" if where else str(key)
            if key not in type(value).model_fields:
                yield one_line(path)
            else:
                yield from _unknown(inner, getattr(value, key), path)
    elif isinstance(value, tuple) and isinstance(raw, list) and len(raw) == len(value):
        for number, (first, second) in enumerate(zip(raw, value, strict=True), 1):
            yield from _unknown(first, second, f"{where} › {number}")


def underived(unpacked: Unpacked) -> Iterator[str]:
    """Yield the place of each field that a reader sees and nothing in the bundle shows."""
    case, manifest = unpacked.case, unpacked.bundle.manifest
    yield from sorted(FIELDS[Case].recorded - {"ledger"})
    for number, entry in enumerate(case.ledger, 1):
        yield f"ledger › {number} ({one_line(entry.what, 40)}: its time and settings)"
    for letter, side in (("a", case.a), ("b", case.b)):
        for name in ("spec", "name", "kind", "transcript_path"):
            yield f"{letter} › {name}{_beside(side, unpacked, letter) if name == 'name' else ''}"
    if case.plan is not None:
        yield "plan (its hash is that of its text; when it was frozen, the case file shows)"
        yield "plan › path"
        yield "plan › notes"
    for evidence in case.evidence:
        if evidence.status == "not_measured":
            yield f"evidence › {one_line(evidence.comparator, 60)}: why it was not measured"
    if manifest.suite.cut:
        yield "suite › name and version (its prompts give its hash)"
        bare = sum(not prompt.messages for prompt in unpacked.suite.prompts)
        if bare:
            yield f"{manifest.suite.member}: texts of {bare} prompts (it has their hashes only)"
    if not _says_what_ran(unpacked):
        yield "evidence: which kinds were left out"
    if not any(e.comparator in (LIKENESS, TRANSFERRED) for e in case.evidence):
        yield "evidence: that no cohort and no calibration judged the pair"
    title = "license" if not manifest.suite.cut else "title, license"
    yield f"{manifest.suite.member}: {title} and token limits"
    yield f"{MANIFEST}: versions of program and libraries"


def _beside(side: CaseSubject, unpacked: Unpacked, letter: str) -> str:
    transcript = unpacked.a if letter == "a" else unpacked.b
    if unpacked.case.blind or side.kind != "transcript" or not transcript.manifests:
        return ""
    said = ", ".join(dict.fromkeys(m.subject for m in transcript.manifests))
    return f" (its transcript says: {one_line(said, 160)})"
