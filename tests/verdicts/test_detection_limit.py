"""What silence means: which share counts as detectable, in which words, and where it is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from forensics.case.document import CopyTripwire, Overlap
from forensics.case.evidence import Evidence
from forensics.errors import InputFileError
from forensics.verdicts.detection_limit import Detection, Rate, read_detection, shipped
from forensics.verdicts.verdict import decide
from forensics.verdicts.verdict_wording import worded


def curve(*alike: tuple[float, int]) -> Detection:
    """Return a curve of 8 students a share."""
    rates = tuple(Rate(share, round(share * 1000), 8, hits, hits, hits, 0) for share, hits in alike)
    return Detection(rates, 4, 6, 180_000, 66, 0, "x", "2026-01-01")


@pytest.mark.parametrize(
    ("detected", "smallest"),
    [
        (((0.0, 0), (0.01, 0), (0.1, 8), (1.0, 8)), 0.1),
        (((0.0, 0), (0.01, 8), (0.1, 7), (1.0, 8)), 1.0),  # luck below does not count
        (((0.0, 0), (0.1, 0), (1.0, 7)), None),
        (((0.0, 8), (1.0, 8)), 1.0),  # strangers are no exposure
    ],
)
def test_the_limit_is_where_detection_begins_and_stays(detected, smallest) -> None:
    found = curve(*detected)
    assert (found.smallest.share if found.smallest else None) == smallest


def test_silence_is_told_with_counts_and_never_as_innocence() -> None:
    said = curve((0.0, 0), (0.001, 0), (0.1, 3), (1.0, 8)).silence
    assert "100 %: 8 of 8, 10 %: 3 of 8, 0.1 %: 0 of 8, none: 0 of 8" in said
    assert "Less than 100 % was not reliably detected" in said
    assert said.endswith("not evidence that no training on outputs took place.")
    assert "At no share were all students detected" in curve((0.0, 0), (1.0, 7)).silence


def test_intervals_are_exact() -> None:
    low, high = Rate(1.0, 0, 8, 8, 8, 8, 0).interval
    assert (low, high) == (pytest.approx(0.025 ** (1 / 8)), 1.0)


def test_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "detection.json"
    path.write_text(curve((0.0, 0), (1.0, 8)).to_json())
    assert read_detection(path) == curve((0.0, 0), (1.0, 8))


@pytest.mark.parametrize("text", ["", "[]", '{"rates": [1]}', json.dumps({"rates": []})])
def test_a_damaged_file_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "detection.json"
    path.write_text(text)
    with pytest.raises(InputFileError, match="no detection curve"):
        read_detection(path)


def test_what_is_shipped_was_measured_on_every_share_the_page_names() -> None:
    found = shipped()
    assert {0.0, 0.001, 0.01, 0.1, 1.0} <= {rate.share for rate in found.rates}
    assert all(rate.n >= 2 * found.teachers for rate in found.rates)
    assert found.date and found.command


QUIET = CopyTripwire(identical=0, compared=0, limit=5, min_chars=200, tripped=False)
PHRASING = Evidence(
    comparator="phrasing", title="Phrasing", status="ok", scale="x", score=0.1, n=20
)
SHARED = Overlap(a=20, b=20, both=20)


def _tested(p_value: float) -> Evidence:
    made = {"comparator": "mutual_fit", "title": "M", "tier": "logprobs", "p_value": p_value}
    return PHRASING.model_copy(update=made)


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ((PHRASING,), True),  # token probabilities absent
        ((PHRASING, _tested(0.4)), True),
        ((PHRASING, _tested(1e-3)), True),  # too weak
        ((PHRASING, _tested(1e-12)), False),
    ],
)
def test_verdicts_say_what_silence_means_unless_they_found_something(evidence, said) -> None:
    assert (shipped().silence in worded(decide(evidence, SHARED, QUIET)).limits) is said


def test_nothing_measured_at_all_says_nothing_of_silence() -> None:
    nothing = decide([replace_status(PHRASING)], Overlap(a=0, b=0, both=0), QUIET)
    assert shipped().silence not in worded(nothing).limits


def replace_status(evidence: Evidence) -> Evidence:
    return evidence.model_copy(update={"status": "insufficient", "score": None, "reason": "x"})


def test_rates_do_not_depend_on_their_order() -> None:
    found = curve((0.0, 0), (0.1, 0), (1.0, 8))
    turned = replace(found, rates=found.rates[::-1])
    assert turned.silence == found.silence
