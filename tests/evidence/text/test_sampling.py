"""The test of equality keeps its level, finds differences, and claims no more."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.case.evidence import Evidence
from forensics.evidence.text.sampling import EqualityTest, Sampling, equality_test, hamming
from forensics.examination.examined import Examined
from forensics.testing import check_comparator
from tests.evidence.text.fresh import subject

WORDS = "amber birch cedar delta ember flint grove heath islet jetty knoll ledge".split()


def drawn(seed: int, samples: int, prompts: int = 12, order: float = 0.85) -> Examined:
    """Return answers of a small random writer: per prompt, the next word is one of two."""
    random = np.random.default_rng(seed)
    answers = {}
    for prompt in range(prompts):
        texts = []
        for _ in range(samples):
            at, said = prompt % len(WORDS), []
            for _ in range(20):
                at = (at + (1 if random.random() < order else 5)) % len(WORDS)
                said.append(WORDS[at])
            texts.append(" ".join(said))
        answers[f"Prompt {prompt}"] = texts
    return subject(answers, name=f"writer-{seed}")


def compared(a: Examined, b: Examined) -> Evidence:
    comparator = Sampling()
    return comparator.compare(comparator.extract(a), comparator.extract(b))


def kernels(random: np.random.Generator, prompts: int, size: int) -> list[NDArray[np.float64]]:
    shared = random.integers(0, 30, (prompts, 1, 60))
    noise = random.integers(0, 30, (prompts, size, 60))
    codes = np.where(random.random((prompts, size, 60)) < 0.7, shared, noise).astype(np.int32)
    return [hamming(one) for one in codes]


def test_hamming_counts_places_up_to_the_longer_text() -> None:
    codes = np.array([[1, 2, 3, -1], [1, 9, 3, 4], [-1, -1, -1, -1]], dtype=np.int32)
    assert hamming(codes)[0, 1] == pytest.approx(2 / 4)
    assert hamming(codes)[0, 0] == 1
    assert hamming(codes)[2, 2] == 0


def test_statistic_is_the_unbiased_squared_mmd() -> None:
    (kernel,) = kernels(np.random.default_rng(0), 1, 5)
    a, b = kernel[:2, :2], kernel[2:, 2:]
    within_b = (b.sum() - np.trace(b)) / 6
    expected = a[0, 1] + within_b - 2 * kernel[:2, 2:].mean()
    assert equality_test([kernel], [2]).mmd == pytest.approx(expected)


def test_p_values_are_uniform_when_both_are_one_distribution() -> None:
    from scipy.stats import kstest

    random = np.random.default_rng(1)
    p_values = [
        equality_test(kernels(random, 10, 6), [3] * 10, permutations=99, seed=i).p_value
        for i in range(200)
    ]
    assert kstest(p_values, "uniform").pvalue > 0.01
    assert 0.01 < np.mean(np.array(p_values) <= 0.05) < 0.1


def test_stated_power_is_about_reached() -> None:
    """A shift of the detectable size is found about four times in five."""
    random = np.random.default_rng(2)
    null = equality_test(kernels(random, 30, 6), [3] * 30)
    assert null.detectable == pytest.approx(2.4865 * null.spread, rel=1e-3)
    threshold = 1.645 * null.spread
    draws = random.normal(null.detectable, null.spread, 4_000)
    assert np.mean(draws > threshold) == pytest.approx(0.8, abs=0.03)


def test_same_writer_is_not_told_apart_and_another_setting_is() -> None:
    known = drawn(1, 4, prompts=24)
    same = compared(known, drawn(2, 4, prompts=24))
    other = compared(known, drawn(3, 4, prompts=24, order=0.2))
    assert same.p_value is not None
    assert other.p_value is not None
    assert same.p_value > 0.05 > 0.01 > other.p_value
    assert same.score is not None
    assert other.score is not None
    assert other.score < same.score == pytest.approx(1, abs=0.35)
    assert same.details.detectable_score < 1
    assert any("does not show that they are the same" in caveat for caveat in same.caveats)


def test_fixed_answers_at_temperature_zero() -> None:
    same = drawn(1, 1)
    texts = {r.prompt.text: [r.text] * 2 for r in same.transcript.responses}
    fixed = subject(texts)
    assert compared(fixed, fixed).p_value == 1
    other = subject({q: [t.replace("amber", "onyx ")] * 2 for q, (t, _) in texts.items()})
    found = compared(fixed, other)
    assert found.p_value is not None
    assert found.p_value < 0.05


def test_p_value_is_the_same_when_swapped() -> None:
    a, b = drawn(1, 2), drawn(2, 4)
    assert compared(a, b).p_value == compared(b, a).p_value
    assert isinstance(compared(a, b).p_value, float)


def test_power_grows_with_samples() -> None:
    spreads = [
        equality_test(kernels(np.random.default_rng(5), 20, 2 * n), [n] * 20).spread
        for n in (2, 4, 8)
    ]
    assert all(more < less for less, more in pairwise(spreads))


def test_one_sample_each_is_insufficient() -> None:
    evidence = compared(drawn(1, 1), drawn(2, 3))
    assert evidence.status == "insufficient"
    assert "--samples" in evidence.reason


def test_result_type() -> None:
    assert EqualityTest(0.0, 1.0, 0.0).detectable == 0


def test_conventions() -> None:
    check_comparator(Sampling(), [(drawn(1, 2), drawn(2, 3)), (drawn(1, 1), drawn(2, 1))])
    check_comparator(Sampling())
