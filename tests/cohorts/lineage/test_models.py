from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.cohorts.lineage.models import (
    ModelFacts,
    Teacher,
    clusters,
    excluded_with,
    from_json,
    read_models,
    to_json,
)
from forensics.errors import InputFileError


def _write(folder: Path, text: str) -> Path:
    path = folder / "models.csv"
    path.write_text(text, encoding="utf-8")
    return path


def _facts(*rows: ModelFacts) -> dict[str, ModelFacts]:
    return {row.model: row for row in rows}


def _model(name: str, weights: str = "", parent: str = "", *ancestors: str, family: str = ""):
    return ModelFacts(
        name, weights or name, weights_parent=parent, ancestors=ancestors, family=family
    )


def test_a_full_row_is_read(tmp_path):
    path = _write(
        tmp_path,
        "model,weights_id,setting,developer,family,base_model,base_family,weights_parent,"
        "ancestors,teachers,notes,released,system_prompt,temperature,max_tokens\n"
        "m,w,fp8,dev,fam,B-7b,B,p,p; q,gpt-4/sft/high;org/name;a/b/pref/low,x,2024-05-31,"
        "concise,0.7,2048.0\n",
    )
    assert read_models(path) == {
        "m": ModelFacts(
            "m",
            "w",
            "fp8",
            "dev",
            "fam",
            "B-7b",
            "B",
            "p",
            ("p", "q"),
            (Teacher("gpt-4", "sft", "high"), Teacher("org/name"), Teacher("a/b", "pref", "low")),
            "listed",
            "2024-05",
            "concise",
            0.7,
            2048,
        )
    }


def test_only_the_name_is_required(tmp_path):
    assert read_models(_write(tmp_path, "model\nm\n")) == {"m": ModelFacts("m", "m")}


def test_a_byte_order_mark_and_question_marks_are_no_facts(tmp_path):
    path = _write(tmp_path, "\ufeffmodel,weights_id,base_model,released\nm,?,?,\n")
    assert read_models(path) == {"m": ModelFacts("m", "m")}


@pytest.mark.parametrize("word", ["none known", "undisclosed"])
def test_no_teacher_is_told_from_no_answer(tmp_path, word):
    fact = read_models(_write(tmp_path, f"model,teachers\nm,{word}\n"))["m"]
    assert (fact.teachers, fact.teachers_known) == ((), word)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\nm\n", "line 1: no column 'model'"),
        ("", "line 1: no column 'model'"),
        ("model\n", "no model in this table"),
        ("model,family\nm,f\n,f\n", "line 3: no model name"),
        ("model\nm\nn\nm\n", "line 4: 'm' was listed before"),
        ("model,released\nm,2024-13\n", "line 2: released '2024-13' is not a month"),
        ("model,released\nm,May 2024\n", "line 2: released 'May 2024' is not a month"),
        ("model,temperature\nm,warm\n", "line 2: temperature 'warm' is not a number"),
        ("model,temperature\nm,nan\n", "line 2: temperature 'nan' is not a number"),
        ("model,max_tokens\nm,-1\n", "line 2: max_tokens '-1' is not a number"),
        ("model,weights_parent\na,b\nb,c\nc,a\n", "cycle of ancestry"),
        ("model,weights_parent\na,a\n", "cycle of ancestry a ← a"),
        ("model,weights_id,ancestors\na,x,q;y\nb,y,x\n", "cycle of ancestry x ← y ← x"),
    ],
)
def test_a_bad_table_is_one_clear_line(tmp_path, text, message):
    path = _write(tmp_path, text)
    with pytest.raises(InputFileError, match=r"models\.csv") as caught:
        read_models(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_or_binary_file_is_one_clear_line(tmp_path):
    with pytest.raises(InputFileError, match="cannot be read"):
        read_models(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"model\n\xff\xfe\x00")
    with pytest.raises(InputFileError, match="not a CSV"):
        read_models(tmp_path / "binary.csv")


def test_a_diamond_of_ancestry_is_no_cycle(tmp_path):
    path = _write(tmp_path, "model,ancestors\nmerge,a;b\na,root\nb,root\nroot,\n")
    assert set(clusters(read_models(path)).values()) == {0}


def test_a_long_line_of_descent_needs_no_recursion(tmp_path):
    rows = "".join(f"m{i},m{i + 1}\n" for i in range(3000))
    facts = read_models(_write(tmp_path, "model,weights_parent\n" + rows))
    assert set(clusters(facts).values()) == {0}


def test_links_are_weights_parents_and_common_mentions():
    facts = _facts(
        _model("host-a", "w"),
        _model("alone"),
        _model("host-b", "w"),
        _model("child", "", "W"),  # the same name in upper case
        _model("sibling-1", "", "absent"),
        _model("sibling-2", "", "", "absent"),
        _model("by-model-name", "", "host-a"),
    )
    assert clusters(facts) == {
        "host-a": 0,
        "alone": 1,
        "host-b": 0,
        "child": 0,
        "sibling-1": 2,
        "sibling-2": 2,
        "by-model-name": 0,
    }


def test_links_are_transitive():
    facts = _facts(_model("a", "", "x"), _model("b", "", "y"), _model("c", "", "x", "y"))
    assert set(clusters(facts).values()) == {0}


def test_family_base_and_teacher_do_not_link():
    shared = {"family": "f", "base_model": "B", "teachers": (Teacher("t"),)}
    facts = _facts(ModelFacts("a", "a", **shared), ModelFacts("b", "b", **shared))
    assert clusters(facts) == {"a": 0, "b": 1}


def test_exclusion_is_the_cluster_and_one_hop_of_family():
    facts = _facts(
        _model("a", "w", family="f"),
        _model("b", "w", family="g"),
        _model("c", family="f"),
        _model("d", family="g"),  # family of b only: two hops from a
        _model("e"),
        _model("no-family"),
    )
    assert excluded_with(facts, "a") == {"a", "b", "c"}
    assert excluded_with(facts, "b", clusters(facts)) == {"a", "b", "d"}
    assert excluded_with(facts, "e") == {"e"}
    with pytest.raises(KeyError):
        excluded_with(facts, "nobody")


_NAMES = st.sampled_from("abcdefgh")


@settings(deadline=None)
@given(st.dictionaries(_NAMES, st.tuples(_NAMES, st.lists(_NAMES, max_size=3)), min_size=1))
def test_clusters_do_not_depend_on_the_order_of_rows(table):
    facts = _facts(*(_model(n, w, "", *above) for n, (w, above) in table.items()))
    backwards = dict(reversed(facts.items()))
    one, two = clusters(facts), clusters(backwards)
    assert all((one[a] == one[b]) == (two[a] == two[b]) for a in facts for b in facts)
    assert sorted(set(one.values())) == list(range(len(set(one.values()))))
    for name in facts:
        excluded = excluded_with(facts, name)
        assert name in excluded
        assert all(name in excluded_with(facts, other) for other in excluded)


def test_facts_survive_json():
    facts = _facts(
        ModelFacts("a", "w", teachers=(Teacher("t", "sft", "low"),), temperature=0.0),
        _model("b", "", "p", "q", "r"),
    )
    text = json.dumps(to_json(facts))
    assert from_json(json.loads(text)) == facts
    assert from_json([{"model": "m", "later": 1}]) == {"m": ModelFacts("m", "m")}


@pytest.mark.parametrize("row", [{}, {"model": "a", "teachers": [3]}, 7])
def test_malformed_json_is_one_clear_line(row):
    with pytest.raises(InputFileError, match="rebuild the pack"):
        from_json([row])


def test_a_model_twice_in_json_is_refused():
    with pytest.raises(InputFileError, match="occurs twice"):
        from_json([{"model": "a"}, {"model": "a"}])


def test_clusters_of_the_reference_data(data_folder):
    facts = read_models(data_folder / "alpaca_eval_models.csv")
    number = clusters(facts)
    assert len(facts) == 163
    # 105 of 124 clusters are one model alone; the two large ones are the tunes of one instruct
    # model each.
    assert Counter(Counter(number.values()).values()) == {1: 105, 2: 9, 3: 8, 6: 1, 10: 1}
    llama = {m for m in facts if number[m] == number["Meta-Llama-3-8B-Instruct"]}
    assert len(llama) == 10
    assert "Llama-3-Instruct-8B-SimPO-ExPO" in llama
    # Tunes of an instruct model that is itself no row.
    assert number["gemma-2-9b-it-DPO"] == number["SPPO-Gemma-2-9B-It-PairRM"]
    assert facts["phi-2-dpo"].parents() == ("phi-2-sft", "phi-2")
    assert from_json(json.loads(json.dumps(to_json(facts)))) == facts


def test_the_modern_reference_models_have_no_system_prompt_column(data_folder):
    facts = read_models(data_folder / "misguided_attention_models.csv")
    assert len(facts) == 29
    assert len(set(clusters(facts).values())) == 24
    assert {fact.system_prompt for fact in facts.values()} == {""}
