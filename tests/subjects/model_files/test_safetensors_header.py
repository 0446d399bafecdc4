"""Headers are refused where the format's own reader refuses them, and named with the tensor."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open

from forensics.errors import ModelFileError
from forensics.exitcodes import ExitCode
from forensics.subjects.model_files.safetensors_header import BITS, read_header


def _entry(kind: str, shape: list[Any], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


def _write(folder: Path, header: str | bytes, numbers: int = 0) -> Path:
    text = header if isinstance(header, bytes) else header.encode()
    path = folder / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(numbers))
    return path


def _refusal(path: Path) -> str:
    with pytest.raises(ModelFileError) as error:
        read_header(path)
    assert error.value.exit_code is ExitCode.USAGE
    text = str(error.value)
    assert str(path) in text
    assert "\n" not in text
    return text


def _is_read(path: Path) -> bool:
    try:
        with safe_open(path, "np"):
            return True
    except SafetensorError:
        return False


ONE = _entry("F32", [2], 0, 8)
WRONG = {
    "overlap": ({"x": ONE, "y": _entry("F32", [2], 4, 12)}, 12, "y overlaps the one before"),
    "same place": ({"x": ONE, "y": ONE}, 8, "y overlaps the one before"),
    "hole": ({"x": ONE, "y": _entry("F32", [1], 12, 16)}, 16, "y leaves bytes unused"),
    "hole in front": ({"x": _entry("F32", [1], 4, 8)}, 8, "x leaves bytes unused"),
    "trailing": ({"x": ONE}, 9, "1 bytes stand behind the last tensor"),
    "no tensor, bytes": ({}, 3, "3 bytes stand behind"),
    "cut off": ({"x": ONE}, 5, "x lacks 3 bytes"),
    "other size": ({"x": _entry("F32", [3], 0, 8)}, 8, "x has another size than its shape"),
    "backwards": ({"x": _entry("F32", [0], 4, 0)}, 4, "x has another size than its shape"),
    "huge": ({"x": _entry("F32", [2**62, 2**62], 0, 8)}, 8, "x has another size"),
    "half a byte": ({"x": _entry("F4", [3], 0, 2)}, 2, "x has another size than its shape"),
    "float shape": ({"x": _entry("F32", [2.0], 0, 8)}, 8, "the entry of x is malformed"),
    "true shape": ({"x": _entry("F32", [True], 0, 4)}, 4, "the entry of x is malformed"),
    "negative": ({"x": _entry("F32", [-2], 0, 8)}, 8, "the entry of x is malformed"),
    "three offsets": ({"x": {**ONE, "data_offsets": [0, 8, 8]}}, 8, "the entry of x is malformed"),
    "unknown format": ({"x": {**ONE, "dtype": "F31"}}, 8, "stored as F31"),
    "metadata": ({"__metadata__": {"a": 1}, "x": ONE}, 8, "its metadata are not"),
    "surrogate": ({"\ud800": ONE}, 8, r"the tensor name \ud800 is not text"),
}


@pytest.mark.parametrize(("header", "numbers", "says"), WRONG.values(), ids=list(WRONG))
def test_what_the_reference_refuses_is_refused_by_name(tmp_path, header, numbers, says):
    path = _write(tmp_path, json.dumps(header), numbers)
    assert says in _refusal(path)
    assert not _is_read(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"x": \xff}', "not UTF-8"),
        ('{"x": NaN}', "not JSON"),
        ("[]", "not a JSON object"),
        ("{" * 3000, "not JSON"),
        ("", "not JSON"),
        ('{"x": 7}', "the entry of x is malformed"),
        ('{"x": {"dtype": "F32", "dtype": "F32"}}', "names dtype twice"),
    ],
)
def test_a_header_that_is_none_is_refused(tmp_path, text, says):
    path = _write(tmp_path, text)
    assert says in _refusal(path)
    assert not _is_read(path)


def test_a_name_that_stands_twice_is_refused_even_for_one_place(tmp_path):
    entry = json.dumps(ONE)
    path = _write(tmp_path, f'{{"lm.head": {entry}, "lm.head": {entry}}}', 8)
    assert "its header names lm.head twice" in _refusal(path)


@pytest.mark.parametrize("length", [1 << 60, 100_000_001])
def test_a_header_that_is_too_long_is_not_read(tmp_path, length):
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b"{}")
    assert f"a header of {length} bytes" in _refusal(path)


def test_every_number_format_of_the_reference_is_known(tmp_path):
    at, header = 0, {}
    for kind, bits in BITS.items():
        header[kind] = _entry(kind, [8], at, at + bits)
        at += bits
    path = _write(tmp_path, json.dumps({"__metadata__": {"format": "pt"}, **header}) + "  ", at)
    assert _is_read(path)
    found = {entry.name: entry for entry in read_header(path)}
    assert list(found) == list(BITS)
    start = path.stat().st_size - at
    assert all(e.begin - start == header[n]["data_offsets"][0] for n, e in found.items())


@pytest.mark.parametrize("length", [0x0280, 0x8B1F, 0x4B50])
def test_a_length_that_reads_as_another_format_is_a_length(tmp_path, length):
    text = json.dumps({"x": ONE}).ljust(length)
    assert [entry.name for entry in read_header(_write(tmp_path, text, 8))] == ["x"]


_COUNTS = st.integers(0, 12)
_ENTRIES = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "U8", "F4", "BF16"]),
        "shape": st.lists(st.integers(0, 4), max_size=2),
        "data_offsets": st.tuples(_COUNTS, _COUNTS),
    }
)


@given(st.dictionaries(st.sampled_from("xyz"), _ENTRIES, max_size=3), _COUNTS)
def test_it_is_as_strict_as_the_reference(tmp_path_factory, header, numbers):
    path = _write(tmp_path_factory.mktemp("one"), json.dumps(header), numbers)
    try:
        read_header(path)
        read = True
    except ModelFileError:
        read = False
    assert read is _is_read(path)
