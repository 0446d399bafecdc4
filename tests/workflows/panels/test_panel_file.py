"""Panels as files: what they may say, and how a fault is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.cohorts.lineage.labelling import label_pairs
from forensics.errors import ForensicsError, InputFileError, UsageError
from forensics.workflows.callbacks import CallingBack
from forensics.workflows.panels.members import panel_members, say_addresses
from forensics.workflows.panels.panel_file import new_panel, read_panel, shipped_panels

MODEL = '[[models]]\nmodel = "a"\nsubject = "openai:a@http://127.0.0.1:9/v1"\n'
ENDPOINT = '[endpoints.x]\nbase_url = "http://x/v1"\n'
KIN = {"same_model_other_setting", "finetune_parent", "siblings_same_instruct_parent"}


def _panel(folder: Path, text: str) -> Path:
    path = folder / "panel.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "models is missing"),
        ("[[models", "is not valid TOML"),
        (MODEL + MODEL, "names 'a' twice"),
        (MODEL + 'familly = "x"\n', "line 4: models.0.familly is not a setting; did you mean"),
        (MODEL + 'released = "May"\n', "line 4: models.0.released must be a month"),
        (MODEL + 'price = "1"\n', "line 4: models.0.price must be IN/OUT"),
        (MODEL + 'price = "nan/1"\n', "models.0.price must be IN/OUT"),
        (MODEL + 'body = {model = "b"}\n', "may not set model"),
        (MODEL + "body = {day = 2026-01-01}\n", "models.0.body may hold"),
        (MODEL + 'body = {key = "sk-1234567890abcdefghij"}\n', "hold no key"),
        (MODEL + 'weights_parent = "a"\n', "cycle of ancestry"),
        ("samples = 0\n" + MODEL, "line 1: samples"),
        (MODEL + "[budget]\nmax_cost = -1\n", "line 5: budget.max_cost"),
        (MODEL + '[endpoints.x]\nbase_url = "ftp://x"\n', "endpoints.x.base_url"),
        (MODEL + ENDPOINT + 'api_key_env = "sk-0123456789abcdefgh"', "never a key"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputFileError) as failed:
        read_panel(_panel(tmp_path, text))
    assert says in str(failed.value)
    assert "sk-" not in str(failed.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[models]]\nmodel = "a"\n', "no model has a subject yet"),
        (MODEL + MODEL.replace('"a"', '"b"'), "ask the same of one subject"),
        (MODEL.replace("@http://127.0.0.1:9/v1", "@nowhere"), "nowhere"),
        ('[[models]]\nmodel = "a"\nsubject = "cohort:b"\n', "which cannot be asked"),
        ('[[models]]\nmodel = "a"\nsubject = "hf:b"\nbody = {x = 1}\n', "only endpoints take"),
    ],
)
def test_who_is_asked_must_be_clear(tmp_path: Path, text: str, says: str) -> None:
    panel = read_panel(_panel(tmp_path, text))
    with pytest.raises(ForensicsError) as failed:
        panel_members(panel, None)
    assert says in str(failed.value)


def test_twins_differ_by_their_body_and_an_endpoint_is_announced_once(tmp_path: Path) -> None:
    text = """
samples = 2
price = "1/4"
[endpoints.here]
base_url = "http://127.0.0.1:9/v1"
[[models]]
model = "a"
subject = "openai:m@here"
[[models]]
model = "a-thinking"
subject = "openai:m@here"
weights_id = "a"
body = {reasoning = {effort = "high"}}
max_tokens = 900
price = "2/8"
[[models]]
model = "elsewhere"
subject = "openai:m@http://127.0.0.1:7/v1"
[[models]]
model = "later"
"""
    told: list[str] = []
    panel = read_panel(_panel(tmp_path, text))
    assert panel.unnamed == ("later",)
    members = panel_members(panel, None)
    say_addresses(panel, None, members, CallingBack(lambda event: told.append(str(event))))
    plain, thinking, _ = members
    assert len(told) == 2
    assert "endpoint here is http://127.0.0.1:9/v1" in told[0]
    assert told[1] == "asked at: http://127.0.0.1:7/v1"
    assert (str(plain.price), str(thinking.price)) == ("1/4", "2/8")
    assert (plain.generation.max_tokens, thinking.generation.max_tokens) == (None, 900)
    assert plain.subject.body == ""
    assert thinking.subject.body == '{"reasoning": {"effort": "high"}}'
    assert panel.facts["a-thinking"].weights_id == "a"


def test_shipped_panels_are_in_order_and_leave_subjects_to_the_user(tmp_path: Path) -> None:
    assert set(shipped_panels()) == {"2026", "example"}
    panel = read_panel(shipped_panels()["2026"])
    assert len(panel.facts) >= 40
    assert panel.named == ()
    assert panel.unverified == set(panel.facts)
    labels = label_pairs(panel.facts, panel.unverified)
    clusters = {
        min(panel.facts[model].weights_id for model in pair)
        for pair, label in labels.items()
        if label.relation in KIN
    }
    assert len(clusters) >= 6
    assert read_panel(shipped_panels()["example"]).unnamed == ()
    new_panel(tmp_path / "mine.toml")
    with pytest.raises(UsageError, match="is there already"):
        new_panel(tmp_path / "mine.toml")
    with pytest.raises(UsageError, match="no panel 'nope' is shipped"):
        new_panel(tmp_path / "other.toml", "nope")
