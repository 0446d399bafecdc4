"""Facts → labelled pairs: each documented link has its label, and agrees with labels by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.cohorts.lineage.hypotheses import CONFIDENCES, read_pairs
from forensics.cohorts.lineage.labelling import label_pairs, labelled_pairs, pairs_table
from forensics.cohorts.lineage.models import read_models

KIN = {"same_model_other_setting", "finetune_parent", "siblings_same_instruct_parent"}
TABLE = """\
model,weights_id,setting,developer,family,base_model,base_family,weights_parent,teachers
large,large,,Acme,acme,large-base,,,none known
large-thinking,large,thinking,Acme,acme,large-base,,,none known
tuned,tuned,,Other,tuned,large-base,,large,none known
merged,merged,,Third,merged,large-base,,large,none known
grandchild,grandchild,,Fourth,grand,large-base,,tuned,none known
sibling,sibling,,Fifth,sib,large-base,,,none known
small,small,,Acme,acme,small-base,,,none known
student,student,,Sixth,student,s-base,,,fir/sft/high
pupil,pupil,,Seventh,pupil,p-base,,,fir/sft/low
fir,fir,,Eighth,fir,f-base,,,none known
reader,reader,,Ninth,reader,r-base,,,fir/pretrain/high
secret,secret,,Tenth,secret,x-base,,,undisclosed
hidden,hidden,,Eleventh,hidden,y-base,,,undisclosed
guess,guess,,Acme?,,,,,
size7,size7,,Twelfth,seven,line-7b,line,,none known
size70,size70,,Thirteenth,seventy,line-70b,line,,none known
"""
EXPECTED = {
    ("large", "large-thinking"): ("same_model_other_setting", "high"),
    ("large", "tuned"): ("finetune_parent", "high"),
    ("large-thinking", "tuned"): ("finetune_parent", "high"),
    ("tuned", "merged"): ("siblings_same_instruct_parent", "high"),
    ("large", "grandchild"): ("finetune_parent", "high"),
    ("tuned", "grandchild"): ("finetune_parent", "high"),
    ("merged", "grandchild"): ("siblings_same_instruct_parent", "high"),
    ("tuned", "sibling"): ("same_base_different_tuning", "high"),
    ("large", "small"): ("same_family_developer", "high"),
    ("tuned", "small"): ("unknown", "low"),
    ("student", "fir"): ("distilled_teacher", "high"),
    ("student", "pupil"): ("same_teacher", "low"),
    ("fir", "reader"): ("unknown", "low"),
    ("secret", "hidden"): ("unknown", "low"),
    ("secret", "fir"): ("unrelated", "medium"),
    ("large", "guess"): ("unknown", "low"),
    ("size7", "size70"): ("same_base_family_other_size", "high"),
    ("large", "fir"): ("unrelated", "medium"),
}


@pytest.fixture(name="table")
def table_fixture(tmp_path: Path) -> Path:
    path = tmp_path / "models.csv"
    path.write_text(TABLE)
    return path


def test_the_most_specific_link_decides(table: Path) -> None:
    labels = label_pairs(read_models(table))
    both = {**labels, **{(b, a): label for (a, b), label in labels.items()}}
    assert {pair: (both[pair].relation, both[pair].confidence) for pair in EXPECTED} == EXPECTED
    assert len(labels) == 16 * 15 // 2


def test_unverified_facts_give_the_lowest_confidence(table: Path) -> None:
    labels = label_pairs(read_models(table), {"fir"})
    assert all(("fir" in pair) <= (label.confidence == "low") for pair, label in labels.items())
    counted = {(p.a, p.b) for p in labelled_pairs(labels) if p.hypothesis == "independent"}
    # Where facts of others were checked, those that were not make nobody a stranger.
    assert counted
    assert not any("fir" in pair for pair in counted)
    nobody = labelled_pairs(label_pairs(read_models(table), set(read_models(table))))
    assert any(pair.hypothesis == "independent" for pair in nobody)


def test_the_table_of_pairs_reads_back_as_it_was(table: Path) -> None:
    facts = read_models(table)
    labels = label_pairs(facts)
    path = table.with_name("pairs.csv")
    path.write_text(pairs_table(labels))
    again = read_pairs(path, facts, independent="best")
    assert again == labelled_pairs(labels)


@pytest.mark.parametrize("name", ["misguided_attention", "longform", "slop_score", "farel"])
def test_labels_agree_with_those_made_by_hand(data_folder: Path, name: str) -> None:
    folder = data_folder / "modern"
    facts = read_models(folder / f"{name}_models.csv")
    labels = label_pairs(facts)
    by_hand = read_pairs(folder / f"{name}_pairs.csv.gz", facts)
    kin = 0
    for pair in by_hand:
        label = labels.get((pair.a, pair.b)) or labels[pair.b, pair.a]
        assert (label.relation in KIN) == (pair.relation in KIN), (pair, label)
        if pair.relation in KIN:
            kin += 1
            assert label.relation == pair.relation
        elif pair.hypothesis is not None and pair.relation != "unrelated":
            assert label.relation != "unrelated", (pair, label)
        assert label.confidence in CONFIDENCES
    assert kin > 0
