"""How are these two language models related, and how sure can we be?

    >>> import forensics
    >>> case = forensics.compare("vicuna-7b.jsonl", "vicuna-13b.jsonl", without=["embedding"])
    >>> case.verdict.status, case.to_frame()

Names are loaded when they are first used, so that `import forensics` costs nothing. Failures are
those of `forensics.errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import forensics.errors as errors  # noqa: PLR0402 (no module imports the root)
    from forensics.case.document import Case
    from forensics.cohorts.cohort import Cohort
    from forensics.cohorts.trace import Trace
    from forensics.evaluation.evaluation import Evaluation
    from forensics.policy.outcomes import CheckResult
    from forensics.transcripts.transcript import Transcript
    from forensics.workflows.api import (
        check,
        compare,
        evaluate,
        import_outputs,
        probe,
        read_case,
        read_cohort,
        read_transcript,
        trace,
    )
    from forensics.workflows.callbacks import ProgressEvent

    __version__: str

__all__ = [
    "Case",
    "CheckResult",
    "Cohort",
    "Evaluation",
    "ProgressEvent",
    "Trace",
    "Transcript",
    "__version__",
    "check",
    "compare",
    "errors",
    "evaluate",
    "import_outputs",
    "probe",
    "read_case",
    "read_cohort",
    "read_transcript",
    "trace",
]

_API = "forensics.workflows.api"
# Name → module and the name there.
_HOMES = {
    "Case": ("forensics.case.document", "Case"),
    "CheckResult": ("forensics.policy.outcomes", "CheckResult"),
    "Cohort": ("forensics.cohorts.cohort", "Cohort"),
    "Evaluation": ("forensics.evaluation.evaluation", "Evaluation"),
    "ProgressEvent": ("forensics.workflows.callbacks", "ProgressEvent"),
    "Trace": ("forensics.cohorts.trace", "Trace"),
    "Transcript": ("forensics.transcripts.transcript", "Transcript"),
    "__version__": ("forensics.support.version", "VERSION"),
    "check": (_API, "check"),
    "compare": (_API, "compare"),
    "evaluate": (_API, "evaluate"),
    "import_outputs": (_API, "import_outputs"),
    "probe": (_API, "probe"),
    "read_case": (_API, "read_case"),
    "read_cohort": (_API, "read_cohort"),
    "read_transcript": (_API, "read_transcript"),
    "trace": (_API, "trace"),
}


def __getattr__(name: str) -> object:
    import importlib

    if name == "errors":
        return importlib.import_module("forensics.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value: object = getattr(importlib.import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
