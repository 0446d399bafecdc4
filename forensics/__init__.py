"""How are these two language models related, and how sure can we be?

Names are loaded when they are first used, so that `import forensics` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forensics.case.document import Case, read_case
    from forensics.cohorts.cohort import Cohort
    from forensics.cohorts.pack_files import read_cohort
    from forensics.transcripts.transcript import Transcript, read_transcript

    __version__: str

__all__ = [
    "Case",
    "Cohort",
    "Transcript",
    "__version__",
    "read_case",
    "read_cohort",
    "read_transcript",
]

# Name → module and the name there.
_HOMES = {
    "Case": ("forensics.case.document", "Case"),
    "Cohort": ("forensics.cohorts.cohort", "Cohort"),
    "Transcript": ("forensics.transcripts.transcript", "Transcript"),
    "__version__": ("forensics.support.version", "VERSION"),
    "read_case": ("forensics.case.document", "read_case"),
    "read_cohort": ("forensics.cohorts.pack_files", "read_cohort"),
    "read_transcript": ("forensics.transcripts.transcript", "read_transcript"),
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics' has no attribute {name!r}")
    import importlib

    module, attribute = _HOMES[name]
    found: object = getattr(importlib.import_module(module), attribute)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
