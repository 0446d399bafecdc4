"""Maps of relatives: scores, tree, support, and the files they become."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from skbio import DistanceMatrix, TreeNode
from skbio.tree import nj

from forensics.cohorts.finding import find_cohort
from forensics.cohorts.lineage.hypotheses import read_pairs
from forensics.cohorts.lineage.models import ModelFacts, read_models
from forensics.cohorts.newick import distinct, newick
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.tree import RelativesMap, neighbour_joining, relate
from forensics.errors import InputFileError
from forensics.report.charts.map_files import heat_map, matrix
from forensics.support.sanitise import cell
from tests.cohorts.builders import facts, outputs

HOSTILE = (
    '=HYPERLINK("http://x")',
    "<script>alert(1)</script>",
    "a'b,(c):1;[d]",
    "two\nlines\x1b[31m\x00",
    "@cmd",
    "\ud800 alone",
    "under_score",
    "under score",
)


def mapped(found: Outputs, **options: int) -> RelativesMap:
    return relate(found.similarities(), found.excluded(), **options)


def renamed(found: RelativesMap, names: tuple[str, ...]) -> RelativesMap:
    return replace(found, models=names)


@pytest.fixture(name="small", scope="module")
def small_fixture() -> RelativesMap:
    return mapped(outputs(), resamples=20)


@pytest.fixture(name="hostile", scope="module")
def hostile_fixture() -> RelativesMap:
    return renamed(mapped(outputs(facts(2, 4)), resamples=5), HOSTILE)


def test_kin_are_the_closest_pairs_and_siblings_in_the_tree(small: RelativesMap) -> None:
    kin = {(f"m{i}a", f"m{i}b") for i in range(6)}
    closest = {(small.models[a], small.models[b]) for a, b, _ in small.closest(6)}
    assert closest == kin
    assert small.scale == "cosine"
    for a, b in kin:
        size, support = small.together(small.models.index(a), small.models.index(b))
        assert (size, support) == (2, 1.0)


def test_strangers_stand_together_in_large_groups_only(small: RelativesMap) -> None:
    assert small.together(small.models.index("m0a"), small.models.index("m3a"))[0] > 2


def test_scores_are_symmetric_and_empty_on_the_diagonal(small: RelativesMap) -> None:
    assert np.isnan(np.diag(small.scores)).all()
    apart = ~np.eye(len(small.models), dtype=bool)
    assert np.isfinite(small.scores[apart]).all()
    assert np.allclose(small.scores, small.scores.T, equal_nan=True)


def test_every_model_is_in_the_tree_once(small: RelativesMap) -> None:
    assert sorted(small.order) == list(range(len(small.models)))
    assert small.groups()[-1] == frozenset(range(len(small.models)))
    for number, node in enumerate(small.nodes):
        assert all(child < number for child in node.children)


@pytest.mark.parametrize("size", [3, 4, 5, 9, 30])
def test_the_tree_is_the_one_that_another_implementation_makes(size: int) -> None:
    points = np.random.default_rng(size).normal(size=(size, 6))
    distances = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1))
    everybody = frozenset(range(size))

    def side(group: frozenset[int]) -> frozenset[int]:
        return everybody - group if 0 in group else group

    nodes = neighbour_joining(distances)
    groups = RelativesMap(("",) * size, 0, "cosine", distances, nodes).groups()
    found = {side(group): node.length for group, node in zip(groups, nodes, strict=True)}
    expected = {}
    for node in nj(DistanceMatrix(distances, [str(i) for i in range(size)])).postorder():
        below = node.tips() if node.children else [node]
        expected[side(frozenset(int(tip.name) for tip in below))] = node.length or 0.0
    assert found == pytest.approx(expected, abs=1e-9)


def test_the_same_seed_gives_the_same_support_and_another_does_not() -> None:
    found = outputs(prompts=8)
    first, again, other = (mapped(found, resamples=20, seed=seed) for seed in (0, 0, 1))
    assert first.nodes == again.nodes
    assert [n.support for n in first.nodes] != [n.support for n in other.nodes]
    assert [n.length for n in first.nodes] == [n.length for n in other.nodes]


def test_few_models_are_compared_by_their_cosine() -> None:
    found = mapped(outputs(facts(1, 3)), resamples=3)
    assert found.scale == "cosine"
    a, b, score = found.closest(1)[0]
    assert {found.models[a], found.models[b]} == {"m0a", "m0b"}
    assert -1 <= score <= 1
    assert heat_map(found).count("rgb(") > 0


def test_a_pair_that_shares_too_few_prompts_has_no_score() -> None:
    whole = outputs(prompts=16)
    texts = tuple(
        tuple(
            () if (model == 0 and number < 9) or (model == 15 and number >= 9) else samples
            for model, samples in enumerate(row)
        )
        for number, row in enumerate(whole.texts)
    )
    found = mapped(replace(whole, texts=texts), resamples=2)
    assert np.isnan(found.scores[0, 15])
    assert np.isfinite(np.delete(found.scores[5], 5)[1:]).any()
    assert 15 not in {b for a, b, _ in found.closest(1_000) if a == 0}
    assert sorted(found.order) == list(range(len(found.models)))
    rows = list(csv.reader(io.StringIO(matrix(found))))
    row = next(one for one in rows if one[0] == found.models[0])
    assert row[rows[0].index(found.models[15])] == ""


def test_models_that_all_say_the_same_are_no_map() -> None:
    whole = outputs()
    same = tuple(tuple(("the same answer for everybody",) for _ in row) for row in whole.texts)
    with pytest.raises(InputFileError, match="no two models gave answers of their own"):
        mapped(replace(whole, texts=same), resamples=2)


def test_two_copies_make_a_map_of_numbers() -> None:
    whole = outputs()
    texts = tuple((row[1], *row[1:]) for row in whole.texts)
    found = mapped(replace(whole, texts=texts), resamples=2)
    assert np.isfinite(found.scores[~np.eye(len(found.models), dtype=bool)]).all()
    assert {found.models[i] for i in found.closest(1)[0][:2]} == {"m0a", "m0b"}


@pytest.mark.parametrize(("models", "prompts"), [(facts(0, 4), 16), (facts(), 7)])
def test_too_little_is_refused_in_one_line(models: dict[str, ModelFacts], prompts: int) -> None:
    with pytest.raises(InputFileError, match=r"^\d+ (models|prompts) .*(at least 5|8 are needed)"):
        mapped(outputs(models, prompts=prompts))


def test_newick_is_what_another_reader_reads(small: RelativesMap) -> None:
    tree = TreeNode.read([newick(small)], format="newick")
    assert sorted(tip.name for tip in tree.tips()) == sorted(small.models)
    siblings = tree.find("m0a").siblings()
    assert [one.name for one in siblings] == ["m0b"]
    assert tree.find("m0a").parent.name == "100"


def test_hostile_names_stay_names_in_newick(hostile: RelativesMap) -> None:
    tree = TreeNode.read([newick(hostile)], format="newick")
    names = [tip.name for tip in tree.tips()]
    assert sorted(names) == sorted(distinct(HOSTILE, 500))
    assert "a'b,(c):1;[d]" in names
    assert "under_score" in names
    assert "under score" in names


def test_hostile_names_are_no_formulas_in_csv(hostile: RelativesMap) -> None:
    rows = list(csv.reader(io.StringIO(matrix(hostile))))
    assert len(rows) == len(HOSTILE) + 1
    assert {len(row) for row in rows} == {len(HOSTILE) + 1}
    for name in [row[0] for row in rows] + rows[0]:
        assert not name.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert not re.search(r"[\x00-\x1f\ud800-\udfff]", name)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_a_formula_becomes_text(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell(f"x{text}") == f"x{text}"


def test_hostile_names_are_text_in_svg(hostile: RelativesMap) -> None:
    svg = heat_map(hostile)
    assert "<script" not in svg
    assert "style=" not in svg
    assert "href" not in svg.replace("HYPERLINK", "")
    words = [text.text or "" for text in ET.fromstring(svg).iter() if text.tag.endswith("text")]
    assert words.count("<script>alert(1)</script>") == 2


def test_names_that_look_the_same_are_told_apart() -> None:
    found = distinct(["a b", "a\nb", "a  b", "x" * 50, "x" * 60], 20)
    assert found[:3] == ["a b", "a b (2)", "a b (3)"]
    assert len(set(found)) == 5
    assert max(map(len, found)) <= 20


def test_the_matrix_and_the_drawing_follow_the_tree(small: RelativesMap) -> None:
    rows = list(csv.reader(io.StringIO(matrix(small))))
    assert rows[0][1:] == [small.models[i] for i in small.order]
    assert [row[0] for row in rows[1:]] == rows[0][1:]
    places = [rows[0].index(name) for name in ("m2a", "m2b")]
    assert abs(places[0] - places[1]) == 1
    assert [row[i] for i, row in enumerate(rows) if i] == [""] * len(small.models)
    svg = heat_map(small)
    heights = [svg.index(f">{name}<") for name in rows[0][1:]]
    assert all(a < b for a, b in pairwise(heights))


def test_known_kin_stand_together_on_the_shipped_cohort(data_folder) -> None:
    cohort = find_cohort("alpaca-eval")
    found = relate(cohort.similarities(), cohort.excluded(), resamples=0)
    models = read_models(data_folder / "alpaca_eval_models.csv")
    place = {model: i for i, model in enumerate(found.models)}
    copies = set(cohort.provenance["near_copies"])
    near: dict[str, list[bool]] = {"kin": [], "strangers": []}
    groups = [*found.groups()]
    groups += [frozenset(place.values()) - group for group in groups]
    small = [group for group in groups if 2 <= len(group) <= 10]
    for pair in read_pairs(data_folder / "alpaca_eval_pairs.csv.gz", models):
        if pair.a in copies or pair.b in copies or pair.hypothesis is None:
            continue
        sides = place[pair.a], place[pair.b]
        together = any(sides[0] in group and sides[1] in group for group in small)
        if pair.hypothesis in ("same_model", "close_descent"):
            near["kin"].append(together)
        if pair.hypothesis == "independent":
            near["strangers"].append(together)
    assert len(near["kin"]) == 93
    assert np.mean(near["kin"]) >= 0.9
    assert np.mean(near["strangers"]) <= 0.02
