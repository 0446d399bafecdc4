"""Cohorts at an address: fetched once, held to the hash that the address carries, and kept.

    https://HOST/name.safetensors#sha256=HEX

Whoever shares a cohort gives both. The hash decides what is used: where a file comes from, and what
it is called, does not matter then.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from forensics.errors import BackendError, InputFileError, UsageError
from forensics.support.cache import cached_folder
from forensics.support.resources import cache_folder
from forensics.support.version import VERSION

if TYPE_CHECKING:
    import httpx

LARGEST = 1 << 28  # bytes; the largest shipped cohort has a few million
SECONDS = 600.0  # for the whole file
_SECONDS_A_PIECE = 30.0
_MOST_REDIRECTS = 5
_CACHE = "fetched-cohorts"
_FILE = "cohort.safetensors"
_ADDRESS = re.compile(r"(?i)https?://")
_DIGEST = re.compile(r"sha256=([0-9a-fA-F]{64})")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class CohortAddress:
    """Where a cohort is, and the sha256 (hex, lower case) that it must have."""

    url: str
    sha256: str

    @property
    def host(self) -> str:
        """The address's host, for messages."""
        return urlsplit(self.url).netloc


def is_address(name: str) -> bool:
    """Tell whether what names a cohort is an address."""
    return _ADDRESS.match(name) is not None


def cohort_address(text: str) -> CohortAddress:
    """Parse an address with its hash.

    Raises:
        UsageError: it has no hash, is not https, or holds what may be a secret. The message does
            not show a query or user part.
    """
    url, _, fragment = text.partition("#")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError(
            "the cohort's address cannot be read; write https://HOST/name.safetensors#sha256=HEX"
        ) from None
    if "@" in parts.netloc or parts.query:
        raise UsageError(
            "the cohort's address holds a user name, password or query, which would be recorded; "
            "give one without, or fetch the file and name it"
        )
    if not host or (parts.scheme.lower() != "https" and host not in _LOOPBACK):
        raise UsageError(f"the cohort's address {url} is not https; only that is fetched")
    digest = _DIGEST.fullmatch(fragment)
    if digest is None:
        raise UsageError(
            f"the cohort's address needs the file's hash, without which it is not fetched: "
            f"{url}#sha256=HEX (64 digits; forensics cohort info shows them)"
        )
    return CohortAddress(url, digest[1].lower())


def fetched(sha256: str) -> Path | None:
    """Return the file with this sha256 that was fetched before, None where there is none."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        return None
    path = cache_folder(_CACHE) / sha256 / _FILE
    return path if path.is_file() and _sha256(path) == sha256 else None


def fetch_cohort(text: str) -> Path:
    """Return the file of a cohort at an address; it is fetched if it was not before.

    Raises:
        UsageError: see `cohort_address`.
        BackendError: it cannot be fetched.
        InputFileError: what came is larger than a cohort, or has another hash.
        OutputError: the cache cannot be written.
    """
    address = cohort_address(text)
    known = fetched(address.sha256)
    if known is not None:
        return known
    # What lies there although it is not the file was changed since.
    shutil.rmtree(cache_folder(_CACHE) / address.sha256, ignore_errors=True)
    folder = cached_folder(_CACHE, address.sha256, lambda into: _fetch(address, into / _FILE))
    return folder / _FILE


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(address: CohortAddress, path: Path) -> None:
    hashed = hashlib.sha256()
    size, end = 0, time.monotonic() + SECONDS
    with _reply(address) as reply, path.open("wb") as file:
        for piece in reply.iter_raw():
            size += len(piece)
            if size > LARGEST:
                raise InputFileError(
                    f"the file at {address.url} is larger than {LARGEST >> 20} MiB; is it a cohort?"
                )
            if time.monotonic() > end:
                raise BackendError(
                    f"{address.host} did not send the cohort within {SECONDS:g} s; fetch the file "
                    "by other means and name it"
                )
            hashed.update(piece)
            file.write(piece)
    if hashed.hexdigest() != address.sha256:
        raise InputFileError(
            f"the file at {address.url} has sha256 {hashed.hexdigest()}, not the one given; it was "
            "changed or is another, so it is not used"
        )


@contextmanager
def _reply(address: CohortAddress) -> Iterator[httpx.Response]:
    """Give the reply with the file's bytes, redirects followed.

    Raises:
        BackendError: there is none.
    """
    import httpx

    from forensics.subjects.backends.connection import fault_of

    local = urlsplit(address.url).hostname in _LOOPBACK
    headers = {"User-Agent": f"model-forensics/{VERSION}", "Accept-Encoding": "identity"}
    timeout = httpx.Timeout(_SECONDS_A_PIECE)
    try:
        with httpx.Client(headers=headers, timeout=timeout, trust_env=not local) as client:
            url = address.url
            for _ in range(_MOST_REDIRECTS):
                with client.stream("GET", url) as reply:
                    if reply.status_code not in _REDIRECTS:
                        yield _checked(reply, address)
                        return
                    url = _target(url, reply.headers.get("location", ""), address)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise BackendError(
            f"cannot fetch the cohort from {address.host}: {fault_of(error).text}"
        ) from None
    raise BackendError(f"{address.host} redirects too often; fetch the cohort's file and name it")


def _checked(reply: httpx.Response, address: CohortAddress) -> httpx.Response:
    if reply.status_code != 200:
        raise BackendError(
            f"{address.url} answers HTTP {reply.status_code}; check the cohort's address"
        )
    length = reply.headers.get("content-length", "")
    if length.isdigit() and int(length) > LARGEST:
        raise InputFileError(
            f"the file at {address.url} is larger than {LARGEST >> 20} MiB; is it a cohort?"
        )
    return reply


def _target(url: str, location: str, address: CohortAddress) -> str:
    """Return where a redirect leads: only https, or from this machine to itself."""
    target = urljoin(url, location)
    parts = urlsplit(target)
    stays_here = {urlsplit(url).hostname, parts.hostname} <= set(_LOOPBACK)
    if parts.scheme == "https" or (parts.scheme == "http" and stays_here):
        return target
    raise BackendError(f"{address.host} redirects to an address that is not https")
