"""Every row of the table of readings, and what never becomes one."""

from __future__ import annotations

import math

import pytest
from scipy import integrate

from forensics.case.details.reference import (
    KnownAs,
    LikenessDetails,
    MetCondition,
    ReleaseMonths,
)
from forensics.case.details.tokenizer import TokenCountsDetails
from forensics.case.details.weights import TensorsDetails
from forensics.case.document import CopyTripwire, Overlap, Verdict
from forensics.case.evidence import Evidence
from forensics.verdicts.tier_readings import ALIKE, KIN, e_value, read_tiers
from forensics.verdicts.tier_wording import tier_text
from forensics.verdicts.verdict import decide
from forensics.verdicts.verdict_wording import worded

QUIET = CopyTripwire(identical=0, compared=0, limit=5, min_chars=200, tripped=False)
NO_OVERLAP = Overlap(a=0, b=0, both=0)


def _tested(tier: str, p_value: float | None, name: str = "") -> Evidence:
    return Evidence(
        comparator=name or tier,
        title=tier.title(),
        tier=tier,
        status="ok",
        scale="x",
        score=0.5,
        n=7,
        p_value=p_value,
    )


def _judged(log10_lr: float, met: bool = True) -> Evidence:
    return Evidence(
        comparator="likeness",
        title="Likeness",
        status="ok",
        scale="x",
        score=1.0,
        log10_lr={"close_descent": log10_lr},
        details=LikenessDetails(
            cohort="small",
            cohort_sha256="0",
            known_as=KnownAs(a=None, b=None),
            released=ReleaseMonths(a="", b=""),
            conditions=(MetCondition(met=met, text="the era"),),
        ),
    )


def _fused(*evidence: Evidence) -> Verdict:
    return worded(decide(evidence, NO_OVERLAP, QUIET))


SURE, OPEN, CHANCE = 1e-20, 1e-3, 0.4


@pytest.mark.parametrize(
    ("weights", "behaviour", "reading"),
    [
        (SURE, SURE, "Derivative: they share weights and behave alike."),
        (SURE, CHANCE, "Same base, retrained behaviour:"),
        (CHANCE, SURE, "Distillation or shared training data:"),
        (CHANCE, CHANCE, "Independent as far as measured:"),
        (None, SURE, "Kinship, mechanism undetermined:"),
        (SURE, None, "They share weights:"),
        (CHANCE, None, "Their weights agree no more than expected by chance, so"),
        (SURE, OPEN, "They share weights:"),
    ],
)
def test_each_row_of_the_table_has_its_reading(weights, behaviour, reading):
    given = (("weights", weights), ("logprobs", behaviour))
    verdict = _fused(*(_tested(tier, p) for tier, p in given if p is not None))
    assert verdict.reading.startswith(reading)
    assert verdict.readings["together"].startswith(reading)
    assert verdict.status == "screening"


@pytest.mark.parametrize(
    ("log10_lr", "met", "kin"),
    [(1.5, True, "yes"), (-1.5, True, "no"), (0.2, True, "open"), (1.5, False, "not_measured")],
)
def test_text_counts_as_behaviour_only_with_a_cohort_that_covers_both(log10_lr, met, kin):
    assert read_tiers([_judged(log10_lr, met)])[1].kin == kin


def test_text_alone_leaves_the_verdict_as_it_is():
    alone = _fused(_judged(2.0))
    assert (alone.status, alone.readings, alone.headline) == ("insufficient", {}, _fused().headline)


def test_a_comparator_without_a_p_value_decides_nothing():
    verdict = _fused(_tested("weights", None))
    assert (verdict.status, "together" in verdict.readings) == ("insufficient", False)


def test_e_values_are_averaged_so_that_one_sure_test_is_enough_and_luck_is_not():
    assert e_value(1e-6) == pytest.approx(
        integrate.quad(lambda k: k * 1e-6 ** (k - 1), 0, 1, epsabs=0, epsrel=1e-9)[0]
    )
    assert e_value(1.0) == e_value(0.99991) == pytest.approx(e_value(0.9998), abs=1e-4)
    sure = [_tested("weights", SURE, "x"), _tested("weights", CHANCE, "y")]
    assert read_tiers(sure)[0].kin == "yes"
    lucky = [_tested("weights", 1e-5, f"t{i}") for i in range(3)]
    assert read_tiers(lucky)[0].kin == "open"
    # Markov: of independent models at most one in KIN reaches it, since e-values' mean over (0, 1)
    # is 1. It is 1 + 1 / ln p up to p, and what is above grows slowly as p goes to 0.
    above, _ = integrate.quad(e_value, 1e-9, 1, points=[1e-6, 1e-4, 0.01], limit=200)
    assert above + 1 / -math.log(1e-9) == pytest.approx(1, abs=1e-3)


def _approximate(p_value: float, name: str) -> Evidence:
    return _tested("weights", p_value, name).model_copy(
        update={"details": {"p_value_is_approximate": True}}
    )


def test_one_approximate_test_alone_never_makes_kin():
    exact = _tested("weights", CHANCE, "exact")
    assert read_tiers([exact, _approximate(SURE, "x")])[0].kin == "open"
    assert read_tiers([exact, _approximate(SURE, "x"), _approximate(SURE, "y")])[0].kin == "yes"
    assert read_tiers([exact, _approximate(SURE, "x"), _approximate(1e-3, "y")])[0].kin == "yes"
    assert "about p = 1e-20" in _fused(exact, _approximate(SURE, "x")).findings_for[0].text


def test_token_probabilities_that_show_nothing_do_not_outweigh_calibrated_text():
    assert read_tiers([_tested("logprobs", CHANCE), _judged(1.5)])[1].kin == "yes"
    assert read_tiers([_tested("logprobs", SURE), _judged(-1.5)])[1].kin == "yes"
    assert read_tiers([_tested("logprobs", CHANCE), _judged(-1.5)])[1].kin == "no"
    assert read_tiers([_tested("logprobs", OPEN), _judged(-1.5)])[1].kin == "open"
    assert read_tiers([_tested("logprobs", OPEN)])[1].kin == "open"


def test_what_was_left_open_is_not_called_unmeasured():
    verdict = _fused(_tested("weights", SURE), _tested("logprobs", OPEN))
    assert "left open" in verdict.reading and "not measured" not in verdict.reading
    assert "not measured" not in _fused(_tested("weights", OPEN), _tested("logprobs", SURE)).reading


def test_p_values_of_token_probabilities_are_not_of_independence():
    told = _fused(_tested("logprobs", SURE)).findings_for[0].text
    assert "if some control were as near" in told
    assert "independent" not in told


def _same_bytes(count: int, share: float) -> Evidence:
    details = TensorsDetails(
        identical_tensors=count,
        tensors_b=10,
        identical_weights=count,
        direction_reason="",
        architecture_a="",
        architecture_b="",
    )
    return _tested("weights", None, "weights_tensors").model_copy(
        update={"details": details, "score": share}
    )


def test_tensors_in_common_are_never_read_as_no_kinship():
    alone = _fused(_same_bytes(10, 1.0))
    assert alone.headline.startswith("Weights show close kinship (10 of 10 tensors of B are in A")
    assert alone.readings["together"].startswith("They share weights:")
    beside = read_tiers([_same_bytes(1, 0.3), _tested("weights", CHANCE)])[0]
    assert (beside.kin, "byte for byte" in tier_text(beside)) == ("open", True)
    assert read_tiers([_same_bytes(1, 0.1)])[0].kin == "not_measured"
    assert read_tiers([_same_bytes(0, 0.0), _tested("weights", CHANCE)])[0].kin == "no"


def test_findings_stand_on_the_side_they_speak_for():
    verdict = _fused(
        _tested("weights", SURE, "sure"),
        _tested("weights", CHANCE, "chance"),
        _tested("weights", OPEN, "open"),
    )
    assert [f.comparator for f in verdict.findings_for] == ["sure"]
    assert [f.comparator for f in verdict.findings_against] == ["chance"]
    assert math.isfinite(float(verdict.headline.split("e-value ")[1].split(")")[0]))
    assert "p < 1e-300" in _fused(_tested("weights", 1e-300)).findings_for[0].text


def test_tokenizers_are_told_and_never_make_kin() -> None:
    tokenizer = _tested("tokenizer", None).with_details(
        TokenCountsDetails(
            reading="the same vocabulary",
            kin=True,
            a={},
            b={},
            sources=("files", "files"),
            nearest_a=(),
            nearest_b=(),
        )
    )
    alone = _fused(tokenizer)
    assert alone.headline.startswith("Tokenizers: the same vocabulary.")
    assert "not shared weights" in alone.reading
    assert "together" not in alone.readings
    both = _fused(tokenizer, _tested("weights", CHANCE))
    assert both.reading.startswith("Their weights agree no more than expected by chance, so")
    assert both.readings["tokenizer"] in both.reading


def test_behaviour_is_alike_from_a_lower_bound_on_than_weights_are_kin():
    p_value = 3e-5
    assert ALIKE <= e_value(p_value) < KIN
    assert read_tiers([_tested("logprobs", p_value)])[1].kin == "yes"
    assert read_tiers([_tested("weights", p_value)])[0].kin == "open"
    approximate = _approximate(p_value, "x").model_copy(update={"tier": "logprobs"})
    assert read_tiers([approximate])[1].kin == "yes"


def test_token_probabilities_left_open_still_point_where_weights_say_no():
    verdict = _fused(_tested("weights", CHANCE), _tested("logprobs", OPEN))
    assert verdict.readings["together"].startswith("Points to distillation or shared training data")
    assert [f.comparator for f in verdict.findings_for] == ["logprobs"]
    silent = _fused(_tested("weights", CHANCE), _judged(0.2))
    assert not silent.reading.startswith("Points to")
