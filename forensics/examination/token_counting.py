"""How many tokens a tokenizer makes of fixed strings, told by its files or by an endpoint's usage.

An endpoint counts the whole prompt, chat template included. Each string is therefore sent at two
lengths, and the difference is the string's own count: `long - short` is `REPEATS` times the string.
The rest, `2 * short - long`, is the template and must be the same for every string; this is the
check that the numbers are counts at all, and reproducible.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from forensics.subjects.backends.backend import GenerationSettings
from forensics.suites.loading import load_suite
from forensics.suites.suite import Suite
from forensics.support.resources import data_folder
from forensics.transcripts.transcript import Response

if TYPE_CHECKING:
    from pathlib import Path

    from forensics.examination.collect import Plan, Progress
    from forensics.subjects.backends.backend import Backend
    from forensics.subjects.subject import Subject
    from forensics.transcripts.transcript import Transcript

SUITE = "token-counts"
REPEATS = 4  # the shorter prompt has each string this often, the longer one twice as often
LEAST_STRINGS = 12


@dataclass(frozen=True)
class TokenCounts:
    """Tokens of each string with its line break, by string.

    `problem` says why there are none, or is empty; `source` is `endpoint` or `files`; `dropped`
    names strings whose two lengths disagree.
    """

    counts: Mapping[str, int]
    source: str
    problem: str = ""
    dropped: tuple[str, ...] = ()


def suite() -> Suite:
    """Return the prompts to send: two for every string."""
    return load_suite(SUITE)


def plan_counts(subject: Subject, identity: Mapping[str, Any], folder: Path) -> tuple[Path, Plan]:
    """Return where an endpoint's counts are kept, and which calls are still open.

    Args:
        subject: the endpoint's model.
        identity: of the backend that answers for it.
        folder: of transcripts; the counts have a file of their own there.
    """
    from forensics.examination.collect import plan, transcript_name

    settings = GenerationSettings(max_tokens=1)
    path = folder / f"{SUITE}-{transcript_name(subject, identity, settings)}"
    return path, plan(suite(), identity, settings, path)


def collect_counts(
    subject: Subject, backend: Backend, path: Path, progress: Progress
) -> Transcript:
    """Ask an endpoint for the counts that `path` does not hold yet: one token for each prompt.

    Raises:
        BackendError: the endpoint cannot be asked at all.
    """
    from forensics.examination.collect import collect

    return collect(suite(), subject, backend, GenerationSettings(max_tokens=1), path, progress)


def from_responses(responses: Iterable[Response]) -> TokenCounts:
    """Return the counts that an endpoint's answers to the suite report.

    Answers to other prompts are passed over.
    """
    reported: dict[str, int] = {}
    for response in responses:
        if response.input_tokens is not None and response.status in ("ok", "truncated"):
            reported.setdefault(response.prompt.sha256, response.input_tokens)
    pairs = {
        name: (reported[short], reported[long])
        for name, (short, long) in _hashes().items()
        if short in reported and long in reported
    }
    if len(pairs) < LEAST_STRINGS:
        return TokenCounts({}, "endpoint", _too_few(len(pairs), "report their prompt tokens"))
    return _differences(pairs, "endpoint")


def from_tokenizer_file(path: Path) -> TokenCounts:
    """Return the counts of a `tokenizer.json`.

    Raises:
        ModelFileError: the file is damaged.
    """
    from tokenizers import Tokenizer

    from forensics.errors import ModelFileError
    from forensics.support.quiet import why

    pairs = {}
    try:
        tokenizer = Tokenizer.from_file(str(path))
        # A stored tokenizer may still cut or fill up texts to one length.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        for name, texts in _texts().items():
            short, long = (len(tokenizer.encode(t, add_special_tokens=False).ids) for t in texts)
            pairs[name] = (short, long)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the library raises bare exceptions, and panics
        raise ModelFileError(
            f"{path} is not a complete tokenizer file ({why(error)}); download it again"
        ) from error
    return _differences(pairs, "files")


def _differences(pairs: Mapping[str, tuple[int, int]], source: str) -> TokenCounts:
    frames = Counter(2 * short - long for short, long in pairs.values())
    # The smallest of equally common ones, so that the order of answers does not matter.
    frame = min(frames, key=lambda value: (-frames[value], value))
    per_string = {
        name: (long - short) // REPEATS
        for name, (short, long) in pairs.items()
        if 2 * short - long == frame and long > short and (long - short) % REPEATS == 0
    }
    dropped = tuple(sorted(set(pairs) - set(per_string)))
    if len(per_string) < LEAST_STRINGS:
        reason = _too_few(len(per_string), "count alike at both lengths")
        return TokenCounts({}, source, reason, dropped)
    if _follows_length(per_string):
        reason = "the counts follow the length of the text: estimated, or of single bytes"
        return TokenCounts({}, source, reason, dropped)
    return TokenCounts(per_string, source, "", dropped)


def _too_few(count: int, what: str) -> str:
    return f"{count} of {len(_texts())} strings {what}; at least {LEAST_STRINGS} are needed"


def _follows_length(counts: Mapping[str, int]) -> bool:
    # The two strings are equally long, and no vocabulary holds the words of the second.
    if "common" not in counts or "rare" not in counts:
        return False
    return abs(counts["common"] - counts["rare"]) <= 1


@cache
def _texts() -> Mapping[str, tuple[str, str]]:
    """Return string name → its shorter and its longer prompt."""
    text_by_id = {prompt.id: prompt.text for prompt in suite().prompts}
    return {
        name: (text_by_id[f"{name}-{REPEATS}"], text_by_id[f"{name}-{2 * REPEATS}"])
        for name in suite().categories or ()
    }


@cache
def _hashes() -> Mapping[str, tuple[str, str]]:
    from forensics.suites.suite import text_sha256

    return {name: (text_sha256(a), text_sha256(b)) for name, (a, b) in _texts().items()}


@cache
def known_counts() -> Mapping[str, Mapping[str, int]]:
    """Return tokenizer name → counts, of the tokenizers in the shipped table."""
    path = data_folder("probes") / SUITE / "known.json"
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {str(name): dict(counts) for name, counts in table["tokenizers"].items()}
