"""The fixed passages whose next tokens every model is asked to predict."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from forensics.support.resources import data_folder

# A next token is asked for at so many places of a passage, spread evenly, none near its start.
PLACES = 12
FIRST_PLACE = 8


@dataclass(frozen=True)
class Passage:
    """A fixed text; `language` is `code` for source code."""

    id: str
    language: str
    text: str


@cache
def load_passages() -> tuple[Passage, ...]:
    """Return the fixed passages."""
    import yaml

    path = data_folder("probes") / "passages" / "passages.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(Passage(**entry) for entry in document["passages"])


def places(text: str) -> tuple[int, ...]:
    """Return where in `text` a next token is asked for.

    A place is the end of a word, since tokenizers part there; in text without spaces, any.
    """
    ends = [
        i for i in range(FIRST_PLACE, len(text)) if text[i] in " \n" and text[i - 1] not in " \n"
    ]
    if len(ends) < PLACES // 2:
        ends = list(range(FIRST_PLACE, len(text)))
    step = max(1.0, len(ends) / PLACES)
    return tuple(sorted({ends[int(i * step)] for i in range(PLACES) if int(i * step) < len(ends)}))
