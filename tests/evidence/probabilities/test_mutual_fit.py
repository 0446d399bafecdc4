"""Mutual fit: the regression's arithmetic, its level under the null, made-up and real models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from forensics.evidence.probabilities.mutual_fit import LEAST_CONTROLS, MutualFit, relationship
from forensics.examination.examined import Examined
from forensics.examination.probability_values import TextProbabilities, TextScore, answer_key
from forensics.testing import check_comparator, sample_pairs
from forensics.verdicts.compare import measure
from tests.evidence.probabilities.test_probabilities import made_model

MODELS = 7
DRAWS = 1_500


def noise(seed: int, models: int = MODELS) -> np.ndarray:
    return np.random.default_rng(seed).normal(-3.5, 0.02, size=(models, models))


def test_levels_of_readers_and_writers_do_not_matter() -> None:
    bits = noise(0)
    plain = relationship(bits)
    dice = np.random.default_rng(1)
    levels = dice.normal(size=(MODELS, 1)) + dice.normal(size=(1, MODELS))
    shifted = relationship(bits + levels)
    assert shifted.effect == pytest.approx(plain.effect)
    assert shifted.p_value == pytest.approx(plain.p_value)


def test_what_the_pair_has_in_common_is_the_effect() -> None:
    bits = noise(0)
    plain = relationship(bits)
    np.fill_diagonal(bits, 1e9)  # nobody reads their own answers
    bits[0, 1] += 0.5
    bits[1, 0] += 0.1
    found = relationship(bits)
    assert found.effect == pytest.approx(plain.effect + 0.3)
    assert found.p_value < 1e-5


def test_the_effect_is_that_of_ordinary_regression() -> None:
    """Five models, by hand: the pair's mean beyond its two levels, as least squares has it."""
    bits = np.zeros((5, 5))
    bits[0, 1] = bits[1, 0] = 1.0
    bits[2, 3] = bits[3, 2] = 0.3  # three controls' pairs do not fit exactly
    levels = np.linalg.lstsq(
        np.array([[i in pair for i in range(5)] for pair in _others()], dtype=float),
        np.array([bits[pair] for pair in _others()]),
        rcond=None,
    )[0]
    assert relationship(bits).effect == pytest.approx(1.0 - levels[0] - levels[1])


def _others() -> list[tuple[int, int]]:
    return [(i, j) for i in range(5) for j in range(i + 1, 5) if (i, j) != (0, 1)]


@pytest.mark.parametrize("models", [LEAST_CONTROLS + 2, MODELS, 14])
@pytest.mark.parametrize("unlike", [(), (0,), (0, 1)], ids=["none", "a subject", "both"])
def test_under_the_null_the_level_is_kept(models: int, unlike: tuple[int, ...]) -> None:
    """n = 1,500 draws; the limit is the 99.9th percentile of a test that keeps its level."""
    spread = np.ones((models, models))
    for subject in unlike:  # three times as far from everybody as controls are from each other
        spread[subject, :] = spread[:, subject] = 3.0
    found = [relationship((noise(i, models) + 3.5) * spread).p_value for i in range(DRAWS)]
    for level in (0.05, 0.01):
        hits = sum(p_value <= level for p_value in found)
        assert hits <= binom.ppf(0.999, DRAWS, level)


# Made-up models.


def panel(kinship: float, controls: int = 5, templates: int = 0) -> tuple[Examined, Examined]:
    """Return the sample subjects, where either finds the other's answers likelier by `kinship`."""
    a, b = sample_pairs()[0]
    writers = ["a", "b", *(f"control-{n}" for n in range(controls))]
    dice = np.random.default_rng(3)
    written = {name: tuple(f"{name} {i}" for i in range(20)) for name in writers}
    for side, name in ((a, "a"), (b, "b")):
        written[name] = tuple(answer_key(one) for one in side.answers if one.sample == 0)
    seen: list[TextProbabilities] = []
    for number, reader in enumerate(writers):
        answers = {
            key: TextScore(-(100.0 + 2 * dice.normal() - near) * 0.693, 100, {})
            for writer in writers
            for near in [100 * kinship if {reader, writer} == {"a", "b"} else 0.0]
            for key in written[writer]
        }
        made = replace(made_model(reader, number), answers=answers, written=written[reader])
        seen.append(replace(made, has_template=number < templates))
    own, other, *rest = seen
    return (
        replace(a, probabilities=own, other_probabilities=other, controls=tuple(rest)),
        replace(b, probabilities=other, other_probabilities=own, controls=tuple(rest)),
    )


def test_conventions() -> None:
    check_comparator(MutualFit(), [panel(0.3), panel(0.0)])


def test_a_pair_that_expects_each_others_answers_stands_out() -> None:
    kin = measure(MutualFit(), *panel(0.3))
    assert kin.status == "ok" and kin.n >= 20
    assert kin.score is not None and 0.2 < kin.score < 0.33  # some of their answers are the same
    assert kin.interval is not None and kin.interval.low < kin.score < kin.interval.high
    assert kin.p_value is not None and kin.p_value < 1e-6
    strangers = measure(MutualFit(), *panel(0.0))
    assert strangers.p_value is not None and strangers.p_value > 0.05


def test_two_controls_are_too_few() -> None:
    evidence = measure(MutualFit(), *panel(0.3, controls=2))
    assert (evidence.status, evidence.p_value) == ("insufficient", None)
    assert "2 controls without a chat template are usable and gave answers; 3 are needed" in (
        evidence.reason
    )


def test_controls_that_gave_no_answers_do_not_count() -> None:
    sides = [
        replace(side, controls=tuple(replace(one, written=()) for one in side.controls))
        for side in panel(0.3)
    ]
    assert measure(MutualFit(), *sides).reason.startswith("0 controls")


def test_one_side_with_a_chat_template_is_not_applicable() -> None:
    evidence = measure(MutualFit(), *panel(0.3, templates=1))
    assert evidence.status == "not_applicable" and "chat template" in evidence.reason
