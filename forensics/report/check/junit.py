"""The result of a check as JUnit XML: a test case for every rule and reference."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from forensics.exitcodes import ExitCode
from forensics.policy.outcomes import CheckResult, Outcome
from forensics.report.check import view
from forensics.report.four_answers import claim_line
from forensics.support.ci_commands import harmless
from forensics.support.sanitise import one_line, visible

_LONGEST = 1_500


def check_to_junit(result: CheckResult) -> str:
    """Return the result as JUnit XML; what XML cannot hold is written as escapes.

    A violation is a failure, an error an error, and what is undecided is skipped; where `--strict`
    makes the check exit with 3 it is a failure too, so that the file says what the exit code says.
    """
    strict = result.exit_code == ExitCode.INCONCLUSIVE
    suite = ET.Element("testsuite", name=one_line(f"forensics check {result.subject}"))
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("status", result.status),
        ("exit_code", str(result.exit_code)),
        ("policy", result.policy),
        ("version", result.version),
        *((f"claim.{i}", claim_line(c)) for i, c in enumerate(result.declared_claims, 1)),
        *((f"false_alarms.{a.rule}", view.alarm_line(a)) for a in result.false_alarms),
    ):
        ET.SubElement(properties, "property", name=name, value=one_line(value, _LONGEST))
    counts = dict.fromkeys(("failure", "error", "skipped"), 0)
    for outcome in result.outcomes:
        kind = _kind(outcome, strict)
        if kind in counts:
            counts[kind] += 1
        _case(suite, outcome, kind)
    if result.notes:
        ET.SubElement(suite, "system-out").text = visible("\n".join(result.notes))
    suite.set("tests", str(len(result.outcomes)))
    suite.set("failures", str(counts["failure"]))
    suite.set("errors", str(counts["error"]))
    suite.set("skipped", str(counts["skipped"]))
    suite.set("timestamp", result.created_at.removesuffix("Z"))
    suites = ET.Element("testsuites", name=one_line(view.headline(result)))
    suites.append(suite)
    ET.indent(suites)
    text = ET.tostring(suites, encoding="unicode")
    return harmless(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')


def _kind(outcome: Outcome, strict: bool) -> str:
    if outcome.status == "pass":
        return ""
    if outcome.status == "violated" or (strict and outcome.status != "error"):
        return "failure"
    return "error" if outcome.status == "error" else "skipped"


def _case(suite: ET.Element, outcome: Outcome, kind: str) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=outcome.rule, name=one_line(outcome.reference), time="0"
    )
    message = one_line(view.message_of(outcome), _LONGEST)
    if not kind:
        ET.SubElement(case, "system-out").text = message
        return
    element = ET.SubElement(case, kind, type=outcome.status, message=message)
    details = [outcome.next_step]
    if outcome.exhibit is not None:
        shared = one_line(outcome.exhibit.shared, 240)
        details.insert(0, f"exhibit, prompt {outcome.exhibit.prompt_id}: {shared}")
    element.text = visible("\n".join(filter(None, details)))
