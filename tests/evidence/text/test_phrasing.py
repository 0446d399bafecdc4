from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.case.details.text import LongRuns
from forensics.evidence.features.matched_prompts import match
from forensics.evidence.text.openings import DEPTH, Openings
from forensics.evidence.text.phrasing import LONG_RUN, Phrasing
from tests.builders import essays, examined

SHORT = st.lists(st.sampled_from("red blue sun moon old new".split()), max_size=14)


def _grams(text: str, n: int = 4) -> set[tuple[str, ...]]:
    forms = text.split()
    return {tuple(forms[i : i + n]) for i in range(len(forms) - n + 1)}


def _cosine(a: str, b: str) -> float:
    x, y = _grams(a), _grams(b)
    return len(x & y) / np.sqrt(len(x) * len(y)) if x and y else 0.0


def _rows(comparator: Phrasing | Openings, texts: Sequence[str]) -> np.ndarray:
    padded = [text or "x" for text in texts]  # blank answers are not answers
    rows = comparator.extract(examined(padded))
    order = [rows.prompts.index(a.prompt.sha256) for a in examined(padded).transcript.responses]
    return rows.mean[order].toarray()


@settings(max_examples=40, deadline=None)
@given(st.lists(SHORT, min_size=2, max_size=4))
def test_phrasing_is_the_cosine_of_four_word_sequences(answers):
    texts = [" ".join(answer) for answer in answers]
    rows = _rows(Phrasing(), texts)
    for i, one in enumerate(texts):
        for j, other in enumerate(texts):
            assert rows[i] @ rows[j] == pytest.approx(_cosine(one, other), abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(SHORT.filter(bool), SHORT.filter(bool))
def test_openings_are_the_share_of_words_in_common_at_both_ends(first, second):
    def common(a: list[str], b: list[str]) -> int:
        pairs = list(zip(a[:DEPTH], b[:DEPTH], strict=False))
        return next((k for k, (x, y) in enumerate(pairs) if x != y), len(pairs))

    rows = _rows(Openings(), [" ".join(first), " ".join(second)])
    share = (common(first, second) + common(first[::-1], second[::-1])) / (2 * DEPTH)
    assert rows[0] @ rows[1] == pytest.approx(share, abs=1e-5)


def test_cut_off_answers_are_judged_by_their_opening_alone():
    texts = ["a b c d e f g h and then one", "a b c d e f g h and then another"]
    rows = Openings().extract(examined(texts, status="truncated"))
    dense = rows.mean.toarray()
    assert dense[0] @ dense[1] == pytest.approx(1.0, abs=1e-5)


def test_repeating_the_question_is_no_likeness():
    question = "Question 0?"
    rows = _rows(Phrasing(), [f"so you ask me {question}", f"well: {question}"])
    assert rows[0] @ rows[1] == 0


def test_long_passages_are_shown_for_and_distant_answers_against():
    letters = "abcdefghij"
    passage = " ".join(f"{letters[n // 10]}{letters[n % 10]}" for n in range(30))
    a = [f"{text} {passage}" if i < 3 else text for i, text in enumerate(essays(20))]
    b = [f"{passage}. {text}" if i < 3 else text for i, text in enumerate(essays(20, 1))]
    comparator = Phrasing()
    first, second = comparator.extract(examined(a)), comparator.extract(examined(b))
    evidence = comparator.compare(first, second)
    shown = [e for e in evidence.exhibits if e.side == "for"]
    assert evidence.details.long_runs == LongRuns(prompts=3, n=20, words=LONG_RUN)
    assert {e.prompt_id for e in shown} == {"p000", "p001", "p002"}
    texts = dict(zip((f"p{i:03d}" for i in range(20)), a, strict=True))
    assert all(passage in texts[e.prompt_id][slice(*e.spans_a[-1])] for e in shown)
    assert [e for e in evidence.exhibits if e.side == "against"]


def test_scores_are_those_of_the_matched_rows():
    comparator = Phrasing()
    a, b = (comparator.extract(examined(essays(15, shift))) for shift in (0, 1))
    evidence = comparator.compare(a, b)
    matched = match(a, b)
    assert evidence.score == pytest.approx(matched.similarity.mean() - matched.expected.mean())
    assert evidence.matched - evidence.baseline == pytest.approx(evidence.score)
    assert sum(p.score for p in evidence.per_prompt) / 15 == pytest.approx(evidence.score, abs=1e-5)
