"""Sketches against a slow reference implementation, and what folding and 4 bits cost."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forensics.evidence.features.sketches import (
    BUCKETS,
    CHARS,
    Counts,
    count_sequences,
    document_frequency,
    fold,
    quantise,
    restore,
    weigh,
)

# Texts as models give them: any script, NULs and lone surrogates included.
texts = st.lists(st.text(st.characters(exclude_categories=()), max_size=60), max_size=6)


def slow_counts(text: str) -> dict[int, int]:
    """Count four-byte windows one by one, in whole numbers."""
    encoded = text[:CHARS].encode("utf-8", "surrogatepass")
    counts: dict[int, int] = {}
    for start in range(len(encoded) - 3):
        window = int.from_bytes(encoded[start : start + 4], "little")
        bucket = (window * 2_654_435_761 % 2**32) >> 19
        counts[bucket] = counts.get(bucket, 0) + 1
    return counts


def counted(counts: Counts, text: int) -> dict[int, int]:
    """Return bucket → count of one text."""
    own = slice(counts.bounds[text], counts.bounds[text + 1])
    times = np.rint(np.expm1(counts.logs[own])).astype(int)
    return dict(zip(counts.buckets[own].tolist(), times.tolist(), strict=True))


@given(texts)
def test_counts_are_those_of_a_plain_loop(answers):
    counts = count_sequences(answers)
    assert len(counts) == len(answers)
    for number, text in enumerate(answers):
        assert counted(counts, number) == slow_counts(text)


def test_no_window_reaches_from_one_text_into_the_next():
    alone = counted(count_sequences(["abcdefg"]), 0)
    between = count_sequences(["xyz\0\0", "abcdefg", "", "ab", "\0\0\0\0"])
    assert counted(between, 1) == alone
    assert counted(between, 2) == counted(between, 3) == {}
    assert sum(counted(between, 4).values()) == 1


def test_what_comes_after_the_first_1500_characters_does_not_count():
    long = "abcd" * 1_000
    assert counted(count_sequences([long]), 0) == counted(count_sequences([long[:CHARS]]), 0)


@given(texts.filter(bool))
def test_weights_are_those_of_the_formula(answers):
    counts = count_sequences(answers)
    frequency = document_frequency(counts)
    rows = weigh(counts, frequency, len(answers)).dense()
    assert rows.shape == (len(answers), BUCKETS)
    for row, text in zip(rows, answers, strict=True):
        slow = {
            bucket: math.log1p(n) * math.log((len(answers) + 1) / (frequency[bucket] + 1))
            for bucket, n in slow_counts(text).items()
        }
        length = math.sqrt(sum(value**2 for value in slow.values()))
        expected = np.zeros(BUCKETS)
        for bucket, value in slow.items():
            expected[bucket] = value / max(length, 1e-9)
        assert np.allclose(row, expected, atol=1e-5)


def test_sequences_that_everybody_uses_weigh_nothing():
    counts = count_sequences(["the same words"] * 5)
    rows = weigh(counts, document_frequency(counts), 5).dense()
    assert np.isfinite(rows).all()
    assert (rows == 0).all()


def test_folding_keeps_dot_products_in_expectation():
    source = np.random.default_rng(0)
    rows = source.normal(size=(60, BUCKETS)).astype(np.float32)
    rows[30:] += rows[:30]  # half of them related
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    folded = fold(rows)
    error = (folded @ folded.T - rows @ rows.T)[np.triu_indices(60, 1)]
    spread = 1 / math.sqrt(folded.shape[1])  # of one dot product of unit rows
    assert abs(error.mean()) < 4 * spread / math.sqrt(len(error))
    assert error.std() < 1.5 * spread


def test_four_bits_cost_little():
    source = np.random.default_rng(1)
    rows = source.normal(size=(40, 256)).astype(np.float32)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    packed, scale = quantise(unit)
    assert packed.shape == (40, 128)
    back = restore(packed, scale)
    assert np.allclose(np.linalg.norm(back, axis=1), 1, atol=1e-5)
    assert (back * unit).sum(axis=1).min() > 0.985
    assert np.abs(back @ back.T - unit @ unit.T).max() < 0.05


def test_no_answer_stays_no_answer():
    back = restore(*quantise(np.zeros((3, 256), dtype=np.float32)))
    assert (back == 0).all()
