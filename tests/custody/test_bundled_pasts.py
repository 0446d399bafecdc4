"""A bundle with the questioned model's past: shift is derived again from it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from forensics import compare
from forensics.custody.bundle import MANIFEST, make_bundle, read_bundle
from forensics.custody.verification import verify_bundle
from tests.workflows.test_bases import NAMES, TABLE, transcripts_of

_SHIFT = "shift: "


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    if not TABLE.is_file():
        pytest.skip("needs FORENSICS_DATA")
    return transcripts_of(tmp_path_factory.mktemp("pasts"))


def shift_missing(bundle: Path) -> list[str]:
    return [reason for reason in verify_bundle(bundle).missing if reason.startswith(_SHIFT)]


@pytest.fixture(scope="module")
def case(files: dict[str, Path]) -> Path:
    known, questioned, past = (str(files[name]) for name in NAMES)
    bases = [past, "cohort:mistral-small-3"]
    made = compare(known, questioned, bases=bases, only="shared_manner")
    path = files[NAMES[0]].parent / "case.json"
    path.write_text(made.model_dump_json(), "utf-8")
    return path


def test_shift_is_derived_again_from_a_past_that_the_bundle_carries(
    case: Path, tmp_path: Path
) -> None:
    made = make_bundle(case, tmp_path / "b.zip")
    assert "transcripts/base-1.jsonl" in made.members
    first, second = read_bundle(tmp_path / "b.zip").manifest.bases
    assert first is not None and first.lines > 16
    assert second is None  # a cohort's model
    report = verify_bundle(tmp_path / "b.zip")
    assert shift_missing(tmp_path / "b.zip") == []
    assert report.problems == ()
    assert report.differences == ()


def test_another_past_than_the_cases_gives_another_change(
    case: Path,
    files: dict[str, Path],
    tmp_path: Path,
) -> None:
    other = tmp_path / files[NAMES[2]].name
    other.write_bytes(files[NAMES[0]].read_bytes())
    make_bundle(case, tmp_path / "b.zip", [other])
    report = verify_bundle(tmp_path / "b.zip")
    assert report.result == "different"
    assert any("shift" in difference.where for difference in report.differences)


def test_a_bundle_without_the_past_says_so_and_stays_valid(case: Path, tmp_path: Path) -> None:
    make_bundle(case, tmp_path / "b.zip")
    old = tmp_path / "old.zip"
    with zipfile.ZipFile(tmp_path / "b.zip") as read, zipfile.ZipFile(old, "w") as write:
        for name in read.namelist():
            content = read.read(name)
            if name == MANIFEST:
                listed = json.loads(content)
                del listed["bases"], listed["members"]["transcripts/base-1.jsonl"]
                content = json.dumps(listed).encode()
            if not name.startswith("transcripts/base"):
                write.writestr(name, content)
    report = verify_bundle(old)
    assert report.problems == ()
    assert report.result == "partly"
    assert "not among the transcripts" in shift_missing(old)[0]


def test_a_past_that_cannot_be_found_is_named(case: Path, tmp_path: Path) -> None:
    moved = tmp_path / "case.json"
    text = case.read_text("utf-8").replace(f"{NAMES[2]}.jsonl", "gone.jsonl")
    moved.write_text(text, "utf-8")
    made = make_bundle(moved, tmp_path / "b.zip")
    assert any("gone.jsonl was not found" in note for note in made.notes)
