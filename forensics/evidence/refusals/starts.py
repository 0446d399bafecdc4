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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from forensics.evidence.refusals.lexicons import LEXICONS, PARTS, Part, pattern_of

STARTS_FILE = "starts.json"
_LONGEST = 5
_WORD_ENDS = "|"
_SPACE = r"\s+"

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
    found: dict[str, tuple[Part, ...]] = {}
    for start in {entry.removesuffix(_WORD_ENDS) for entry in named}:
        # The longest entry is found: it stands for the shorter ones which it begins with.
        parts: set[Part] = set().union(*(named.get(entry, ()) for entry in _covered(start)))
        found[start] = tuple(part for part in wanted if part in parts)
    return re.compile(rf"\b(?=({_tree(named.keys())}))"), found


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
    found = [
        f"{_SPACE if letter == ' ' else re.escape(letter)}{_tree(rest)}"
        for letter, rest in sorted(branches.items())
        if letter not in ("", _WORD_ENDS)
    ]
    choice = "|".join([*found, last] if ends else found)
    return f"(?:{choice})" if len(found) + ends > 1 else choice


def _of_word(character: str) -> bool:
    return character.isalnum() or character == "_"


@cache
def _document() -> dict[str, dict[str, list[str]]]:
    text = files(__package__).joinpath(STARTS_FILE).read_text(encoding="utf-8")
    found: dict[str, dict[str, list[str]]] = json.loads(text)
    return found


def beginnings(pattern: str) -> list[str]:
    """Return the index entries of a regular expression.

    Args:
        pattern: an expression of the kind the lexicons hold.

    Returns:
        Sorted entries; every match that begins where a word begins starts with one of them.

    Raises:
        ValueError: a match may begin with any word, or the expression is of an unknown kind.
    """
    parser: Any = import_module("re._parser")  # read at writing time only: it is not a public API
    growing, done = _extend({""}, parser.parse(pattern))
    if "" in done | growing:
        raise ValueError(f"a match may begin with any word: {pattern[:80]}...")
    return sorted(done | growing)


def _extend(growing: set[str], sequence: Iterable[Any]) -> tuple[set[str], set[str]]:
    """Lengthen beginnings by a parsed sequence: those still growing, and those that are done."""
    done: set[str] = set()
    for kind, value in sequence:
        if not growing:
            break
        growing, ended = _step(growing, str(kind), value)
        done |= ended
    return growing, done


def _step(growing: set[str], kind: str, value: Any) -> tuple[set[str], set[str]]:
    if kind in ("ASSERT", "ASSERT_NOT"):
        return growing, set()
    if kind == "AT":
        # Nothing of a word follows: worth keeping, as in "hi" against "his".
        ending = {start for start in growing if start and _of_word(start[-1])}
        return growing - ending, {start + _WORD_ENDS for start in ending}
    if kind in ("LITERAL", "IN"):
        return _append(growing, [chr(value)] if kind == "LITERAL" else _members(value))
    if kind in ("ANY", "NOT_LITERAL"):
        return set(), set(growing)
    if kind in ("SUBPATTERN", "BRANCH"):
        branches = value[1] if kind == "BRANCH" else [value[-1]]
        return _union([_extend(growing, branch) for branch in branches])
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        return _repeat(growing, *value)
    raise ValueError(f"no rule for {kind} at the beginning of a pattern")


def _repeat(
    growing: set[str], least: int, most: int, sequence: Sequence[Any]
) -> tuple[set[str], set[str]]:
    kept: set[str] = set(growing) if least == 0 else set()
    done: set[str] = set()
    for count in range(1, min(int(most), _LONGEST) + 1):
        longer, ended = _extend(growing, sequence)
        done |= ended
        if count >= least:
            kept |= longer
        if longer == growing:  # more of the same white space
            kept |= longer
            break
        growing = longer
    return kept, done


def _members(members: Sequence[Any]) -> list[str] | None:
    """Characters of a class, a space for white space; None: any."""
    found: list[str] = []
    for kind, value in members:
        name = str(kind)
        if name == "LITERAL":
            found.append(chr(value))
        elif name == "RANGE":
            found.extend(map(chr, range(value[0], value[1] + 1)))
        elif name == "CATEGORY" and str(value) == "CATEGORY_SPACE":
            found.append(" ")
        else:
            return None
    return found


def _append(growing: set[str], characters: Sequence[str] | None) -> tuple[set[str], set[str]]:
    if characters is None:
        return set(), set(growing)
    longer: set[str] = set()
    done: set[str] = set()
    for start in growing:
        for character in characters:
            if not start and not _of_word(character):
                continue  # a match begins where a word begins
            if start.endswith(" ") and character == " ":
                longer.add(start)
            elif len(start) + 1 == _LONGEST:
                done.add(start + character)
            else:
                longer.add(start + character)
    return longer, done


def _union(results: Sequence[tuple[set[str], set[str]]]) -> tuple[set[str], set[str]]:
    return (
        set().union(*(growing for growing, _ in results)),
        set().union(*(done for _, done in results)),
    )


def document() -> dict[str, dict[str, list[str]]]:
    """What ``starts.json`` holds: entries by language and part of the lexicon."""
    found: dict[str, dict[str, list[str]]] = {}
    for language, lexicon in LEXICONS.items():
        if not lexicon.spaced:
            continue
        sources = {part: pattern_of(part, language) for part in PARTS}
        found[language] = {
            part: beginnings(source) for part, source in sources.items() if source is not None
        }
    return found


def main() -> None:
    """Write the index next to this file."""
    text = json.dumps(document(), ensure_ascii=False, separators=(",", ":"))
    target = Path(__file__).with_name(STARTS_FILE)
    target.write_text(text.replace("],", "],\n").replace("},", "},\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
