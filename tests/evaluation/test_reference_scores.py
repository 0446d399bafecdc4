"""What the comparators score between a cohort's own models."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.cohorts.fitting import Labelled
from forensics.evaluation.reference_scores import (
    BINS,
    comparator_scores,
    histogram,
    reference_scores,
    spread,
)
from forensics.evidence import load_comparators
from tests.cohorts.builders import facts, outputs, pairs

MADE = outputs(facts(4, 5), prompts=12)
LABELLED = MADE.labelled(pairs(MADE.facts))
COMPARATORS = load_comparators(only=["phrasing", "openings", "lexicon", "choices", "style"])


def test_scores_are_those_that_a_case_shows():
    chosen = LABELLED.pairs[::12]
    found = comparator_scores(COMPARATORS, MADE, chosen)
    for one in COMPARATORS:
        features = {int(m): one.extract(MADE.examined(int(m))) for m in np.unique(chosen)}
        shown = [one.compare(features[a], features[b]).score for a, b in chosen.tolist()]
        expected = [np.nan if score is None else score for score in shown]
        assert found[one.name] == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_histograms_hold_every_chosen_pair():
    found = reference_scores(MADE, LABELLED, "made")
    assert {"openings", "style"} <= set(found)
    assert not {"embedding", "sampling"} & set(found)
    for one in found.values():
        assert one.cohort == "made"
        assert one.n_prompts == 12
        assert len(one.edges) == BINS + 1
        assert list(one.edges) == sorted(set(one.edges))
        assert sum(one.related) == one.clusters == 4
        assert sum(one.unrelated) == LABELLED.are("independent").sum()


def test_a_score_all_pairs_share_is_one_bin():
    one = histogram(np.full(len(LABELLED.pairs), 0.25), LABELLED, "made", 12)
    assert sum(one.unrelated) == LABELLED.are("independent").sum()
    assert len(set(one.edges)) == BINS + 1


def test_pairs_without_a_score_are_left_out():
    scores = np.where(LABELLED.are("same_model"), np.nan, np.linspace(0, 1, len(LABELLED.pairs)))
    one = histogram(scores, LABELLED, "made", 12)
    assert sum(one.related) == one.clusters == 0


def test_every_pair_of_clusters_has_its_turn_before_one_has_two():
    clusters = np.array([(0, 1)] * 50 + [(1, 2), (3, 1), (0, 2)])
    many = Labelled(np.zeros((53, 2), np.intp), ("independent",) * 53, clusters)
    chosen = spread(many, np.ones(53, dtype=bool), 5)
    assert chosen.sum() == 5
    assert chosen[50:].all()
    assert spread(many, np.arange(53) < 2, 5).sum() == 2
