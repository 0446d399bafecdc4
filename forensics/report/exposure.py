"""An exposure result as terminal text, JSON, Markdown and a page: a pure function of the result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from markupsafe import Markup

from forensics.evidence.exposure.exposure_record import (
    ExposureResult,
    MeanDifference,
    SidesCompared,
)
from forensics.evidence.exposure.wording import DESIGNS, LIMITS
from forensics.support.numbers import percent
from forensics.support.resources import data_folder
from forensics.support.sanitise import one_line

_LONGEST = 1_000
_HEADLINES = {
    "depended": "Learned from served answers",
    "not_shown": "Not shown",
    "refused": "Refused",
    "insufficient": "Too little",
}
_LIMITS_HEADING = "What this does not say"
Render = Callable[[ExposureResult], str]
Row = tuple[str, str]


def exposure_formats() -> Mapping[str, Render]:
    """Return format → how a result is written in it."""
    return {"json": _json, "markdown": _markdown, "html": _html}


def headline(result: ExposureResult) -> str:
    """Return the finding in a word or two."""
    return _HEADLINES[result.finding]


def print_exposure(result: ExposureResult) -> None:
    """Print a result on the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from forensics.support.sanitise import encodable

    console = Console()

    def text(words: str, style: str = "") -> Text:
        return Text(encodable(one_line(words, _LONGEST), console.encoding), style=style)

    console.print(text(f"{headline(result)}. {result.sentence}", "bold"))
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in rows(result):
        table.add_row(text(name), text(value))
    console.print(table)
    for line in notes(result):
        console.print(text(f"! {line}", "yellow"))


def rows(result: ExposureResult) -> Iterator[Row]:
    """Yield name and value of everything that a reader needs, power first."""
    yield "power", result.power
    if result.in_common is not None:
        words = f"{percent(result.in_common)} of four-character sequences"
        yield "served and withheld have in common", words
    yield "design", DESIGNS[result.design]
    yield "statistic", result.statistic
    yield "prompts", _counted(result)
    if result.batches:
        yield "look", f"{result.look}, at a log of {result.batches} batches"
    if result.p_value is not None:
        yield "p-value", f"{result.p_value:.2g} ({_primary(result)})"
    if result.watched is not None:
        yield (
            "e-value",
            f"{result.watched.final:.3g} at the end, {result.watched.highest:.3g} at most",
        )
    if result.difference is not None:
        yield "served minus withheld", _bounds(result.difference)
    if result.controls_pooled is not None:
        yield "the same of controls", _bounds(result.controls_pooled)
    for side in result.compared:
        yield f"compared: {side.name.replace('_', ' ')}", _compared(side)


def notes(result: ExposureResult) -> Iterator[str]:
    """Yield refusals and what to keep in mind."""
    for refusal in result.refusals:
        yield f"{refusal.name}: {refusal.why}"
    yield from result.caveats


def _compared(side: SidesCompared) -> str:
    if not side.prompts:
        return "not compared, the log does not say"
    differs = "" if side.adjusted > 0.01 else ", differs"
    return f"{side.served:.3g} and {side.withheld:.3g}, p = {side.adjusted:.2g}{differs}"


def _primary(result: ExposureResult) -> str:
    return {
        "fixed": "permutation within prompts, at the declared number",
        "watched": "e-process, valid at any time",
        "combined": "mean e-value over accounts",
        "none": "none",
    }[result.primary]


def _counted(result: ExposureResult) -> str:
    pairs = result.pairs
    left = ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in pairs.left_out.items())
    unread = f"; {pairs.unscored} not readable by a model" if pairs.unscored else ""
    ties = f"; {pairs.ties} ties" if pairs.ties else ""
    return (
        f"{pairs.used} used of {pairs.logged}{f' (left out: {left})' if left else ''}{unread}{ties}"
    )


def _bounds(value: MeanDifference) -> str:
    return f"{value.mean:+.4f}, 99 % bounds {value.low:+.4f} and {value.high:+.4f}"


def _json(result: ExposureResult) -> str:
    document = result.model_dump(mode="json")
    return json.dumps(document, ensure_ascii=True, allow_nan=False, indent=1) + "\n"


def _markdown(result: ExposureResult) -> str:
    from forensics.report.markdown import code, prose

    lines = [
        f"## {headline(result)}",
        "",
        prose(result.sentence),
        "",
        f"{code(result.subject)}",
        "",
        "| | |",
        "|---|---|",
        *(f"| {prose(name)} | {prose(value)} |" for name, value in rows(result)),
        "",
        *(f"- {prose(line)}" for line in notes(result)),
        "",
        f"### {_LIMITS_HEADING}",
        "",
        *(f"- {line}" for line in LIMITS),
    ]
    return "\n".join(lines) + "\n"


def _html(result: ExposureResult) -> str:
    from forensics.report.html.html import content_security_policy
    from forensics.report.html.markup import shown

    folder = data_folder("reports") / "templates"
    style = (folder / "report.css").read_text(encoding="utf-8").strip()
    row = Markup("<tr><th scope=row>{}</th><td>{}</td></tr>")
    cells = Markup("\n").join(row.format(shown(a), shown(b)) for a, b in rows(result))
    item = Markup("<li>{}</li>")
    listed = Markup("\n").join(item.format(shown(note)) for note in notes(result))
    limits = Markup("\n").join(item.format(limit) for limit in LIMITS)
    return str(
        _PAGE.format(
            policy=content_security_policy(style, ""),
            style=Markup(style),  # noqa: S704 (our own file)
            title=shown(headline(result)),
            sentence=shown(result.sentence),
            subject=shown(one_line(result.subject, 200)),
            rows=cells,
            notes=listed,
            limits_heading=_LIMITS_HEADING,
            limits=limits,
            log=result.log_sha256,
            version=result.tool_version,
        )
    )


# Nothing is loaded and nothing can run; the answer stands first.
_PAGE = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}: exposure</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p><strong>{sentence}</strong></p>
<p>Questioned model: <code>{subject}</code></p>
<h2>What was measured</h2>
<table>
{rows}
</table>
<h2>To keep in mind</h2>
<ul>
{notes}
</ul>
<h2>{limits_heading}</h2>
<ul>
{limits}
</ul>
</main>
<footer><p>Made by model-forensics {version} from the log with sha256 {log}.</p></footer>
</body>
</html>
""")
