from __future__ import annotations

import pytest

from forensics.errors import UsageError
from forensics.subjects.addresses import call_address, key_headers
from forensics.subjects.subject import parse_subject


@pytest.mark.parametrize(
    ("spec", "kind", "target", "name"),
    [
        ("hf:org/name@abc", "hf", "org/name", "org/name"),
        ("hf:org/name", "hf", "org/name", "org/name"),
        ("gguf:some/file.gguf", "gguf", "some/file.gguf", "file.gguf"),
        ("some/file.gguf", "gguf", "some/file.gguf", "file.gguf"),
        ("transcript:a/b.jsonl", "transcript", "a/b.jsonl", "b"),
        ("a/b.jsonl", "transcript", "a/b.jsonl", "b"),
        ("transcript:odd:name.jsonl", "transcript", "odd:name.jsonl", "odd:name"),
        ("demo:smollm2", "demo", "smollm2", "smollm2"),
        ("openai:org/m:free@http://h:1/v1", "openai", "org/m:free", "org/m:free"),
        ("openai:m@x@https://h/v1", "openai", "m@x", "m@x"),
    ],
)
def test_forms(spec, kind, target, name):
    subject = parse_subject(spec)
    assert (subject.kind, subject.target, subject.name) == (kind, target, name)


def test_revision_and_folder(tmp_path):
    assert parse_subject("hf:org/name@v1").revision == "v1"
    folder = tmp_path / "with@at"
    folder.mkdir()
    subject = parse_subject(f"hf:{folder}")
    assert (subject.target, subject.revision) == (str(folder), None)
    assert parse_subject(str(folder)).kind == "hf"


def test_an_address_in_the_subject_wins_over_the_option():
    subject = parse_subject("openai:m@http://one/v1/", "http://two/v1", "MY_KEY")
    assert subject.base_url == "http://one/v1"
    assert subject.api_key_env == "MY_KEY"
    assert parse_subject("openai:m", "http://two/v1").base_url == "http://two/v1"


def test_of_a_query_only_the_version_is_kept_and_sent_behind_the_path():
    address = "https://h/openai/deployments/x?api-version=2024-06-01"
    subject = parse_subject(f"openai:m@{address}")
    assert (subject.base_url, subject.spec) == (address, f"openai:m@{address}")
    assert call_address(address, "/chat/completions") == (
        "https://h/openai/deployments/x/chat/completions?api-version=2024-06-01"
    )
    for version in ("2025-04-01-preview", "preview", "v1"):
        assert parse_subject("openai:m", f"http://h/v1/?api-version={version}").base_url
    assert parse_subject("openai:m", "http://h/v1/?#").base_url == "http://h/v1"


SECRET = "hunter2-topsecret"
ADDRESSES = [
    f"http://h/v1?key={SECRET}",
    f"http://h/v1?{SECRET}",
    f"http://h/v1?api-version={SECRET}",
    f"http://h/v1?api-version=2024-06-01&key={SECRET}",
    f"http://h/v1?api-version=2024-06-01;key={SECRET}",
    f"http://h/v1?api-version=2024-06-01&api-version={SECRET}",
    f"http://h/v1#{SECRET}",
    f"http://h/v1;key={SECRET}",
    f"http://user:{SECRET}@h/v1",
    f"http://{SECRET}@h/v1",
    f"http://user:{SECRET}@/v1",
    f"http://user:{SECRET}%40h/v1",
    f"http://user:{SECRET}\uff20h/v1",
    f"http://user:{SECRET}/x@h/v1",
    f"http://h:{SECRET}/v1",
    f"http://[{SECRET}]/v1",
    f"http://h\\@{SECRET}/v1",
    f"http://h /v1 {SECRET}",
    f"ftp://user:{SECRET}@h/v1",
    f"HTTP://user:{SECRET}@h/v1",
    f"user:{SECRET}@h/v1",
    f"//user:{SECRET}@h/v1",
    "http://h/sk-aB3dE5gH7jK9mN1pQ3/v1",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("form", ["openai:m@{}", "openai:{}", "{}", "--base-url"])
def test_what_stands_in_an_address_that_is_refused_is_not_repeated(address, form):
    given = ("openai:m", address) if form == "--base-url" else (form.format(address), None)
    with pytest.raises(UsageError) as caught:
        subject = parse_subject(*given)
        assert subject.base_url is None  # an address without a scheme is a name, and has no host
        raise UsageError("")
    assert SECRET not in str(caught.value)
    assert "aB3dE5gH" not in str(caught.value)
    assert caught.value.__cause__ is None  # nor shown by --debug


@pytest.mark.parametrize("name", ["sk-aB3dE5gH7jK9mN1pQ3", "two words", "a-b", "x" * 20 + "é", ""])
def test_a_key_in_place_of_a_variables_name_is_not_repeated(name):
    with pytest.raises(UsageError, match="--api-key-env takes the name") as caught:
        parse_subject("openai:m", "http://h/v1", name)
    assert not name or name not in str(caught.value)


def test_an_address_sends_the_key_in_the_header_its_host_wants():
    bearer = {"Authorization": "Bearer k"}
    assert key_headers("http://h/v1", "k") == bearer
    assert key_headers("http://h/v1", "") == {}
    assert key_headers("http://h/v1", "k", "api-key") == {"api-key": "k"}
    assert key_headers("https://x.openai.azure.com/openai/v1", "k") == {"api-key": "k"}
    assert key_headers("http://h/x?api-version=2024-06-01", "k") == bearer | {"api-key": "k"}


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "nonsense",
        "gpt-4",
        "hf:",
        "transcript:",
        "openai:",
        "openai:m",
        "openai:m@httpx",
        "openai:m@http://",
        "ftp:x",
        "C:\\models\\x",
        "a" * 300,
        "hf:" + "\udcff" * 3 + ":",
    ],
)
def test_what_is_no_subject_is_a_one_line_usage_error(spec):
    if spec.startswith("hf:\udcff"):
        assert parse_subject(spec).kind == "hf"  # undecodable bytes in a name are still a name
        return
    with pytest.raises(UsageError) as caught:
        parse_subject(spec)
    assert "\n" not in str(caught.value)


def test_a_name_too_long_for_a_folder_is_still_a_hub_name():
    assert parse_subject("hf:" + "a" * 300).kind == "hf"


@pytest.mark.parametrize("url", ["ftp://h/v1", "h/v1", "http:///v1", "http://[::1/v1"])
def test_an_address_that_is_none(url):
    with pytest.raises(UsageError):
        parse_subject("openai:m", url)


def test_credentials_in_an_address_are_refused_without_being_repeated():
    with pytest.raises(UsageError) as caught:
        parse_subject("openai:m@http://user:topsecret@h/v1")
    assert "topsecret" not in str(caught.value)
