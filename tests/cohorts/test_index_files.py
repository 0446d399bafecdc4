"""Indexes as files: read back as they were written, and refused when they are anything else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from forensics.cohorts.index_files import read_index, write_index
from forensics.cohorts.nearest_models import IndexSearch, ModelIndex, index_of
from forensics.errors import ForensicsError, InputFileError
from tests.made_cohort import made_cohort


@pytest.fixture(name="index", scope="module")
def index_fixture() -> ModelIndex:
    return index_of(made_cohort())


@pytest.fixture(name="path")
def path_fixture(index: ModelIndex, tmp_path: Path) -> Path:
    write_index(tmp_path / "made.index", index)
    return tmp_path / "made.index"


def head_of(path: Path) -> dict[str, object]:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["index"])


def rewritten(path: Path, head: dict[str, object], **arrays: np.ndarray) -> Path:
    save_file(load_file(path) | arrays, path, metadata={"index": json.dumps(head)})
    return path


def test_what_is_read_searches_as_what_was_written(index, path) -> None:
    read = read_index(path)
    name = index.models[0]
    assert (read.models, read.prompts, read.cohort) == (index.models, index.prompts, index.cohort)
    near = IndexSearch(read).nearest(read.row(name), 5, without=name)
    assert near == IndexSearch(index).nearest(index.row(name), 5, without=name)
    assert near[0].model == "m0b"  # the same habits under another setting


def test_the_same_index_gives_the_same_bytes(index, path, tmp_path) -> None:
    write_index(tmp_path / "again", index)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("length", [0, 7, 8, 100, -1])
def test_a_file_that_was_cut_is_refused(path, length) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputFileError, match="not an index, or cut short"):
        read_index(path)


def test_what_is_not_there_or_no_file_is_refused(tmp_path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(InputFileError, match=r"check the path|not an index"):
            read_index(path)


def test_any_changed_byte_of_the_head_is_read_or_refused(path) -> None:
    whole = path.read_bytes()
    end = 8 + int.from_bytes(whole[:8], "little")
    for place in range(0, end, 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        try:
            read = read_index(path)
            IndexSearch(read)
        except ForensicsError:
            continue
        assert len(read.models) == len(read.sketches)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "version 2"),
        ({"format": "another"}, "its head"),
        ({"models": ["a"]}, "of another shape"),
        ({"models": 3}, "not an index"),
        ({"models": None}, "not an index"),
        ({"cohort": 7}, "its head"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(path, change, words) -> None:
    with pytest.raises(InputFileError, match=words):
        read_index(rewritten(path, head_of(path) | change))


def test_numbers_out_of_range_are_refused(path, index) -> None:
    places = np.full_like(index.places, 512)
    with pytest.raises(InputFileError, match="out of range"):
        read_index(rewritten(path, head_of(path), places=places))


def test_a_cohort_is_no_index(tmp_path) -> None:
    from forensics.cohorts.pack_files import write_cohort

    write_cohort(tmp_path / "cohort", made_cohort())
    with pytest.raises(InputFileError, match="but not an index; make one"):
        read_index(tmp_path / "cohort")
