"""What cards and configurations declare, hostile ones included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forensics.errors import InputFileError
from forensics.policy.declarations import Declarations, declarations_of, read_card, read_folder
from forensics.policy.names import declared_as, same_name
from forensics.subjects.subject import parse_subject

CARD = """\
---
license: apache-2.0
base_model:
- org/Parent
- org/Other
base_model_relation: merge
datasets: [a/b, c/d]
tags: [x]
---
# A model

Some words.

## Training data

It learned from **many** pages.

## Evaluation

Trained from scratch it was said to be.
"""


def _folder(tmp_path: Path, **files: object) -> Path:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / name.replace("_json", ".json").replace("_md", ".md")).write_text(text)
    return tmp_path


def test_a_card_declares_parents_licence_data_and_training(tmp_path):
    found = declarations_of(parse_subject(str(_folder(tmp_path, README_md=CARD))))
    assert [m.name for m in found.base_models] == ["org/Parent", "org/Other"]
    assert (found.relation, found.license) == ("merge", "apache-2.0")
    assert found.datasets == ("a/b", "c/d")
    assert found.training == "It learned from **many** pages."
    assert found.from_scratch == "Trained from scratch"


def test_configurations_declare_parents_too_but_no_paths_and_never_the_model_itself(tmp_path):
    folder = _folder(
        tmp_path,
        config_json={"_name_or_path": "org/Base"},
        adapter_config_json={"base_model_name_or_path": "org/Adapted"},
    )
    found = read_folder(folder, "org/mine")
    assert {m.name: m.source for m in found.base_models} == {
        "org/Base": "config.json",
        "org/Adapted": "adapter_config.json",
    }
    for name in ("/home/me/out", "./out", "../x", "", "org/mine", "C:\\out", 7, None, "a/b/c"):
        _folder(tmp_path, config_json={"_name_or_path": name}, adapter_config_json={})
        assert read_folder(folder, "org/mine").base_models == ()


def test_subjects_without_files_declare_nothing_and_a_card_can_be_given(tmp_path):
    endpoint = parse_subject("openai:m@http://h/v1")
    assert declarations_of(endpoint) == Declarations()
    card = _folder(tmp_path, README_md=CARD) / "README.md"
    assert len(declarations_of(endpoint, card).base_models) == 2
    assert len(declarations_of(endpoint, tmp_path).base_models) == 2
    with pytest.raises(InputFileError, match="cannot read the model's file"):
        declarations_of(endpoint, tmp_path / "none.md")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no metadata at all",
        "---\n---\n",
        "---\njust text\n---\n",
        "---\nbase_model: {a: b}\nlicense: [1, 2]\ndatasets: 3\n---\n",
        "---\nbase_model: [[x], null, '']\n---\n",
        "---\nnever closed\n",
        "\ufeff---\r\nlicense: 1\r\n---\r\n",
    ],
)
def test_odd_cards_declare_nothing(tmp_path, text):
    found = read_card(_folder(tmp_path, README_md=text) / "README.md")
    assert (found.base_models, found.license, found.datasets) == ((), "", ())


@pytest.mark.parametrize(
    "text",
    [
        "---\na: [\n---\n",
        "---\n!!python/object/apply:os.system ['true']\n---\n",
        "---\n" + "[" * 5_000 + "\n---\n",
        "---\na: \x00\n---\n",
        "x" * (4 * 1024 * 1024 + 1),
    ],
)
def test_broken_and_hostile_cards_are_refused_in_one_line(tmp_path, text):
    with pytest.raises(InputFileError) as caught:
        read_card(_folder(tmp_path, README_md=text) / "README.md")
    assert "\n" not in str(caught.value)


def test_a_card_of_aliases_upon_aliases_does_not_fill_the_memory(tmp_path):
    levels = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    text = f"---\na0: &a0 [x]\n{levels}base_model: *a39\n---\n"
    assert read_card(_folder(tmp_path, README_md=text) / "README.md").base_models == ()


def test_a_claim_of_the_opposite_is_none(tmp_path):
    text = "It was not trained from scratch."
    assert read_card(_folder(tmp_path, README_md=text) / "README.md").from_scratch == ""


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("HuggingFaceTB/SmolLM2-135M", "smollm2-135m", True),
        ("org/a_b", "ORG/A-B", True),
        ("hf:org/a@main", "org/a", True),
        ("org/a", "other/a", False),
        ("a", "ab", False),
        ("", "", False),
        ("org/", "x", False),
        ("openai:m@http://one/v1", "openai:m@http://two/v1", False),
        ("openai:m@http://one/v1", "openai:m@http://one/v1", True),
    ],
)
def test_names_of_one_model(first, second, same):
    assert same_name(first, second) is same
    assert same_name(second, first) is same


def test_the_declaration_that_names_a_reference_is_given(tmp_path):
    found = read_card(_folder(tmp_path, README_md=CARD) / "README.md")
    assert declared_as(["x", "other"], found).name == "org/Other"
    assert declared_as(["x"], found) is None
