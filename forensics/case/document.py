"""Case: the whole result of a comparison in one JSON document; every report is made from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from forensics.case.as_given import HoldsGiven
from forensics.case.evidence import Evidence
from forensics.case.questions import ClaimAnswer, QuestionAnswer
from forensics.case.record import ErrorAtScore, Finite, ModelText, Record
from forensics.case.run_records import CaseManifest, CaseSuite, LedgerSettings, PlanSettings
from forensics.errors import InputFileError

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = "1.0"
VerdictStatus = Literal["screening", "calibrated", "inconclusive", "insufficient"]


class CaseSubject(HoldsGiven):
    """One of the two subjects: `a` is the known model, `b` the questioned one."""

    spec: ModelText
    name: ModelText
    kind: str
    provenance: Literal["collected", "imported", "unknown"] = "unknown"
    transcript_sha256: str
    transcript_path: ModelText | None = Field(
        default=None, description="where the transcript was read, as given"
    )
    answers: int = Field(description="usable answers")
    empty: int = Field(description="answers that are blank")
    errors: int = Field(description="calls that failed")
    filtered: int = 0
    truncated: int = 0
    samples: int = 1
    manifests: tuple[CaseManifest, ...] = ()
    warnings: tuple[ModelText, ...] = ()

    as_given = {"manifests": CaseManifest}


class CaseResponse(Record):
    """What one subject answered to one prompt."""

    sample: int
    text: ModelText
    status: str
    reasoning: ModelText | None = None


class CasePrompt(Record):
    """A prompt both subjects answered, with the answers."""

    prompt_sha256: str
    prompt_id: ModelText
    prompt: ModelText
    category: ModelText
    language: ModelText
    a: tuple[CaseResponse, ...]
    b: tuple[CaseResponse, ...]


class Overlap(Record):
    """How many prompts each subject answered, and how many both did."""

    a: int
    b: int
    both: int


class Finding(Record):
    """One sentence for or against, and the comparator it rests on."""

    comparator: str
    text: ModelText


class CopyTripwire(Record):
    """Identical long answers: `limit` or more cap the reading at one model, cache or proxy."""

    identical: int
    compared: int
    limit: int
    min_chars: int
    tripped: bool


class Verdict(Record):
    """What follows from the evidence, and what does not."""

    status: VerdictStatus
    calibration: Literal["none", "transferred", "matched", "held_out"] = "none"
    headline: str
    reading: str
    findings_for: tuple[Finding, ...] = ()
    findings_against: tuple[Finding, ...] = ()
    findings_apart: tuple[str, ...] = Field(
        default=(),
        description="comparators among `findings_for` that are as alike as any two assistants: "
        "unrelated pairs score as high, and neither model is as like itself",
    )
    reasons: tuple[ModelText, ...] = ()
    limits: tuple[ModelText, ...] = ()
    readings: dict[str, ModelText] = Field(
        default={}, description="what weights and behaviour say, and what they say together"
    )
    log10_lr: dict[str, Finite] | None = None
    error_at_score: ErrorAtScore | None = None
    answers: tuple[QuestionAnswer, ...] = Field(
        default=(), description="to four questions; none in cases of versions before 0.2"
    )


class Claim(Record):
    """Somebody's statement about the two models, word for word."""

    text: ModelText
    source: ModelText
    date: str
    kind: str = Field(default="", description="of `forensics case kinds`, where it was recorded")
    testable: bool = Field(description="can be tested from the models' outputs")
    needs: tuple[ModelText, ...] = Field(
        default=(), description="what testing it would take instead, such as API logs"
    )


class CaseNote(Record):
    """A note added to a case file after it was frozen."""

    at: str
    text: ModelText


class CasePlan(HoldsGiven):
    """What a case file fixed before anything was collected, and what was done otherwise."""

    path: ModelText
    sha256: str = Field(description="of the frozen part of the file")
    frozen_at: str
    title: ModelText = ""
    propositions: tuple[ModelText, ...] = ()
    claims: tuple[Claim, ...] = ()
    settings: PlanSettings = Field(
        default=PlanSettings(),
        description="subjects, revisions, suite, analysis and thresholds as frozen",
    )
    notes: tuple[CaseNote, ...] = ()
    deviations: tuple[ModelText, ...] = ()
    answers: tuple[ClaimAnswer, ...] = Field(
        default=(), description="of the claims, in their order"
    )

    as_given = {"settings": PlanSettings}


class Relative(Record):
    """A model of the cohort, and how alike a subject is to it."""

    name: ModelText
    developer: ModelText = ""
    score: Finite


class Relatives(Record):
    """The cohort's models most like each subject, and the tree around them."""

    cohort: str
    a: tuple[Relative, ...]
    b: tuple[Relative, ...]
    newick: ModelText | None = Field(
        default=None, description="neighbour-joining tree of the two subjects and these models"
    )


class LedgerEntry(HoldsGiven):
    """One run, subset or seed that was tried on the way to this case."""

    at: str
    what: str
    settings: LedgerSettings = LedgerSettings()

    as_given = {"settings": LedgerSettings}


class Case(HoldsGiven):
    """The whole result; `a` is the known model, `b` the questioned one.

    Files written by later minor versions only add optional fields and stay readable.
    """

    schema_version: str = Field(
        default=SCHEMA_VERSION, description="of the layout of this document"
    )
    created_at: str = Field(description="when the comparison was made, UTC")
    version: str = Field(description="of the program that made it")
    command: ModelText = Field(description="how it was called, without keys")
    suite: CaseSuite = Field(description="the prompts that were asked")
    a: CaseSubject = Field(description="the known model")
    b: CaseSubject = Field(description="the questioned model")
    overlap: Overlap = Field(description="how many prompts each answered")
    prompts: tuple[CasePrompt, ...] = Field(description="prompts that both answered, with answers")
    evidence: tuple[Evidence, ...] = Field(description="what each comparator found")
    copy_tripwire: CopyTripwire = Field(description="identical long answers")
    comparability: tuple[ModelText, ...] = Field(
        default=(), description="how the two runs differed, in sentences"
    )
    verdict: Verdict = Field(description="the four answers, and what they rest on")
    plan: CasePlan | None = Field(default=None, description="what a case file froze beforehand")
    relatives: Relatives | None = Field(
        default=None, description="the cohort's models nearest to each subject"
    )
    ledger: tuple[LedgerEntry, ...] = Field(
        default=(), description="every run, subset and seed that was tried"
    )
    blind: bool = Field(default=False, description="reports mask names of models and makers")
    masked: bool = Field(default=False, description="names were removed from this document")

    as_given = {"suite": CaseSuite}

    def to_json(self) -> str:
        """Return the document as `--json` writes it; `read_case` reads it back from a file."""
        return case_to_json(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per kind of evidence, in the order of the report.

        Columns: `evidence` (the comparator's name), `tier`, `status`, `score`, `low` and `high`
        (its interval), `floor_a` and `floor_b` (what each subject scores against itself), all on
        the comparator's own scale, and `n`, the prompts matched. What was not measured is NaN.
        """
        from forensics.case.frames import evidence_frame

        return evidence_frame(self.evidence)

    def prompts_frame(self) -> pd.DataFrame:
        """Return a row per prompt that both answered.

        Columns: `prompt_id`, `prompt_sha256`, `category`, `language`, `prompt`, `answer_a` and
        `answer_b` (the first usable answer of each, None without one), then a column of scores for
        each comparator that scores single prompts, NaN where it did not. Text is as it came, lone
        surrogates included; a cohort's models have no texts.
        """
        from forensics.case.frames import prompts_frame

        return prompts_frame(self.prompts, self.evidence)

    def _repr_html_(self) -> str:
        """Return the answer in a few lines, for notebooks."""
        from forensics.case.frames import answer_html

        verdict = self.verdict
        known, questioned = ("Model A", "Model B") if self.blind else (self.a.name, self.b.name)
        measured = sum(entry.status == "ok" for entry in self.evidence)
        basis = (
            f"Status: {verdict.status}, calibration: {verdict.calibration.replace('_', ' ')}. "
            f"{measured} of {len(self.evidence)} kinds of evidence were measured; both models "
            f"answered {self.overlap.both} of the prompts."
        )
        said = (verdict.headline, verdict.reading, *verdict.limits[:1])
        title = f"{known} (known) and {questioned} (questioned)"
        return answer_html(title, verdict.answers, said, basis, blind=self.blind)


def case_to_json(case: Case) -> str:
    """Return the case as JSON text; `ensure_ascii` lets lone surrogates in answers survive.

    One line for each field, and for each item of a list: the standard library's own indenting
    takes ten times as long.
    """
    fields = (f'"{key}": {_json_lines(value)}' for key, value in case.model_dump().items())
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _json_lines(value: Any) -> str:
    def dump(part: Any) -> str:
        return json.dumps(part, ensure_ascii=True, allow_nan=False)

    if not isinstance(value, list | tuple) or not value:
        return dump(value)
    return "[\n " + ",\n ".join(map(dump, value)) + "\n]"


_GIVE = "give a file that --json wrote"


def read_case(path: Path) -> Case:
    """Read a case file.

    Raises:
        InputFileError: missing, not JSON, not a case, or of a newer major schema version.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise InputFileError(f"cannot read case {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputFileError(f"case {path} is not JSON, nor any text; {_GIVE}") from error
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"case {path} is not JSON: {error}; {_GIVE}") from error
    version = str(document.get("schema_version", "")) if isinstance(document, dict) else ""
    if version.split(".")[0] not in ("", SCHEMA_VERSION.split(".", maxsplit=1)[0]):
        raise InputFileError(
            f"case {path} has schema version {version}, this program reads {SCHEMA_VERSION}; "
            "upgrade model-forensics"
        )
    try:
        return Case.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise InputFileError(
            f"{path} is not a case written by `forensics compare --json`: {where}: {first['msg']}"
        ) from error


def case_schema() -> dict[str, Any]:
    """Return the JSON Schema of a case, as published in `reports/case.schema.json`."""
    schema = Case.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
