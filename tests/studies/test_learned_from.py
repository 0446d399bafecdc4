"""The page of error rates gives false alarms before what was found, with intervals."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forensics.support.resources import data_folder
from studies.error_rates.learned_from import section


@pytest.fixture(name="lines", scope="module")
def lines_fixture(data_folder: Path) -> list[str]:
    return list(section(data_folder))


def test_false_alarms_stand_before_what_was_found(lines: list[str]) -> None:
    alarms = next(i for i, line in enumerate(lines) if "false alarms |" in line)
    found = next(i for i, line in enumerate(lines) if "teacher first by token" in line)
    assert alarms < found


def test_the_null_steps_are_those_of_the_page_on_shift(lines: list[str]) -> None:
    row = next(line for line in lines if line.startswith("| change against a past"))
    rate = re.search(r"(\d+ of \d+) clusters \(upper 95 % limit (\d+)%\)", row)
    assert rate is not None
    page = (data_folder("reports") / "SHIFT.md").read_text(encoding="utf-8")
    total = next(line for line in page.splitlines() if line.startswith("| all |"))
    assert rate[1] in total and f"{rate[2]}%" in total


def test_every_share_has_an_interval_over_teachers(lines: list[str]) -> None:
    rows = [line for line in lines if re.match(r"\| \d+% \|", line)]
    assert rows
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        for cell in (cells[2], *cells[4:]):
            assert re.fullmatch(r"\d+ \(\d+% to \d+%\)", cell), cell
