"""With which letters can a match of a pattern begin? An index that spares most matching.

    python -m forensics.evidence.refusals.starts

writes ``starts.json``; run it whenever a lexicon changes. An entry holds the first characters of a
match, at most five; a space stands for any white space, and ``|`` at the end says that the word
ends there. The index may name too many beginnings, never too few, so that it makes matching faster
and changes no match.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import regex

from forensics.evidence.refusals.lexicons import LEXICONS, PARTS, Part, pattern_of

STARTS_FILE = "starts.json"
_LONGEST = 5
_WORD_ENDS = "|"
_SPACE = r"\s+"
# What a class of characters may hold besides those that a pattern names.
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_ '" + "".join(map(chr, range(0x430, 0x460)))
_UNUSED = "\u02ad\u2053"  # a letter and a mark that no lexicon names: only "any" holds them

Beginnings = Mapping[str, tuple[Part, ...]]


@cache
def index(language: str, wanted: tuple[Part, ...]) -> tuple[re.Pattern[str], Beginnings]:
    """What to look up in a text of a language that separates words by spaces.

    Args:
        language: ISO code.
        wanted: the parts of the lexicon to look for.

    Returns:
        An expression that finds the places where something could begin, and for the characters it
        finds there the parts of the lexicon which could.
    """
    entries = _document()[language]
    named: dict[str, set[Part]] = defaultdict(set)
    for part in wanted:
        for entry in entries.get(part, ()):
            named[entry].add(part)
    parts_by_start: dict[str, tuple[Part, ...]] = {}
    for start in {entry.removesuffix(_WORD_ENDS) for entry in named}:
        # The longest entry is found: it stands for the shorter ones which it begins with.
        parts: set[Part] = set().union(*(named.get(entry, ()) for entry in _covered(start)))
        parts_by_start[start] = tuple(part for part in wanted if part in parts)
    return re.compile(rf"\b(?=({_tree(named.keys())}))"), parts_by_start


def _covered(start: str) -> Iterator[str]:
    """Entries that match wherever ``start`` does."""
    for length in range(1, len(start) + 1):
        yield start[:length]
        if length == len(start) or not _of_word(start[length]):
            yield start[:length] + _WORD_ENDS


def _tree(entries: Iterable[str]) -> str:
    """An expression for the longest entry at a place, its alternatives told by one character."""
    branches: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        branches[entry[:1]].append(entry[1:])
    last = r"\b" if "" not in branches else ""
    ends = "" in branches or _WORD_ENDS in branches
    alternatives = [
        f"{_SPACE if letter == ' ' else re.escape(letter)}{_tree(rest)}"
        for letter, rest in sorted(branches.items())
        if letter not in ("", _WORD_ENDS)
    ]
    choice = "|".join([*alternatives, last] if ends else alternatives)
    return f"(?:{choice})" if len(alternatives) + ends > 1 else choice


def _of_word(character: str) -> bool:
    return character.isalnum() or character == "_"


@cache
def _document() -> dict[str, dict[str, list[str]]]:
    text = files(__package__).joinpath(STARTS_FILE).read_text(encoding="utf-8")
    document: dict[str, dict[str, list[str]]] = json.loads(text)
    return document


def beginnings(pattern: str) -> list[str]:
    """Return the index entries of a regular expression.

    They are found by trying: a beginning grows, letter by letter, as long as the expression could
    match what begins so. Where any letter may follow, what stands before it is the entry.

    Args:
        pattern: an expression of the kind the lexicons hold.

    Returns:
        Sorted entries; every match that begins where a word begins starts with one of them.

    Raises:
        ValueError: a match may begin with any word.
    """
    expression = regex.compile(pattern)
    letters = sorted({*pattern, *_LETTERS})
    entries: set[str] = set()
    growing = [""]
    while growing:
        begun = growing.pop()
        if any(_could_match(expression, begun + letter) for letter in _UNUSED):
            if not begun:
                raise ValueError(f"a match may begin with any word: {pattern[:80]}...")
            entries.add(begun)
            continue
        for start in (begun + letter for letter in letters if _may_follow(begun, letter)):
            if _ends_with(expression, start):
                goes_on = not _of_word(start[-1]) or _ends_within(expression, start + "a")
                entries.add(start if goes_on else start + _WORD_ENDS)
            if not _could_match(expression, start):
                continue
            if len(start) == _LONGEST:
                entries.add(start)
            else:
                growing.append(start)
    return sorted(entries)


def _may_follow(begun: str, letter: str) -> bool:
    if not begun:
        return _of_word(letter)  # a match begins where a word begins
    return not letter.isspace() or (letter == " " and begun[-1] != " ")


def _could_match(expression: regex.Pattern[str], text: str) -> bool:
    """Tell whether a text that begins so could be matched beyond what is given."""
    match = expression.match(text, partial=True)
    return match is not None and (match.partial or match.end() == len(text))


def _ends_with(expression: regex.Pattern[str], text: str) -> bool:
    match = expression.match(text)
    return match is not None and match.end() == len(text)


def _ends_within(expression: regex.Pattern[str], text: str) -> bool:
    match = expression.match(text)
    return match is not None and match.end() < len(text)


def document() -> dict[str, dict[str, list[str]]]:
    """What ``starts.json`` holds: entries by language and part of the lexicon."""
    entries: dict[str, dict[str, list[str]]] = {}
    for language, lexicon in LEXICONS.items():
        if not lexicon.spaced:
            continue
        sources = {part: pattern_of(part, language) for part in PARTS}
        entries[language] = {
            part: beginnings(source) for part, source in sources.items() if source is not None
        }
    return entries


def main() -> None:
    """Write the index next to this file."""
    text = json.dumps(document(), ensure_ascii=False, separators=(",", ":"))
    target = Path(__file__).with_name(STARTS_FILE)
    target.write_text(text.replace("],", "],\n").replace("},", "},\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
