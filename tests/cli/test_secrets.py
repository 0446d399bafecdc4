"""A key given in the wrong place stands nowhere afterwards: not in files, not on the terminal."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from forensics.cli import run
from tests.cli.cli import ONE
from tests.loopback import Call, Reply, chat_reply, error_reply

SECRET = "tr0mbone-Quartz-Nimbus"
KEY = f"sk-{SECRET}-77"
PAIR = ("a.jsonl", "b.jsonl", *ONE)


def leaks(folder: Path, *shown: str, but: tuple[str, ...] = ()) -> list[str]:
    """Return where the secret stands: files below the folder (ZIPs unpacked) and texts shown."""
    found = ["shown" for text in shown if SECRET.lower() in text.lower()]
    for path in folder.rglob("*"):
        if not path.is_file() or path.name in but:
            continue
        contents = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                contents += [archive.read(name) for name in archive.namelist()]
        if any(SECRET.lower().encode() in raw.lower() for raw in contents):
            found.append(path.name)
    return found


@pytest.fixture(autouse=True)
def _no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("FORENSICS_DEBUG", "")  # set by --debug, for good


WRONG = [
    ("--base-url", f"http://h/v1?api_key={SECRET}"),
    ("--base-url", f"http://user:{SECRET}@h/v1"),
    ("--base-url", f"user:{SECRET}@h/v1"),
    ("--base-url", f"ftp://user:{SECRET}@h/v1"),
    ("--base-url", f"http://h:{SECRET}/v1"),
    ("--base-url", f"http://h/v1#{SECRET}"),
    ("--api-key-env", KEY),
]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    "verb",
    [
        ("compare", *PAIR, "--json", "c.json", "--html", "c.html", "--markdown", "c.md"),
        ("probe", "openai:m", "-o", "p.jsonl"),
        ("doctor", "openai:m", "--json", "d.json"),
        ("trace", "a.jsonl"),
        ("check", "a.jsonl", "--json", "k.json"),
        ("baseline", "save", "openai:m", "-o", "base.jsonl"),
        ("case", "init", "plan.jsonl", "a.jsonl", "b.jsonl"),
    ],
)
def test_options_are_refused_by_every_verb_before_anything_is_written(cli, here, verb, wrong):
    result = cli("--debug", *verb, *wrong)
    assert result.code == 2
    assert result.out == ""
    assert not leaks(here, result.err)
    assert sorted(path.name for path in here.iterdir()) == ["a.jsonl", "b.jsonl"]


@pytest.mark.parametrize(
    "spec",
    [
        f"openai:m@http://h/v1?key={SECRET}",
        f"openai:m@http://user:{SECRET}@/v1",
        f"openai:m@ftp://user:{SECRET}@h/v1",
        f"openai:m@user:{SECRET}@h/v1",
        f"openai:user:{SECRET}@h/v1",
        f"http://user:{SECRET}@h/v1",
        f"user:{SECRET}@h/v1",
    ],
)
def test_subjects_are_refused_wherever_they_are_named(cli, here, spec):
    policy = f'[[against]]\nsubject = "{spec}"\n[rules.undeclared-kinship]\n'
    (here / "policy.toml").write_text(policy)
    for command in (
        ("compare", "a.jsonl", spec, "--json", "c.json"),
        ("compare", *PAIR, "--control", spec, "--json", "c.json"),
        ("probe", spec, "--dry-run"),
        ("check", "a.jsonl", "--policy", "policy.toml", "--json", "k.json"),
    ):
        result = cli("--debug", *command)
        assert result.code == 2, command
        assert not leaks(here, result.out, result.err, but=("policy.toml",)), command


def test_a_name_that_is_no_variable_is_left_out_of_what_is_recorded(cli, here, monkeypatch):
    password = SECRET.replace("-", "")
    monkeypatch.setattr("sys.argv", ["forensics", "compare", *PAIR, "--api-key-env", password])
    outputs = ("--json", "c.json", "--html", "c.html", "--markdown", "c.md")
    result = cli("compare", *PAIR, "--api-key-env", password, *outputs)
    assert result.code == 0
    assert cli("bundle", "c.json", "-o", "c.zip").code in (0, 2)
    for name in ("c.json", "c.html", "c.md"):
        text = (here / name).read_text(encoding="utf-8")
        assert password not in text
        assert "[redacted]" in text


def test_what_a_server_says_of_the_key_reaches_neither_files_nor_terminal(
    cli, here, loopback, monkeypatch
):
    def script(call: Call) -> Reply:
        sent = call.headers["Authorization"].removeprefix("Bearer ")
        kinds = [
            chat_reply(f"Your key is {sent}, or {sent.upper()}.", **{sent: sent}),
            Reply(chat_reply("Fine.").body, headers={"X-Request-Id": sent, "Server": sent}),
            error_reply(400, f"bad key {sent}", code=sent, param=sent),
            Reply(f'data: {{"error": {{"message": "{sent}"}}}}\n\n'),
        ]
        return kinds[call.number % 4]

    monkeypatch.setenv("MINE", KEY)
    server = loopback(script)
    command = ("probe", f"openai:m@{server.url}", "--limit", 12, "--api-key-env", "MINE")
    monkeypatch.setattr("forensics.subjects.backends.openai.OpenAIBackend.retry_wait_initial", 0.01)
    result = cli("--debug", *command, "-o", "p.jsonl")
    assert (here / "p.jsonl").stat().st_size > 1000
    assert not leaks(here, result.out, result.err)


def test_a_failure_inside_shows_no_key_of_the_environment(here, capsys, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError(f"no luck with {KEY} at http://me:{SECRET}@proxy")

    monkeypatch.setattr("forensics.workflows.resolving.resolve_subject", fail)
    assert run(["--debug", "probe", "openai:m@http://h/v1"]) == 4
    shown = capsys.readouterr().err
    assert "Traceback" in shown and "internal error" in shown
    assert SECRET not in shown
