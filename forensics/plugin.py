"""The one door for plugins: everything a comparator, backend, importer or report format needs.

A distribution registers its object under one of the entry points `forensics.comparators`,
`forensics.backends`, `forensics.importers` and `forensics.reports`, and imports from here only:
what stands here keeps its name and meaning from release to release, what stands elsewhere may move.

- A comparator implements `Comparator`: `extract` once a subject, `compare` once a pair. Answers as
  vectors go through `prompt_rows` and `matched_evidence`, any other score through `scored`; what
  has no score says why through `without_score`. What it records beyond that is an `OtherDetails`
  with entries of its own choice. `forensics.testing.check_comparator` tests its conventions.
- A backend implements `Backend`, and is made by a callable that takes a `Subject` and
  `BackendOptions`.
- An importer implements `Importer` and yields `Imported`, most easily through `by_model`.
- A report format implements `ReportFormat`: a pure function of a `Case`.
"""

from __future__ import annotations

from forensics.case.details.details_record import Details, OtherDetails
from forensics.case.document import Case
from forensics.case.evidence import Evidence, Exhibit, Interval, NoiseFloor, PromptScore, Tier
from forensics.errors import (
    BackendError,
    ForensicsError,
    InputFileError,
    MissingDependencyError,
    OutputError,
    UsageError,
)
from forensics.evidence.comparator import (
    MIN_PROMPTS,
    Comparator,
    exhibit,
    matched_evidence,
    scored,
    too_few,
    without_score,
)
from forensics.evidence.features.matched_prompts import (
    Matched,
    PromptRows,
    bootstrap_mean,
    match,
    prompt_rows,
    prompt_scores,
)
from forensics.examination.examined import Examined, Need
from forensics.report.formats import ReportFormat
from forensics.subjects.backends.backend import (
    Backend,
    BackendOptions,
    GenerationSettings,
    Request,
    Sink,
)
from forensics.subjects.subject import Subject
from forensics.suites.suite import Message, Prompt
from forensics.transcripts.answers import Answer
from forensics.transcripts.importers.importer import (
    Imported,
    ImportedAnswer,
    Importer,
    PromptTable,
    by_model,
)
from forensics.transcripts.transcript import Response, Transcript

__all__ = [
    "MIN_PROMPTS",
    "Answer",
    "Backend",
    "BackendError",
    "BackendOptions",
    "Case",
    "Comparator",
    "Details",
    "Evidence",
    "Examined",
    "Exhibit",
    "ForensicsError",
    "GenerationSettings",
    "Imported",
    "ImportedAnswer",
    "Importer",
    "InputFileError",
    "Interval",
    "Matched",
    "Message",
    "MissingDependencyError",
    "Need",
    "NoiseFloor",
    "OtherDetails",
    "OutputError",
    "Prompt",
    "PromptRows",
    "PromptScore",
    "PromptTable",
    "ReportFormat",
    "Request",
    "Response",
    "Sink",
    "Subject",
    "Tier",
    "Transcript",
    "UsageError",
    "bootstrap_mean",
    "by_model",
    "exhibit",
    "match",
    "matched_evidence",
    "prompt_rows",
    "prompt_scores",
    "scored",
    "too_few",
    "without_score",
]
