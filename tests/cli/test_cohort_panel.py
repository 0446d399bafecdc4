"""The verbs `cohort panel` and `cohort columns`."""

from __future__ import annotations

from pathlib import Path

from forensics.cohorts.finding import find_cohort
from tests.loopback import Reply, chat_reply, error_reply


def test_a_panel_is_written_and_checked_without_calls(cli, here):
    assert cli("cohort", "panel", "new", "mine.toml").code == 0
    checked = cli("cohort", "panel", "check", "mine.toml", "--no-calls")
    assert (checked.code, checked.out) == (0, "mine.toml is in order: 3 models have a subject\n")
    assert cli("cohort", "panel", "new", "mine.toml").code == 2
    assert cli("cohort", "panel", "new", "router.toml", "--like", "2026").code == 0
    unfilled = cli("cohort", "panel", "check", "router.toml")
    assert unfilled.code == 2
    assert "no model has a subject yet" in unfilled.complaint


def test_each_model_is_asked_once_and_who_failed_is_named(cli, here, loopback, monkeypatch):
    monkeypatch.setenv("PANEL_KEY", "the-key-of-this-test-0123")

    def script(call) -> Reply:
        if call.body["model"] == "gone":
            return error_reply(404, "no model gone, key the-key-of-this-test-0123", code="x")
        return chat_reply("yes")

    server = loopback(script)
    names = ("one", "two", "gone")
    entries = "".join(
        f'[[models]]\nmodel = "{name}"\nsubject = "openai:{name}@here"\n' for name in names
    )
    Path("p.toml").write_text(
        f'[endpoints.here]\nbase_url = "{server.url}"\napi_key_env = "PANEL_KEY"\n{entries}'
        '[[models]]\nmodel = "later"\n'
    )
    checked = cli("cohort", "panel", "check", "p.toml")
    assert checked.code == 4
    lines = checked.out.splitlines()
    assert lines[:2] == ["ok      one", "ok      two"]
    assert lines[2].startswith("failed  gone: ")
    assert lines[3] == "2 of 3 models answered"
    assert "without a subject, so left out: later" in checked.err
    assert sorted(call.body["model"] for call in server.calls) == sorted(names)
    assert "the-key-of" not in checked.out + checked.err


def test_columns_are_described_and_the_examples_make_a_cohort(cli, here, monkeypatch):
    monkeypatch.setenv("FORENSICS_CACHE", str(here / "cache"))
    shown = cli("cohort", "columns")
    assert shown.code == 0
    for word in ("models.csv", "pairs.csv", "outputs.csv", "weights_id", "finetune_parent"):
        assert word in shown.out
    assert "weights_id" not in cli("cohort", "columns", "pairs").out
    assert cli("cohort", "columns", "--example", "tables").code == 0
    built = cli(
        *("cohort", "build", "tables/outputs.csv", "--models", "tables/models.csv"),
        *("--pairs", "tables/pairs.csv", "-o", "./x.safetensors"),
    )
    assert built.code == 0
    assert len(find_cohort("x.safetensors").models) == 4
