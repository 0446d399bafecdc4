"""A look at a watched endpoint as lines of a terminal, the answer first."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.evidence.watching.watch_report import WatchReport

_WIDTH = 34


def watch_lines(report: WatchReport) -> Iterator[tuple[str, str]]:
    """Yield lines, each with the style it is printed in."""
    yield _answer(report), "bold"
    for label, value in _rows(report):
        yield f"  {label:<{_WIDTH}}{value}", ""
    for note in report.notes:
        yield f"! {note}", "yellow"
    if report.verdict == "same":
        yield "No difference found so far does not show that there is none.", ""


def _answer(report: WatchReport) -> str:
    if report.verdict == "same":
        return f"No difference found so far: {report.subject} answers as in {report.baseline}."
    before = " (reported before; nothing was asked)" if report.reported_before else ""
    return (
        f"Not the same: {report.subject} does not answer as in {report.baseline}{before}. A false "
        f"alarm happens in at most {100 * report.level:g} % of watches."
    )


def _rows(report: WatchReport) -> Iterator[tuple[str, str]]:
    yield (
        "calls counted so far",
        f"{report.calls:,} ({report.asked - report.failed:,} in this look)",
    )
    if report.failed:
        yield "calls of this look not counted", f"{report.failed:,}"
    if not report.calls:
        return
    usual = f"{_percent(report.strange / report.calls)} of {report.calls:,} calls"
    yield "unusual answers", f"{usual}; {_percent(report.strange_expected)} in the baseline"
    yield "evidence for a difference", f"{_plain(report.e_value)} to 1; found at {report.limit:g}"
    if report.found_after is not None:
        yield "difference found after", f"{report.found_after:,} counted calls"
    if report.share is not None:
        share = report.share
        ends = f"from {_percent(share.low)} to {_percent(share.high)}"
        yield "calls another model answers", f"at least {_percent(share.estimate)}, {ends}"
        yield "", f"(95 % interval, since call {share.since_call + 1:,})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _plain(value: float) -> str:
    if value >= 1e6:
        return "over 1,000,000"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
