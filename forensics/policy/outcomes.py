"""What a check found, and the one place where an exit code is made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field

from forensics.case.document import Case
from forensics.case.questions import ClaimAnswer
from forensics.case.record import Finite, ModelText, Record
from forensics.exitcodes import ExitCode
from forensics.policy.declarations import Declarations
from forensics.policy.model import RuleName, Severity

CHECK_SCHEMA_VERSION = "1.0"
Status = Literal["pass", "violated", "review", "inconclusive", "not_measured", "error"]
# The gravest first; what a check as a whole came to is the gravest of its outcomes.
STATUSES: tuple[Status, ...] = (
    "violated",
    "error",
    "review",
    "inconclusive",
    "not_measured",
    "pass",
)

NO_REFERENCE = "–"  # what a rule names where no reference concerns it


class ExhibitRef(Record):
    """A pair of answers behind an outcome: where it is in `cases`, and what both wrote."""

    path: str = Field(description="dotted path in the document, such as cases.0.evidence.2.…")
    comparator: str
    prompt_id: ModelText
    shared: ModelText = Field(
        description="wording that both share, as the reference has it; may be empty"
    )


class Allowance(Record):
    """An entry of the policy that accepts a finding."""

    reason: ModelText
    expires: str
    line: int


class Outcome(Record):
    """What one rule says of the subject and one reference.

    `value` and `bound` are on the scale that `measure` names; `line` is the rule's line in the
    policy file; `case` numbers the case in `CheckResult.cases` it rests on.
    """

    rule: RuleName
    status: Status
    severity: Severity
    reference: ModelText
    message: ModelText
    next_step: ModelText = ""
    measure: str = ""
    value: Finite | None = None
    bound: Finite | None = None
    exhibit: ExhibitRef | None = None
    allowed: Allowance | None = None
    line: int
    case: int | None = None


class FalseAlarms(Record):
    """How many of 100 checked models that are innocent a rule would flag; None: unknown.

    `upper` is the one-sided 95 % upper limit, where it was counted.
    """

    rule: RuleName
    per_100: Finite | None = None
    upper: Finite | None = None
    basis: str


class CheckResult(Record):
    """The whole result of `forensics check`; every report of it is made from this."""

    headline: ModelText = Field(default="", description="the answer in one sentence")
    checked: bool = Field(
        default=True, description="false where nothing was measured that a rule could judge"
    )
    schema_version: str = CHECK_SCHEMA_VERSION
    created_at: str
    version: str
    command: ModelText
    subject: ModelText
    policy: ModelText = Field(description="path of the policy file, as given")
    policy_sha256: str
    strict: bool
    declared: Declarations
    declared_claims: tuple[ClaimAnswer, ...] = Field(
        default=(), description="what is declared of lineage, answered as claims are"
    )
    outcomes: tuple[Outcome, ...]
    false_alarms: tuple[FalseAlarms, ...] = ()
    notes: tuple[ModelText, ...] = ()
    kept: tuple[ModelText, ...] = Field(default=(), description="transcripts with the answers")
    cases: tuple[Case, ...] = ()
    status: Status
    exit_code: int = Field(
        description="0 pass, 1 violated, 2 a model's file is damaged, 3 undecided under strict, "
        "4 failure",
        json_schema_extra={"enum": [0, 1, 2, 3, 4]},
    )


def was_checked(outcomes: Iterable[Outcome]) -> bool:
    """Tell whether anything was measured that a rule could judge.

    A rule without a reference to judge counts for nothing, whatever it says; nor does one that is
    undecided for want of any measure.
    """
    judged = [outcome for outcome in outcomes if outcome.reference != NO_REFERENCE]
    return any(
        outcome.measure if outcome.status == "inconclusive" else outcome.status != "not_measured"
        for outcome in judged
    )


def decide(
    statuses: Iterable[Status], strict: bool, damaged: bool = False
) -> tuple[Status, ExitCode]:
    """Return what a check as a whole came to, and its exit code: the only place that does.

    A violation stands whatever else went wrong; an error is never a pass; and under `strict`
    nothing passes that was not decided.

    Args:
        statuses: of every outcome.
        strict: whether what is undecided (review, inconclusive, not measured) fails.
        damaged: whether every error is a model's file that is damaged or incomplete.
    """
    occurring = set(statuses)
    # No outcome at all means that something went wrong before the first one.
    gravest: Status = next((status for status in STATUSES if status in occurring), "error")
    if gravest == "violated":
        return gravest, ExitCode.POLICY_VIOLATED
    if gravest == "error":
        return gravest, ExitCode.USAGE if damaged else ExitCode.FAILURE
    if strict and gravest != "pass":
        return gravest, ExitCode.INCONCLUSIVE
    return gravest, ExitCode.OK


def check_to_json(result: CheckResult) -> str:
    """Return the result as JSON text; `ensure_ascii` lets lone surrogates in answers survive."""
    content: dict[str, Any] = result.model_dump()
    return json.dumps(content, ensure_ascii=True, allow_nan=False, indent=1) + "\n"


def check_schema() -> dict[str, Any]:
    """Return the JSON Schema of a check's result, as published in `reports/check.schema.json`."""
    schema = CheckResult.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
