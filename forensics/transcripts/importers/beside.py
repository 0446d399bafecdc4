"""Requests in a file of their own: named with `--prompts`, or found beside the answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from forensics.errors import InputFileError
from forensics.transcripts.importers.head import Record, first_record
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.requests import Messages

_NAMES = ("*input*", "*request*")
_ENDINGS = (".jsonl", ".json", ".jsonl.gz", ".jsonl.zst")

ReadRequests = Callable[[Path, Collection[str], Problems], Mapping[str, Messages]]


def named_requests(
    prompts: Path, ids: Collection[str], read: ReadRequests, problems: Problems
) -> Mapping[str, Messages]:
    """Return id → prompt of a file that the user named.

    Raises:
        InputFileError: it lacks an id, or cannot be read.
    """
    requests = read(prompts, ids, problems)
    missing = sorted(set(ids) - requests.keys())
    if missing:
        raise InputFileError(
            f"{prompts}: {len(missing)} of {len(set(ids))} ids are not in it "
            f"(first: {missing[0][:60]!r}); does it hold the requests of these answers?"
        )
    return requests


def requests_beside(
    path: Path,
    ids: Collection[str],
    fits: Callable[[Record], bool],
    read: ReadRequests,
    problems: Problems,
) -> Mapping[str, Messages]:
    """Return id → prompt from the files beside `path` that look like its requests.

    Args:
        path: the file of answers.
        ids: what is looked for.
        fits: tells from a file's first record whether it holds requests.
        read: reads such a file.
        problems: where a request that cannot be read is counted.

    Raises:
        InputFileError: two files beside have another prompt for one id, or one cannot be read.
    """
    requests: dict[str, Messages] = {}
    folder = path.absolute().parent
    candidates = {file for name in _NAMES for end in _ENDINGS for file in folder.glob(name + end)}
    for candidate in sorted(candidates):
        if candidate == path.absolute() or not fits(first_record(candidate)):
            continue
        for identifier, messages in read(candidate, ids, problems).items():
            if requests.setdefault(identifier, messages) != messages:
                raise InputFileError(
                    f"{candidate}: {identifier[:60]!r} stands for another prompt in a second file "
                    "of requests beside it; name the right one with --prompts"
                )
    return requests
