"""A score beside unrelated pairs: where it stands, and which kinds speak for kinship."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from forensics.case.document import CopyTripwire, Overlap
from forensics.case.evidence import Evidence, Interval, NoiseFloor, ReferenceScores
from forensics.cohorts.finding import find_cohort
from forensics.cohorts.lineage.hypotheses import LabelledPair
from forensics.evaluation.reference_scores import neighbours
from forensics.evidence import load_comparators
from forensics.report.markdown import render_markdown
from forensics.verdicts.compare import compare
from forensics.verdicts.decision import Screening
from forensics.verdicts.neighbours import (
    LEVEL,
    at_floor,
    beyond_unrelated,
    neighbourhood,
    standing_out,
    stands_out,
)
from forensics.verdicts.verdict import screen
from studies.cohorts.build_shipped import RECIPES, tables

KINDS = ("openings", "phrasing", "style", "formatting", "lexicon", "choices")


def _reference(scores: np.ndarray, bins: int = 24) -> ReferenceScores:
    counts, edges = np.histogram(scores, bins)
    return ReferenceScores(
        cohort="made",
        n_prompts=32,
        edges=tuple(edges.tolist()),
        unrelated=tuple(counts.tolist()),
        related=(0,) * bins,
        clusters=0,
    )


def _scored(score: float, name: str = "style", **more: object) -> Evidence:
    return Evidence(comparator=name, title=name, status="ok", score=score, n=32, **more)


def _placed(score: float, reference: ReferenceScores, name: str = "style") -> Evidence:
    evidence = _scored(score, name)
    near = neighbourhood(evidence, reference, "matched")
    return evidence.model_copy(update={"neighbourhood": near})


def test_a_score_is_placed_among_unrelated_pairs():
    reference = _reference(np.arange(100.0), bins=10)
    near = neighbourhood(_scored(95.0), reference, "other")
    assert (near.above, near.reaching, near.pairs) == (0.9, 10, 100)
    assert (near.source, near.prompts) == ("made", "other")
    assert neighbourhood(_scored(-5.0), reference, "other").above == 0.0
    # What lies beyond the last bin is counted with it: none of its pairs is called lower.
    assert neighbourhood(_scored(10**6), reference, "other").reaching == 10


def test_nothing_is_placed_without_score_or_pairs():
    empty = ReferenceScores(
        cohort="x", n_prompts=8, edges=(0.0, 1.0), unrelated=(0,), related=(3,), clusters=1
    )
    none = Evidence(comparator="style", title="style", status="insufficient")
    assert neighbourhood(none, _reference(np.arange(9.0)), "matched") is None
    assert neighbourhood(_scored(1.0), None, "matched") is None
    assert neighbourhood(_scored(1.0), empty, "matched") is None


def test_many_kinds_beyond_a_few_unrelated_pairs_stand_out_together():
    few = _reference(np.linspace(0.0, 1.0, 45), bins=45)
    out = [_placed(2.0, few, name) for name in KINDS[:4]]
    usual = [_placed(0.5, few, name) for name in KINDS[4:]]
    assert standing_out([*out, *usual]) == (4, 6)
    assert stands_out([*out, *usual])
    assert not beyond_unrelated([*out, *usual])  # 45 pairs cannot show that of one kind among six
    assert not stands_out([*out[:3], *usual, _placed(0.5, few, "refusal")])
    assert not stands_out(out[:2])
    assert not stands_out([_placed(2.0, _reference(np.arange(9.0)), name) for name in KINDS])


def test_of_a_few_sure_unrelated_pairs_less_sure_ones_join_them():
    names = ("a", "b", "c", "d", "e", "f")
    pairs = [
        LabelledPair(
            *sorted(two), "unrelated", "high" if set(two) <= {"a", "b", "c"} else sure, None
        )
        for sure, two in zip(
            ("medium",) * 14 + ("low",), itertools.combinations(names, 2), strict=True
        )
    ]
    counted = [pair for pair in neighbours(pairs, names) if pair.hypothesis == "independent"]
    assert len(counted) == 14  # half of the models are in sure pairs: too few to stand for all
    of_three = [pair for pair in neighbours(pairs, names[:4]) if pair.hypothesis == "independent"]
    assert len(of_three) == 3


def test_scores_on_other_prompts_do_not_stand_out():
    reference = _reference(np.linspace(0.0, 1.0, 45))
    entries = [_scored(2.0, name) for name in KINDS]
    elsewhere = [
        entry.model_copy(update={"neighbourhood": neighbourhood(entry, reference, "other")})
        for entry in entries
    ]
    assert standing_out(elsewhere) == (0, 0)
    assert not stands_out(elsewhere)


def test_of_unrelated_pairs_hardly_any_has_a_kind_that_speaks_for_kinship():
    draw = np.random.default_rng(0)
    references = {name: _reference(draw.normal(size=400)) for name in KINDS}
    named = [
        bool(beyond_unrelated([_placed(draw.normal(), references[name], name) for name in KINDS]))
        for _ in range(1_000)
    ]
    assert np.mean(named) <= LEVEL + 2 * np.sqrt(LEVEL / 1_000)
    # One by one, without correction, a fifth or more of them would.
    alone = [_placed(draw.normal(), references["style"]).neighbourhood for _ in range(1_000)]
    assert np.mean([(1 + one.reaching) / (1 + one.pairs) <= LEVEL for one in alone]) > 0.02


def test_kin_speak_in_the_kinds_that_stand_out_only():
    reference = _reference(np.random.default_rng(1).normal(size=400))
    found = [_placed(6.0, reference, name) for name in KINDS[:2]]
    found += [_placed(1.7, reference, name) for name in KINDS[2:]]
    assert beyond_unrelated(found) == set(KINDS[:2])


def test_pairs_on_other_prompts_are_shown_and_tell_nothing():
    reference = _reference(np.random.default_rng(1).normal(size=400))
    evidence = _scored(6.0)
    other = evidence.model_copy(
        update={"neighbourhood": neighbourhood(evidence, reference, "other")}
    )
    assert other.neighbourhood.above > 0.99
    assert beyond_unrelated([other]) == frozenset()
    assert beyond_unrelated([_placed(6.0, reference)]) == {"style"}


def test_few_unrelated_pairs_cannot_tell():
    reference = _reference(np.random.default_rng(1).normal(size=18))
    assert beyond_unrelated([_placed(99.0, reference, name) for name in KINDS]) == frozenset()


@pytest.mark.parametrize(
    ("high", "method", "expected"),
    [(0.7, "repeat_samples", True), (0.5, "repeat_samples", False), (0.7, "resampled_prompts", 0)],
)
def test_as_alike_as_one_model_asked_twice_speaks_without_any_population(high, method, expected):
    evidence = _scored(
        0.3,
        interval=Interval(low=0.2, high=high),
        noise_floor=NoiseFloor(a=0.4, b=0.6, method=method),
    )
    assert at_floor(evidence) == bool(expected)
    assert (beyond_unrelated([evidence]) == {"style"}) == bool(expected)


def _screened(*evidence: Evidence) -> Screening:
    quiet = CopyTripwire(identical=0, compared=9, limit=3, min_chars=100, tripped=False)
    return screen(evidence, Overlap(a=32, b=32, both=32), quiet)


def test_a_verdict_sets_apart_what_any_two_assistants_have_in_common():
    reference = _reference(np.random.default_rng(1).normal(size=400))
    interval = Interval(low=0.5, high=9.0)
    alike = [
        _placed(score, reference, name).model_copy(update={"interval": interval})
        for score, name in ((6.0, "phrasing"), (1.0, "style"), (1.1, "openings"))
    ]
    unplaced = _scored(1.0, "plugin", interval=interval)
    found = _screened(*alike, unplaced)
    assert [one.comparator for one in found.findings_apart] == ["style", "openings"]
    # They stay among what is alike beyond habit: cases of earlier versions know no more.
    assert len(found.findings_for) == 4


def test_of_two_models_of_one_maker_more_speaks_than_of_two_strangers(data_folder):
    """The case that showed it: alike in six of six kinds, and no kin."""
    outputs, _ = tables(RECIPES[1], data_folder)
    cohort = find_cohort("misguided-attention")
    kinds = load_comparators(only=["phrasing", "openings", "style", "formatting"])
    names = (
        ("command-a-03-2025", "olmo-2-0325-32b"),
        ("gemini-2.5-pro-high", "gemini-2.5-pro-low"),
    )
    strangers, kin = (
        compare(
            *(outputs.examined(outputs.models.index(one)) for one in pair), kinds, cohort=cohort
        )
        for pair in names
    )
    assert set(strangers.verdict.findings_apart) == {one.name for one in kinds}
    assert kin.verdict.findings_apart == ()
    page = render_markdown(strangers)
    apart, against = page.index("As alike as any two assistants"), page.index("Against kinship")
    assert apart < page.index("Shared wording", apart) < against
    assert "As alike as any two assistants" not in render_markdown(kin)
