"""`forensics case`: what is claimed and how it will be tested, frozen before collecting."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli import completion
from forensics.cli.help import VerbFamily, option
from forensics.cli.options import (
    FiniteRange,
    analysis_options,
    backend_options,
    generation_options,
    suite_options,
)
from forensics.cli.past_option import past_of_questioned

if TYPE_CHECKING:
    from forensics.case.document import CasePlan, Claim
    from forensics.workflows.resolving import Pair
    from forensics.workflows.settings import CompareSettings

FILE = click.Path(path_type=Path)


@click.group(name="case", cls=VerbFamily)
def command() -> None:
    """Freeze a claim and its analysis before collecting; note what happens later.

    A case file is hashed and dated. `compare --case FILE` does what it says and lists what was done
    otherwise. Keep the hash that `init` prints elsewhere, or publish it: it shows that the plan was
    there first.
    """


@command.command(
    examples=('forensics case init case.jsonl demo:smollm2 demo:gemma3-270m --title "A or B"',),
)
@click.argument("file", type=FILE)
@click.argument("a", metavar="KNOWN", shell_complete=completion.subjects)
@click.argument("b", metavar="QUESTIONED", shell_complete=completion.subjects)
@option("--title", section="Claim", default="", help="Title of the case.")
@option(
    "--claim",
    "claims",
    section="Claim",
    multiple=True,
    metavar="TEXT",
    help="A claim, word for word.",
)
@option("--source", "sources", section="Claim", multiple=True, help="Where that claim was made.")
@option(
    "--claim-date",
    "dates",
    section="Claim",
    multiple=True,
    metavar="YYYY-MM-DD",
    help="When that claim was made.",
)
@option(
    "--kind",
    "kinds",
    section="Claim",
    multiple=True,
    metavar="KIND",
    help="Its kind, see `case kinds` [other]. All four repeat together, claim by claim.",
)
@option(
    "--proposition",
    "propositions",
    section="Claim",
    multiple=True,
    metavar="TEXT",
    help="Propositions to weigh against each other [the claims' kinds and independence].",
)
@option(
    "--log10-lr",
    section="Claim",
    type=FiniteRange(-100, 100),
    help="The log10 likelihood ratio from which you will speak of support.",
)
@past_of_questioned
@suite_options
@generation_options
@backend_options
@analysis_options
def init(file: Path, a: str, b: str, **options: Any) -> None:
    """Write and freeze the case FILE: KNOWN and QUESTIONED, claims, suite, analysis, thresholds.

    Names are resolved to what they mean now (hashes of weights, revisions, suite and cohort); no
    model is asked anything. Its hash goes to stdout.
    """
    from forensics.case.document import CasePlan
    from forensics.case.run_records import PlanSettings
    from forensics.cli.progress import OnStderr
    from forensics.cli.settings import compare_settings
    from forensics.custody.case_file import freeze
    from forensics.custody.claims import propositions
    from forensics.errors import UsageError
    from forensics.workflows.planning import plan_from
    from forensics.workflows.resolving import resolve_pair

    if file.exists():
        raise UsageError(f"{file} exists, and what is frozen is never replaced; choose another")
    claims, kinds = _claims(options)
    settings, progress = compare_settings(options), OnStderr()
    pair = resolve_pair(a, b, settings, progress)
    planned = plan_from(pair, settings, options["log10_lr"])
    plan = CasePlan(
        path="",
        sha256="",
        frozen_at="",
        title=options["title"],
        propositions=options["propositions"] or propositions(kinds),
        claims=claims,
        settings=PlanSettings.model_validate(planned.model_dump(mode="json")),
    )
    frozen = freeze(file, plan)
    progress.note(f"frozen: {file} at {frozen.frozen_at}; keep its hash elsewhere, or publish it")
    _say_cost(file, pair, settings)
    click.echo(f"sha256 {frozen.sha256}")


def _say_cost(file: Path, pair: Pair, settings: CompareSettings) -> None:
    """Say what following the plan will ask, as far as it can be counted here and now."""
    from forensics.cli.progress import note
    from forensics.errors import ForensicsError
    from forensics.workflows.asks import summary
    from forensics.workflows.comparing import comparison_asks

    try:
        asks = comparison_asks(pair, settings)
    except ForensicsError as error:
        note(f"what compare --case {file} will ask cannot be counted yet: {error}")
        return
    if asks:
        note(f"compare --case {file} will make {summary(asks)}")


def _claims(options: dict[str, Any]) -> tuple[tuple[Claim, ...], list[str]]:
    from datetime import date

    from forensics.custody.claims import KINDS, claim
    from forensics.errors import UsageError

    texts, kinds = options["claims"], list(options["kinds"])
    for name, given in (("--source", options["sources"]), ("--claim-date", options["dates"])):
        if len(given) != len(texts):
            raise UsageError(f"{len(texts)} --claim but {len(given)} {name}; give one for each")
    if kinds and len(kinds) != len(texts):
        raise UsageError(f"{len(texts)} --claim but {len(kinds)} --kind; give one for each")
    kinds = kinds or ["other"] * len(texts)
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"no kind of claim {kind!r}; kinds: {', '.join(KINDS)}")
    for day in options["dates"]:
        try:
            written = date.fromisoformat(day).isoformat()
        except ValueError:
            written = ""
        if day != written:  # ISO weeks and 20250331 are days too, but not as they will be read
            raise UsageError(f"--claim-date {day!r} is not a date; write it as 2025-03-31")
    parts = zip(texts, kinds, options["sources"], options["dates"], strict=True)
    return tuple(claim(*part) for part in parts), kinds


@command.command(
    examples=('forensics case note case.jsonl "the endpoint was down for an hour"',),
)
@click.argument("file", type=FILE)
@click.argument("text")
def note(file: Path, text: str) -> None:
    """Append the note TEXT to the case FILE; what is already there is never changed."""
    from forensics.cli.progress import note as tell
    from forensics.custody.case_file import append_note
    from forensics.errors import UsageError

    if not text.strip():
        raise UsageError("the note is empty; give its text in quotes")
    case_file = append_note(file, text)
    if case_file.cut_off:
        tell(f"{file}: half a note that was cut off earlier is set aside in {file}.cut-off")
    click.echo(f"seal {case_file.seal}")


@command.command(
    examples=("forensics case show case.jsonl",),
)
@click.argument("file", type=FILE)
@option("--json", "json_out", metavar="FILE|-", help="Write the plan as JSON.")
def show(file: Path, json_out: str | None) -> None:
    """Show the case FILE: claims, plan and notes."""
    import json

    from forensics.cli.progress import note as tell
    from forensics.custody.case_file import read_case_file
    from forensics.support.files import write_text

    case_file = read_case_file(file)
    if case_file.cut_off:
        tell(f"{file}: a note that was cut off while being written is left out")
    plan = case_file.plan
    if json_out:
        document = json.dumps(plan.model_dump(), ensure_ascii=True, indent=1) + "\n"
        if json_out == "-":
            click.echo(document, nl=False)
            return
        write_text(Path(json_out), document)
    _print(_lines(plan))


@command.command(
    examples=("forensics case kinds",),
)
def kinds() -> None:
    """List the kinds of claims, and from what this version can test each."""
    from forensics.custody.claim_wording import material_words
    from forensics.custody.claims import KINDS

    for name, kind in KINDS.items():
        click.echo(f"{name}: {kind.means}; {material_words(kind)}")
        for need in kind.needs:
            click.echo(f"    would need: {need}")


def _lines(plan: CasePlan) -> Iterator[tuple[str, str]]:
    from forensics.custody.claim_wording import material_words
    from forensics.custody.claims import kind_of

    yield "title", plan.title
    yield "frozen", f"{plan.frozen_at}, sha256 {plan.sha256}"
    for claim in plan.claims:
        yield "claim", f'"{claim.text}" ({claim.source}, {claim.date})'
        yield "", material_words(kind_of(claim))
        for need in claim.needs:
            yield "", f"would need: {need}"
    for proposition in plan.propositions:
        yield "proposition", proposition
    yield from _settings(plan.settings.written(), "")
    for entry in plan.notes:
        yield "note", f"{entry.at}: {entry.text}"


def _settings(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _settings(item, f"{name}.{key}" if name else str(key))
        return
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if value is not None and value != "":
        yield name, str(value)


def _print(lines: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> None:
    from forensics.support.sanitise import encodable, one_line

    for name, text in lines:
        if not text:
            continue
        label = f"{one_line(name)}: " if name else "    "
        click.echo(encodable(f"{label}{one_line(text, 2_000)}", sys.stdout.encoding or "utf-8"))
