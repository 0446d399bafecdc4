"""Case → the outputs a command line asked for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from forensics.case import Case, case_to_json, write_text
from forensics.cli.progress import note
from forensics.errors import UsageError
from forensics.resources import is_folder


@dataclass(frozen=True)
class Outputs:
    """Where to write what; `-` is stdout, which then carries nothing else.

    Raises:
        UsageError: two formats for stdout, or a file that cannot be one.
    """

    json: str | None = None
    html: Path | None = None
    markdown: str | None = None

    def __post_init__(self) -> None:
        """Check before anything is collected: a run may take hours."""
        if self.json == "-" and self.markdown == "-":
            raise UsageError("--json - and --markdown - both want stdout; give one a file")
        files = [Path(p) for p in (self.json, self.html, self.markdown) if p and str(p) != "-"]
        for path in files:
            if is_folder(path):
                raise UsageError(f"{path} is a folder; name a file in it")
            if not is_folder(path.parent):
                raise UsageError(f"the folder {path.parent} does not exist; make it first")
        if len({path.resolve() for path in files}) < len(files):
            raise UsageError("two outputs name the same file")

    @property
    def to_stdout(self) -> bool:
        """Whether a machine reads stdout."""
        return "-" in (self.json, self.markdown)


def render(case: Case, outputs: Outputs) -> None:
    """Write every output, then the terminal report unless stdout is taken.

    Of a blind case everything is masked but a JSON file, which is the record.
    """
    written = []
    record, case = case, _shown(case)
    if outputs.json:
        whole = case if outputs.json == "-" else record
        written.append(_put(outputs.json, case_to_json(whole)))
    if outputs.html:
        from forensics.report.html import render_html

        written.append(_put(str(outputs.html), render_html(case)))
    if outputs.markdown:
        from forensics.report.markdown import render_markdown

        written.append(_put(outputs.markdown, render_markdown(case)))
    if not outputs.to_stdout:
        from rich.console import Console

        from forensics.report.terminal import render_terminal

        render_terminal(case, Console())
    for path in filter(None, written):
        note(f"written: {path}")


def _shown(case: Case) -> Case:
    if not case.blind:
        return case
    from forensics.blinding import blinded

    return blinded(case)


def _put(target: str, text: str) -> str | None:
    if target == "-":
        from forensics.report.sanitise import encodable

        sys.stdout.write(encodable(text, sys.stdout.encoding))
        sys.stdout.flush()
        return None
    write_text(Path(target), text)
    return target
