"""`forensics completion`: what a shell needs to complete this program's words."""

from __future__ import annotations

import click

from forensics.cli.help import Verb


@click.command(
    name="completion",
    cls=Verb,
    examples=(
        "forensics completion bash >> ~/.bashrc",
        "forensics completion zsh >> ~/.zshrc",
        "forensics completion fish > ~/.config/fish/completions/forensics.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script by which SHELL completes verbs, options, suites, cohorts and models.

    It takes effect in new shells; for the current one: eval "$(forensics completion bash)".
    """
    from forensics.cli.completion import script

    group = context.find_root().command
    assert isinstance(group, click.Group)  # noqa: S101 (it holds this verb)
    click.echo(script(group, shell))
