"""No text that users read holds a turn that the style sheet in CONTRIBUTING.md rules out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Archaic or clipped, whatever the sentence: each with what it is a kind of.
TURNS = re.compile(
    r"\b(?:"
    r"chance has it"
    r"|no kin"
    r"|none is (?:named|wanted|at hand)"
    r"|(?<!there )(?:is|are) no (?:evidence|sign)"
    r"|(?:is|are) no (?:day|month|flag|price|number|finite number|object|baseline|case file"
    r"|part of|model of|safetensors file|subject of|likelihood ratio"
    r"|configuration|(?:batch|chat) \w+)"
    r"|found were"
    r"|had it not been"
    r"|(?:not|is|are|longer) at hand"
    r"|with every one"
    r"|nothing is seen"
    r"|of the text it"
    r"|written anew"
    r"|there(?:of|in|by)|where(?:of|in|upon)|whence|thence"
    r"|chance would have it"
    r"|(?:between|beyond|than|from|of|as) strangers"
    r"|times likelier"
    r"|likeness (?:this|against|than|beyond)|unlikeness"
    r"|everybody's neighbour"
    r"|anew|learnt"
    r"|belongs? into"
    r"|hangs? on the"
    r"|close kin"
    r"|(?:calls|nats|objects?|samples) an? (?:prompt|token|answer|model)"
    r")\b"
)
PAGES = sorted(
    path
    for pattern in (
        "*.md",
        "docs/**/*.md",
        "probes/**/*.md",
        "reports/**/*.md",
        "reports/templates/*",
    )
    for path in ROOT.glob(pattern)
    # A changelog keeps what was said then; the style sheet quotes what it rules out.
    if path.name not in {"CHANGELOG.md", "CONTRIBUTING.md"} and path.is_file()
)
SOURCES = sorted((ROOT / "forensics").rglob("*.py")) + sorted((ROOT / "studies").rglob("*.py"))
# Words that models say, in many languages and manners.
OTHERS_WORDS = "lexicons"


def _turns(text: str) -> list[str]:
    return [match.group() for match in TURNS.finditer(" ".join(text.split()))]


CLOSED = re.compile(r"(?<![\w%.])[0-9]+(?:\.[0-9]+)?%(?!\w)")


def _closed_percentages(tree: ast.Module) -> list[int]:
    """Return the lines that print a percentage without its space: `{share:.0%}` or `5%`."""
    written = [line for line, text in _said(tree) if CLOSED.search(text)]
    formats = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.FormattedValue)
        and node.format_spec is not None
        and ast.unparse(node.format_spec).rstrip("'\"").endswith("%")
    ]
    return written + formats


def _said(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield every text of a module that is no docstring, f-strings with their gaps as dots."""
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if id(node) in inside | docstrings:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        if isinstance(node, ast.JoinedStr):
            parts = [
                str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
            ]
            yield node.lineno, "".join(parts)


def test_messages_help_and_wording_keep_to_the_style_sheet() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{line}: {turn}"
        for path in SOURCES
        if OTHERS_WORDS not in path.parts
        for line, text in _said(ast.parse(path.read_text("utf-8")))
        for turn in _turns(text)
    ]
    assert faults == []


def test_pages_keep_to_the_style_sheet() -> None:
    assert len(PAGES) > 40
    faults = [
        f"{path.relative_to(ROOT)}: {turn}"
        for path in PAGES
        for turn in _turns(path.read_text("utf-8", errors="replace"))
    ]
    assert faults == []


def test_messages_write_per_cent_with_a_space() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "forensics").rglob("*.py"))
        if OTHERS_WORDS not in path.parts
        for line in _closed_percentages(ast.parse(path.read_text("utf-8")))
    ]
    assert faults == []


@pytest.mark.parametrize(
    "code",
    [
        'f"only {share:.0%} of"',
        'say("in 5% of")',
        'f"{low:.1%}"',
        'say("above 1.7%.")',
        'f"{n} of 5%"',
    ],
)
def test_a_percentage_without_its_space_is_noticed(code: str) -> None:
    assert _closed_percentages(ast.parse(code))


@pytest.mark.parametrize(
    "code", ['f"{percent(share)} of"', 'say("in 5 % of")', 'say("%SRCROOT%")', 'say("{%- if")']
)
def test_other_signs_of_per_cent_are_left_alone(code: str) -> None:
    assert not _closed_percentages(ast.parse(code))


@pytest.mark.parametrize(
    "text",
    [
        "Their weights agree no more than chance has it: nothing shows",
        "An untrained model of SmolLM2's configuration is no kin (p = 0.18).",
        "'May' is no\n month; write it as 2025-03",
        "System prompt sent with every one.",
        "that nothing is seen is no evidence that there was nothing",
        "Likeness this strong is 86 times likelier between relatives than between strangers.",
        "192 calls a model, and a key belongs into the environment",
    ],
)
def test_the_list_knows_what_it_is_for(text: str) -> None:
    assert _turns(text)


def test_a_message_of_several_literals_is_read_whole() -> None:
    tree = ast.parse('raise ValueError(f"{path!r} is " f"no month; write {again}")')
    assert any(_turns(text) for _, text in _said(tree))
