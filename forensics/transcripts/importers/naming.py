"""File names of imported transcripts: safe everywhere, and never the same for two models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from forensics.errors import InputFileError
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
