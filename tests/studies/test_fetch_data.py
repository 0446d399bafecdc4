"""The tables of the reference data are those of the published figures; sources come by git."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from studies.fetch_data import SOURCES, Source, Table, clone, differences, main

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SOURCE = Source("made", "", "", "*", "CC0-1.0", (Table("empty.csv", EMPTY),))


def test_the_reference_data_are_those_of_the_figures(data_folder: Path) -> None:
    assert differences(data_folder, SOURCES) == []


def test_every_table_that_a_study_reads_by_name_has_a_source() -> None:
    listed = {table.path for source in SOURCES for table in source.tables}
    code = "".join(
        path.read_text("utf-8") for path in (Path(__file__).parents[2] / "studies").rglob("*.py")
    )
    named = set(
        re.findall(
            r'"((?:modern/)?\w+_(?:outputs|models|pairs|prompts|completions|train)\.(?:parquet|csv\.gz|csv))"',
            code,
        )
    )
    assert len(named) >= 5
    assert named <= listed


def test_missing_and_other_tables_are_named(tmp_path: Path) -> None:
    assert differences(tmp_path, [SOURCE]) == ["empty.csv: missing"]
    (tmp_path / "empty.csv").write_text("")
    assert differences(tmp_path, [SOURCE]) == []
    (tmp_path / "empty.csv").write_text("changed")
    assert len(differences(tmp_path, [SOURCE])) == 1
    assert main(["check", str(tmp_path)]) == 1


def test_a_source_is_cloned_at_its_commit(tmp_path: Path) -> None:
    made = tmp_path / "repository"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(made)]
    subprocess.run(["git", "init", "--quiet", str(made)], check=True)
    for text in ("first", "second"):
        (made / "outputs.txt").write_text(text)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "--quiet", "--message", text], check=True)
    first = subprocess.run(
        [*git, "rev-parse", "HEAD~1"], check=True, capture_output=True, text=True
    ).stdout.strip()
    source = replace(SOURCE, url=str(made), commit=first)
    for _ in range(2):
        assert (clone(source, tmp_path) / "outputs.txt").read_text() == "first"
    with pytest.raises(subprocess.CalledProcessError):
        clone(replace(source, name="other", commit="0" * 40), tmp_path)
