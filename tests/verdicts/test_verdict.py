from __future__ import annotations

import re

import pytest

from forensics.case.document import CopyTripwire, Overlap, Verdict
from forensics.case.evidence import Evidence, Interval, NoiseFloor
from forensics.verdicts.decision import Decision
from forensics.verdicts.verdict import habit_level, screen
from forensics.verdicts.verdict_wording import UNCALIBRATED, worded

FULL = Overlap(a=60, b=60, both=60)
QUIET = CopyTripwire(identical=0, compared=50, limit=10, min_chars=200, tripped=False)
CLAIMS = re.compile(r"derived|stolen|unauthori[sz]ed|secret|probab|\d\s*%", re.IGNORECASE)


def _evidence(
    name: str = "phrasing",
    score: float | None = 0.3,
    low: float = 0.2,
    floor: float = 0.1,
    weight: str = "normal",
    method: str = "resampled_prompts",
) -> Evidence:
    if score is None:
        return Evidence(comparator=name, title=name, status="insufficient", reason="too few")
    return Evidence(
        comparator=name,
        title=name.title(),
        status="ok",
        scale="x",
        weight=weight,
        score=score,
        interval=Interval(low=low, high=score + 0.1),
        noise_floor=NoiseFloor(a=floor, b=floor / 2, method=method),
        n=60,
    )


def _screened(evidence: list[Evidence], overlap: Overlap, tripwire: CopyTripwire) -> Verdict:
    return worded(Decision(screen(evidence, overlap, tripwire)))


def test_without_a_cohort_the_verdict_is_a_screening_and_says_so():
    verdict = _screened([_evidence()], FULL, QUIET)
    assert (verdict.status, verdict.calibration, verdict.log10_lr) == ("screening", "none", None)
    assert UNCALIBRATED in verdict.headline


def test_alike_is_an_interval_above_zero_and_above_habit():
    found = _screened(
        [
            _evidence("above", low=0.2, floor=0.1),
            _evidence("habit", low=0.05, floor=0.1),
            _evidence("negative", score=-0.1, low=-0.2, floor=-0.5),
        ],
        FULL,
        QUIET,
    )
    assert [f.comparator for f in found.findings_for] == ["above"]
    assert [f.comparator for f in found.findings_against] == ["habit", "negative"]
    assert "1 of 3" in found.headline


def test_repeats_of_one_model_are_no_threshold_for_kinship():
    assert habit_level(_evidence(floor=0.9, method="repeat_samples")) == 0.0
    assert habit_level(_evidence(floor=-0.9)) == 0.0
    assert habit_level(_evidence(floor=0.4)) == 0.4


def test_weak_evidence_is_shown_and_decides_nothing():
    verdict = _screened([_evidence("identity", weight="low"), _evidence(low=0.0)], FULL, QUIET)
    assert "0 of 1" in verdict.headline
    assert [f.comparator for f in verdict.findings_for] == ["identity"]
    assert "carries little weight" in verdict.findings_for[0].text
    assert _screened([_evidence(weight="low")], FULL, QUIET).status == "insufficient"


@pytest.mark.parametrize(
    ("overlap", "says"),
    [
        (Overlap(a=0, b=9, both=0), "no prompt"),
        (Overlap(a=60, b=60, both=0), "no prompt"),
        (Overlap(a=60, b=60, both=7), "only 7 prompts"),
        (FULL, "no comparator"),
    ],
)
def test_nothing_measured_is_insufficient_never_independent(overlap, says):
    verdict = _screened([_evidence(score=None)], overlap, QUIET)
    assert verdict.status == "insufficient"
    assert says in verdict.headline
    text = verdict.model_dump_json()
    assert "not evidence of independence" in text
    assert not re.search(r"\bindependent\b", text)


def test_what_could_not_be_measured_is_said():
    verdict = _screened([_evidence(), _evidence("style", score=None)], FULL, QUIET)
    assert verdict.reasons == ("style: insufficient (too few)",)


def test_copies_cap_the_reading():
    tripped = CopyTripwire(identical=40, compared=50, limit=10, min_chars=200, tripped=True)
    reading = _screened([_evidence()], FULL, tripped).reading
    assert reading.startswith("Same model, cache, alias or proxy: 40 of 50")


@pytest.mark.parametrize("score", [0.9, 0.01, None])
@pytest.mark.parametrize("identical", [0, 50])
def test_no_verdict_claims_more_than_was_measured(score, identical):
    wire = CopyTripwire(
        identical=identical, compared=50, limit=10, min_chars=200, tripped=bool(identical)
    )
    evidence = [_evidence(score=score, low=-0.1 if score == 0.01 else 0.5)]
    verdict = _screened(evidence, FULL, wire)
    said = [verdict.headline, verdict.reading, *verdict.limits, *verdict.reasons]
    said += [f.text for f in (*verdict.findings_for, *verdict.findings_against)]
    assert not [line for line in said if CLAIMS.search(line)]


def test_rounding_errors_are_no_likeness():
    assert not _screened([_evidence(score=3e-7, low=2e-7, floor=0.0)], FULL, QUIET).findings_for
