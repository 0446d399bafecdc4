"""Advice names only suites whose cohort can judge models of that time, and what asking costs."""

from __future__ import annotations

import pytest

from forensics.cohorts.askable import askable_suites
from forensics.cohorts.finding import find_cohort
from forensics.cohorts.population import MIN_PEERS, MONTHS, month
from forensics.verdicts.advice import suite_advice


@pytest.mark.parametrize(
    ("released", "named", "not_named"),
    [
        (("2023-06", "2023-09"), ["--suite alpaca-eval (120 prompts, 240 calls in all)"], "misg"),
        (("2026-01", "2026-02"), ["--suite misguided-attention (52 prompts, 104 calls"], "alpaca"),
        (
            ("2023-06", "2026-01"),
            ["No suite here has a cohort", "2023-06 and 2026-01", "cohort build"],
            "--suite",
        ),
        (("2026-11", "2026-11"), ["a cohort of their time (2026-11);"], "--suite"),
        (
            ("", "2025-06"),
            ["--known-released", "alpaca-eval for models of 20", " calls in all"],
            "No",
        ),
    ],
)
def test_only_what_can_succeed_is_named(released, named, not_named):
    advice = suite_advice(released)
    assert all(text in advice for text in named), advice
    assert not_named not in advice


def test_a_suite_covers_a_month_as_its_cohort_does():
    for suite in askable_suites():
        cohort = find_cohort(suite.name)
        assert cohort.calibration is not None
        assert suite.prompts == len(cohort.prompts)
        assert suite.span is not None
        for released in suite.span:
            near = [
                fact
                for fact in cohort.facts.values()
                if fact.released and abs(month(fact.released) - month(released)) <= MONTHS
            ]
            assert len(near) > MIN_PEERS
            assert suite.covers(released)
