"""The paired fit: its value, its interval, and its p-value on students without a teacher."""

from __future__ import annotations

import numpy as np
import pytest

from studies.students.paired_fit import (
    LEAST_NULLS,
    among_nulls,
    paired_fit,
)

_DECOYS = [f"decoy-{i}" for i in range(5)]


def _gains(rise: float, seed: int = 1) -> dict[str, dict[str, float]]:
    dice = np.random.default_rng(seed)
    noise = dice.normal(0.0, 0.05, (6, 30))
    names = ["a", *_DECOYS]
    return {
        name: {f"p{j}": float(noise[i, j]) + (rise if name == "a" else 0.0) for j in range(30)}
        for i, name in enumerate(names)
    }


def test_the_difference_is_the_mean_less_the_median_decoys() -> None:
    gains = _gains(0.2)
    means = {name: np.mean(list(values.values())) for name, values in gains.items()}
    fit = paired_fit(gains, "a", _DECOYS)
    assert fit.difference == pytest.approx(means["a"] - np.median([means[d] for d in _DECOYS]))
    assert fit.low < 0.2 < fit.high
    assert fit.low > 0.1
    assert fit.prompts == 30


def test_a_rise_on_every_answer_is_taken_off() -> None:
    gains = _gains(0.0)
    everywhere = {
        name: {prompt: value + 3 for prompt, value in values.items()}
        for name, values in gains.items()
    }
    expected = paired_fit(gains, "a", _DECOYS).difference
    assert paired_fit(everywhere, "a", _DECOYS).difference == pytest.approx(expected)


def test_the_candidate_is_no_decoy_of_its_own() -> None:
    with pytest.raises(ValueError, match="4 decoys; 5 are needed"):
        paired_fit(_gains(0.0), "a", ["a", *_DECOYS[:4]])


def test_without_a_shared_prompt_there_is_no_difference() -> None:
    gains = _gains(0.0)
    gains["a"] = {"elsewhere": 1.0}
    with pytest.raises(ValueError, match="no prompt"):
        paired_fit(gains, "a", _DECOYS)


def test_too_few_null_students_give_no_p_value() -> None:
    standing = among_nulls(5.0, list(np.linspace(-1, 1, LEAST_NULLS - 1)))
    assert standing.p_value is None
    assert standing.standardised is not None
    assert standing.standardised > 5


def test_p_counts_null_students_that_reach_the_difference() -> None:
    nulls = [float(i) for i in range(24)]
    assert among_nulls(22.0, nulls).p_value == pytest.approx(3 / 25)
    assert among_nulls(99.0, nulls).p_value == pytest.approx(1 / 25)


def test_students_without_the_teacher_are_flagged_no_oftener_than_said() -> None:
    fits = [paired_fit(_gains(0.0, seed), "a", _DECOYS).difference for seed in range(126)]
    p_values = [among_nulls(fit, fits[i:][1:22]).p_value for i, fit in enumerate(fits[:100])]
    flagged = sum(p is not None and p <= 0.05 for p in p_values)
    assert None not in p_values
    assert flagged <= 11  # of 100 at 5 %; more than this in one run of a hundred
