"""What length and layout explain: all of a score made of them, nothing of one drawn at random."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.case.evidence import Evidence, PromptScore
from forensics.evidence.comparator import without_score
from forensics.evidence.text.formatting import Formatting
from forensics.evidence.text.phrasing import Phrasing
from forensics.examination.examined import Examined
from forensics.verdicts.compare import compare, measure
from forensics.verdicts.confounds import (
    MIN_PROMPTS,
    PREDICTORS,
    adjusted_r_squared,
    confounds,
    explained,
)
from tests.builders import essays, examined


def varied(count: int, seed: int) -> Examined:
    random = np.random.default_rng(seed)
    texts = []
    for text in essays(count, seed):
        body = f"{text} " * int(random.integers(1, 6))
        texts.append("- " + body.replace(". ", ".\n- ") if random.random() < 0.5 else body)
    return examined(texts)


def scored(a: Examined, scores: list[float]) -> Evidence:
    evidence = without_score(Phrasing(), "insufficient", "made up")
    entries = tuple(
        PromptScore(prompt_sha256=x.prompt_sha256, prompt_id=x.prompt_id, score=score)
        for x, score in zip(a.answers, scores, strict=True)
    )
    return evidence.model_copy(update={"status": "ok", "score": 0.0, "per_prompt": entries})


def test_score_that_is_length_is_explained_by_length() -> None:
    a, b = varied(60, 1), varied(60, 2)
    known = confounds(a, b)
    assert known.prompts == tuple(x.prompt_sha256 for x in a.answers)
    share = explained(scored(a, [-float(v) for v in known.values[:, 0]]), known)
    assert share is not None
    assert share.share == pytest.approx(1.0)
    assert share.correlations["length ratio"] == pytest.approx(-1.0)
    assert set(share.correlations) == set(PREDICTORS)
    assert share.n == 60


def test_random_score_is_not_explained() -> None:
    a, b = varied(200, 1), varied(200, 2)
    known = confounds(a, b)
    random = np.random.default_rng(0)
    shares = [explained(scored(a, random.random(200).tolist()), known) for _ in range(40)]
    assert np.mean([s.share for s in shares if s is not None]) < 0.02
    assert np.mean([s.interval.low < 0.01 for s in shares if s is not None]) > 0.9


def test_adjustment_takes_away_what_predictors_gain_by_chance() -> None:
    random = np.random.default_rng(0)
    shares = [adjusted_r_squared(random.random((20, 3)), random.random(20)) for _ in range(500)]
    plain = np.median(shares)
    assert plain < 0.05
    predictors = random.random((50, 2))
    assert adjusted_r_squared(predictors, predictors @ [2.0, -1.0]) == pytest.approx(1.0)
    assert adjusted_r_squared(np.ones((50, 2)), random.random(50)) == 0.0


def test_interval_holds_the_share_of_a_mixed_score() -> None:
    a, b = varied(150, 1), varied(150, 2)
    known = confounds(a, b)
    noise = np.random.default_rng(3).normal(0, known.values[:, 1].std(), 150)
    share = explained(scored(a, (known.values[:, 1] + noise).tolist()), known)
    assert share is not None
    assert 0.2 < share.share < 0.8
    assert share.interval.low < share.share < share.interval.high


def test_none_with_too_few_prompts_or_constant_scores() -> None:
    few = varied(MIN_PROMPTS - 1, 1), varied(MIN_PROMPTS - 1, 2)
    assert explained(measure(Phrasing(), *few), confounds(*few)) is None
    a, b = varied(30, 1), varied(30, 2)
    assert explained(scored(a, [0.5] * 30), confounds(a, b)) is None


def test_swapping_the_subjects_changes_nothing() -> None:
    a, b = varied(40, 1), varied(40, 2)
    one = measure(Formatting(), a, b, confounds(a, b)).explained_by_length_and_formatting
    other = measure(Formatting(), b, a, confounds(b, a)).explained_by_length_and_formatting
    assert one is not None
    assert other is not None
    assert one.share == pytest.approx(other.share, abs=1e-4)


def test_every_comparison_carries_it(reference: dict[str, Examined]) -> None:
    a, b = reference["vicuna-13b"], reference["gpt4_1106_preview"]
    case = compare(a, b, [Phrasing(), Formatting()])
    shares = [e.explained_by_length_and_formatting for e in case.evidence]
    assert all(share is not None and 0 <= share.share <= 1 for share in shares)
    # Layout likeness is one of the predictors: it must explain the comparator of layout best.
    assert shares[0] is not None
    assert shares[1] is not None
    assert shares[1].share > shares[0].share
