from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.support.ci_commands import guarded_output, harmless

# What services look for, written independently: .NET's TrimStart is Python's lstrip.
PIECES = [
    *("::", ":", "#", "##", "[", "##[", "##vso[", "##VSO[", "vso", "error::", " ", "text", '"'),
    *("\t", "\n", "\r", "\r\n", "\u2028", "\u00a0", "\ufeff", "\u200b", "\x1b[31m", "│ "),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12)


def obeyed(text: str) -> Iterator[str]:
    """Yield the lines that a service would obey."""
    for line in re.split("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text):
        bare = re.sub("[\ufeff\u200b]|\x1b\\[[0-9;]*m", "", line).lstrip()
        if bare.startswith("::") or "##[" in line or "##vso[" in line.lower():
            yield line


@given(TEXTS)
def test_nothing_is_obeyed_and_nothing_else_changed(pieces: list[str]) -> None:
    text = "".join(pieces)
    safe = harmless(text)
    assert not [*obeyed(safe)]
    assert safe.replace("\\u003a", ":").replace("\\u005b", "[") == text
    if not [*obeyed(text)]:
        assert safe == text


@given(TEXTS)
def test_nothing_is_obeyed_however_it_is_written(pieces: list[str]) -> None:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), guarded_output():
        for piece in pieces:
            print(piece, end="")
            click.echo(piece, nl=False, err=True, color=True)
    for stream in (out, err):
        assert not [*obeyed(stream.getvalue())]
        assert stream.getvalue().replace("\\u003a", ":").replace("\\u005b", "[") == "".join(pieces)


@pytest.mark.parametrize("indent", [None, 1])
@given(value=st.recursive(st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_json_means_the_same(value: object, indent: int | None) -> None:
    hostile = {"##[group]": ["::error::x", "##vso[task.setvariable]y", value]}
    text = json.dumps(hostile, ensure_ascii=True, indent=indent)
    assert not [*obeyed(harmless(text))]
    assert json.loads(harmless(text)) == hostile


def test_many_blanks_hide_nothing_and_cost_nothing() -> None:
    out = io.StringIO()
    with redirect_stdout(out), guarded_output():
        for _ in range(1_000):
            print(" ", end="")
        print("::error::")
        print("\n" * 200_000, end="")
    assert not [*obeyed(out.getvalue())]


def test_streams_are_themselves_again_afterwards() -> None:
    out = io.StringIO()
    with redirect_stdout(out):
        with guarded_output():
            assert sys.stdout.encoding == out.encoding
        print("::group::ours")
    assert out.getvalue() == "::group::ours\n"
