"""Named endpoints: the file, what is refused in it, and calls that go where it says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from forensics.errors import InputFileError, UsageError
from forensics.subjects.endpoints import named_subject, read_endpoints
from tests.cli.cli import ROOT
from tests.cli.conftest import cli_fixture, here_fixture
from tests.loopback import Loopback

__all__ = ["cli_fixture", "here_fixture"]

SECRET = "sk-proj-9fQ2xYz7Lm4TgR8w"


@pytest.fixture(name="toml")
def toml_fixture(tmp_path, monkeypatch):
    """Give a function that writes forensics.toml here; the user's own folder is empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def write(text, name="forensics.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    return write


LOCAL = '[endpoints.local]\nbase_url = "http://h:8000/v1/"\napi_key_env = "LOCAL_KEY"\n'


def test_a_name_gives_address_key_variable_and_api(toml):
    toml(LOCAL + 'api = "completions"\n[policies.strict]\nlimit = 3\n')
    found = named_subject("openai:org/m:free@local")
    assert found is not None
    subject = found.subject
    assert subject.spec == "openai:org/m:free@http://h:8000/v1"
    assert (subject.target, subject.base_url) == ("org/m:free", "http://h:8000/v1")
    assert (subject.api_key_env, subject.api) == ("LOCAL_KEY", "completions")


def test_models_with_an_at_sign_and_addresses_are_as_before(toml):
    toml(LOCAL)
    found = named_subject("openai:m@v2@local")
    assert found is not None and found.subject.target == "m@v2"
    assert named_subject("openai:m@v2", base_url="http://x/v1") is None
    for spec in ("openai:m", "openai:m@http://x/v1", "hf:org/m@local", "a@local.jsonl"):
        assert named_subject(spec) is None


def test_other_specs_read_no_file(toml):
    toml("this is [not TOML")
    assert named_subject("hf:org/m@local") is None
    assert named_subject("openai:m@https://h/v1") is None
    with pytest.raises(InputFileError, match=r"^forensics\.toml is not valid TOML: .*line 1"):
        named_subject("openai:m@local")


def test_the_working_folder_comes_before_the_users(toml):
    toml(
        LOCAL.replace("8000", "1").replace("local", "other") + LOCAL,
        "config/model-forensics/forensics.toml",
    )
    found = named_subject("openai:m@local")
    assert found is not None and found.subject.base_url == "http://h:8000/v1"
    toml(LOCAL.replace("8000", "9"))
    here, user = named_subject("openai:m@local"), named_subject("openai:m@other")
    assert here is not None and here.subject.base_url == "http://h:9/v1"
    assert user is not None and user.subject.base_url == "http://h:1/v1"


def test_unknown_names_say_what_there_is(toml):
    with pytest.raises(UsageError, match=r"no forensics\.toml that defines 'local'"):
        named_subject("openai:m@local")
    toml(LOCAL)
    with pytest.raises(
        UsageError, match=r"forensics\.toml defines no endpoint 'locl'; did you mean local"
    ):
        named_subject("openai:m@locl")
    for secret in (f"openai:m@user:{SECRET}@h/v1", f"openai:m@{SECRET}", f"openai:{SECRET}@h/v1"):
        with pytest.raises(UsageError, match="neither an endpoint's name nor") as caught:
            named_subject(secret)
        assert SECRET not in str(caught.value)
    with pytest.raises(UsageError, match="it defines local"):
        named_subject("openai:m@zzz")
    with pytest.raises(UsageError, match="names no model"):
        named_subject("openai:@local")
    toml("[policies.a]\nx = 1\n")
    with pytest.raises(UsageError, match=r"add a table \[endpoints.local\]"):
        named_subject("openai:m@local")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            f'base_url = "http://h/v1"\napi_key = "{SECRET}"',
            "endpoints.e.api_key is not a setting; did you mean api_key_env?",
        ),
        ('base_url = "http://h/v1"\nbaseurl = "x"', "did you mean base_url?"),
        ('base_url = "http://h/v1"\nzzzzzz = 1', "known: base_url, api_key_env, api"),
        (
            f'base_url = "http://h/v1"\napi_key_env = "{SECRET}"',
            "endpoints.e.api_key_env must be the name",
        ),
        ('base_url = "http://h/v1"\napi_key_env = "sk_9fQ2xYz7Lm4TgR8w"', "must be the name"),
        ('base_url = "http://h/v1"\napi_key_env = "gsk_9fQ2xYz7Lm4TgR8wAA"', "must be the name"),
        (
            'base_url = "http://h/v1"\napi_key_env = "f0e1d2c3b4a5968778695a4b3c2d1e0f"',
            "must be the name",
        ),
        ('base_url = "http://h/v1"\napi_key_env = "MY KEY"', "must be the name"),
        ('base_url = "http://h/v1"\napi_key_env = ""', "must be the name"),
        ('base_url = "http://h/v1"\napi_key_env = 7', "must be text in quotes"),
        ('base_url = "http://h/v1"\napi = "chats"', 'must be "chat" or "completions"'),
        ('api = "chat"', "endpoints.e.base_url is missing"),
        ('base_url = "ftp://h/v1"', "endpoints.e.base_url must be an http(s) address"),
        ('base_url = "http://h:99999/v1"', "has an invalid port"),
        (f'base_url = "{SECRET}"', "must be an http(s) address"),
        (f'base_url = "http://u:{SECRET}@h/v1"', "must hold no user name or key"),
        (f'base_url = "http://h/v1?key={SECRET}"', "must hold no query"),
        (f'base_url = "http://h/v1#{SECRET}"', "must hold no fragment"),
        (f'base_url = "http://h/v1?api-version={SECRET}"', "must be a date"),
        (
            f'base_url = "http://h/v1"\nkey_header = "{SECRET}"',
            'must be "Authorization", "api-key"',
        ),
    ],
)
def test_wrong_entries_are_one_line_and_show_no_value(toml, entry, expected):
    path = toml(f"[endpoints.e]\n{entry}\n")
    with pytest.raises(InputFileError) as caught:
        read_endpoints(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and expected in message
    assert "\n" not in message
    for secret in ("9fQ2xYz7Lm4TgR8w", "f0e1d2c3", "MY KEY"):
        assert secret not in message


@pytest.mark.parametrize("name", ["MY_KEY", "OPENAI_API_KEY", "key2", "_X", "SKY_KEY", "HF_TOKEN"])
def test_names_of_variables_are_taken(toml, name):
    path = toml(f'[endpoints.e]\nbase_url = "HTTP://h/v1"\napi_key_env = "{name}"\n')
    assert read_endpoints(path)["e"].api_key_env == name
    found = named_subject("openai:m@e")
    assert found is not None and found.subject.base_url == "http://h/v1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("endpoints = 3", "endpoints must be a table"),
        ("[[endpoints]]\nx = 1", "endpoints must be a table"),
        ("[endpoints]\nlocal = 'http://h/v1'", "endpoints.local must be a table"),
        ("[endpoints.httpbin]\nbase_url = 'http://h'", "does not begin with http"),
        ("[endpoints.'a b']\nbase_url = 'http://h'", "a name is letters"),
        (b"\xff\xfe[\x00", "is not UTF-8 text"),
        ("a = " + "[" * 50_000, "is not valid TOML"),
        ("#" * (1024 * 1024 + 1), "larger than 1 MiB"),
    ],
)
def test_odd_files_are_refused_in_one_line(toml, text, expected):
    path = toml(text)
    with pytest.raises(InputFileError) as caught:
        read_endpoints(path)
    assert expected in str(caught.value) and str(path) in str(caught.value)


def test_a_mark_at_the_start_of_the_file_is_no_error(toml):
    assert list(read_endpoints(toml(b"\xef\xbb\xbf" + LOCAL.encode()))) == ["local"]


def test_a_file_that_is_not_there_is_said(tmp_path):
    for path in (tmp_path / "no.toml", tmp_path):
        with pytest.raises(InputFileError, match="cannot read settings"):
            named_subject("openai:m@local", path)


def test_probe_goes_where_the_file_says(cli, here, toml, monkeypatch):
    monkeypatch.setenv("LOCAL_KEY", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-this-one")
    with Loopback() as server:
        toml(
            f'[endpoints.local]\nbase_url = "{server.url}"\n'
            'api_key_env = "LOCAL_KEY"\napi = "completions"\n',
            "my.toml",
        )
        arguments = ("openai:m@local", "--endpoints", "my.toml", "--limit", 2, "-o", "out.jsonl")
        result = cli("probe", *arguments)
        assert result.code == 0, result.err
        assert f"endpoint local is {server.url} (my.toml)" in result.err
        assert {call.path for call in server.calls} == {"/v1/completions"}
        assert {call.headers["Authorization"] for call in server.calls} == {f"Bearer {SECRET}"}
        manifest = json.loads((here / "out.jsonl").read_text().splitlines()[0])["manifest"]
        assert manifest["subject"] == f"openai:m@{server.url}"
        assert manifest["identity"]["api"] == "completions"
        assert SECRET not in (here / "out.jsonl").read_text() + result.err

        unset = ("--api", "chat", "--api-key-env", "NONE")
        missing = cli("probe", *arguments[:-1], "chat.jsonl", *unset)
        assert missing.code == 2
        assert "is not set" in missing.err and "NONE" not in missing.err
        monkeypatch.setenv("NONE", "")
        chat = cli("probe", *arguments[:-1], "chat.jsonl", *unset)
        assert chat.code == 0, chat.err
        assert server.calls[-1].path == "/v1/chat/completions"
        assert "Authorization" not in server.calls[-1].headers


def test_mistakes_are_one_line_with_exit_code_2(cli, toml):
    toml(f'[endpoints.local]\nbase_url = "http://h/v1"\napi_key_env = "{SECRET}"\n')
    result = cli("probe", "openai:m@local", "--dry-run")
    assert result.code == 2
    assert "forensics.toml: endpoints.local.api_key_env" in result.complaint
    assert SECRET not in result.complaint


def test_without_named_endpoints_pydantic_is_not_loaded_for_them(tmp_path):
    code = (
        "import sys, forensics.subjects.endpoints as e; e.named_subject('openai:m@http://h/v1');"
        "print('pydantic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
