"""Models whose terms forbid training other models on their outputs: a dated table, not advice."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from forensics.errors import InputFileError
from forensics.policy.model import PolicyTable, Text, Texts
from forensics.support.settings_file import settings_text

NOT_ADVICE = "This is not legal advice: terms change, and whom they bind is for a lawyer."
_TABLE = "restricted_teachers.toml"


class RestrictedTerms(PolicyTable):
    """One row: whose models, the terms' own words in short, and as of when.

    `models` are patterns of names without organisation, as in a shell (`gpt-4*`).
    """

    developer: Text
    models: Texts
    terms: Text
    source: Text
    as_of: Text


class _File(PolicyTable):
    teacher: tuple[RestrictedTerms, ...]


def restricted_terms(extra: Path | None = None) -> tuple[RestrictedTerms, ...]:
    """Return the shipped table, with that of `extra` before it.

    Raises:
        InputFileError: `extra` cannot be read or is no such table.
    """
    shipped = resources.files("forensics.policy").joinpath(_TABLE).read_text(encoding="utf-8")
    added = _parse(settings_text(extra), str(extra)) if extra else ()
    return (*added, *_parse(shipped, _TABLE))


def _parse(text: str, where: str) -> tuple[RestrictedTerms, ...]:
    try:
        return _File.model_validate(tomllib.loads(text), strict=False).teacher
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        location = ".".join(map(str, first["loc"]))
        raise InputFileError(f"{where}: {location}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{where} is not valid TOML: {error}") from None


def terms_for(names: Iterable[str], table: Iterable[RestrictedTerms]) -> RestrictedTerms | None:
    """Return the row that a model of one of these names falls under, None where none does."""
    bare = [name.casefold().rpartition("/")[2].replace("_", "-") for name in names]
    return next(
        (
            row
            for row in table
            for pattern in row.models
            if any(fnmatch.fnmatchcase(name, pattern.casefold()) for name in bare)
        ),
        None,
    )
