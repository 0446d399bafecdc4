"""Keys and passwords: known by where they stand or how they look, and cut out of what is kept.

Text that a user typed is cleaned where it is recorded (`command_line`) or shown (`redacted`); what
a server sends back is cleaned of the key that it was sent (`Secret.redact`).
"""

from __future__ import annotations

import base64
import html
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from urllib.parse import quote, unquote, urlsplit

REDACTED = "[redacted]"
# Local servers are given placeholders ("EMPTY", "ollama", "none"). They are no secrets, and to cut
# such a word out of the answers would falsify them.
SHORTEST_SECRET = 8
DEFAULT_KEY_VARIABLE = "OPENAI_API_KEY"
NO_VARIABLE = "must be the name of an environment variable, never a key (the value is not shown)"

# Parameters that addresses may carry, and the values they have: nothing that could be a key.
PARAMETERS = ("api-version", "api_version")
_VERSION = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:-[a-z]{1,12}(?:[.-]\d{1,2})?)?|v?\d{1,2}(?:\.\d{1,2})?|preview|latest"
)

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# How the keys of well-known providers begin; some of them are valid names of variables.
_KEY_AS_NAME = re.compile(r"sk_|(?:gsk|hf|r8|ghp|pplx)_[A-Za-z0-9]{16}|AIza|[0-9a-fA-F]{24,}$")
_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:sk|pk|rk)[-_](?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{16,}"
    r"|(?:xai|pplx|fw|csk|tgp)[-_][A-Za-z0-9_]{20,}|nvapi-[A-Za-z0-9_-]{40,}"
    r"|(?:gsk|hf|r8|ghp|gho|ghs|github_pat|glpat)[-_][A-Za-z0-9_-]{16,}"
    r"|AIza[A-Za-z0-9_-]{20,}|AKIA[A-Z0-9]{16}|xox[abp]-[A-Za-z0-9-]{10,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_.-]{10,})"
)
_USER_PART = re.compile(r"(?i)(?<=://)[^\s/?#\"'<>]*@")
_QUERY = re.compile(r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*://[^\s?#\"'<>]*)([?#][^\s\"'<>]*)")
_PARAMETER = re.compile(r"([?&;#])([^=&;#\s\"'<>]+)=([^&;#\s\"'<>]*)")
_HASH = re.compile(r"#sha256=[0-9a-fA-F]{64}")  # what a file at an address is held to
_SECRET_NAME = re.compile(
    r"(?i)(?:^|[_.-])(?:key|token|secret|passw(?:or)?d|pwd|credentials?|auth|sig|signature)$"
    r"|apikey|authorization|accesstoken"
)
_A_PATH = re.compile(r"[/~.]|[A-Za-z]:[\\/]")


@dataclass(frozen=True)
class Secret:
    """An API key, with what else no reply may bring back: never shown.

    `others` are further secrets of the connection, such as a proxy's user and password.
    """

    value: str = field(default="", repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)

    def redact(self, text: str) -> str:
        """Return `text` without the secrets, as they are, in other case, encoded or quoted."""
        return text if self._pattern is None else self._pattern.sub(REDACTED, text)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        return _pattern_of((self.value, *self.others))


def _pattern_of(values: Iterable[str]) -> re.Pattern[str] | None:
    forms = {form for v in values if len(v) >= SHORTEST_SECRET for form in _forms(v)}
    if not forms:
        return None
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


def _forms(value: str) -> Iterator[str]:
    yield value
    yield quote(value, safe="")
    yield html.escape(value)
    raw = value.encode("utf-8", "surrogatepass")
    # As base64 a text looks different at each of three places within the whole.
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * before + raw).decode("ascii").rstrip("=")
        core = encoded[skipped : len(encoded) - bool((before + len(raw)) % 3)]
        if len(core) >= SHORTEST_SECRET:
            yield core
            yield core.translate(str.maketrans("+/", "-_"))


def is_variable_name(name: str) -> bool:
    """Tell whether `name` can be an environment variable and does not look like a key."""
    mixed = len(name) >= 24 and re.search(r"[a-z]", name) and re.search(r"\d", name)
    shaped = _VARIABLE.fullmatch(name) and not _KEY_AS_NAME.match(name)
    return bool(shaped) and not mixed and not holds_key(name)


def holds_key(text: str) -> bool:
    """Tell whether something in `text` is shaped like a well-known provider's key."""
    return _KEY.search(text) is not None


def is_version(value: str) -> bool:
    """Tell whether `value` is what an `api-version` can be, and so no secret."""
    return _VERSION.fullmatch(value) is not None


def proxy_secrets() -> tuple[str, ...]:
    """Return the users and passwords of the proxies that the environment names."""
    from urllib.request import getproxies

    secrets: list[str] = []
    for address in getproxies().values():
        try:
            parts = urlsplit(address if "://" in address else f"http://{address}")
        except ValueError:
            continue
        if parts.password:
            user, password = unquote(parts.username or ""), unquote(parts.password)
            secrets += [parts.password, password, f"{user}:{password}"]
    return tuple(dict.fromkeys(secrets))


def redacted(text: str) -> str:
    """Return `text` for people to read, without secrets.

    Left out are keys and passwords of the environment, user parts of addresses, parameters named
    like a secret, and what is shaped like a well-known provider's key.
    """
    pattern = _pattern_of(_environment(os.environ))
    text = text if pattern is None else pattern.sub(REDACTED, text)
    text = _USER_PART.sub(f"{REDACTED}@", text)
    return _KEY.sub(REDACTED, _PARAMETER.sub(_parameter, text))


def command_line(arguments: Sequence[str]) -> str:
    """Return the command line as it is recorded: no key, password or address with a query.

    Args:
        arguments: what follows the program's name.
    """
    secrets = [*_named(arguments), *_environment(os.environ)]
    pattern = _pattern_of(secrets)
    shown, before = [], ""
    for argument in arguments:
        shown.append(_argument(argument, before, pattern))
        before = argument
    return shlex.join(["forensics", *shown])


def _argument(argument: str, before: str, pattern: re.Pattern[str] | None) -> str:
    option, sign, value = argument.partition("=")
    if before == "--api-key-env":
        return _variable(argument)
    if option == "--api-key-env" and sign:
        return f"{option}={_variable(value)}"
    # The program that calls this package may have options of its own for such things.
    if before.startswith("-") and _SECRET_NAME.search(before):
        return REDACTED
    if sign and option.startswith("-") and _SECRET_NAME.search(option):
        return f"{option}={REDACTED}"
    cleaned = argument if pattern is None else pattern.sub(REDACTED, argument)
    return _QUERY.sub(_query, redacted(cleaned))


def _variable(name: str) -> str:
    # What is no variable here may be anything, a password too.
    known = name == DEFAULT_KEY_VARIABLE or (is_variable_name(name) and name in os.environ)
    return name if known else REDACTED


def _named(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the values of the environment variables that the arguments name as keys."""
    for option, following in pairwise([*arguments, ""]):
        name = following if option == "--api-key-env" else option.removeprefix("--api-key-env=")
        if option.startswith("--api-key-env"):
            yield os.environ.get(name, "").strip()


def _environment(variables: Mapping[str, str]) -> Iterator[str]:
    for name, stored in variables.items():
        value = stored.strip()
        # Paths of key files, and words such as "anonymous", are no secrets.
        telling = len(value) >= 20 or re.search(r"\d", value)
        if _SECRET_NAME.search(name) and telling and not _A_PATH.match(value):
            yield value
    yield from proxy_secrets()


def _parameter(match: re.Match[str]) -> str:
    mark, name, value = match.groups()
    if not value or not _SECRET_NAME.search(name):
        return match.group()
    return f"{mark}{name}={REDACTED}"


def _query(match: re.Match[str]) -> str:
    address, query = match.groups()
    name, _, value = query[1:].partition("=")
    if len(query) == 1 or (query[0] == "?" and name in PARAMETERS and is_version(value)):
        return match.group()
    if _HASH.fullmatch(query):
        return match.group()
    return f"{address}{query[0]}{REDACTED}"
