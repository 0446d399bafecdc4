"""The result of a check as JUnit XML: a test case for every rule and reference."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from forensics.exitcodes import ExitCode
from forensics.policy.outcomes import CheckResult, Outcome
from forensics.report import policy_view as view
from forensics.report.sanitise import one_line

# What XML 1.0 cannot hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def check_to_junit(result: CheckResult) -> str:
    """Return the result as JUnit XML.

    A violation is a failure, an error an error, and what is undecided is skipped; where `--strict`
    makes the check exit with 3 it is a failure too, so that the file says what the exit code says.
    """
    strict = result.exit_code == ExitCode.INCONCLUSIVE
    suite = ET.Element("testsuite", name=_plain(f"forensics check {result.subject}"))
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("status", result.status),
        ("exit_code", str(result.exit_code)),
        ("policy", result.policy),
        ("version", result.version),
        *((f"false_alarms.{a.rule}", view.alarm_line(a)) for a in result.false_alarms),
    ):
        ET.SubElement(properties, "property", name=name, value=_plain(value))
    counts = dict.fromkeys(("failure", "error", "skipped"), 0)
    for outcome in result.outcomes:
        kind = _kind(outcome, strict)
        if kind in counts:
            counts[kind] += 1
        _case(suite, outcome, kind)
    if result.notes:
        ET.SubElement(suite, "system-out").text = _plain("\n".join(result.notes))
    suite.set("tests", str(len(result.outcomes)))
    suite.set("failures", str(counts["failure"]))
    suite.set("errors", str(counts["error"]))
    suite.set("skipped", str(counts["skipped"]))
    suite.set("timestamp", result.created_at.removesuffix("Z"))
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _kind(outcome: Outcome, strict: bool) -> str:
    if outcome.status == "pass":
        return ""
    if outcome.status == "violated" or (strict and outcome.status != "error"):
        return "failure"
    return "error" if outcome.status == "error" else "skipped"


def _case(suite: ET.Element, outcome: Outcome, kind: str) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=outcome.rule, name=_plain(outcome.reference), time="0"
    )
    message = one_line(view.message_of(outcome), 1_500)
    if not kind:
        ET.SubElement(case, "system-out").text = _plain(message)
        return
    told = ET.SubElement(case, kind, type=outcome.status, message=_plain(message))
    details = [outcome.next_step]
    if outcome.exhibit is not None:
        shared = one_line(outcome.exhibit.shared, 240)
        details.insert(0, f"exhibit, prompt {outcome.exhibit.prompt_id}: {shared}")
    told.text = _plain("\n".join(filter(None, details)))


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
