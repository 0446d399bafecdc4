"""The JUnit report: each kind of evidence as a test case, for the test pages of CI services.

A comparison finds, it does not pass or fail: what could not be measured is `skipped`, and nothing
is ever a failure. A gate with rules is `forensics check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from forensics.case.answer_labels import label
from forensics.case.document import Case, Finding
from forensics.case.evidence import Evidence
from forensics.report import view
from forensics.report.four_answers import shown_answers, shown_claims
from forensics.support.numbers import number, percent
from forensics.support.sanitise import one_line, visible

_SUITE = "forensics compare"


@dataclass(frozen=True)
class JunitReport:
    """One test suite: the verdict, then the evidence."""

    name: str = "junit"

    def render(self, case: Case) -> str:
        """Return the XML, as CI services read it.

        Control characters and lone surrogates, which XML cannot hold, are written as escapes.
        """
        skipped = sum(e.status != "ok" for e in case.evidence)
        skipped += case.verdict.status == "insufficient"
        counts = {"tests": len(case.evidence) + 1, "failures": 0, "errors": 0, "skipped": skipped}
        numbers = {name: str(count) for name, count in counts.items()}
        root = ElementTree.Element("testsuites", {"name": _SUITE, **numbers})
        title = one_line(f"{case.a.name} and {case.b.name}")
        attributes = {"name": title, "timestamp": one_line(case.created_at, 40), **numbers}
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        _properties(suite, case)
        _verdict(suite, case)
        for evidence in case.evidence:
            _evidence(suite, evidence)
        ElementTree.indent(root)
        text = ElementTree.tostring(root, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _properties(suite: ElementTree.Element, case: Case) -> None:
    values = {
        "status": case.verdict.status,
        "calibration": case.verdict.calibration,
        "version": case.version,
        "prompts answered by both": str(case.overlap.both),
    }
    values |= {f"answer.{a.question}": label(a.answer, a.strength) for a in case.verdict.answers}
    values |= {f"log10_lr.{k}": str(v) for k, v in (case.verdict.log10_lr or {}).items()}
    parent = ElementTree.SubElement(suite, "properties")
    for name, value in values.items():
        ElementTree.SubElement(
            parent, "property", {"name": one_line(name), "value": one_line(value)}
        )


def _verdict(suite: ElementTree.Element, case: Case) -> None:
    verdict = case.verdict
    test = _case(suite, "verdict", "verdict")
    if verdict.status == "insufficient":
        ElementTree.SubElement(test, "skipped", {"message": one_line(verdict.headline, 500)})
    plan = case.plan
    sides = view.sides(case)
    _output(
        test,
        (
            *(f'Claim: "{c.text}": {c.label}. {c.reason}' for c in shown_claims(case)),
            *(f"{a.question} {a.label}: {' '.join(a.reasons)}" for a in shown_answers(case)),
            verdict.headline,
            view.status_line(case),
            verdict.reading,
            *(_finding("for", finding) for finding in sides.speak_for),
            *(_finding(title.lower(), f) for title, findings in sides.grey for f in findings),
            *(_finding("against", finding) for finding in sides.against),
            *verdict.reasons,
            *verdict.limits,
            *view.is_not(case),
            *(f"deviation from the plan: {text}" for text in (plan.deviations if plan else ())),
        ),
    )


def _finding(side: str, finding: Finding) -> str:
    return f"{side}: {finding.comparator}: {finding.text}"


def _evidence(suite: ElementTree.Element, evidence: Evidence) -> None:
    test = _case(suite, f"evidence.{evidence.tier}", evidence.title)
    if evidence.status != "ok":
        why = f"{view.EVIDENCE_STATUS[evidence.status]}: {evidence.reason}"
        ElementTree.SubElement(test, "skipped", {"message": one_line(why, 500)})
        return
    interval, floor = evidence.interval, evidence.noise_floor
    lines = [f"score {number(evidence.score)}, n = {evidence.n} prompts", evidence.scale]
    if interval:
        span = f"{number(interval.low)} to {number(interval.high)}"
        lines.append(f"{percent(interval.level)} interval {span}")
    if floor:
        lines.append(f"noise floor {number(floor.a)} / {number(floor.b)}")
        lines.append(view.position(evidence))
    lines.append(view.among_unrelated(evidence))
    lines += [f"log10 LR {name} {value}" for name, value in (evidence.log10_lr or {}).items()]
    _output(test, (*lines, *evidence.caveats))


def _case(suite: ElementTree.Element, group: str, name: str) -> ElementTree.Element:
    names = {"classname": f"forensics.{group}", "name": one_line(name)}
    return ElementTree.SubElement(suite, "testcase", {**names, "time": "0"})


def _output(test: ElementTree.Element, lines: Sequence[str]) -> None:
    ElementTree.SubElement(test, "system-out").text = "\n".join(
        visible(line) for line in lines if line
    )
