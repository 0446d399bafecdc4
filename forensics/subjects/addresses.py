"""Addresses of endpoints: what may stand in one, and where its calls go.

A message about an address never shows it: people paste keys into addresses.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit, urlunsplit

from forensics.support.secrets import PARAMETERS, holds_key, is_version

_KEY_ELSEWHERE = "put the key into an environment variable and name it with --api-key-env"


def clean_address(url: str) -> str:
    """Return an endpoint's address in one form: no slash at the end, no empty query.

    Of a query only `api-version` is taken, which hosts of Azure want; it is sent behind the path.

    Args:
        url: as a user wrote it.

    Raises:
        ValueError: it cannot be called, or holds what does not belong there. The message names
            the fault and shows nothing of the address.
    """
    if not url.isprintable() or any(c.isspace() or c in '\\<>"' for c in url):
        raise ValueError("an endpoint address must hold no spaces, backslashes or quotes")
    try:
        parts = urlsplit(url)
    except ValueError:  # its own message repeats what stands in the address
        raise ValueError("an endpoint address must be an http(s) address") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("an endpoint address must be an http(s) address: http://HOST:PORT/v1")
    if "@" in parts.netloc or "%40" in parts.netloc:
        raise ValueError(f"an endpoint address must hold no user name or key; {_KEY_ELSEWHERE}")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("an endpoint address has an invalid port; a port is a number up to 65535")
    if not parts.hostname:
        raise ValueError("an endpoint address must be an http(s) address, and this one has no host")
    if parts.fragment:
        raise ValueError("an endpoint address must hold no fragment (what follows #)")
    if ";" in parts.path or holds_key(f"{parts.netloc}{parts.path}"):
        raise ValueError(f"an endpoint address must hold no key; {_KEY_ELSEWHERE}")
    path = parts.path.rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, path, _query(parts.query), ""))


def call_address(base_url: str, path: str) -> str:
    """Return where calls go: `path` (such as `/chat/completions`) before the address's query."""
    parts = urlsplit(base_url)
    whole = parts.path.rstrip("/") + path
    return urlunsplit((parts.scheme, parts.netloc, whole, parts.query, ""))


def without_query(url: str) -> str:
    """Return an address that somebody else gave, without what may be secret in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


def _query(query: str) -> str:
    if not query:
        return ""
    pairs = parse_qsl(query, keep_blank_values=True)
    if [name for name, _ in pairs] not in [[name] for name in PARAMETERS]:
        raise ValueError(
            "an endpoint address must hold no query; only api-version is sent, and a key does not "
            f"belong there: {_KEY_ELSEWHERE}"
        )
    name, version = pairs[0]
    if not is_version(version):
        raise ValueError("api-version in an endpoint address must be a date such as 2024-06-01")
    return f"{name}={version}"


# Hosts that take a key in `api-key` only; in `Authorization` they expect a token of another kind.
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".openai.azure.us")


def key_headers(base_url: str, key: str, chosen: str | None = None) -> dict[str, str]:
    """Return the headers that carry the key to an endpoint.

    Args:
        base_url: the endpoint's address.
        key: its key; empty for none.
        chosen: the one header to use, where the user says so.
    """
    if not key:
        return {}
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    names: tuple[str, ...] = ("Authorization",)
    if chosen:
        names = (chosen,)
    elif host.endswith(_AZURE):
        names = ("api-key",)
    elif parts.query or host.endswith(".azure.com"):
        names = ("Authorization", "api-key")
    return {name: f"Bearer {key}" if name == "Authorization" else key for name in names}
