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
from forensics.support.hash_chain import CHAIN_START, broken_link, encode_line

Line = dict[str, Any]


@dataclass(frozen=True)
class Session:
    """What one import wrote: its source's sha256 (hex) and its lines, the first with a manifest."""

    source_sha256: str
    lines: tuple[Line, ...]


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


def join(
    staged: Path,
    target: Path,
    model: str,
    source_sha256: str,
    siblings: frozenset[str] = frozenset(),
) -> int:
    """Put before the staged answers what `target` holds from other sources.

    Args:
        staged: the new transcript, in its place of preparation; rewritten if anything is kept.
        target: where it will stand.
        model: whose answers it holds.
        source_sha256: the sha256 (hex) of the file the new answers came from.
        siblings: those of files that are imported with it, so that none of them is an earlier
            version of it: other answers to the same prompts are further samples.

    Returns:
        How many answers of other sources are kept.

    Raises:
        UsageError: `target` holds something else, was changed after it was written, or has other
            answers to the same prompts.
    """
    sessions = held(target, model)
    if not sessions:
        return 0
    new = _lines(staged)
    kept_sessions = [
        s for s in sessions if not _is_replaced(s, source_sha256, new, target, siblings)
    ]
    if not kept_sessions:
        return 0
    _check_chain(target)
    old = [line for session in kept_sessions for line in session.lines]
    _take_free_samples(new, old)
    _write(staged, [*old, *new])
    return len(old)


def _take_free_samples(new: Sequence[Line], old: Sequence[Line]) -> None:
    """Give each new answer whose sample is taken the next one that is free.

    A call that failed takes no sample: an answer in its place counts, wherever it stands.
    """
    taken = {_slot(line) for line in old if line.get("status") != "error"}
    answered = [line for line in new if line.get("status") != "error"]
    occupied = {_slot(line) for line in answered} - taken
    following: dict[str, int] = {}
    for line in answered:
        prompt, sample = _slot(line)
        if (prompt, sample) not in taken:
            continue
        sample = following.get(prompt, 0)
        while (prompt, sample) in taken or (prompt, sample) in occupied:
            sample += 1
        line["sample"], following[prompt] = sample, sample + 1


def _slot(line: Line) -> tuple[str, int]:
    return str(line.get("prompt_sha256")), int(line["sample"])


def _is_replaced(
    session: Session,
    source_sha256: str,
    new: Sequence[Line],
    target: Path,
    siblings: frozenset[str],
) -> bool:
    """Tell whether a session is an earlier import of the same source.

    The same content is; so is a file that still holds all of its answers (a log that grew).
    Answers to other prompts are another part of the model's answers. Other answers to the same
    prompts may be a corrected file or a repeated run, which nobody but the user knows.
    """
    if session.source_sha256 == source_sha256:
        return True
    answered, answers = _answered(session.lines), _answered(new)
    if answered and answered <= answers:
        return True
    # A request that failed is answered by the part that asked it again.
    both = {prompt for prompt, _ in answered} & {prompt for prompt, _ in answers}
    if not both or session.source_sha256 in siblings:
        return False
    raise UsageError(
        f"{target} holds {len(session.lines)} answers from another file, which answers "
        f"{len(both)} of the same prompts; importing this one would replace them: move the "
        "transcript away or choose another folder with -o"
    )


def _answered(lines: Sequence[Line]) -> Counter[tuple[str, str]]:
    """Count prompts with their answers; calls that failed have none."""
    return Counter(
        (str(line.get("prompt_sha256")), str(line.get("text")))
        for line in lines
        if line.get("status") != "error"
    )


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
    return tuple(
        Session(str(_identity(session[0]).get("source_sha256")), tuple(session))
        for session in sessions
    )


def _lines(path: Path) -> list[Line]:
    with path.open("rb") as file:
        lines = [json.loads(raw) for raw in file if raw.strip()]
    if not all(isinstance(line, dict) for line in lines):
        raise TypeError("a line is not an object")
    return lines


def _is_imported(line: Line) -> bool:
    manifest = line["manifest"]
    imported = isinstance(manifest, dict) and manifest.get("provenance") == "imported"
    return imported and isinstance(manifest.get("identity"), dict)


def _identity(line: Line) -> Mapping[str, Any]:
    identity: Mapping[str, Any] = line["manifest"]["identity"]
    return identity


def _check_chain(path: Path) -> None:
    """Make sure that the lines are as they were written, as they are about to be chained anew."""
    link = broken_link(path.read_bytes())
    if link is not None:
        raise UsageError(
            f"{path}, line {link.line}: {link.what}; its hash chain is broken, so nothing is "
            "joined to it: move it or choose another folder with -o"
        )


def _write(path: Path, lines: Sequence[Line]) -> None:
    with whole_file(path) as file:
        for line in _chained(lines):
            file.write(line)


def _chained(lines: Sequence[Line]) -> Iterator[bytes]:
    chain = CHAIN_START
    for line in lines:
        raw, chain = encode_line({k: v for k, v in line.items() if k != "chain"}, chain)
        yield raw
