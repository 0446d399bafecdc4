"""What came of one subject: a record of findings, and the documents that they rest on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, ValidationError

from forensics.case.record import Finite, ModelText, Record
from forensics.fleet.job_model import Work

RESULT_SCHEMA_VERSION = "1.0"
RESULTS, FAILED, DOCUMENTS, RUNS = "results", "failed", "documents", "runs"


class ServedBy(Record):
    """Who ran the model, where a server did."""

    engine: str
    version: str
    precision: str


class SubjectFinding(Record):
    """One row of the results: what was found of a subject, or of it and one reference.

    What the work does not measure is empty.
    """

    reference: ModelText = ""
    one_model: str = Field(default="", description="the four answers of a case, in its words")
    close_relatives: str = ""
    learned: str = ""
    independent: str = ""
    calibration: str = ""
    log10_lr: Finite | None = Field(
        default=None, description="of close kinship, as the case has it"
    )
    shared_manner: Finite | None = Field(default=None, description="as a share, 1 is one model")
    outcome: str = Field(default="", description="of a check: pass, violated, …")
    reading: ModelText = Field(default="", description="the answer in a sentence")
    candidate: ModelText = Field(default="", description="of a trace: the likeliest relative")
    candidate_named: bool | None = None
    family_wise: Finite | None = Field(default=None, description="error rate of the best candidate")
    answers: int | None = Field(default=None, description="usable answers")
    errors: int | None = Field(default=None, description="calls that failed")
    model_format: str = ""
    architecture: ModelText = ""
    parameters: int | None = None
    weights_sha256: str = ""
    declared_parents: tuple[ModelText, ...] = ()


class SubjectResult(Record):
    """The file of one subject: the same bytes whenever, wherever and by whomever it is done."""

    schema_version: str = RESULT_SCHEMA_VERSION
    key: str
    subject: ModelText
    work: Work
    status: Literal["done", "failed"]
    reason: ModelText = Field(default="", description="why it failed, in one line")
    served_by: ServedBy | None = None
    findings: tuple[SubjectFinding, ...] = ()
    documents: tuple[str, ...] = Field(default=(), description="names in documents/KEY")

    def to_bytes(self) -> bytes:
        """Return it as a file's content; `ensure_ascii` lets lone surrogates survive."""
        text = json.dumps(self.model_dump(), ensure_ascii=True, allow_nan=False, indent=1)
        return f"{text}\n".encode("ascii")


def read_result(content: bytes) -> SubjectResult | None:
    """Return the result in a file's content, None where it is none that this version reads."""
    try:
        return SubjectResult.model_validate(json.loads(content))
    except (ValueError, ValidationError, RecursionError):
        return None


@dataclass(frozen=True)
class SubjectDocument:
    """A file that a result rests on: a case, a check, a trace, a transcript."""

    name: str
    content: bytes


@dataclass(frozen=True)
class DoneSubject:
    """What a task gives back."""

    result: SubjectResult
    documents: tuple[SubjectDocument, ...] = ()
    host: str = ""
    seconds: float = 0.0
