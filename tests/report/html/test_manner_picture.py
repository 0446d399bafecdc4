"""The picture of shared manner: where the pair lies between unrelated models and one model."""

from __future__ import annotations

import re

import pytest

from forensics.case.details.shared_manner import MannerDetails, MannerPopulation, OneModelTest
from forensics.report.charts.manner_chart import manner_chart, manner_words

UNRELATED = MannerPopulation(
    cohort="misguided", pairs=1057, models=47, median=0.02, p95=0.12, p99=0.19, reached=3
)


def details(low: float, share: float, high: float, unrelated: MannerPopulation | None = UNRELATED):
    test = OneModelTest(reading="undecided", level=0.05, low=low, high=high, margin=(0.9, 1.1))
    return MannerDetails(
        centring="cohort",
        share=share,
        low=low,
        high=high,
        cross=0.2,
        own_a=0.4,
        own_b=0.4,
        samples_a=3,
        samples_b=3,
        genres=(),
        one_model=test,
        unrelated=unrelated,
    )


def chart(measured: MannerDetails) -> str:
    return str(manner_chart(measured, "evidence.4.details"))


def written(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


def places(svg: str) -> dict[str, float]:
    """Return how far right each text of the drawing stands."""
    found = re.findall(r'<text[^>]*transform="translate\(([-\d.]+),[^>]*>([^<]+)</text>', svg)
    return {text: float(x) for x, text in found}


def test_the_scale_says_its_two_ends_and_the_pair_its_share():
    assert {"unrelated", "one model", "46 %"} <= set(written(chart(details(0.3, 0.46, 0.61))))


@pytest.mark.parametrize("share", [0.1, 0.46, 0.9])
def test_the_pair_stands_where_its_share_lies(share):
    at = places(chart(details(share - 0.1, share, share + 0.05)))
    expected = at["unrelated"] + share * (at["one model"] - at["unrelated"])
    assert at[f"{100 * share:.0f} %"] == pytest.approx(expected, abs=1)


def test_an_interval_beyond_both_ends_is_drawn_whole():
    at = places(chart(details(-0.6, 0.5, 1.7)))
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', chart(details(-0.6, 0.5, 1.7)))[1])
    unit = at["one model"] - at["unrelated"]
    assert at["unrelated"] - 0.6 * unit >= 0
    assert at["one model"] + 0.7 * unit <= width


def test_the_band_of_unrelated_pairs_is_drawn_where_it_is_known():
    with_band, without = (chart(details(0.3, 0.46, 0.61, known)) for known in (UNRELATED, None))
    assert "var(--other)" in with_band
    assert "var(--other)" not in without


def test_what_is_drawn_is_said_for_who_does_not_see_it():
    svg = chart(details(0.3, 0.46, 0.61))
    words = "Shared manner 46 % (95 % interval 30 to 61 %); 95 of 100 unrelated pairs share less"
    assert words in svg
    assert manner_words(details(0.3, 0.46, 0.61, None)) == (
        "Shared manner 46 % (95 % interval 30 to 61 %)."
    )
