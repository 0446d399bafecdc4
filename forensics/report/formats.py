"""Report formats: a case as one text; built-in formats and plugins' are reached the same way."""

from __future__ import annotations

import importlib
from typing import Protocol

from forensics.case.document import Case
from forensics.errors import ForensicsError, OutputError, UsageError
from forensics.support.ci_commands import harmless
from forensics.support.plugins import load_plugin, load_plugins, plugin_names


class ReportFormat(Protocol):
    """What a report format is."""

    @property
    def name(self) -> str:
        """The name that `--format` and `--report` take."""
        ...

    def render(self, case: Case) -> str:
        """Return the report of `case`: the same case gives the same text.

        What models wrote is hostile input; `report.sanitise` makes it safe to show. Names are
        masked in the case before it comes here, where the user wants that.
        """
        ...


# Name → module:class; imported only when used.
BUILT_IN = {
    "json": "forensics.report.json:JsonReport",
    "html": "forensics.report.html.html:HtmlReport",
    "markdown": "forensics.report.markdown:MarkdownReport",
    "text": "forensics.report.terminal:TextReport",
    "csv": "forensics.report.csv:CsvReport",
    "step-summary": "forensics.report.step_summary:StepSummaryReport",
    "junit": "forensics.report.junit:JunitReport",
    "cyclonedx": "forensics.report.cyclonedx:CycloneDxReport",
    "card": "forensics.report.card:CardReport",
    "brief": "forensics.report.brief:BriefReport",
}


# Files of lines, which a job may print; the others have no line that begins with what is in them.
_SHOWN_IN_LOGS = ("markdown", "text", "csv", "step-summary", "junit", "card")


def report_format(name: str) -> ReportFormat:
    """Return the format of this name.

    Raises:
        UsageError: there is none, or its plugin does not load.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        built_in: ReportFormat = getattr(importlib.import_module(module), attribute)()
        return built_in
    if name in plugin_names("reports"):
        made: ReportFormat = load_plugin("reports", name)()
        return made
    known = (*BUILT_IN, *load_plugins("reports", tuple(BUILT_IN)))
    raise UsageError(f"no report format {name!r}; formats: {', '.join(known)}")


def rendered(report: ReportFormat, case: Case) -> str:
    """Return the report of `case` as text that can be written as UTF-8.

    Raises:
        OutputError: the format fails; plugins may raise anything.
    """
    try:
        text = report.render(case)
    except ForensicsError:
        raise
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        raise OutputError(
            f"report format {report.name!r} failed: {cause}; tell its author"
        ) from error
    if not isinstance(text, str):
        kind = type(text).__name__
        raise OutputError(f"report format {report.name!r} gave {kind}, not text; tell its author")
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return harmless(text) if report.name in _SHOWN_IN_LOGS else text
