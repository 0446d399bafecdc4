"""Error rates over labelled pairs: what is held out, what is drawn, what cannot be said."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from forensics.cohorts.calibration import cllr
from forensics.cohorts.fitting import Labelled, fit
from forensics.cohorts.lineage.hypotheses import KIN_HYPOTHESES, LabelledPair
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.similarity import pair_scores
from forensics.evaluation.evaluate import Evaluated, evaluate, score_pairs
from forensics.evaluation.evaluation import Evaluation
from forensics.evaluation.rates import Scored, rates, without_hubs
from tests.cohorts.builders import facts, outputs, pairs

FACTS = facts(12, 10)
MADE = outputs(FACTS, 16)
PAIRS = pairs(FACTS)


def _strict(figures: dict) -> dict:
    return json.loads(json.dumps(figures, allow_nan=False))


def _timeless(figures: dict) -> dict:
    return {**figures, "seconds": None}


@pytest.fixture(name="figures", scope="module")
def figures_fixture() -> dict:
    return _strict(evaluate(MADE, PAIRS))


def _scored(made: Outputs, labels: tuple[LabelledPair, ...]) -> Evaluated:
    return score_pairs(made, labels, made.similarities(), made.excluded(), None)


def test_kin_are_told_from_strangers(figures: dict) -> None:
    same = figures["hypotheses"]["same_model"]
    assert same["auc"] == pytest.approx(1, abs=0.01)
    assert same["tpr_at_fpr"]["0.01"] == pytest.approx(1, abs=0.1)
    assert same["eer"] == pytest.approx(0, abs=0.02)
    assert same["cllr"] < 0.5
    assert (same["n_pos"], same["n_clusters"], same["n_clusters_neg"]) == (12, 12, 22)
    assert same["n_neg"] == len(PAIRS) - 12
    assert figures["calibration"] == "held_out"
    assert (figures["n_models"], figures["n_clusters"], figures["n_prompts"]) == (34, 22, 16)
    assert figures["curves"]["tippett"] is not None


def test_strangers_called_kin_are_not_found_to_be_any() -> None:
    # Labels that mean nothing: every seventh pair of strangers.
    strangers = [pair for pair in PAIRS if pair.hypothesis == "independent"]
    false = [
        replace(pair, relation="distilled_teacher", hypothesis="common_teacher")
        if i % 7 == 0
        else pair
        for i, pair in enumerate(strangers)
    ]
    found = evaluate(MADE, false)["hypotheses"]["common_teacher"]
    assert found["auc"] == pytest.approx(0.5, abs=0.1)
    low, high = found["interval"]["auc"]
    assert low < 0.5 < high
    assert found["tpr_at_fpr"]["0.01"] < 0.1


def test_hypotheses_without_pairs_have_no_figures(figures: dict) -> None:
    assert set(figures["hypotheses"]) == set(KIN_HYPOTHESES)
    none = figures["hypotheses"]["same_base"]
    assert (none["n_pos"], none["n_clusters"]) == (0, 0)
    wanted = ("auc", "auc_hub_removed", "eer", "cllr", "cllr_min", "abstained_pos")
    assert [none[name] for name in wanted] == [None] * 6
    assert none["tpr_at_fpr"] == {"0.01": None, "0.001": None}


def test_the_same_seed_gives_the_same_figures_and_another_another() -> None:
    one, two, other = (
        evaluate(MADE, PAIRS, prompts=10, cohort_size=20, seed=seed) for seed in (3, 3, 4)
    )
    assert _timeless(one) == _timeless(two)
    assert _timeless(one) != _timeless(other)
    assert (one["n_prompts"], one["cohort_size"], one["seed"]) == (10, 20, 3)


def test_more_prompts_than_there_are_means_all(figures: dict) -> None:
    assert _timeless(evaluate(MADE, PAIRS, prompts=1_000)) == _timeless(figures)


def test_no_more_than_so_many_models_are_reference() -> None:
    size = 9
    found = evaluate(MADE, PAIRS, cohort_size=size)
    assert found["hypotheses"]["same_model"]["auc"] > 0.9
    few = evaluate(MADE, PAIRS, cohort_size=2)  # fewer than any reference may have
    assert few["hypotheses"]["same_model"]["auc"] is None
    assert few["calibration"] == "none"
    assert few["hypotheses"]["same_model"]["abstained"] == 1
    _strict(few)


def test_a_pairs_ratio_does_not_depend_on_labels_of_its_own_clusters() -> None:
    before = _scored(MADE, PAIRS)
    assert before.llr is not None
    poisonous = {"m0a", "m0b"}
    poisoned = tuple(
        replace(pair, relation="unrelated", hypothesis="independent")
        if {pair.a, pair.b} == poisonous
        else replace(pair, relation="same_weights", hypothesis="same_model")
        if poisonous & {pair.a, pair.b}
        else pair
        for pair in PAIRS
    )
    after = _scored(MADE, poisoned)
    assert after.llr is not None
    own = np.array([bool(poisonous & {pair.a, pair.b}) for pair in PAIRS])
    np.testing.assert_allclose(after.llr[own], before.llr[own], rtol=1e-9)
    assert not np.allclose(after.llr[~own], before.llr[~own])  # the others did see it
    np.testing.assert_array_equal(after.score, before.score)


def test_references_leave_out_the_pairs_clusters() -> None:
    own = {"m0a", "m0b", "m1a", "m1b"}
    place = {model: i for i, model in enumerate(MADE.models)}
    scores = pair_scores(
        MADE.similarities(), MADE.excluded(), np.array([(place["m0a"], place["m1a"])])
    )
    assert scores.reference[0] == len(FACTS) - len(own)
    # Whatever those models say cannot matter to a pair of their clusters.
    other = [place["m0b"], place["m1b"]]
    texts = tuple(
        tuple(("entirely other words",) if i in other else said for i, said in enumerate(row))
        for row in MADE.texts
    )
    silenced = replace(MADE, texts=tuple(
        tuple(() if i in other else said for i, said in enumerate(row)) for row in MADE.texts
    ))  # fmt: skip
    pair = np.array([(place["m0a"], place["m1a"])])
    first, second = (
        pair_scores(made.similarities(), made.excluded(), pair).score[0]
        for made in (replace(MADE, texts=texts), silenced)
    )
    # Only how rare a sequence is among all answers still counts them.
    assert first == pytest.approx(second, abs=0.25)


def test_a_calibration_fitted_elsewhere_is_used_where_no_model_is_shared() -> None:
    numbered = MADE.labelled(PAIRS)
    shipped = fit(MADE.similarities(), MADE.excluded(), numbered)
    assert shipped is not None
    elsewhere = evaluate(MADE, PAIRS, shipped=shipped, trained_on=["quite-another"])
    assert elsewhere["calibration"] == "shipped"
    shared = evaluate(MADE, PAIRS, shipped=shipped, trained_on=["x", "M3"])
    assert shared["calibration"] == "held_out"
    one, other = (found["hypotheses"]["same_model"]["cllr"] for found in (shared, elsewhere))
    assert one != other


def test_abstentions_count_as_a_ratio_of_one() -> None:
    llr = np.array([4.0, 4.0, -4.0, 4.0])
    kin = np.array([True, True, False, False])
    clusters = np.array([(0, 0), (1, 1), (2, 3), (4, 5)])
    score = np.array([3.0, 2.0, 0.0, 2.5])
    abstained = np.array([False, False, False, True])
    scored = Scored(score, score, llr, abstained, kin, clusters)
    assert scored.counted_llr is not None
    assert scored.counted_llr.tolist() == [4, 4, -4, 0]
    found = rates(scored)
    assert found["cllr"] == pytest.approx(
        cllr(np.array([4.0, 4.0]), np.array([-4.0, 0.0])), abs=1e-6
    )
    assert found["lr_above_100"]["unrelated_pairs"] == 0
    assert (found["abstained"], found["abstained_pos"], found["abstained_neg"]) == (0.25, 0, 0.5)
    every = rates(replace(scored, abstained=np.ones(4, dtype=bool)))
    assert every["cllr"] == pytest.approx(1)  # nothing said, nothing lost
    assert every["auc"] == found["auc"]


def test_a_model_that_is_everybodys_neighbour_loses_its_advantage() -> None:
    # Model 0 scores 5 more with everybody, kin or not.
    pairs_of = np.array([(i, j) for i in range(30) for j in range(i + 1, 30)])
    kin = np.array([i == 0 and j <= 10 for i, j in pairs_of])
    score = np.random.default_rng(1).normal(size=len(pairs_of)) + 5 * (pairs_of[:, 0] == 0)
    corrected = without_hubs(score, pairs_of, ~kin)
    scored = Scored(score, corrected, None, np.zeros(len(kin), bool), kin, pairs_of)
    equal = rates(scored)["pair_weighted"]
    assert equal["auc"] > 0.95
    assert equal["auc_hub_removed"] < 0.8
    # A real likeness between two models that are nobody else's neighbour stays.
    real = np.where((pairs_of == (5, 6)).all(axis=1), 5.0, 0.0)
    only = (pairs_of == (5, 6)).all(axis=1)
    kept = without_hubs(real, pairs_of, ~only)
    assert kept[only][0] > kept[~only].max() + 3


def test_effects_are_fitted_together_and_no_pair_counts_in_its_own() -> None:
    # Model 0 is met by some of the others only: its mean alone would take on theirs.
    random = np.random.default_rng(2)
    effects = random.normal(size=40)
    pairs_of = np.array([(i, j) for i in range(40) for j in range(i + 1, 40)])
    pairs_of = pairs_of[(pairs_of[:, 0] > 0) | (pairs_of[:, 1] < 20)]
    added = effects[pairs_of].sum(axis=1)
    strangers = np.ones(len(added), dtype=bool)
    strangers[::7] = False
    removed = without_hubs(3 + added, pairs_of, strangers)
    assert np.abs(removed).max() < 0.2
    assert np.abs(added).max() > 3
    score = 3 + added + random.normal(size=len(added))
    removed = without_hubs(score, pairs_of, strangers)
    assert np.abs(np.corrcoef(removed, added)[0, 1]) < 0.15
    # The leave-one-out residual, as if the pair had not been in the fit.
    one = int(np.flatnonzero(strangers)[5])
    left_out = strangers.copy()
    left_out[one] = False
    assert removed[one] == pytest.approx(without_hubs(score, pairs_of, left_out)[one])


def test_pairs_without_a_score_do_not_blur_the_removal_of_hubs() -> None:
    texts = tuple(
        tuple(() if i in (24, 25) else said for i, said in enumerate(row)) for row in MADE.texts
    )
    silent = {MADE.models[24], MADE.models[25]}
    found = _scored(replace(MADE, texts=texts), PAIRS)
    blank = np.array([bool(silent & {pair.a, pair.b}) for pair in PAIRS])
    assert np.isnan(found.score[blank]).all()
    assert np.isnan(found.unhubbed[blank]).all()
    assert np.isfinite(found.unhubbed[~blank]).all()
    rest = tuple(pair for pair in PAIRS if not silent & {pair.a, pair.b})
    alone = _scored(replace(MADE, texts=texts), rest)
    np.testing.assert_allclose(found.unhubbed[~blank], alone.unhubbed)
    assert found.abstained[blank].all()


@pytest.mark.parametrize("kept", ["same_model", "independent"])
def test_one_class_alone_gives_no_figures(kept: str) -> None:
    found = _strict(evaluate(MADE, [pair for pair in PAIRS if pair.hypothesis == kept]))
    same = found["hypotheses"]["same_model"]
    assert same["auc"] is None
    assert same["cllr"] is None
    assert same["interval"]["auc"] is None
    assert found["calibration"] == "none"
    assert found["curves"]["tippett"] is None


def test_no_pairs_at_all_give_no_figures() -> None:
    found = _strict(evaluate(MADE, []))
    assert all(one["auc"] is None for one in found["hypotheses"].values())
    assert found["by_relation"] == {}


def test_a_cohort_of_three_gives_no_figures() -> None:
    three = facts(1, 1)
    found = _strict(evaluate(outputs(three, 10), pairs(three)))
    assert found["hypotheses"]["same_model"]["auc"] is None
    assert found["calibration"] == "none"


def test_identical_answers_tell_nothing() -> None:
    texts = tuple(tuple((f"Answer {i}.",) for _ in row) for i, row in enumerate(MADE.texts))
    found = _strict(evaluate(replace(MADE, texts=texts), PAIRS))
    same = found["hypotheses"]["same_model"]
    assert same["auc"] is None or same["auc"] == pytest.approx(0.5, abs=0.1)
    assert same["lr_above_100"] is None or same["lr_above_100"]["unrelated_pairs"] == 0
    assert same["cllr"] is None or same["cllr"] > 0.9


def test_a_model_with_hardly_any_answers_is_abstained_from() -> None:
    texts = tuple(
        tuple(() if i == 0 and row > 1 else said for i, said in enumerate(line))
        for row, line in enumerate(MADE.texts)
    )
    found = _strict(evaluate(replace(MADE, texts=texts), PAIRS))
    same = found["hypotheses"]["same_model"]
    assert same["abstained_pos"] >= 0.08
    assert same["auc"] > 0.9


def test_fewer_prompts_than_any_score_needs_give_no_figures() -> None:
    for prompts in (1, 7):
        found = _strict(evaluate(MADE, PAIRS, prompts=prompts))
        assert found["hypotheses"]["same_model"]["auc"] is None
        assert found["hypotheses"]["same_model"]["abstained"] == 1


def test_outputs_without_a_common_prompt_are_a_clear_line() -> None:
    from forensics.errors import InputFileError

    with pytest.raises(InputFileError, match="no prompt was answered"):
        evaluate(replace(MADE, prompts=(), texts=()), PAIRS)


def test_ratios_of_later_strangers_are_judged_by_earlier_models_only() -> None:
    years = {
        model: replace(fact, released=f"{2023 + (i >= 26)}-0{1 + i % 9}")
        for i, (model, fact) in enumerate(FACTS.items())
    }
    dated = replace(MADE, facts=years)
    shift = evaluate(dated, PAIRS)["shift"]["era"]
    assert shift["fitted_on"] == "26 models released before 2024"
    assert shift["unrelated_pairs"] == 8 * 7 // 2
    assert shift["lr_above_100"] <= shift["lr_above_100_without_conditions"]
    assert 0 <= shift["abstained"] <= 1


def test_strangers_under_one_system_prompt_are_judged_by_a_line_that_saw_none_of_them() -> None:
    asked = {
        model: replace(fact, system_prompt="concise" if model in ("s0", "s1") else "none")
        for model, fact in FACTS.items()
    }
    shift = evaluate(replace(MADE, facts=asked), PAIRS)["shift"]["shared_system_prompt"]
    assert shift["unrelated_pairs"] == 1
    # Scores of these two do not move the line: without their other pairs it is the same.
    rest = [p for p in PAIRS if {p.a, p.b} == {"s0", "s1"} or not {p.a, p.b} & {"s0", "s1"}]
    again = evaluate(replace(MADE, facts=asked), rest)["shift"]["shared_system_prompt"]
    assert again == shift
    # Where every kin pair was asked alike no line is left.
    alike = {model: replace(fact, system_prompt="concise") for model, fact in FACTS.items()}
    assert evaluate(replace(MADE, facts=alike), PAIRS)["shift"]["shared_system_prompt"] is None


def test_labels_are_numbers_of_models_and_clusters() -> None:
    found = MADE.labelled(PAIRS[:3])
    assert isinstance(found, Labelled)
    assert [tuple(sorted((MADE.models[a], MADE.models[b]))) for a, b in found.pairs] == [
        (pair.a, pair.b) for pair in PAIRS[:3]
    ]


def test_an_evaluation_becomes_a_frame(figures: dict) -> None:
    frame = Evaluation(figures).to_frame()
    assert set(frame["group"]) == {"hypothesis", "relation"}
    hypotheses = frame[frame["group"] == "hypothesis"].set_index("name")
    assert list(hypotheses.index) == list(KIN_HYPOTHESES)
    row, given = hypotheses.loc["same_model"], figures["hypotheses"]["same_model"]
    assert (row["n_pos"], row["auc"], row["cllr"]) == (12, given["auc"], given["cllr"])
    assert row["tpr_at_1pct"] == given["tpr_at_fpr"]["0.01"]
    assert [row["auc_low"], row["auc_high"]] == given["interval"]["auc"]
    assert row["false_above_100_upper"] == given["lr_above_100"]["upper_95"]
    nothing = hypotheses[hypotheses["n_pos"] == 0]
    assert len(nothing) > 0
    assert nothing["auc"].isna().all()
