"""Options that several verbs share, and what they mean."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from forensics.case.evidence import Tier

Command = TypeVar("Command", bound=Callable[..., Any])


class FiniteRange(click.FloatRange):
    """A range of numbers; `nan`, which is neither below nor above any limit, is outside."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number, or refuse it."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


def output_options(command: Command) -> Command:
    """Add the options that write a case in the built-in formats."""
    for option in (
        click.option("--markdown", "markdown_out", metavar="FILE|-", help="Write Markdown."),
        click.option(
            "--html",
            "html_out",
            type=click.Path(path_type=Path),
            help="Write one self-contained page.",
        ),
        click.option("--json", "json_out", metavar="FILE|-", help="Write the case as JSON."),
    ):
        command = option(command)
    return command


def cohort_suite_options(command: Command) -> Command:
    """Add the options that choose prompts, of a cohort's suite unless told otherwise."""
    return suite_options(command, "the cohort's")


def suite_options(command: Command, default: str = "core") -> Command:
    """Add the options that choose prompts."""
    for option in (
        click.option(
            "--limit", type=click.IntRange(min=1), help="Ask at most N prompts, of every category."
        ),
        click.option(
            "--suite-text",
            type=click.Path(path_type=Path),
            help="Local copy of the texts of a referenced suite.",
        ),
        click.option("--category", multiple=True, help="Ask only this category (repeatable)."),
        click.option(
            "--suite", "suite_name", metavar="NAME|FILE", help=f"Prompt suite [{default}]."
        ),
    ):
        command = option(command)
    return command


def generation_options(command: Command) -> Command:
    """Add the options that say how answers are drawn."""
    for option in (
        click.option("--system-prompt", metavar="TEXT", help="System prompt sent with every one."),
        click.option(
            "--max-tokens", type=click.IntRange(min=1), help="Cap on every answer's tokens."
        ),
        click.option(
            "--temperature",
            type=FiniteRange(0, 5),
            default=0.0,
            show_default=True,
            help="Sampling temperature; 0 is greedy.",
        ),
        click.option("--seed", type=int, default=0, show_default=True, help="Sampling seed."),
        click.option(
            "--samples",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help="Answers per prompt.",
        ),
    ):
        command = option(command)
    return command


def backend_options(command: Command) -> Command:
    """Add the options that say how a subject is reached and run."""
    for option in (
        click.option(
            "--batch-size",
            type=click.IntRange(min=1),
            default=64,
            show_default=True,
            help="Prompts a local model answers at once.",
        ),
        click.option(
            "--dtype",
            type=click.Choice(["float32", "bfloat16"]),
            default="float32",
            show_default=True,
            help="Precision of local models; recorded.",
        ),
        click.option(
            "--timeout",
            type=FiniteRange(min=0.1),
            default=120.0,
            show_default=True,
            help="Seconds an endpoint may take for one answer.",
        ),
        click.option(
            "--concurrency",
            type=click.IntRange(min=1),
            default=8,
            show_default=True,
            help="Calls to an endpoint under way at once.",
        ),
        click.option(
            "--api",
            type=click.Choice(["chat", "completions"]),
            help="Endpoint to call: /chat/completions or /completions [chat].",
        ),
        click.option(
            "--api-key-env",
            metavar="NAME",
            callback=_key_variable,
            help="Environment variable with the key [OPENAI_API_KEY].",
        ),
        click.option(
            "--endpoints",
            type=click.Path(path_type=Path),
            help="File of named endpoints for openai:model@NAME [forensics.toml].",
        ),
        click.option(
            "--base-url",
            metavar="URL",
            callback=_address,
            help="Address for openai: subjects without one.",
        ),
    ):
        command = option(command)
    return command


def _key_variable(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    # Looked at even where no endpoint is asked: the command line is recorded.
    from forensics.subjects.subject import check_key_variable

    check_key_variable(value)
    return value


def _address(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from forensics.errors import UsageError
    from forensics.subjects.addresses import clean_address

    try:
        return value and clean_address(value)
    except ValueError as error:
        raise UsageError(f"--base-url: {error}") from None


def analysis_options(command: Command) -> Command:
    """Add the options that say what is measured, and against what; a case file freezes them."""
    for option in (
        click.option("--without", multiple=True, metavar="NAME", help="Leave this comparator out."),
        click.option("--only", multiple=True, metavar="NAME", help="Run only this comparator."),
        click.option(
            "--control",
            "controls",
            multiple=True,
            metavar="SUBJECT",
            help="Local model, no kin of either, to read token probabilities against (repeatable).",
        ),
        click.option(
            "--tiers",
            metavar="LIST",
            callback=tier_names,
            help="Measure only these, of text,logprobs,tokenizer,weights [all that can be had].",
        ),
        click.option(
            "--questioned-released", metavar="YYYY-MM", help="When QUESTIONED was released."
        ),
        click.option("--known-released", metavar="YYYY-MM", help="When KNOWN was released."),
        click.option(
            "--cohort",
            "cohort_name",
            metavar="NAME|FILE|none",
            help="Judge against this cohort [the one with these prompts].",
        ),
    ):
        command = option(command)
    return command


def tier_names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[Tier, ...]:
    """Return the tiers that a comma-separated list names, none without a list."""
    if value is None:
        return ()
    from forensics.verdicts.measurable import TIERS

    wanted = {name.strip() for name in value.split(",")}
    unknown = sorted(wanted - set(TIERS))
    if unknown:
        raise click.BadParameter(f"no tier {unknown[0]!r}; there are: {', '.join(TIERS)}")
    return tuple(tier for tier in TIERS if tier in wanted)


broken_option = click.option(
    "--allow-broken",
    is_flag=True,
    help="Take a transcript whose hash chain is broken; every report then says so.",
)
transcripts_option = click.option(
    "--transcripts",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("transcripts"),
    show_default=True,
    help="Folder for answers collected on the way.",
)
