"""The `forensics` command: one file per verb, loaded when it is used."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from typing import Any

import click

from forensics.errors import ForensicsError, PluginWarning
from forensics.exitcodes import ExitCode
from forensics.support.version import VERSION

# Verb → what `--help` says of it. Kept here so that --help loads no verb, and a verb no other.
VERBS = {
    "compare": "Compare two models and report how they may be related.",
    "case": "Freeze a claim and its analysis before collecting.",
    "check": "Check a model against a policy; for continuous integration.",
    "baseline": "Keep a fingerprint of an endpoint, and tell when it changes.",
    "probe": "Ask a model a suite's prompts and keep the answers.",
    "doctor": "Tell in a few calls whether a model or endpoint is usable.",
    "import": "Make transcripts from other tools' files.",
    "report": "Render a case again in another format.",
    "view": "Show a folder of results as pages: a table, cases, checks.",
    "verify": "Check that a transcript or bundle has not been changed.",
    "bundle": "Pack a case and all it rests on into one ZIP.",
    "trace": "Find a model's likely relatives in a cohort.",
    "map": "Draw how alike many models are: matrix, tree, heat map.",
    "exposure": "Test whether a model learned from answers that were served.",
    "evaluate": "Measure error rates on outputs with known lineage.",
    "cohort": "Build or show cohorts: models of known lineage to judge against.",
    "fleet": "Do the same work on many models, on this machine or a cluster.",
    "zoo": "Make models of known lineage to test kinship tests on.",
    "suites": "List prompt suites, or print one.",
    "refusals": "Judge which answers refuse, fully or in part.",
    "completion": "Print the script with which a shell completes this program's words.",
}


class VerbGroup(click.Group):
    """A group whose verbs are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order a newcomer needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a verb, or None for an unknown one."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"forensics.cli.{cmd_name}_verb")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; Ctrl-C becomes an abort here, as click prints an empty line for it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            if sys.stderr.isatty():  # the terminal shows ^C on the line we are on
                sys.stderr.write("\n")
            raise click.Abort from interrupt

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the table above instead of importing each."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=VerbGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
@click.version_option(VERSION, prog_name="forensics")
def group(debug: bool) -> None:
    """How are these two language models related, and how sure can we be?

    Ask two models the same prompts, compare what comes back, and render a report.
    Start with: forensics compare MODEL_A MODEL_B
    """
    if debug:
        os.environ["FORENSICS_DEBUG"] = "1"


def main() -> None:
    """Run the command line and exit with a code from `exitcodes`."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        code = run(sys.argv[1:])
    sys.exit(code)


def _show_warning(
    message: Warning | str, category: type[Warning], *_: object, **__: object
) -> None:
    # What libraries warn their programmers of is noise to a user.
    if issubclass(category, PluginWarning) or os.environ.get("FORENSICS_DEBUG"):
        _say(f"warning: {message}")


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; failures print one line to stderr."""
    from forensics.support.ci_commands import guarded_output

    with guarded_output():
        return _run(arguments)


def _run(arguments: list[str]) -> int:  # noqa: PLR0911 (one return a kind of failure)
    tab = os.environ.get("_FORENSICS_COMPLETE")  # set by a shell whose user asks for the next word
    try:
        if tab:
            from forensics.cli.completion import completions

            click.echo(completions(group, tab))
            return ExitCode.OK
        result = group.main(arguments, prog_name="forensics", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except click.UsageError as error:
        return _fail(_usage(error), ExitCode.USAGE)
    except click.ClickException as error:
        return _fail(error.format_message(), ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted; answers so far are kept", ExitCode.INTERRUPTED)
    except ForensicsError as error:
        _debug(error)
        return _fail(str(error), error.exit_code)
    except SystemExit:
        # The reader of our output went away (`| head`): click and rich both leave with 1, which
        # has a meaning of its own here. Nothing is left to tell the reader.
        _drop_stdout()
        return ExitCode.FAILURE
    except OSError as error:
        _debug(error)
        if error.filename is None:  # most likely stdout on a full disk: flushing fails at exit too
            _drop_stdout()
        where = "the output" if error.filename is None else error.filename
        text = f"cannot read or write {where}: {error.strerror or error}; choose another place"
        return _fail(text, ExitCode.FAILURE)
    except Exception as error:
        _debug(error)
        text = f"internal error: {type(error).__name__}: {error}; run with --debug and report it"
        return _fail(text, ExitCode.FAILURE)
    return int(result) if isinstance(result, int) else ExitCode.OK


def _usage(error: click.UsageError) -> str:
    if error.ctx is None:
        return error.format_message()
    return f"{error.format_message().rstrip('.')}; see: {error.ctx.command_path} --help"


def _drop_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _debug(error: Exception) -> None:
    if not os.environ.get("FORENSICS_DEBUG"):
        return
    import traceback

    from forensics.support.secrets import redacted

    sys.stderr.write(redacted("".join(traceback.format_exception(error))))


def _fail(message: str, code: ExitCode) -> int:
    _say(message)
    return code


def _say(message: str) -> None:
    from forensics.support.sanitise import one_line
    from forensics.support.secrets import redacted

    sys.stderr.write(f"forensics: {one_line(redacted(message), 2_000)}\n")
