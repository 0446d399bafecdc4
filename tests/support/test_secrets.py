"""Secrets are cut out of what is recorded and shown, in every form they come in."""

from __future__ import annotations

import base64

import pytest

from forensics.support.secrets import (
    Secret,
    command_line,
    is_variable_name,
    proxy_secrets,
    redacted,
)

KEY = "sk-Zq9wLrT7bKd2mVx0aB3"
PASSWORD = "Tr0ub4dor&3/x"


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"Bearer {KEY}",
        KEY.upper(),
        KEY.lower(),
        base64.b64encode(KEY.encode()).decode(),
        base64.b64encode(f":{KEY}".encode()).decode(),
        base64.b64encode(f"user:{KEY}".encode()).decode(),
    ],
)
def test_a_key_that_a_server_sends_back_is_cut_out(text):
    cut = Secret(KEY).redact(f"before {text} after")
    assert "[redacted]" in cut and cut.startswith("before ") and cut.endswith(" after")
    assert text[4:-4] not in cut


def test_signs_that_are_written_otherwise_are_cut_out_too():
    secret = Secret("", (PASSWORD,))
    for text in (PASSWORD, "Tr0ub4dor%263%2Fx", "Tr0ub4dor&amp;3/x"):
        assert secret.redact(text) == "[redacted]"


def test_placeholders_are_no_secrets():
    assert Secret("ollama").redact("Try ollama.") == "Try ollama."
    assert Secret().redact("") == ""


def test_proxies_passwords_are_secrets(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://me:p%40ssw0rd!@proxy:3128")
    assert {"p@ssw0rd!", "p%40ssw0rd!", "me:p@ssw0rd!"} <= set(proxy_secrets())
    basic = base64.b64encode(b"me:p@ssw0rd!").decode()
    assert basic[:10] not in Secret("", proxy_secrets()).redact(f"Basic {basic}")
    assert "ssw0rd" not in redacted("cannot connect to http://me:p%40ssw0rd!@proxy:3128")


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", f"openai:m@http://h/v1?key={PASSWORD}"],
        ["compare", f"openai:m@http://h/v1?{PASSWORD}"],
        ["compare", f"openai:m@http://h/v1?api-version={PASSWORD}"],
        ["compare", f"openai:m@http://h/v1#{PASSWORD}"],
        ["compare", "a", "b", "--base-url", f"http://user:{PASSWORD.replace('/', '')}@h/v1"],
        ["compare", "a", "b", "--api-key-env", PASSWORD],
        ["compare", "a", "b", f"--api-key-env={PASSWORD}"],
        ["compare", "a", "b", "--api-key-env", "trustno1trustno1"],
        ["compare", "a", "b", "--system-prompt", f"use {KEY}"],
        ["--token", PASSWORD],
        [f"--db-password={PASSWORD}"],
        ["compare", "a", "b", "--system-prompt", "the key is v3ry-own-key-of-mine"],
    ],
)
def test_no_secret_stands_in_a_recorded_command(arguments, monkeypatch):
    monkeypatch.setenv("MINE_API_KEY", "v3ry-own-key-of-mine")
    line = command_line(arguments)
    for secret in (PASSWORD[:8], KEY, "trustno1", "v3ry-own"):
        assert secret not in line
    assert "[redacted]" in line


def test_what_is_no_secret_is_recorded_as_typed(monkeypatch):
    monkeypatch.setenv("LOCAL_KEY", "EMPTY")
    typed = [
        "compare",
        "openai:org/m:free@https://h:8/openai/deployments/x?api-version=2024-06-01",
        "hf:org/task-sk-learn@main",
        "--api-key-env",
        "LOCAL_KEY",
        "--system-prompt",
        "Is it so? Yes & no; a=b",
    ]
    line = command_line(typed)
    assert "[redacted]" not in line
    assert line.startswith("forensics compare 'openai:org/m:free@https://h:8/openai/")
    assert command_line(["--api-key-env", "OPENAI_API_KEY"]).endswith("OPENAI_API_KEY")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://a:b@h/x", "see https://[redacted]@h/x"),
        ("https://h/?id=5&token=abc", "https://h/?id=5&token=[redacted]"),
        ("https://h/@user/post?id=5", "https://h/@user/post?id=5"),
        (f"bad key {KEY}.", "bad key [redacted]."),
    ],
)
def test_text_for_people(text, shown):
    assert redacted(text) == shown


def test_names_of_variables():
    assert all(map(is_variable_name, ["MY_KEY", "OPENAI_API_KEY", "key2", "_X", "HF_TOKEN"]))
    assert not any(
        map(is_variable_name, [KEY, "", "a b", "1A", "f0e1d2c3b4a5968778695a4b3c2d1e0f"])
    )
