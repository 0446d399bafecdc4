from __future__ import annotations

import pytest

from forensics.errors import UsageError
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


def test_queries_of_an_address_are_not_kept_anywhere():
    subject = parse_subject("openai:m@http://h/v1?key=topsecret#x")
    assert "topsecret" not in repr(subject)


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
