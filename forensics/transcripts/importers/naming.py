"""File names of imported transcripts: safe everywhere, and never the same for two models."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from forensics.errors import InputFileError, UsageError
from forensics.suites.suite import text_sha256
from forensics.support.slug import slug

_RESERVED = frozenset(
    {"con", "prn", "aux", "nul"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
)


def file_names(models: Iterable[str]) -> dict[str, str]:
    """Return model → file name, ending in `<slug>.jsonl`, whatever the order of the models.

    Models whose names would be the same file, on file systems that ignore case too, all get a
    prefix from the hash of the model's name; so does a name that is no safe file name.

    Raises:
        InputFileError: names made to collide in spite of that.
    """
    names = {model: _plain(model) for model in models}
    for digits in (8, 64):
        counts = Counter(name.casefold() for name in names.values())
        names = {
            model: name if counts[name.casefold()] == 1 else _prefixed(model, digits)
            for model, name in names.items()
        }
    name, count = Counter(n.casefold() for n in names.values()).most_common(1)[0]
    if count > 1:
        raise InputFileError(f"{count} models of this file would all be written to {name}")
    return names


def _plain(model: str) -> str:
    name = slug(model)
    # Windows reserves the part before the first dot; a leading dash reads as an option.
    unsafe = name.partition(".")[0].casefold() in _RESERVED or name.startswith("-")
    nothing_left = name == "model" != model
    return _prefixed(model, 8) if unsafe or nothing_left else f"{name}.jsonl"


def _prefixed(model: str, digits: int) -> str:
    return f"{text_sha256(model)[:digits]}-{slug(model)}.jsonl"


def refuse_to_overwrite(path: Path, model: str) -> None:
    """Make sure that `path` is free or holds only imported answers of `model`.

    Raises:
        UsageError: it holds something else.
    """
    if not path.exists() and not path.is_symlink():
        return
    holds = _holds(path)
    if holds != model:
        what = f"imported answers of {holds!r}" if holds is not None else "something else"
        raise UsageError(
            f"{path} exists and holds {what}, not imported answers of {model!r}; "
            "move it or choose another folder with -o"
        )


def _holds(path: Path) -> str | None:
    """Return the model of an imported transcript; None for any other file."""
    models = set()
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file):
                # A session that was appended later has a manifest of its own.
                if number == 0 or b'"manifest":' in line:
                    manifest = json.loads(line).get("manifest")
                    models.add(_imported_model(manifest) if manifest or number == 0 else None)
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return None
    return next(iter(models)) if len(models) == 1 else None


def _imported_model(manifest: dict[str, object]) -> str | None:
    identity = manifest.get("identity")
    if manifest.get("provenance") != "imported" or not isinstance(identity, dict):
        return None
    return str(identity.get("model"))
