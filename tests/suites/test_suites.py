from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from forensics.errors import InputFileError, UsageError
from forensics.suites.loading import list_suites, load_suite
from forensics.suites.suite import Message, Prompt, Suite, prompt_sha256, text_sha256

SUITE = """\
name: small
version: "1"
title: Small
categories: {advice: what it measures, code: and this}
prompts:
  - {id: one, category: advice, prompt: How do I rest?}
  - {id: two, category: code, prompt: Add two numbers., max_tokens: 50}
  - id: three
    category: advice
    messages: [{role: system, content: Be brief.}, {role: user, content: Hi}]
"""


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_lone_user_message_is_hashed_as_its_utf8_text():
    text = "Wie geht's? 你好"
    assert prompt_sha256([Message("user", text)]) == hashlib.sha256(text.encode()).hexdigest()


def test_roles_and_further_turns_are_part_of_a_prompts_identity():
    user, system = Message("user", "Hi"), Message("system", "Hi")
    hashes = {prompt_sha256(m) for m in ([user], [system], [user, user], [system, user])}
    assert len(hashes) == 4
    canonical = json.dumps([["system", "Hi"], ["user", "Hi"]], separators=(",", ":"))
    assert prompt_sha256([system, user]) == hashlib.sha256(canonical.encode()).hexdigest()


def test_joining_messages_differently_gives_other_hashes():
    assert prompt_sha256([Message("user", "a"), Message("user", "b")]) != prompt_sha256(
        [Message("user", 'a"],["user","b')]
    )


def test_lone_surrogates_have_a_hash_of_their_own():
    assert text_sha256("\ud800") != text_sha256("?") != text_sha256("\ud801")


def test_ids_and_categories_do_not_change_a_prompt():
    messages = (Message("user", "Hi"),)
    assert Prompt("a", messages, "x").sha256 == Prompt("b", messages, "y", "de").sha256


def test_published_prompt_hashes_of_alpaca_eval_are_ours(reference, data_folder):
    published = pd.read_csv(data_folder / "alpaca_eval_prompts.csv")
    column = next(c for c in published.columns if "sha256" in c)
    ours = set(reference["vicuna-13b"].transcript.prompts)
    assert len(ours) == 405
    assert ours <= set(published[column])


def test_a_suite_file_is_read(tmp_path):
    suite = load_suite(str(_file(tmp_path, SUITE)))
    assert [p.id for p in suite.prompts] == ["one", "two", "three"]
    assert suite.prompts[1].max_tokens == 50
    assert suite.prompts[2].text == "[system] Be brief.\n\n[user] Hi"


def test_a_folder_with_a_suite_is_one(tmp_path):
    _file(tmp_path, SUITE)
    assert load_suite(str(tmp_path)).name == "small"


def test_the_suite_hash_follows_texts_and_order_only(tmp_path):
    suite = load_suite(str(_file(tmp_path, SUITE)))
    renamed = replace(suite, name="x", prompts=tuple(replace(p, id="z") for p in suite.prompts))
    assert renamed.sha256 == suite.sha256
    assert replace(suite, prompts=suite.prompts[::-1]).sha256 != suite.sha256


@pytest.mark.parametrize(
    ("change", "line", "named"),
    [
        (("id: two", "id: one"), "line", "one"),
        (("Add two numbers.", "How do I rest?"), "line", "same text"),
        (("category: code", "category: cooking"), "line", "cooking"),
        (("max_tokens: 50", "max_tokens: none"), "line 7", "max_tokens"),
        (("prompt: How do I rest?", "promt: How do I rest?"), "line 6", "promt"),
        (("role: user", "role: assistant"), "line 8", "last message"),
        (("version", "Version"), "line", "version"),
        (("name: small", "name: small: x"), "not valid YAML", "line 1"),
    ],
)
def test_a_wrong_suite_file_is_explained_in_one_line(tmp_path, change, line, named):
    assert change[0] in SUITE
    with pytest.raises(InputFileError) as caught:
        load_suite(str(_file(tmp_path, SUITE.replace(*change))))
    message = str(caught.value)
    assert line in message
    assert named in message
    assert "\n" not in message


@pytest.mark.parametrize("text", ["", "[]", "just words", "prompts: []"])
def test_a_file_without_prompts_is_no_suite(tmp_path, text):
    with pytest.raises(InputFileError):
        load_suite(str(_file(tmp_path, text)))


def test_a_suite_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "suite.yaml"
    path.write_bytes(b"name: caf\xe9")
    with pytest.raises(InputFileError, match=r"suite\.yaml"):
        load_suite(str(path))


@pytest.mark.parametrize("name", ["nope", "../core", "no/such", "", "a" * 300])
def test_an_unknown_suite_is_a_usage_error_that_lists_suites(name):
    with pytest.raises(UsageError, match="core"):
        load_suite(name)


def test_yaml_may_not_build_objects(tmp_path):
    text = SUITE.replace("How do I rest?", "!!python/object/apply:os.getcwd []")
    with pytest.raises(InputFileError):
        load_suite(str(_file(tmp_path, text)))


def test_selection_goes_round_robin_over_categories_and_keeps_the_order():
    suite = load_suite("core")
    some = suite.select(limit=len(suite.categories or ()))
    assert len({p.category for p in some.prompts}) == len(some.prompts) == len(suite.categories)
    place = {p.id: i for i, p in enumerate(suite.prompts)}
    assert [place[p.id] for p in some.prompts] == sorted(place[p.id] for p in some.prompts)


def test_selection_by_category_takes_only_that():
    suite = load_suite("core")
    category = suite.prompts[0].category
    assert {p.category for p in suite.select([category]).prompts} == {category}
    assert len(suite.select(limit=10**6).prompts) == len(suite.prompts)


def test_unknown_categories_and_limits_below_one_are_usage_errors():
    suite = load_suite("core")
    with pytest.raises(UsageError, match="no category 'nope'"):
        suite.select(["nope"])
    with pytest.raises(UsageError, match="at least 1"):
        suite.select(limit=0)


def test_shipped_suites_are_valid_and_core_is_large_enough():
    suites = {suite.name: suite for suite in list_suites()}
    assert len(suites["core"].prompts) >= 60
    for suite in suites.values():
        assert isinstance(suite, Suite)
        assert {p.category for p in suite.prompts} == set(suite.categories or ())
        assert len({p.sha256 for p in suite.prompts}) == len(suite.prompts)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_a_file_nested_without_end_is_one_clear_line(tmp_path, opening):
    path = tmp_path / "suite.yaml"
    path.write_text(opening * 100_000)
    with pytest.raises(InputFileError, match=r"nested deeper|not valid YAML") as caught:
        load_suite(str(path))
    assert "\n" not in str(caught.value)
