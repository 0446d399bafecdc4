"""The zoo is what it says: children compute what they should, and the tables are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.cohorts.lineage.hypotheses import read_pairs
from forensics.cohorts.lineage.models import clusters, read_models
from forensics.zoo.build import SMALLEST
from forensics.zoo.checkpoint import read_checkpoint
from forensics.zoo.children import CHANGES, Published, build_children
from forensics.zoo.tables import Animal, ancestors, relation
from forensics.zoo.training import encode, texts
from tests.zoo.losses import loss_on


@pytest.fixture(name="losses", scope="module")
def losses_fixture(zoo: dict[str, Path]) -> dict[str, float]:
    prose = texts("prose", 460_000)[-40_000:]  # what training did not read
    tokens = encode(zoo["tiny-base"], prose, SMALLEST)[:4_000]
    return {name: loss_on(folder, tokens, SMALLEST.context) for name, folder in zoo.items()}


def test_training_taught_something(losses):
    assert losses["tiny-untrained"] - losses["tiny-base"] > 0.5
    assert losses["tiny-untrained"] - losses["tiny-student-100"] > 0.5


@pytest.mark.parametrize("name", ["tiny-permuted", "tiny-disguised", "tiny-extended"])
def test_disguises_compute_the_same_function(losses, name):
    assert losses[name] == pytest.approx(losses["tiny-base"], abs=0.02)


@pytest.mark.parametrize("name", ["tiny-pruned", "tiny-int4", "tiny-noised", "tiny-merge"])
def test_altered_copies_still_work_and_are_not_the_same(losses, name):
    assert 0 < abs(losses[name] - losses["tiny-base"]) < 0.5


def test_the_tables_are_those_that_evaluate_reads(zoo):
    folder = zoo["tiny-base"].parents[1]
    facts = read_models(folder / "models.csv")
    assert list(facts) == list(zoo)
    numbers = clusters(facts)
    assert numbers["tiny-base"] == numbers["tiny-chain"] != numbers["tiny-other-seed"]
    assert len(set(numbers.values())) == 4  # the base's family, and three strangers to it
    found = {(p.a, p.b): p for p in read_pairs(folder / "pairs.csv", facts)}
    assert found["tiny-base", "tiny-chain"].relation == "finetune_parent"
    assert found["tiny-tuned", "tiny-pruned"].hypothesis == "close_descent"
    assert found["tiny-base", "tiny-student-100"].hypothesis == "common_teacher"
    assert found["tiny-tuned", "tiny-student-100"].hypothesis is None
    assert found["tiny-base", "tiny-other-seed"].hypothesis == "independent"


def test_relations_follow_parents_and_teachers():
    here = Path()
    animals = [
        Animal("a", here, ""),
        Animal("b", here, "", ("a",)),
        Animal("c", here, "", ("b",)),
        Animal("m", here, "", ("c", "a")),
        Animal("s", here, "", teachers=(("a", 0.1),)),
        Animal("t", here, "", teachers=(("a", 1.0),)),
        Animal("z", here, "", teachers=(("a", 0.0),)),
    ]
    by_name = {one.name: one for one in animals}
    assert ancestors("m", animals) == {"a", "b", "c"}

    def related(first: str, second: str) -> str:
        return relation(by_name[first], by_name[second], animals)[0]

    assert related("m", "b") == "finetune_parent"
    assert related("s", "a") == "distilled_teacher"
    assert related("s", "t") == "same_teacher"
    assert related("s", "m") == "unknown"
    assert related("z", "a") == "unrelated"  # no token of the teacher's


def test_children_of_several_models_come_in_turn_while_there_is_time(zoo, tmp_path: Path):
    sources = [Published("x", zoo["tiny-base"]), Published("y", zoo["tiny-other-seed"])]
    left = iter([True] * 5 + [False])
    made = list(build_children(sources, tmp_path, lambda: next(left), lambda _: None))
    names = [one.name for one in made]
    assert names == ["x", "y", "x-pruned", "y-pruned", "x-lora", "y-lora", "x-tuned"]
    assert [one.parents for one in made[2:4]] == [("x",), ("y",)]


def test_a_model_has_a_child_of_every_kind_and_merges_of_its_tunings(zoo, tmp_path: Path):
    source = Published("x", zoo["tiny-base"])
    made = {
        one.name: one for one in build_children([source], tmp_path, lambda: True, lambda _: None)
    }
    assert set(made) == {"x", "x-merge", "x-slerp", *(f"x-{change}" for change in CHANGES)}
    assert made["x-merge"].parents == made["x-slerp"].parents == ("x-lora", "x-tuned")
    parts = [
        read_checkpoint(made[name].folder).tensors for name in ("x-lora", "x-tuned", "x-merge")
    ]
    name = "model.layers.0.mlp.up_proj.weight"
    assert (parts[2][name] - (parts[0][name] + parts[1][name]) / 2).abs().max() < 1e-6
