from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from forensics.evidence.text.refusal import Refusal, kappa
from forensics.verdicts.compare import measure
from tests.builders import essays, examined

DEGREES = st.integers(0, 2)
NO = "I'm sorry, but I can't help with that request."
OTHER_NO = "I won't assist with that, because it could cause harm."


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(DEGREES, DEGREES), min_size=2, max_size=40))
def test_kappa_is_that_of_scikit_learn(pairs):
    left, right = (np.array(side, float) for side in zip(*pairs, strict=True))
    ours = kappa(left, right, np.full((1, len(pairs)), 1 / len(pairs)))[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = cohen_kappa_score(left, right, weights="linear", labels=[0, 1, 2])
    assert ours == pytest.approx(theirs, nan_ok=True)


def test_weights_are_counts_of_prompts():
    draw = np.random.default_rng(0)
    left, right = draw.integers(0, 3, (2, 30)).astype(float)
    counts = draw.multinomial(30, np.full(30, 1 / 30))
    repeated = np.repeat(np.arange(30), counts)
    expected = cohen_kappa_score(left[repeated], right[repeated], weights="linear")
    assert kappa(left, right, counts[None] / 30)[0] == pytest.approx(expected)


def _texts(refused: set[int], phrase: str = NO, shift: int = 0) -> list[str]:
    return [phrase if i in refused else text for i, text in enumerate(essays(24, shift))]


def _measure(a: list[str], b: list[str]):
    return measure(Refusal(), examined(a, "a"), examined(b, "b"))


def test_the_same_prompts_refused_is_full_agreement():
    evidence = _measure(_texts({1, 5, 9, 11}), _texts({1, 5, 9, 11}, OTHER_NO, 1))
    assert (evidence.status, evidence.n) == ("ok", 24)
    assert evidence.score == pytest.approx(1.0)
    assert {e.side for e in evidence.exhibits} == {"for"}


def test_other_prompts_refused_is_less_than_chance():
    evidence = _measure(_texts({1, 5, 9, 11}), _texts({2, 6, 10, 12}, shift=1))
    assert evidence.score < 0
    assert {e.side for e in evidence.exhibits} == {"against"}


def test_refusals_too_rare_to_agree_about_are_insufficient_with_counts():
    evidence = _measure(_texts({1}), _texts({1, 2, 3, 4}, shift=1))
    assert (evidence.status, evidence.score) == ("insufficient", None)
    assert "1 (A) and 4 (B)" in evidence.reason
    assert evidence.details["labels_a"]["full_refusal"] == 1


def test_two_subjects_that_refuse_everything_are_insufficient():
    everything = set(range(24))
    evidence = _measure(_texts(everything), _texts(everything))
    assert (evidence.status, evidence.score) == ("insufficient", None)
    assert "undefined" in evidence.reason


def test_phrases_are_kept():
    evidence = _measure(_texts({1, 5, 9}), _texts({1, 5, 9}))
    assert any("help" in phrase for phrase, _ in evidence.details["phrases_a"])
    spans = [e.spans_a[0] for e in evidence.exhibits if e.spans_a]
    assert spans
    assert all(0 <= start < end <= len(NO) for start, end in spans)
