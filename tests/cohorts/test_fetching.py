"""Cohorts at an address: fetched once from a real server, held to their hash, and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from forensics.cohorts import fetching
from forensics.cohorts.finding import find_cohort, shipped_files
from forensics.errors import BackendError, ForensicsError, InputFileError, UsageError
from forensics.support.secrets import command_line
from tests.served_files import Files

CONTENT = shipped_files()["farel"].read_bytes()
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(name="files")
def files_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path / "cache"))
    files = Files()
    files.files["/farel.safetensors"] = CONTENT
    yield files
    files.close()


def _held(tmp_path: Path) -> list[str]:
    folder = tmp_path / "cache" / "fetched-cohorts"
    return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.exists() else []


def test_a_cohort_is_fetched_once_and_kept(files: Files, tmp_path: Path) -> None:
    address = f"{files.url}/farel.safetensors#sha256={DIGEST.upper()}"
    first, second = find_cohort(address), find_cohort(address)
    assert first.name == second.name == "farel"
    assert first.sha256 == DIGEST
    assert files.asked == ["/farel.safetensors"]
    # The same file elsewhere is the same cohort.
    assert find_cohort(f"https://nowhere.invalid/x#sha256={DIGEST}").sha256 == DIGEST
    assert _held(tmp_path) == [DIGEST]


def test_what_was_changed_in_the_cache_is_fetched_again(files: Files, tmp_path: Path) -> None:
    address = f"{files.url}/farel.safetensors#sha256={DIGEST}"
    path = fetching.fetch_cohort(address)
    path.write_bytes(CONTENT[:-1] + b"?")
    assert fetching.fetched(DIGEST) is None
    assert find_cohort(address).sha256 == DIGEST
    assert len(files.asked) == 2


def test_a_redirect_is_followed_and_the_hash_still_decides(files: Files) -> None:
    files.redirects["/latest"] = "/farel.safetensors"
    files.redirects["/round"] = "/round"
    files.redirects["/out"] = "http://other.invalid/farel.safetensors"
    assert find_cohort(f"{files.url}/latest#sha256={DIGEST}").name == "farel"
    for path, says in (("/round", "redirects too often"), ("/out", "not https")):
        with pytest.raises(BackendError, match=says):
            find_cohort(f"{files.url}{path}#sha256={'0' * 64}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("https://host/x.safetensors", "needs the file's hash"),
        ("https://host/x.safetensors#sha256=12", "needs the file's hash"),
        ("https://host/x.safetensors#md5=12", "needs the file's hash"),
        (f"http://host/x.safetensors#sha256={DIGEST}", "is not https"),
        (f"https://me:secret@host/x#sha256={DIGEST}", "user name, password or query"),
        (f"https://host/x?token=secret#sha256={DIGEST}", "user name, password or query"),
        (f"https://[::1/x#sha256={DIGEST}", "cannot be read"),
        (f"https://host:99999/x#sha256={DIGEST}", "cannot be read"),
    ],
)
def test_an_address_that_is_not_fetched_is_told_in_one_line(text: str, says: str) -> None:
    with pytest.raises(UsageError) as failed:
        find_cohort(text)
    assert says in str(failed.value)
    assert "\n" not in str(failed.value)
    assert "secret" not in str(failed.value)


def test_another_file_than_the_hash_says_is_not_used(files: Files, tmp_path: Path) -> None:
    files.files["/other"] = CONTENT + b" "
    with pytest.raises(InputFileError, match="not the one given"):
        find_cohort(f"{files.url}/other#sha256={DIGEST}")
    assert _held(tmp_path) == []


def test_what_is_too_large_is_refused_before_and_while_it_comes(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.lengths["/farel.safetensors"] = fetching.LARGEST + 1
    address = f"{files.url}/farel.safetensors#sha256={DIGEST}"
    with pytest.raises(InputFileError, match="larger than 256 MiB"):
        find_cohort(address)
    del files.lengths["/farel.safetensors"]
    monkeypatch.setattr(fetching, "LARGEST", 1 << 10)
    with pytest.raises(InputFileError, match="larger than"):
        find_cohort(address)
    assert _held(tmp_path) == []


def test_a_server_that_fails_is_a_failure_of_the_server(files: Files, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="answers HTTP 404"):
        find_cohort(f"{files.url}/nothing#sha256={DIGEST}")
    files.lengths["/farel.safetensors"] = len(CONTENT) + 10
    with pytest.raises(ForensicsError, match="cannot fetch the cohort"):
        find_cohort(f"{files.url}/farel.safetensors#sha256={DIGEST}")
    files.close()
    with pytest.raises(BackendError, match="cannot fetch the cohort from 127"):
        find_cohort(f"{files.url}/farel.safetensors#sha256={DIGEST}")
    assert _held(tmp_path) == []


def test_a_server_that_drips_is_left_after_a_time(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.drips.add("/farel.safetensors")
    monkeypatch.setattr(fetching, "SECONDS", 0.2)
    with pytest.raises(BackendError, match="did not send the cohort within"):
        find_cohort(f"{files.url}/farel.safetensors#sha256={DIGEST}")
    assert _held(tmp_path) == []


def test_a_file_that_is_no_cohort_says_so(files: Files) -> None:
    files.files["/text"] = b"hello"
    digest = hashlib.sha256(b"hello").hexdigest()
    with pytest.raises(InputFileError, match="not a cohort file"):
        find_cohort(f"{files.url}/text#sha256={digest}")


def test_the_hash_stays_in_the_recorded_command() -> None:
    address = f"https://host/x.safetensors#sha256={DIGEST}"
    assert address in command_line(["trace", "a.jsonl", "--cohort", address])
    other = command_line(["trace", "a.jsonl", "--cohort", "https://host/x#token=abcdef"])
    assert "abcdef" not in other
