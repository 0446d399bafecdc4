"""Options that several verbs share, and what they mean."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli import completion
from forensics.cli.help import Decorated, Decorator, added, option
from forensics.support.asking_defaults import SAMPLES, TEMPERATURE

if TYPE_CHECKING:
    from forensics.case.evidence import Tier

FILE = click.Path(path_type=Path)


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


def output_options(command: Decorated) -> Decorated:
    """Add the options that write a case in the built-in formats, or print all of it."""
    return added(
        command,
        (
            option(
                "--json",
                "json_out",
                section="Output",
                metavar="FILE|-",
                help="Write the case as JSON.",
            ),
            option(
                "--html",
                "html_out",
                section="Output",
                type=FILE,
                help="Write one self-contained page.",
            ),
            option(
                "--markdown",
                "markdown_out",
                section="Output",
                metavar="FILE|-",
                help="Write Markdown.",
            ),
            option(
                "--verbose",
                section="Output",
                is_flag=True,
                help="Print the whole report instead of its first screen.",
            ),
        ),
    )


def cohort_suite_options(command: Decorated) -> Decorated:
    """Add the options that choose prompts, of a cohort's suite unless told otherwise."""
    return suite_options(command, "the cohort's")


def suite_options(command: Decorated, default: str = "core") -> Decorated:
    """Add the options that choose prompts."""
    return added(
        command,
        (
            option(
                "--suite",
                "suite_name",
                section="Prompts",
                shell_complete=completion.suites,
                metavar="NAME|FILE",
                help=f"Prompt suite [{default}].",
            ),
            option(
                "--category",
                section="Prompts",
                multiple=True,
                help="Ask only this category (repeatable).",
            ),
            option(
                "--suite-text",
                section="Prompts",
                type=FILE,
                help="Local copy of the texts of a referenced suite.",
            ),
            option(
                "--limit",
                section="Prompts",
                type=click.IntRange(min=1),
                help="Ask at most N prompts, spread over all categories. Default: the suite's own.",
            ),
            option(
                "--all-prompts",
                "every",
                section="Prompts",
                is_flag=True,
                help="Ask every prompt of the suite, even those that no cohort can judge.",
            ),
        ),
    )


def generation_options(command: Decorated) -> Decorated:
    """Add the options that say how answers are drawn."""
    return added(
        command,
        (
            option(
                "--samples",
                section="Sampling",
                type=click.IntRange(min=1),
                default=SAMPLES,
                show_default=True,
                help="Answers per prompt.",
            ),
            option(
                "--seed",
                section="Sampling",
                type=int,
                default=0,
                show_default=True,
                help="Sampling seed.",
            ),
            option(
                "--temperature",
                section="Sampling",
                type=FiniteRange(0, 5),
                default=TEMPERATURE,
                show_default=True,
                help="Sampling temperature; 0 is greedy.",
            ),
            option(
                "--max-tokens",
                section="Sampling",
                type=click.IntRange(min=1),
                help="Cap on the tokens of each answer.",
            ),
            option(
                "--system-prompt",
                section="Sampling",
                metavar="TEXT",
                help="System prompt sent with every request.",
            ),
        ),
    )


def spending_options(command: Decorated) -> Decorated:
    """Add the options that say what a run will ask, and what it may."""
    return added(
        command,
        (
            option(
                "--dry-run",
                section="Cost",
                is_flag=True,
                help="Say what would be asked, and ask nothing.",
            ),
            option(
                "--max-calls",
                section="Cost",
                metavar="N",
                type=click.IntRange(min=0),
                help="Refuse to make more calls than this.",
            ),
            option(
                "--max-output-tokens",
                section="Cost",
                metavar="N",
                type=click.IntRange(min=0),
                help="Refuse to ask for more answer tokens than this.",
            ),
            option(
                "--price",
                section="Cost",
                metavar="IN/OUT",
                callback=_price,
                help="Price of endpoints per million tokens, to estimate what a run may cost.",
            ),
        ),
    )


def _price(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, float] | None:
    if value is None:
        return None
    try:
        read, written = (float(part) for part in value.split("/"))
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is not of the form IN/OUT, such as 0.15/0.60"
        ) from None
    if not all(math.isfinite(part) and part >= 0 for part in (read, written)):
        raise click.BadParameter(f"{value!r} holds a number that is not a price")
    return read, written


def backend_options(command: Decorated) -> Decorated:
    """Add the options that say how a subject is reached and run."""
    return added(command, (*_endpoint_options(), *_local_options()))


def _endpoint_options() -> Iterator[Decorator]:
    yield option(
        "--base-url",
        section="Endpoints",
        metavar="URL",
        callback=_address,
        help="Address for openai: subjects without one.",
    )
    yield option(
        "--endpoints",
        section="Endpoints",
        type=FILE,
        help="File of named endpoints for openai:model@NAME [forensics.toml].",
    )
    yield option(
        "--api-key-env",
        section="Endpoints",
        metavar="NAME",
        callback=_key_variable,
        help="Environment variable with the key [OPENAI_API_KEY].",
    )
    yield option(
        "--api",
        section="Endpoints",
        type=click.Choice(["chat", "completions"]),
        help="Endpoint to call: /chat/completions or /completions [chat].",
    )
    yield option(
        "--concurrency",
        section="Endpoints",
        type=click.IntRange(min=1),
        default=8,
        show_default=True,
        help="Simultaneous calls to an endpoint.",
    )
    yield option(
        "--timeout",
        section="Endpoints",
        type=FiniteRange(min=0.1),
        default=120.0,
        show_default=True,
        help="Seconds an endpoint may take for one answer.",
    )


def _local_options() -> Iterator[Decorator]:
    yield option(
        "--dtype",
        section="Sampling",
        type=click.Choice(["float32", "bfloat16"]),
        default="float32",
        show_default=True,
        help="Precision of local models; recorded.",
    )
    yield option(
        "--batch-size",
        section="Sampling",
        type=click.IntRange(min=1),
        default=64,
        show_default=True,
        help="Prompts a local model answers at once.",
    )


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


def analysis_options(command: Decorated) -> Decorated:
    """Add the options that say what is measured, and against what; a case file freezes them."""
    return added(
        command,
        (
            option(
                "--known-released",
                section="Subjects",
                metavar="YYYY-MM",
                help="When KNOWN was released.",
            ),
            option(
                "--questioned-released",
                section="Subjects",
                metavar="YYYY-MM",
                help="When QUESTIONED was released.",
            ),
            option(
                "--cohort",
                "cohort_name",
                section="Evidence",
                shell_complete=completion.cohorts,
                metavar="NAME|FILE|URL|none",
                help="Judge against this cohort [the one with these prompts].",
            ),
            option(
                "--tiers",
                section="Evidence",
                metavar="LIST",
                callback=tier_names,
                help="Measure only these tiers: text,logprobs,tokenizer,weights [all available].",
            ),
            option(
                "--control",
                "controls",
                section="Evidence",
                shell_complete=completion.subjects,
                multiple=True,
                metavar="SUBJECT",
                help="Unrelated local model to compare token probabilities with (repeatable).",
            ),
            option(
                "--all-embeddings",
                section="Evidence",
                is_flag=True,
                help="Compare the meaning of all answers, not of 120 prompts only.",
            ),
            option(
                "--only",
                section="Evidence",
                shell_complete=completion.comparators,
                multiple=True,
                metavar="NAME",
                help="Run only this comparator.",
            ),
            option(
                "--without",
                section="Evidence",
                shell_complete=completion.comparators,
                multiple=True,
                metavar="NAME",
                help="Leave this comparator out.",
            ),
        ),
    )


def tier_names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[Tier, ...]:
    """Return the tiers that a comma-separated list names, none without a list."""
    if value is None:
        return ()
    from forensics.verdicts.measurable import TIERS

    wanted = {name.strip() for name in value.split(",")}
    unknown = sorted(wanted - set(TIERS))
    if unknown:
        raise click.BadParameter(f"no tier {unknown[0]!r}; choose from: {', '.join(TIERS)}")
    return tuple(tier for tier in TIERS if tier in wanted)


broken_option = option(
    "--allow-broken",
    section="Subjects",
    is_flag=True,
    help="Accept a transcript whose hash chain is broken; every report then says so.",
)
transcripts_option = option(
    "--transcripts",
    "folder",
    section="Output",
    type=FILE,
    default=Path("transcripts"),
    show_default=True,
    help="Folder for the answers collected.",
)
