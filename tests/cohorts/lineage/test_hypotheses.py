from __future__ import annotations

import gzip
import tracemalloc
from collections import Counter

import pytest

from forensics.cohorts.lineage.hypotheses import (
    CONFIDENCES,
    HYPOTHESES,
    KIN_HYPOTHESES,
    RELATIONS,
    SENTENCES,
    LabelledPair,
    best_confidence,
    hypothesis_of,
    read_pairs,
)
from forensics.cohorts.lineage.models import clusters, read_models
from forensics.errors import InputFileError

MODELS = ("a", "b", "c")
HEADER = "model_a,model_b,relation,confidence\n"


def _read(folder, text, **options):
    path = folder / "pairs.csv"
    path.write_text(text, encoding="utf-8")
    return read_pairs(path, MODELS, **options)


@pytest.mark.parametrize(
    ("relation", "hypothesis"),
    [
        ("same_model_other_setting", "same_model"),
        ("finetune_parent", "close_descent"),
        ("siblings_same_instruct_parent", "close_descent"),
        ("distilled_teacher", "common_teacher"),
        ("same_teacher", "common_teacher"),
        ("same_base_different_tuning", "same_base"),
        ("same_base_family_other_size", None),
        ("same_family_developer", "same_developer"),
        ("composite_component", None),
        ("unrelated", "independent"),
        ("unknown", None),
    ],
)
def test_every_relation_has_its_place(relation, hypothesis):
    assert hypothesis_of(relation) == hypothesis
    assert relation in RELATIONS


def test_the_mapping_is_complete_and_every_hypothesis_has_words():
    assert {hypothesis_of(relation) for relation in RELATIONS} == {*HYPOTHESES, None}
    assert set(SENTENCES) == set(HYPOTHESES)
    assert (*KIN_HYPOTHESES, "independent") == HYPOTHESES


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize("independent", CONFIDENCES)
def test_strangers_are_independent_from_a_confidence_on(confidence, independent):
    claim = hypothesis_of("unrelated", confidence, independent=independent)
    enough = CONFIDENCES.index(confidence) <= CONFIDENCES.index(independent)
    assert claim == ("independent" if enough else None)


def test_one_developer_tuning_two_sizes_is_the_same_developer():
    flags = {"same_developer": True}
    assert hypothesis_of("same_base_family_other_size", "high", flags) == "same_developer"


def test_pairs_are_read_with_flags_and_teachers(tmp_path):
    text = (
        "model_a,model_b,relation,confidence,same_base,same_developer,shared_teachers,reason\n"
        "a,b,same_teacher,medium,0,1,gpt-4;chatgpt,why\n"
    )
    flags = {"same_base": False, "same_developer": True}
    expected = LabelledPair(
        "a", "b", "same_teacher", "medium", "common_teacher", flags, ("gpt-4", "chatgpt")
    )
    assert _read(tmp_path, text) == (expected,)


def test_a_compressed_file_is_known_by_its_content(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_bytes(gzip.compress((HEADER + "a,b,unrelated,high\n").encode()))
    assert [pair.hypothesis for pair in read_pairs(path, MODELS)] == ["independent"]


def test_without_confidence_labels_are_taken_as_sure(tmp_path):
    (pair,) = _read(tmp_path, "model_a,model_b,relation\na,b,unrelated\n")
    assert (pair.confidence, pair.hypothesis, pair.flags) == ("high", "independent", {})


def test_the_best_strangers_of_a_file_can_stand_in(tmp_path):
    text = HEADER + "a,b,unrelated,medium\na,c,unrelated,low\nb,c,finetune_parent,high\n"
    assert [p.hypothesis for p in _read(tmp_path, text)] == [None, None, "close_descent"]
    best = _read(tmp_path, text, independent="best")
    assert [p.hypothesis for p in best] == ["independent", None, "close_descent"]
    assert best_confidence(best) == "medium"
    assert best_confidence(best[2:]) == "high"


def test_a_repeated_statement_is_one_pair(tmp_path):
    assert len(_read(tmp_path, HEADER + "a,b,unrelated,high\nb,a,unrelated,high\n")) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model_a,relation\na,unrelated\n", "line 1: no column model_b"),
        ("", "line 1: no column model_a, model_b, relation"),
        (HEADER + "a,b,unrelated,high\na,z,unrelated,high\n", "line 3: 'z' is not in the table"),
        (HEADER + "a,a,unrelated,high\n", "line 2: 'a' is paired with itself"),
        (HEADER + "a,b,cousins,high\n", "line 2: unknown relation 'cousins'"),
        (HEADER + "a,b,unrelated,sure\n", "line 2: unknown confidence 'sure'"),
        (HEADER + "a,b\n", "line 2: unknown relation ''"),
        (
            HEADER + "a,b,unrelated,high\nb,c,unknown,low\nb,a,same_teacher,high\n",
            "line 4: 'b' and 'a' are same_teacher here but unrelated on line 2",
        ),
        (
            "model_a,model_b,relation,same_base\na,b,unrelated,perhaps\n",
            "line 2: same_base 'perhaps' is not a flag",
        ),
    ],
)
def test_a_bad_table_is_one_clear_line(tmp_path, text, message):
    with pytest.raises(InputFileError, match=r"pairs\.csv") as caught:
        _read(tmp_path, text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_unpacks_to_no_end_is_not_unpacked(tmp_path):
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(100 << 20), 1))
    tracemalloc.start()
    with pytest.raises(InputFileError, match="unpacks to more than 16 MiB"):
        read_pairs(tmp_path / "bomb.gz", MODELS)
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


def test_unreadable_files_are_one_clear_line(tmp_path):
    with pytest.raises(InputFileError, match="cannot be read"):
        read_pairs(tmp_path / "none.csv", MODELS)
    whole = gzip.compress((HEADER + "a,b,unrelated,high\n" * 50).encode())
    (tmp_path / "cut.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputFileError, match="not a CSV"):
        read_pairs(tmp_path / "cut.gz", MODELS)
    (tmp_path / "bad.gz").write_bytes(whole[:20] + b"\xff" * 20 + whole[40:])
    with pytest.raises(InputFileError, match="not a CSV"):
        read_pairs(tmp_path / "bad.gz", MODELS)
    (tmp_path / "bytes.csv").write_bytes(b"model_a,\xff\n")
    with pytest.raises(InputFileError, match="not a CSV"):
        read_pairs(tmp_path / "bytes.csv", MODELS)


def test_the_reference_pairs(data_folder):
    facts = read_models(data_folder / "alpaca_eval_models.csv")
    number = clusters(facts)
    pairs = read_pairs(data_folder / "alpaca_eval_pairs.csv.gz", facts)
    assert Counter(pair.hypothesis for pair in pairs) == {
        None: 8736,
        "same_model": 26,
        "close_descent": 67,
        "common_teacher": 1168,
        "same_base": 280,
        "same_developer": 375,
        "independent": 2551,
    }
    descent = [p for p in pairs if p.hypothesis == "close_descent" and p.confidence == "high"]
    held = Counter(number[pair.a] for pair in descent)
    # 57 of 65 pairs from two of seven clusters: why nothing here is averaged over pairs.
    assert (len(descent), len(held)) == (65, 7)
    assert [count for _, count in held.most_common(2)] == [44, 13]


@pytest.mark.parametrize("name", ["alpaca_eval", "misguided_attention"])
def test_a_cluster_holds_all_close_kin_and_nobody_else(data_folder, name):
    facts = read_models(data_folder / f"{name}_models.csv")
    number = clusters(facts)
    for pair in read_pairs(data_folder / f"{name}_pairs.csv.gz", facts):
        close = pair.hypothesis in ("same_model", "close_descent")
        assert (number[pair.a] == number[pair.b]) is close, pair


def test_strangers_of_2025_are_never_sure(data_folder):
    facts = read_models(data_folder / "misguided_attention_models.csv")
    path = data_folder / "misguided_attention_pairs.csv.gz"
    assert not any(p.hypothesis == "independent" for p in read_pairs(path, facts))
    best = read_pairs(path, facts, independent="best")
    assert sum(p.hypothesis == "independent" for p in best) == 250
