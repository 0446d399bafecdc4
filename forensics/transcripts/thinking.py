"""Splits a model's thinking from its answer: the one list of delimiters.

Imports, endpoints and local models share it. Sources of the delimiters: vLLM's reasoning parsers
(`vllm/reasoning/`), the harmony format of gpt-oss, and the model cards of Magistral, Kimi,
Command A Reasoning, Seed-OSS, EXAONE, MedGemma, Gemma 4, Apertus, Solar, openPangu, Granite,
Hunyuan and OpenThinker; Open WebUI writes `<details type="reasoning">` into its exports.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache

from forensics.transcripts import harmony


@dataclass(frozen=True)
class Split:
    """An answer and the thinking before it; `cut_off` where the thinking never ended."""

    text: str
    reasoning: str | None = None
    cut_off: bool = False


# `<think>` and its relatives, also with a prefix (`<seed:think>`, `<longcat_think>`, `<mm:think>`)
# and attributes (`<think signature="…" redacted="true">`).
_TAG = r"(?:[a-z]{1,16}[:_]|ant)?(?:think|thinking|thought|thoughts|reasoning)"
# How thinking opens, and how it closes; `{name}` is what the opening named.
_PAIRS: tuple[tuple[str, str], ...] = (
    (rf"<(?P<name>{_TAG})(?P<attributes>\s[^<>]*)?>", r"</{name}>"),
    (r"\[(?P<name>THINK)\]", r"\[/{name}\]"),
    (r"◁(?P<name>think|thinking)▷", r"◁/{name}▷"),
    (r"<\|START_(?P<name>THINKING|REASONING)\|>", r"<\|END_{name}\|>"),
    (r"<\|begin_of_(?P<name>thought|thinking)\|>", r"<\|end_of_{name}\|>"),
    (r"<\|(?P<name>think|thinking|thought|reasoning)\|>", r"<\|/{name}\|>|</\|{name}\|>"),
    (r"<\|(?P<name>think|thinking|reasoning)(?P<mark>[:_])start\|>", r"<\|{name}[:_]end\|>"),
    (r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),
    (r"\[unused16\]", r"\[unused17\]"),
    (r"<unused94>(?:thought\s)?", r"<unused95>"),
    (r"<\|channel>(?:thought\s)?", r"<channel\|>"),
    (r"<details type=\"reasoning\"[^<>]*>(?:\s*<summary>[^<]*</summary>)?", r"</details>"),
    (r"Here(?:'s| is) my thought process:", r"Here(?:'s| is) my response:"),
)
# The last two are words that an answer may begin with, too: they count only with their closing.
_PROSE = _PAIRS[-2:]
_OPENINGS = tuple(re.compile(opening, re.IGNORECASE) for opening, _ in _PAIRS)
# Closings that may stand alone, as the opening was part of the prompt's template. Tags of prose
# (`</details>`, Granite's sentence) are no such thing.
_ORPHAN = re.compile(
    rf"</{_TAG}>|\[/THINK\]|◁/think(?:ing)?▷|<\|END_(?:THINKING|REASONING)\|>"
    r"|<\|end_of_(?:thought|thinking)\|>|<\|/(?:think|thinking|thought|reasoning)\|>"
    r"|<\|(?:think|thinking|reasoning)[:_]end\|>|<\|inner_suffix\|>|\[unused17\]|<unused95>"
    r"|<channel\|>",
    re.IGNORECASE,
)
# One of these is in each of them: most answers need no closer look.
_PIECES = ("</", "[/", "◁/", "|>", "<unused95>", "[unused17]")
_ANY_OPENING = re.compile(
    "|".join(re.sub(r"\(\?P<\w+>", "(?:", opening) for opening, _ in _PAIRS[: -len(_PROSE)]),
    re.IGNORECASE,
)
# Hostile text may hold any number of closings; a real one is among the first.
_MOST_CLOSINGS = 50
# What wraps the whole answer once the thinking is over. Special tokens do so without thinking too.
_WRAPPERS: tuple[tuple[str, str, bool], ...] = (
    ("<answer>", "</answer>", False),
    ("<response>", "</response>", False),
    ("<output>", "</output>", False),
    ("<|begin_of_solution|>", "<|end_of_solution|>", True),
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>", True),
    ("<|START_TEXT|>", "<|END_TEXT|>", True),
)
_BLANK = re.compile(r"\s*")
_SUMMARY = re.compile(r"\s*<summary>(.*?)</summary>", re.DOTALL | re.IGNORECASE)
_QUOTES = frozenset("`'\"“”‘’«»")


def split_reasoning(text: str) -> tuple[str, str | None]:
    """Return `(answer, reasoning)`; reasoning is None where the text has none. See `split`."""
    parts = split(text)
    return parts.text, parts.reasoning


def split(text: str, whole: bool = False) -> Split:
    """Split a model's raw text into its answer and its thinking.

    Only a delimiter that starts the text (after white space) opens the thinking: one that an
    answer mentions stays where it is. Of several blocks all are thinking. After an opening that
    never closes everything is thinking. A closing alone ends thinking that the prompt's template
    had opened, unless it is quoted, stands in a code block or in the middle of a sentence.

    Args:
        text: what the model returned.
        whole: whether only thinking that is opened and closed counts.
    """
    channels = harmony.split(text)
    if channels is not None:
        return Split(*channels)
    thoughts: list[str] = []
    place, encrypted = 0, False
    while (opened := _opened(text, place)) is not None:
        ended = opened.closing.search(text, opened.end)
        thought = text[opened.end : ended.start() if ended else len(text)]
        thoughts.append(_summary_of(thought) if opened.encrypted else thought)
        encrypted = opened.encrypted
        if ended is None and whole:
            return Split(text)
        if ended is None:
            return Split("", _joined(thoughts, encrypted), cut_off=True)
        place = ended.end()
    if thoughts:
        answer = _unwrapped(text[place:].strip(), thinking=True)
        return Split(answer, _joined(thoughts, encrypted))
    return Split(text) if whole else _split_at_orphan(text)


def opening_at_end(prompt: str) -> str:
    """Return the delimiter by which a prompt's template opened the thinking, or ""."""
    tail = prompt.rstrip()[-100:]
    for opening in _OPENINGS[: -len(_PROSE)]:
        for match in opening.finditer(tail + "\n"):
            if match.end() >= len(tail):
                return match.group()
    return (
        "<|channel|>analysis<|message|>" if tail.endswith("<|channel|>analysis<|message|>") else ""
    )


def is_delimiter(token: str) -> bool:
    """Tell whether a special token is part of a delimiter, so that it must not be dropped."""
    wrapping = {mark for *marks, special in _WRAPPERS if special for mark in marks}
    return (
        token in harmony.TOKENS
        or token in wrapping
        or any(opening.fullmatch(token) for opening in _OPENINGS)
        or _ORPHAN.fullmatch(token) is not None
    )


@dataclass(frozen=True)
class _Opened:
    """Where an opening ends, how it closes, and whether what it holds is ciphertext."""

    end: int
    closing: re.Pattern[str]
    encrypted: bool


def _opened(text: str, place: int) -> _Opened | None:
    """Return the opening at `place`, white space passed over."""
    blank = _BLANK.match(text, place)
    start = blank.end() if blank else place
    for opening, pair in zip(_OPENINGS, _PAIRS, strict=True):
        match = opening.match(text, start)
        if match is None:
            continue
        names = match.groupdict()
        closing = _closing(pair[1], names.get("name") or "")
        if pair in _PROSE and not closing.search(text, match.end()):
            return None
        encrypted = 'redacted="true"' in (names.get("attributes") or "").lower()
        return _Opened(match.end(), closing, encrypted)
    return None


@lru_cache(maxsize=256)
def _closing(pattern: str, name: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("{name}", re.escape(name)), re.IGNORECASE)


def _summary_of(ciphertext: str) -> str:
    match = _SUMMARY.match(ciphertext)
    return match.group(1) if match else ""


def _joined(thoughts: list[str], encrypted: bool) -> str | None:
    joined = "\n".join(thoughts).strip()
    return joined or (None if encrypted else "")


def _unwrapped(text: str, thinking: bool) -> str:
    """Return an answer without the tags that wrap all of it."""
    for opening, closing, special in _WRAPPERS:
        begins = text[: len(opening)].lower() == opening.lower()
        if not begins or not (thinking or special):
            continue
        body = text[len(opening) :].rstrip()
        if body.lower().endswith(closing.lower()):
            return body[: -len(closing)].strip()
        if closing.lower() not in body.lower():
            return body.strip()
    return text


def _split_at_orphan(text: str) -> Split:
    if not any(piece in text for piece in _PIECES):
        return Split(text)
    for closing in itertools.islice(_ORPHAN.finditer(text), _MOST_CLOSINGS):
        if _is_mentioned(text, closing):
            continue
        if _ANY_OPENING.search(text, 0, closing.start()):
            return Split(text)
        answer = _unwrapped(text[closing.end() :].strip(), thinking=True)
        return Split(answer, text[: closing.start()].strip())
    stripped = text.lstrip()
    if stripped.startswith(tuple(opening for opening, _, special in _WRAPPERS if special)):
        return Split(_unwrapped(stripped.rstrip(), thinking=False))
    return Split(text)


def _is_mentioned(text: str, closing: re.Match[str]) -> bool:
    """Tell whether a closing is spoken about: quoted, in a code block, or inside a sentence."""
    before, after = text[: closing.start()], text[closing.end() :]
    if before[-1:] in _QUOTES or after[:1] in _QUOTES:
        return before != "" and after != ""
    if before.count("```") % 2:
        return True
    return re.search(r"[\w,;] $", before) is not None and re.match(r" [a-z]", after) is not None
