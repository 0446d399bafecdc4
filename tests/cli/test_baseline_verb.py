"""`forensics baseline`, and the rule `drift` of a policy, against a server that changes."""

from __future__ import annotations

import json

import pytest

from tests.builders import essays
from tests.cli.cli import forensics
from tests.loopback import Call, Reply, chat_reply, error_reply

ASK = ("--limit", "12", "--max-tokens", "16")
DRIFT = '[rules.drift]\nbaseline = "b.jsonl"\n'


@pytest.fixture(name="model")
def model_fixture(loopback):
    """Give a server whose `mood` decides what it says: the same every time, by prompt."""
    texts = {mood: essays(20, shift) for shift, mood in enumerate(("old", "new"))}
    mood = ["old"]

    def script(call: Call) -> Reply:
        if mood[0] == "dead":
            return error_reply(401, "bad key")
        return chat_reply(texts[mood[0]][sum(call.prompt.encode()) % 20])

    server = loopback(script)
    server.mood = mood
    return server


@pytest.fixture(name="saved")
def saved_fixture(cli, model, here):
    """Give the subject of a stored baseline."""
    spec = f"openai:m@{model.url}"
    result = cli("baseline", "save", spec, *ASK, "-o", "b.jsonl")
    assert (result.code, result.out) == (0, "")
    assert "b.jsonl: 36 answers" in result.err  # 12 prompts, 3 samples
    (here / "forensics.toml").write_text(DRIFT)
    return spec


def test_every_exit_code_in_a_process_of_its_own(saved, model, here):
    command = ("baseline", "compare", saved, "b.jsonl", "--json", "d.json")
    for mood, code, says in (
        ("old", 0, "No difference found: all answers to 12 prompts are the same"),
        ("new", 1, "Not the same: answers to"),
        ("dead", 4, "forensics: "),
    ):
        model.mood[0] = mood
        result = forensics(*command, cwd=here)
        assert result.code == code
        assert says in " ".join(f"{result.out} {result.err}".split())
        if code != 4:
            assert json.loads((here / "d.json").read_text())["exit_code"] == code


def test_a_policys_rule_says_the_same(cli, saved, model):
    assert cli("check", saved).code == 0
    model.mood[0] = "new"
    result = cli("check", saved)
    assert result.code == 1
    assert "store a new baseline" in " ".join(result.out.split())
    model.mood[0] = "dead"
    result = cli("check", saved, "--json", "-")
    assert result.code == 4
    assert [one["status"] for one in json.loads(result.out)["outcomes"]] == ["error"]


def test_answers_on_file_are_never_taken_for_fresh_ones(cli, saved, model, here):
    asked = len(model.calls)
    for _ in range(2):
        assert cli("baseline", "compare", saved, "b.jsonl").code == 0
    assert len(model.calls) - asked == 2 * 36
    assert len(list((here / "transcripts").glob("*.jsonl"))) == 3


def test_one_sample_that_differs_is_inconclusive(cli, model, here):
    spec = f"openai:m@{model.url}"
    assert cli("baseline", "save", spec, *ASK, "--samples", 1, "-o", "b.jsonl").code == 0
    model.mood[0] = "new"
    result = cli("baseline", "compare", spec, "b.jsonl")
    assert result.code == 0
    assert result.out.startswith("Inconclusive")
    assert cli("baseline", "compare", spec, "b.jsonl", "--strict").code == 3


def test_a_baseline_is_a_subject_and_transcripts_can_be_compared_with_it(cli, saved, here):
    assert cli("baseline", "compare", "b.jsonl", "b.jsonl").code == 0
    assert cli("baseline", "compare", "a.jsonl", "b.jsonl").out.startswith("Inconclusive")
    assert cli("compare", "b.jsonl", "b.jsonl", "--only", "sampling").code == 0


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("save", "a.jsonl", "-o", "no.jsonl", "--suite", "nope"), "no suite 'nope'"),
        (("compare", "a.jsonl", "none.jsonl"), "cannot read transcript none.jsonl"),
        (("compare", "cohort:vicuna-13b", "a.jsonl"), "cannot be asked"),
        (("compare", "nonsense", "a.jsonl"), "cannot tell what subject"),
    ],
)
def test_wrong_usage_is_one_line(cli, here, command, says):
    result = cli("baseline", *command)
    assert result.code == 2
    assert says in result.complaint


def test_a_key_never_reaches_the_baseline(model, here):
    result = forensics(
        "baseline",
        "save",
        f"openai:m@{model.url}",
        *ASK,
        "-o",
        "b.jsonl",
        cwd=here,
        OPENAI_API_KEY="sk-very-secret",
    )
    assert result.code == 0
    assert model.calls[0].headers["Authorization"] == "Bearer sk-very-secret"
    assert b"sk-very-secret" not in (here / "b.jsonl").read_bytes()


def test_what_a_policy_names_is_missed_before_anything_is_asked(cli, model, here):
    spec = f"openai:m@{model.url}"
    (here / "forensics.toml").write_text(
        f'limit = 8\n[[against]]\nsubject = "{spec}"\n[rules.undeclared-kinship]\n'
        '[rules.drift]\nbaseline = "stored.jsonl"\n'
    )
    result = cli("check", spec)
    assert result.code == 2
    assert "forensics.toml, line 6: cannot read transcript stored.jsonl" in result.complaint
    assert "forensics baseline save SUBJECT -o stored.jsonl writes one" in result.complaint
    (here / "forensics.toml").write_text(
        f'limit = 8\n[[against]]\nsubject = "{spec}"\n[rules.restricted-teacher]\n'
        'table = "none.toml"\n'
    )
    assert cli("check", spec).code == 2
    assert cli("baseline", "save", spec, *ASK, "-o", "no/such/b.jsonl").code == 2
    assert cli("baseline", "save", spec, *ASK, "-o", ".").code == 2
    assert model.calls == []


def test_drift_shows_an_answer_before_and_now_in_every_format(cli, saved, model, here):
    model.mood[0] = "new"
    formats = ("--junit", "c.xml", "--sarif", "c.sarif", "--markdown", "c.md", "--json", "c.json")
    result = cli("check", saved, *formats)
    assert result.code == 1
    assert "was answered “" in " ".join(result.out.split())
    for name in ("c.xml", "c.sarif", "c.md"):
        assert "was answered" in (here / name).read_text(), name
