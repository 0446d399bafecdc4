"""What an import does with a transcript that is there: it joins it, or replaces its own part.

A transcript of one model holds a session for each source that was imported. Only a session of the
same source is replaced; what came from elsewhere stays, and the new answers follow it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import UsageError
from forensics.support.files import whole_file
from forensics.support.hash_chain import CHAIN_START, encode_line

Line = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """Where imported answers came from: the file's sha256 (hex) and its name, without folder.

    A session of an earlier version knows no name.
    """

    sha256: str
    name: str = ""


@dataclass(frozen=True)
class Session:
    """What one import wrote: its source and its lines, the first with the manifest."""

    source: Source
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Joined:
    """What became of an earlier import: answers that stay, and the names of their sources."""

    kept: int = 0
    sources: tuple[str, ...] = ()
    repeated: int = 0
    equal: int = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """What a user is told."""
        if not self.kept:
            return ()
        named = ", ".join(dict.fromkeys(name or "an earlier import" for name in self.sources))
        told = [f"joined with {self.kept} answers imported before from {named}"]
        if self.repeated:
            told.append(
                f"{self.repeated} prompts were answered there already; these are further samples"
            )
        if self.equal:
            told.append(
                f"{self.equal} of these samples have the same text as there: if one file is a copy "
                "of the other, import only one of them"
            )
        return tuple(told)


NOT_JOINED = Joined()


def held(path: Path, model: str) -> tuple[Session, ...]:
    """Return what `path` holds, nothing if there is no such file.

    Raises:
        UsageError: it holds something else than imported answers of `model`.
    """
    if not path.exists() and not path.is_symlink():
        return ()
    sessions = _sessions(path)
    models = {str(_identity(s.lines[0]).get("model")) for s in sessions or ()}
    if models == {model}:
        return sessions or ()
    other = next(iter(models)) if len(models) == 1 else None
    what = f"imported answers of {other!r}" if other is not None else "something else"
    raise UsageError(
        f"{path} exists and holds {what}, not imported answers of {model!r}; "
        "move it or choose another folder with -o"
    )


def join(staged: Path, target: Path, model: str, source: Source) -> Joined:
    """Put before the staged answers what `target` holds from other sources.

    Args:
        staged: the new transcript, in its place of preparation; rewritten if anything is kept.
        target: where it will stand.
        model: whose answers it holds.
        source: where the new answers came from.

    Raises:
        UsageError: `target` holds something else, was changed after it was written, or has other
            answers from a file of this name.
    """
    sessions = held(target, model)
    if not sessions:
        return NOT_JOINED
    new = _lines(staged)
    kept = [s for s in sessions if not _is_replaced(s, source, new, target)]
    if not kept:
        return NOT_JOINED
    _check_chain(target, sessions)
    old = [line for session in kept for line in session.lines]
    repeated, equal = _renumber(new, old)
    _write(staged, [*old, *new])
    names = tuple(session.source.name for session in kept)
    return Joined(len(old), names, repeated, equal)


def _is_replaced(session: Session, source: Source, new: Sequence[Line], target: Path) -> bool:
    """Tell whether a session is an earlier import of the same source.

    The same content is; so is a file of the same name that still holds all the answers (a log that
    grew). One of the same name with answers to other prompts is another part.
    """
    if session.source.sha256 == source.sha256:
        return True
    if session.source.name and session.source.name != source.name:
        return False
    answers = Counter(_answer(line) for line in session.lines if line.get("status") != "error")
    if answers <= Counter(map(_answer, new)):
        return True
    if not {_prompt(line) for line in session.lines} & {_prompt(line) for line in new}:
        return False
    raise UsageError(
        f"{target} holds {len(session.lines)} answers from another version of {source.name}; "
        "importing this one would replace them: move the transcript away or choose another "
        "folder with -o"
    )


def _prompt(line: Line) -> str:
    return str(line.get("prompt_sha256"))


def _answer(line: Line) -> tuple[str, str]:
    return _prompt(line), str(line.get("text"))


def _renumber(new: Sequence[Line], old: Sequence[Line]) -> tuple[int, int]:
    """Give new answers the next free sample of prompts that were answered before.

    Returns:
        How many answers are such further samples, and how many of them have a text that is there.
    """
    following: dict[str, int] = {}
    for line in old:
        following[_prompt(line)] = max(following.get(_prompt(line), 0), int(line["sample"]) + 1)
    shift = dict(following)
    texts = {_answer(line) for line in old if line.get("text")}
    repeated = [line for line in new if _prompt(line) in shift]
    for line in repeated:
        line["sample"] = int(line["sample"]) + shift[_prompt(line)]
    return len(repeated), sum(_answer(line) in texts for line in repeated)


def _sessions(path: Path) -> tuple[Session, ...] | None:
    """Return the sessions of an imported transcript; None for any other file."""
    try:
        lines = _lines(path)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    sessions: list[list[Line]] = []
    for line in lines:
        if "manifest" in line:
            sessions.append([])
        if not sessions or not isinstance(line.get("sample", 0), int):
            return None
        sessions[-1].append(line)
    if not sessions or not all(_is_imported(session[0]) for session in sessions):
        return None
    return tuple(Session(_source(session[0]), tuple(session)) for session in sessions)


def _lines(path: Path) -> list[Line]:
    with path.open("rb") as file:
        lines = [json.loads(raw) for raw in file if raw.strip()]
    if not all(isinstance(line, dict) for line in lines):
        raise TypeError("a line is no object")
    return lines


def _is_imported(line: Line) -> bool:
    manifest = line["manifest"]
    imported = isinstance(manifest, dict) and manifest.get("provenance") == "imported"
    return imported and isinstance(manifest.get("identity"), dict)


def _identity(line: Line) -> Mapping[str, Any]:
    identity: Mapping[str, Any] = line["manifest"]["identity"]
    return identity


def _source(line: Line) -> Source:
    identity = _identity(line)
    return Source(str(identity.get("source_sha256", "")), str(identity.get("source", "")))


def _check_chain(path: Path, sessions: Sequence[Session]) -> None:
    """Make sure that the lines are as they were written, as they are about to be chained anew."""
    previous = CHAIN_START
    for number, line in enumerate((line for s in sessions for line in s.lines), start=1):
        _, chain = encode_line({k: v for k, v in line.items() if k != "chain"}, previous)
        if line.get("chain") != chain:
            raise UsageError(
                f"{path}, line {number}: the hash chain is broken, so it was changed after it was "
                "imported; nothing is joined to it: move it or choose another folder with -o"
            )
        previous = chain


def _write(path: Path, lines: Sequence[Line]) -> None:
    with whole_file(path) as file:
        for line in _chained(lines):
            file.write(line)


def _chained(lines: Sequence[Line]) -> Iterator[bytes]:
    chain = CHAIN_START
    for line in lines:
        raw, chain = encode_line({k: v for k, v in line.items() if k != "chain"}, chain)
        yield raw
