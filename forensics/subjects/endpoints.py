"""Named endpoints: `openai:model@NAME`, with addresses kept in `forensics.toml`.

    [endpoints.local]
    base_url = "http://127.0.0.1:8000/v1"
    api_key_env = "LOCAL_KEY"   # the name of an environment variable, never a key
    api = "chat"                # or "completions"
    key_header = "api-key"      # instead of "Authorization", where the server wants another

In a `pyproject.toml` given as the file the tables are `[tool.forensics.endpoints.NAME]`. What else
the file holds is the policy of `forensics check` (`policy`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.errors import InputFileError, UsageError
from forensics.subjects.subject import Subject, holds_address, parse_subject
from forensics.support.resources import is_file
from forensics.support.secrets import holds_key
from forensics.support.settings_file import FILE_NAME, settings_table

if TYPE_CHECKING:
    from forensics.subjects.endpoint_format import EndpointEntry

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class NamedSubject:
    """A subject at a named endpoint, and the name and file it was found by."""

    subject: Subject
    name: str
    file: Path


def default_files() -> tuple[Path, ...]:
    """Return where endpoints are looked for, first match first: here, then the user's folder."""
    import platformdirs

    return Path(FILE_NAME), Path(platformdirs.user_config_dir("model-forensics")) / FILE_NAME


def named_subject(
    spec: str, file: Path | None = None, base_url: str | None = None
) -> NamedSubject | None:
    """Return the subject that `openai:model@NAME` names, or None where `spec` is not of that form.

    Args:
        spec: the subject as the user wrote it.
        file: where to look instead of `default_files`.
        base_url: the address given for subjects without one; with it an `@NAME` that no file
            knows is part of the model's name.

    Raises:
        UsageError: no such endpoint.
        InputFileError: a file cannot be read or is not valid.
    """
    prefix, _, target = spec.partition(":")
    model, at, name = target.rpartition("@")
    if prefix != "openai" or not at or holds_address(target):
        return None
    seen: list[tuple[Path, Mapping[str, EndpointEntry]]] = []
    for path in _files(file):
        entries = read_endpoints(path)
        if name in entries and model:
            return NamedSubject(_subject(model, entries[name]), name, path)
        seen.append((path, entries))
    if base_url:
        return None
    raise UsageError(_unknown(model, name, seen))


def read_endpoints(path: Path) -> dict[str, EndpointEntry]:
    """Return name → endpoint of a TOML file; none where it has no `endpoints` table.

    Raises:
        InputFileError: it cannot be read, is not TOML, or an entry is wrong.
    """
    table = settings_table(path).get("endpoints", {})
    if not isinstance(table, dict):
        raise InputFileError(f"{path}: endpoints must be a table: [endpoints.NAME]")
    if not table:
        return {}
    from forensics.subjects.endpoint_format import read_entries

    try:
        return read_entries(table)
    except ValueError as error:
        raise InputFileError(f"{path}: {error}") from None


def _files(file: Path | None) -> Iterator[Path]:
    if file is not None:
        yield file
        return
    yield from filter(is_file, default_files())


def _subject(model: str, entry: EndpointEntry) -> Subject:
    # The canonical form is shown and stored: a name means nothing without the file.
    subject = parse_subject(f"openai:{model}@{entry.base_url}", api_key_env=entry.api_key_env)
    return replace(subject, api=entry.api, key_header=entry.key_header)


def _unknown(model: str, name: str, seen: list[tuple[Path, Mapping[str, EndpointEntry]]]) -> str:
    if not _NAME.fullmatch(name) or holds_key(name):
        return (
            "what follows @ in the subject is neither an endpoint's name nor an http(s) address "
            "(it is not shown here); write openai:MODEL@NAME or openai:MODEL@http://HOST/v1"
        )
    if not model:
        return f"the subject names no model; write openai:MODEL@{name}"
    if not seen:
        return (
            f"the subject needs an address: there is no {FILE_NAME} that defines {name!r}; "
            "make one, add --base-url URL, or write openai:MODEL@URL"
        )
    known = [known for _, entries in seen for known in entries]
    files = ", ".join(str(path) for path, _ in seen)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        hint = f"did you mean {close[0]}?"
    else:
        hint = f"it defines {', '.join(known)}" if known else f"add a table [endpoints.{name}]"
    return f"{files} defines no endpoint {name!r}; {hint}"
