"""Relatives of a case: who, in what tree, and what a blind report may show of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from skbio import TreeNode

from forensics.case.document import Case, case_to_json
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort
from forensics.cohorts.newick import relabelled
from forensics.cohorts.placed import Placed, place_examined, place_member
from forensics.cohorts.relatives import NEAREST, relatives
from forensics.cohorts.trace import trace
from forensics.custody.blinding import blinded
from forensics.evidence import load_comparators
from forensics.subjects.subject import parse_subject
from forensics.verdicts.compare import compare
from forensics.verdicts.in_cohort import Side, compare_in_cohort
from tests.made_cohort import answering, made_cohort, said


def tips(newick: str | None) -> list[str]:
    assert newick is not None
    return [tip.name for tip in TreeNode.read([newick], format="newick").tips()]


def in_cohort(cohort: Cohort, *models: str) -> Case:
    sides = [
        Side(parse_subject(f"cohort:{model}"), place_member(model, cohort)) for model in models
    ]
    return compare_in_cohort(sides[0], sides[1], cohort)


@pytest.fixture(name="shipped", scope="module")
def shipped_fixture() -> Cohort:
    return find_cohort("alpaca-eval")


@pytest.fixture(name="case", scope="module")
def case_fixture(shipped: Cohort) -> Case:
    return in_cohort(shipped, "vicuna-13b", "vicuna-7b")


def test_the_relatives_are_those_that_a_trace_finds(case: Case, shipped: Cohort) -> None:
    assert case.relatives is not None
    assert case.relatives.cohort == shipped.name
    for side, model in ((case.relatives.a, "vicuna-13b"), (case.relatives.b, "vicuna-7b")):
        found = trace(place_member(model, shipped), shipped).relatives[:NEAREST]
        assert [one.name for one in side] == [one.model for one in found]
        assert [one.developer for one in side] == [one.developer for one in found]
        assert [one.score for one in side] == pytest.approx([one.score for one in found], abs=2e-3)


def test_the_tree_holds_the_subjects_and_their_relatives_once(case: Case) -> None:
    assert case.relatives is not None
    names = tips(case.relatives.newick)
    listed = {one.name for one in (*case.relatives.a, *case.relatives.b)}
    assert sorted(names) == sorted({"vicuna-13b", "vicuna-7b"} | listed)
    assert "vicuna-13b" not in {one.name for one in case.relatives.a}


def test_kin_stand_together_in_the_tree(shipped: Cohort) -> None:
    case = in_cohort(shipped, "vicuna-13b-v1.5", "vicuna-13b-v1.5-togetherai")
    assert case.relatives is not None
    tree = TreeNode.read([case.relatives.newick], format="newick")
    siblings = tree.find("vicuna-13b-v1.5").siblings()
    assert [one.name for one in siblings] == ["vicuna-13b-v1.5-togetherai"]


def test_a_comparison_of_transcripts_has_relatives_too() -> None:
    a, b = answering(said("new", "one"), "one"), answering(said("new", "two"), "two")
    case = compare(a, b, load_comparators(only=["openings"]), cohort=made_cohort())
    assert case.relatives is not None
    assert len(case.relatives.a) == len(case.relatives.b) == NEAREST
    assert {"one", "two"} < set(tips(case.relatives.newick))
    again = compare(a, b, load_comparators(only=["openings"]), cohort=made_cohort())
    assert again.relatives == case.relatives
    assert compare(a, b, load_comparators(only=["openings"])).relatives is None


def _placed(names: Sequence[str]) -> tuple[list[Placed], Cohort]:
    cohort = made_cohort()
    sides = [answering(said("new", name), name) for name in ("one", "two")]
    placed = [place_examined(side, cohort) for side in sides]
    return [replace(one, name=name) for one, name in zip(placed, names, strict=True)], cohort


@pytest.mark.parametrize(
    "names", [("a'b,(c):1;[d]", "x\ny\x1b[1m"), ("same", "same"), ("\ud800", "under_score")]
)
def test_hostile_names_stay_names_in_the_tree(names: tuple[str, str]) -> None:
    (a, b), cohort = _placed(names)
    found = relatives(a, b, cohort)
    assert found is not None
    leaves = tips(found.newick)
    assert len(leaves) == len(set(leaves)) == len({x.name for x in (*found.a, *found.b)}) + 2
    assert not any(ord(letter) < 32 for leaf in leaves for letter in leaf)


def test_a_subject_with_too_few_answers_has_no_relatives_and_is_in_no_tree() -> None:
    (a, b), cohort = _placed(("a", "b"))
    few = b.rows.copy()
    few[5:] = 0
    found = relatives(a, replace(b, rows=few), cohort)
    assert found is not None
    assert found.b == ()
    assert "a" in tips(found.newick)
    assert "b" not in tips(found.newick)
    none = np.zeros_like(few)
    assert relatives(replace(a, rows=none), replace(b, rows=none), cohort) is None


def test_a_blind_report_names_no_relative(shipped: Cohort) -> None:
    case = in_cohort(shipped, "vicuna-13b-v1.5", "vicuna-13b-v1.5-togetherai")
    masked = blinded(case)
    assert masked.relatives is not None
    text = case_to_json(masked)
    assert [name for name in shipped.models if len(name) > 6 and name in text] == []
    assert "LMSYS" not in text
    assert "[MODEL B]" in {one.name for one in masked.relatives.a}
    leaves = tips(masked.relatives.newick)
    assert {"[MODEL A]", "[MODEL B]"} < set(leaves)
    listed = {one.name for one in (*masked.relatives.a, *masked.relatives.b)}
    assert set(leaves) == listed | {"[MODEL A]", "[MODEL B]"}
    assert [one.score for one in masked.relatives.a] == [one.score for one in case.relatives.a]


def test_a_copy_of_a_cohort_model_under_another_name_does_not_leak() -> None:
    cohort = made_cohort()
    known = cohort.models[0]
    placed = replace(place_member(known, cohort), name="anonymous")
    other = place_member(cohort.models[5], cohort)
    sides = [Side(parse_subject("transcript:x.jsonl"), one) for one in (placed, other)]
    case = compare_in_cohort(sides[0], sides[1], cohort)
    assert case.relatives is not None
    assert known not in {one.name for one in case.relatives.a}
    assert known not in tips(case.relatives.newick)
    masked = blinded(case)
    assert masked.relatives is not None
    shown = {one.name for one in (*masked.relatives.a, *masked.relatives.b)}
    shown |= set(tips(masked.relatives.newick))
    assert all(name.startswith(("[MODEL ", "[COHORT MODEL ")) for name in shown)
    likeness = next(one for one in masked.evidence if one.comparator == "likeness")
    assert known not in str(likeness.details.known_as)


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ("(a:1,b:2,c:3);", "('<a>':1,'<b>':2,'<c>':3);"),
        (
            "('a''b,(c)':1,(d:2,e:1)97:0.5,f:1);",
            "('<a''b,(c)>':1,('<d>':2,'<e>':1)97:0.5,'<f>':1);",
        ),
    ],
)
def test_leaves_get_other_names_and_groups_keep_theirs(tree: str, expected: str) -> None:
    assert relabelled(tree, lambda name: f"<{name}>") == expected
