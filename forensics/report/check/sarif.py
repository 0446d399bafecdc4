"""The result of a check as SARIF 2.1.0 (OASIS), as code scanning reads it.

Every result has a location, the policy's line of its rule: code scanning rejects the whole file
for one result without.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from forensics.case.questions import ClaimAnswer
from forensics.exitcodes import ExitCode
from forensics.policy.model import RULES
from forensics.policy.outcomes import CheckResult, Outcome
from forensics.report.check import view
from forensics.report.four_answers import claim_line
from forensics.support.sanitise import one_line, visible

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def check_to_sarif(result: CheckResult) -> str:
    """Return the result as SARIF 2.1.0; what passed is left out."""
    where = _location(result.policy)
    shown = [outcome for outcome in view.ordered(result) if outcome.status != "pass"]
    run = {
        "tool": {"driver": _driver(result)},
        "invocations": [_invocation(result, where)],
        "results": [_result(outcome, result, where) for outcome in shown],
        "columnKind": "unicodeCodePoints",
        "properties": {
            "subject": visible(result.subject),
            "headline": view.headline(result),
            "status": result.status,
            "declaredClaims": [_claim(claim) for claim in result.declared_claims],
            "falseAlarmsPer100": [view.alarm_line(alarms) for alarms in result.false_alarms],
        },
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, ensure_ascii=True, allow_nan=False, indent=1) + "\n"


def _claim(claim: ClaimAnswer) -> dict[str, Any]:
    return {
        "claim": visible(claim.claim),
        "question": claim.question,
        "answer": claim.answer,
        "reason": visible(claim.reason),
        "nextStep": visible(claim.next_step.material) if claim.next_step else None,
    }


def _driver(result: CheckResult) -> dict[str, Any]:
    rules = [
        {
            "id": name,
            "name": "".join(part.title() for part in name.split("-")),
            "shortDescription": {"text": view.RULE_TEXTS[name].title},
            "fullDescription": {"text": view.RULE_TEXTS[name].description},
            "help": {"text": view.RULE_TEXTS[name].description},
            "defaultConfiguration": {"level": "error"},
        }
        for name in RULES
    ]
    # SARIF wants a semantic version here, which a development version is not.
    return {"name": "model-forensics", "version": result.version, "rules": rules}


def _invocation(result: CheckResult, where: dict[str, Any]) -> dict[str, Any]:
    failed = [outcome for outcome in result.outcomes if outcome.status == "error"]
    said = [*map(claim_line, result.declared_claims), *result.notes]
    notes = [{"level": "note", "message": {"text": _line(note)}} for note in said]
    if not result.checked:
        notes.insert(0, {"level": "warning", "message": {"text": view.headline(result)}})
    errors = [
        {
            "level": "error",
            "message": {"text": _line(outcome.message)},
            "associatedRule": {"id": outcome.rule, "index": RULES.index(outcome.rule)},
            "locations": [_at(where, outcome.line)],
        }
        for outcome in failed
    ]
    return {
        "executionSuccessful": result.exit_code not in (ExitCode.USAGE, ExitCode.FAILURE),
        "exitCode": result.exit_code,
        "endTimeUtc": result.created_at,
        "commandLine": visible(result.command),
        "toolExecutionNotifications": [*errors, *notes],
    }


def _result(outcome: Outcome, result: CheckResult, where: dict[str, Any]) -> dict[str, Any]:
    strict = result.exit_code == ExitCode.INCONCLUSIVE
    failing = strict or outcome.status in ("violated", "error")
    level = "error" if failing else "warning" if outcome.status == "review" else "note"
    key = f"{outcome.rule}\n{result.subject}\n{outcome.reference}\n{outcome.measure}"
    return {
        "ruleId": outcome.rule,
        "ruleIndex": RULES.index(outcome.rule),
        "kind": "fail",
        "level": level,
        "message": {"text": _text(outcome, result)},
        "locations": [_at(where, outcome.line)],
        "partialFingerprints": {
            "ruleSubjectReference/v1": hashlib.sha256(
                key.encode("utf-8", "surrogatepass")
            ).hexdigest()
        },
        "properties": {
            "status": outcome.status,
            "reference": visible(outcome.reference),
            "value": outcome.value,
            "bound": outcome.bound,
        },
    }


def _text(outcome: Outcome, result: CheckResult) -> str:
    lines = [
        f"{result.subject} against {outcome.reference}: {view.status_of(outcome)}. "
        f"{outcome.message}"
    ]
    if outcome.exhibit is not None:
        lines.append(f"Exhibit, prompt {outcome.exhibit.prompt_id}: {outcome.exhibit.shared}")
    if outcome.next_step:
        lines.append(f"Next: {outcome.next_step}")
    # Brackets would make links of what models wrote.
    escaped = (_line(line).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
               for line in lines)  # fmt: skip
    return "\n".join(escaped)


def _line(text: str) -> str:
    return one_line(text, 1_500)


def _location(policy: str) -> dict[str, Any]:
    path = Path(policy)
    try:
        relative = path.resolve().relative_to(Path.cwd())
    except ValueError:
        relative = Path(path.name)
    return {"uri": quote(relative.as_posix()), "uriBaseId": "%SRCROOT%"}


def _at(where: dict[str, Any], line: int) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": where, "region": {"startLine": line}}}
