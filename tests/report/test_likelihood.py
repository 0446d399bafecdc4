from __future__ import annotations

import pytest

from forensics.case.record import ErrorAtScore
from forensics.report.likelihood import (
    Likelihood,
    error_rate,
    error_words,
    likelihood_words,
    likelihoods,
    plain,
    population_words,
    ratio,
    support,
)
from forensics.report.view import lookup
from tests.report.sample_calibrated import calibrated_case, likeness
from tests.report.sample_case import sample_case


def _with_error(in_error: int, clusters: int, lr: float = 1.0) -> object:
    case = calibrated_case(8, lr=lr)
    error = ErrorAtScore(
        pairs=900, pairs_in_error=in_error, clusters=clusters, clusters_in_error=in_error
    )
    verdict = case.verdict.model_copy(update={"error_at_score": error})
    return case.model_copy(update={"verdict": verdict})


def test_hypotheses_of_one_value_are_one_ratio_with_interval_and_bounds() -> None:
    case = calibrated_case(8)
    (found,) = likelihoods(case)
    assert found.hypotheses == ("same_model", "close_descent")
    assert lookup(case, found.path) == found.value == 1.08
    assert list(found.bounds or ()) == lookup(case, found.bounds_path) == [-1.1, 1.2]
    assert list(found.interval or ()) == lookup(case, found.interval_path)
    assert likelihoods(sample_case(8)) == ()


def test_hypotheses_of_different_values_are_told_apart() -> None:
    case = calibrated_case(8)
    lrs = {"close_descent": 1.08, "common_teacher": -0.2}
    found = likelihoods(
        case.model_copy(update={"verdict": case.verdict.model_copy(update={"log10_lr": lrs})})
    )
    assert [(one.hypotheses, one.bounds is None) for one in found] == [
        (("close_descent",), False),
        (("common_teacher",), True),
    ]


@pytest.mark.parametrize("bad", [None, [1.0], ["a", "b"], {"low": 1}, [float("nan"), 1.0]])
def test_bounds_of_another_form_are_left_out(bad: object) -> None:
    judged = likeness()
    details = judged.details.written() | {"log10_lr_bounds": bad}
    case = calibrated_case(8, evidence=(judged.model_copy(update={"details": details}),))
    assert likelihoods(case)[0].bounds is None


def test_ratios_read_as_people_write_them() -> None:
    shown = [ratio(x) for x in (0.0, 1.08, -0.53, 2.0, 3.5, 6.2, -7.0)]
    assert shown == ["1", "12", "1/3.39", "100", "3.16e+03", "10^6.2", "1/10^7.0"]


@pytest.mark.parametrize(
    ("value", "words", "tier"),
    [
        (1.08, "about 12 times as probable if the two are of close descent as", "for kinship"),
        (-1.08, "about 12 times as probable if they are independent as", "for independence"),
        (0.1, "about as probable if the two are of close descent as if", "no support"),
    ],
)
def test_the_plain_sentence_names_the_side(value: float, words: str, tier: str) -> None:
    found = Likelihood(("close_descent",), value, "x")
    assert words in plain(found)
    assert support(found).endswith(tier)
    assert f"log10 {value:.2f}" in likelihood_words(found)


def test_an_interval_across_one_is_said_to_leave_it_open() -> None:
    spanning = Likelihood(("close_descent",), 0.6, "x", interval=(-0.5, 1.4))
    assert plain(spanning).endswith(
        "The interval includes 1, so which of the two holds is not settled."
    )
    clear = Likelihood(("close_descent",), 0.6, "x", interval=(0.1, 1.4))
    assert plain(clear).endswith("as if they are independent.")


def test_no_error_seen_is_below_a_limit_and_never_zero() -> None:
    # 1 - 0.05^(1/41), by hand: ln 0.05 = -2.9957; / 41 = -0.07307; e^ = 0.92954.
    assert error_rate(_with_error(0, 41)) == "< 7 % (0 of 41 lineage clusters; 95 % confidence)"
    assert error_rate(_with_error(2, 41)) == "4.9 % (2 of 41 lineage clusters)"
    assert error_rate(_with_error(0, 0)) == error_rate(sample_case(8)) == "not measured"


def test_errors_in_a_sentence() -> None:
    assert "2 of 41 lineage clusters are in error" in error_words(_with_error(2, 41))
    assert "not a sign of kinship" in error_words(_with_error(30, 41, lr=-1.0))
    assert "was not measured" in error_words(sample_case(8))
    assert "No lineage cluster was left" in error_words(_with_error(0, 0))


def test_the_population_is_that_of_the_cohort_and_its_dates() -> None:
    words = population_words(calibrated_case(8))
    assert "cohort alpaca-eval" in words
    assert "A (2023-03) and B (2023-07)" in words
