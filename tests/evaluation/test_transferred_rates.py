"""Error rates of the transferred ratio on labelled outputs."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from forensics.cohorts.outputs import Outputs
from forensics.cohorts.transferred import shipped
from forensics.evaluation.transferred_rates import pair_llrs, transferred_rates
from forensics.evidence import load_comparators
from forensics.evidence.text.profiles import Profile, profile_score
from forensics.verdicts.compare import compare
from forensics.verdicts.tier_readings import TRANSFERRED
from tests.cohorts.builders import facts, outputs, pairs, word

FACTS = facts(6, 8)


def _said(model: str, number: int) -> str:
    """Give five of eight sentences that models of these weights have for a prompt."""
    weights = random.Random(f"{FACTS[model].weights_id} {number}")
    known = [" ".join(word(weights) for _ in range(9)) for _ in range(8)]
    mark = weights.choice(["", "- ", "# ", "1. "])
    chosen = sorted(random.Random(f"{model} {number}").sample(range(1, 8), 4))
    return "\n".join(f"{mark}{sentence}." for sentence in [known[0], *(known[i] for i in chosen)])


def _made() -> Outputs:
    made = outputs(FACTS, prompts=24)
    texts = tuple(
        tuple((_said(model, number),) for model in FACTS) for number in range(len(made.texts))
    )
    return replace(made, texts=texts)


MADE = _made()
PAIRS = pairs(FACTS)


def test_kin_score_higher_and_the_figures_say_so():
    known = shipped()
    found = transferred_rates(MADE, PAIRS, known)
    figures = found["close_kinship"]
    assert (figures["n_pos"], figures["n_clusters"]) == (6, 6)
    assert figures["abstained"] == 0.0
    assert figures["auc"] > 0.9
    assert figures["cllr_min"] <= figures["cllr"]
    low, high = figures["interval"]
    assert low <= figures["cllr"] <= high
    assert set(figures["lr_above_10"]) >= {"unrelated", "kin"}
    assert figures["cluster_weighted"]["cllr"] > 0
    assert (found["lines"], found["calibration_sha256"]) == ("of all sets", known.sha256)


def test_every_pair_is_judged_as_its_case_would_judge_it():
    known = shipped()
    chosen = np.array([(0, 1), (0, 12)])
    llr = pair_llrs(MADE, chosen, known, known.calibration)
    for (a, b), value in zip(chosen.tolist(), llr.tolist(), strict=True):
        case = compare(
            MADE.examined(a),
            MADE.examined(b),
            load_comparators(only=["openings", "phrasing", "formatting"]),
            transferred=known,
        )
        fused = next(one for one in case.evidence if one.comparator == TRANSFERRED)
        assert fused.score == pytest.approx(value / np.log(10), abs=2e-3)


def test_a_set_that_was_fitted_is_judged_by_the_lines_without_it():
    known = shipped()
    own = pair_llrs(MADE, np.array([(0, 1), (0, 12)]), known, known.without["farel"])
    all_sets = pair_llrs(MADE, np.array([(0, 1), (0, 12)]), known, known.calibration)
    assert not np.allclose(own, all_sets)
    assert transferred_rates(MADE, PAIRS, known, "farel")["lines"] == "without farel"
    assert transferred_rates(MADE, PAIRS, known, "mine")["lines"] == "of all sets"


def test_too_few_prompts_abstain_and_count_as_no_evidence():
    figures = transferred_rates(MADE.on(range(12)), PAIRS, shipped())["close_kinship"]
    assert figures["abstained"] == 1.0
    assert figures["cllr"] == pytest.approx(1.0)


def test_without_kin_there_are_no_figures():
    strangers = [one for one in PAIRS if one.hypothesis == "independent"]
    figures = transferred_rates(MADE, strangers, shipped())["close_kinship"]
    assert (figures["n_pos"], figures["cllr"], figures["interval"]) == (0, None, None)


def test_models_under_two_system_prompts_get_no_ratio_below_one():
    asked = {
        model: replace(fact, system_prompt="terse" if model.endswith("b") else "none")
        for model, fact in FACTS.items()
    }
    known = shipped()
    stranger = np.array([(0, 3)])  # m0a, m1b
    assert pair_llrs(MADE, stranger, known, known.calibration)[0] < 0
    assert pair_llrs(replace(MADE, facts=asked), stranger, known, known.calibration)[0] == 0


def test_the_quick_score_of_profiles_is_the_slow_one():
    for comparator in load_comparators(only=["style", "formatting"]):
        a, b = (comparator.extract(MADE.examined(i)) for i in (0, 5))
        assert isinstance(a, Profile)
        assert profile_score(a, b) == pytest.approx(comparator.compare(a, b).score, abs=1e-6)
