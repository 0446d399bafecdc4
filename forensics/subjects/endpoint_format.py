"""The format of `[endpoints.NAME]` tables (TOML), validated."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from forensics.subjects.addresses import clean_address
from forensics.support.secrets import NO_VARIABLE, is_variable_name

_MESSAGES = {
    "missing": "is missing",
    "string_type": "must be text in quotes",
    "model_type": 'must be a table: [endpoints.NAME] with base_url = "…"',
}
_CHOICES = {
    "api": 'must be "chat" or "completions"',
    "key_header": 'must be "Authorization", "api-key" or "x-api-key"',
}


def _variable(name: str) -> str:
    if not is_variable_name(name):
        raise PydanticCustomError("variable", NO_VARIABLE)
    return name


def _address(url: str) -> str:
    try:
        return clean_address(url)
    except ValueError as error:
        fault = str(error).removeprefix("an endpoint address ")
        raise PydanticCustomError("address", "{fault}", {"fault": fault}) from None


class EndpointEntry(BaseModel):
    """One endpoint as written in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    base_url: Annotated[str, AfterValidator(_address)]
    api_key_env: Annotated[str, AfterValidator(_variable)] | None = None
    api: Literal["chat", "completions"] | None = None
    key_header: Literal["Authorization", "api-key", "x-api-key"] | None = None


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
        says = _CHOICES.get(str(first["loc"][-1]) if first["loc"] else "")
        if first["type"] == "literal_error" and says:
            return f"{where} {says}"
        return f"{where} {_MESSAGES.get(first['type'], first['msg'])}"
    known = list(EndpointEntry.model_fields)
    close = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
    return f"{where} is not a setting; {hint}"
