"""`forensics view`: a folder of results as a local page, or as a static site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensics.cli.help import Verb, option

if TYPE_CHECKING:
    from forensics.view.viewed_folder import ViewedFolder


@click.command(
    name="view",
    cls=Verb,
    examples=(
        "forensics view results",
        "forensics view results --export site",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path))
@option("--export", "out", type=click.Path(path_type=Path), help="Write a static site instead.")
@option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Listen here.  [default: any that is free]",
)
@option("--open", "open_", is_flag=True, help="Open the page in a browser.")
def command(folder: Path, out: Path | None, port: int, open_: bool) -> None:
    """Show FOLDER's results as pages, until Ctrl-C.

    Results are cases, checks, traces, exposure tests, transcripts, cohorts and what a fleet found.

    The address that is printed works on this machine only. Nothing is written or sent, and nothing
    that a model wrote is run. Files are recognised by what they hold; those that cannot be read are
    listed with the reason.
    """
    from forensics.errors import UsageError
    from forensics.view.viewed_folder import ViewedFolder

    viewed = ViewedFolder.of(folder)
    if out is None:
        _serve(viewed, port, open_)
        return
    if port or open_:
        raise UsageError("--port and --open are for the local page; leave them out with --export")
    _export(viewed, out)


def _serve(viewed: ViewedFolder, port: int, open_: bool) -> None:
    import webbrowser
    from contextlib import suppress

    from forensics.cli.progress import note
    from forensics.view.local_server import ViewerServer

    with ViewerServer(viewed, port) as server:
        click.echo(server.address)
        note("Ctrl-C ends it")
        if open_:
            webbrowser.open(server.address)
        # To be ended is what it waits for: that is no failure.
        with suppress(KeyboardInterrupt):
            server.serve()


def _export(viewed: ViewedFolder, out: Path) -> None:
    from forensics.cli.progress import note
    from forensics.support.numbers import counted
    from forensics.view.static_site import export

    not_shown = export(viewed, out)
    note(f"written: {out / 'index.html'}")
    if not_shown:
        note(f"{counted(len(not_shown), 'file')} could not be read; the page says why")
