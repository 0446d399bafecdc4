"""What `--help` of a verb looks like: options in sections, examples at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar, get_args

import click

Section = Literal[
    "Claim",
    "Subjects",
    "Prompts",
    "Sampling",
    "Endpoints",
    "Cost",
    "Policy",
    "Evidence",
    "Output",
    "Options",
]
_ORDER: tuple[Section, ...] = get_args(Section)
_QUIET = "forensics.quiet"

Decorated = TypeVar("Decorated", bound=Callable[..., Any] | click.Command)
Decorator = Callable[[Any], Any]


class SectionedOption(click.Option):
    """An option that knows under which heading `--help` lists it."""

    def __init__(self, *args: Any, section: Section = "Options", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.section = section


def option(
    *names: str, section: Section = "Options", **attributes: Any
) -> Callable[[Decorated], Decorated]:
    """Add an option to a verb, under a heading of its help; otherwise as `click.option`."""
    return click.option(*names, cls=SectionedOption, section=section, **attributes)


def added(command: Decorated, options: Sequence[Callable[[Decorated], Decorated]]) -> Decorated:
    """Return a command with options that several verbs share, in this order in its help."""
    for add in reversed(options):
        command = add(command)
    return command


def _remember(context: click.Context, _: click.Parameter, asked: bool) -> None:
    context.meta[_QUIET] = asked


def _quiet_option() -> click.Option:
    return SectionedOption(
        ["-q", "--quiet"],
        section="Output",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="No progress and no notes on stderr; errors stay.",
    )


class Verb(click.Command):
    """A command with its options in sections and examples below them.

    Args:
        examples: command lines as a user types them.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.examples = tuple(examples)
        self.params.append(_quiet_option())

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb, without a word on stderr where that was asked for."""
        if not ctx.meta.get(_QUIET):
            return super().invoke(ctx)
        from forensics.cli.progress import silenced

        with silenced():
            return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options by section, or in one list where they have none."""
        options = [
            parameter for parameter in self.get_params(ctx) if isinstance(parameter, click.Option)
        ]
        plain = any(_section(parameter) == "Options" for parameter in options)
        rows: dict[Section, list[tuple[str, str]]] = {section: [] for section in _ORDER}
        for parameter in options:
            row = parameter.get_help_record(ctx)
            if row is not None:
                rows["Options" if plain else _section(parameter)].append(row)
        for section, listed in rows.items():
            if listed:
                with formatter.section(section):
                    formatter.write_dl(listed)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are typed: a wrapped line could not be copied."""
        super().format_epilog(ctx, formatter)
        write_examples(self.examples, formatter)


class VerbFamily(click.Group):
    """A verb with verbs of its own; its help shows the first example of each."""

    command_class = Verb

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write an example for each of its verbs."""
        super().format_epilog(ctx, formatter)
        verbs = [verb for verb in self.commands.values() if isinstance(verb, Verb)]
        write_examples([verb.examples[0] for verb in verbs if verb.examples], formatter)


def write_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    """Write examples under a heading of their own."""
    if not examples:
        return
    with formatter.section("Examples"):
        for example in examples:
            formatter.write(f"{'':{formatter.current_indent}}{example}\n")


def _section(parameter: click.Option) -> Section:
    # Of click's own there is only --help.
    return parameter.section if isinstance(parameter, SectionedOption) else "Output"
