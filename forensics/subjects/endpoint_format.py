"""The format of `[endpoints.NAME]` tables (TOML), validated."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# How the keys of well-known providers begin; some of them are valid names of variables.
_KEY = re.compile(r"sk_|(?:gsk|hf|r8|ghp|pplx)_[A-Za-z0-9]{16}|AIza|[0-9a-fA-F]{24,}$")
_WANTED = "must be the name of an environment variable, never a key (the value is not shown here)"
_MESSAGES = {
    "missing": "is missing",
    "string_type": "must be text in quotes",
    "literal_error": 'must be "chat" or "completions"',
    "model_type": 'must be a table: [endpoints.NAME] with base_url = "…"',
}


def _variable(name: str) -> str:
    mixed = len(name) >= 24 and re.search(r"[a-z]", name) and re.search(r"\d", name)
    if not _VARIABLE.fullmatch(name) or _KEY.match(name) or mixed:
        raise PydanticCustomError("variable", _WANTED)
    return name


def _address(url: str) -> str:
    # No message shows the address: people paste keys into it.
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise PydanticCustomError("address", "must be an http(s) address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise PydanticCustomError(
            "address",
            "must hold no user name, key or query; put the key into an environment variable and "
            "name it with api_key_env",
        )
    return parts.geturl()


class EndpointEntry(BaseModel):
    """One endpoint as written in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    base_url: Annotated[str, AfterValidator(_address)]
    api_key_env: Annotated[str, AfterValidator(_variable)] | None = None
    api: Literal["chat", "completions"] | None = None


def read_entries(table: Mapping[str, Any]) -> dict[str, EndpointEntry]:
    """Validate the `endpoints` table.

    Raises:
        ValueError: an entry is wrong; the message names it and never shows its value.
    """
    entries = {}
    for name, value in table.items():
        # `openai:model@http…` is an address, so that such a name could never be reached.
        if not re.fullmatch(r"(?!http)[A-Za-z0-9._-]+", name):
            raise ValueError(
                f"endpoints.{name}: a name is letters, digits, dots, dashes and underscores, and "
                "does not begin with http"
            )
        try:
            entries[name] = EndpointEntry.model_validate(value)
        except ValidationError as error:
            raise ValueError(_explain(name, error)) from None
    return entries


def _explain(name: str, error: ValidationError) -> str:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    first: ErrorDetails = details[0]
    where = ".".join(("endpoints", name, *map(str, first["loc"])))
    if first["type"] != "extra_forbidden":
        return f"{where} {_MESSAGES.get(first['type'], first['msg'])}"
    known = list(EndpointEntry.model_fields)
    close = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
    return f"{where} is not a setting; {hint}"
