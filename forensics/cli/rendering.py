"""Case → the outputs a command line asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.case.document import Case
from forensics.cli.progress import note
from forensics.errors import OutputError, UsageError
from forensics.report.formats import ReportFormat, rendered, report_format
from forensics.report.json import JsonReport
from forensics.support.files import write_text
from forensics.support.resources import is_folder


@dataclass(frozen=True)
class ReportTargets:
    """Which report goes where; `-` is stdout, which then carries nothing else.

    Raises:
        UsageError: two formats for stdout, or a file that cannot be one.
    """

    targets: tuple[tuple[ReportFormat, str], ...] = ()

    def __post_init__(self) -> None:
        """Check before anything is collected: a run may take hours."""
        check_targets([(report.name, target) for report, target in self.targets])

    @property
    def to_stdout(self) -> bool:
        """Whether a machine reads stdout."""
        return any(target == "-" for _, target in self.targets)


def check_targets(targets: Sequence[tuple[str, str]]) -> None:
    """Check that outputs, as (format, target), can be written side by side.

    Raises:
        UsageError: two formats for stdout, or a file that cannot be one.
    """
    on_stdout = [name for name, target in targets if target == "-"]
    if len(on_stdout) > 1:
        raise UsageError(f"{' and '.join(on_stdout)} both want stdout; give one a file")
    files = [Path(target) for _, target in targets if target != "-"]
    for path in files:
        if is_folder(path):
            raise UsageError(f"{path} is a folder; name a file in it")
        if not is_folder(path.parent):
            raise UsageError(f"the folder {path.parent} does not exist; make it first")
    if len({path.resolve() for path in files}) < len(files):
        raise UsageError("two outputs name the same file")


def outputs(
    json: str | None = None,
    html: Path | None = None,
    markdown: str | None = None,
    named: Iterable[tuple[str, str]] = (),
) -> ReportTargets:
    """Return the outputs of `--json`, `--html`, `--markdown` and of formats asked for by name.

    Raises:
        UsageError: no such format, or the targets contradict each other.
    """
    by_option = {"json": json, "html": html and str(html), "markdown": markdown}
    asked = [(name, target) for name, target in by_option.items() if target]
    return ReportTargets(tuple((report_format(name), target) for name, target in [*asked, *named]))


def named_target(option: str) -> tuple[str, str]:
    """Return format and target of `NAME=FILE`.

    Raises:
        UsageError: it is not of this form.
    """
    name, _, target = option.partition("=")
    if not name or not target:
        raise UsageError(f"--report takes NAME=FILE, such as markdown=report.md, not {option!r}")
    return name, target


def render(
    case: Case, outputs: ReportTargets, *, verbose: bool = False, only_files: bool = False
) -> None:
    """Write every output, then the answer on one screen unless stdout is taken.

    Of a blind case everything is masked but a JSON file, which is the record.

    Args:
        case: what to render.
        outputs: which format goes where.
        verbose: whether the whole report is printed instead of its first screen.
        only_files: whether nothing is printed although stdout is free.
    """
    shown = _shown(case)
    written = []
    for report, target in outputs.targets:
        whole = case if isinstance(report, JsonReport) and target != "-" else shown
        text = rendered(report, whole)
        written.append(append(target, text) if _is_summary(report, target) else put(target, text))
    if not outputs.to_stdout and not only_files:
        from rich.console import Console

        from forensics.report.terminal import render_terminal
        from forensics.report.terminal_screen import render_screen

        (render_terminal if verbose else render_screen)(shown, Console())
        if not verbose and not outputs.targets:
            note("--verbose prints the whole report, --html FILE writes it as a page")
    for path in filter(None, written):
        note(f"written: {path}")


def _shown(case: Case) -> Case:
    if not case.blind:
        return case
    from forensics.custody.blinding import blinded

    return blinded(case)


def _is_summary(report: ReportFormat, target: str) -> bool:
    """Tell whether this is the file GitHub gives a workflow's step for its summary."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if not place or report.name != "step-summary" or target == "-":
        return False
    return Path(target).resolve() == Path(place).resolve()


def append(target: str, text: str) -> str:
    """Write to the end of a file; return it.

    Raises:
        OutputError: it cannot be written.
    """
    # Commands of one step share that file: what others wrote in it stays.
    try:
        with Path(target).open("ab") as file:
            file.write(text.encode("utf-8"))
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}") from error
    return target


def put(target: str, text: str) -> str | None:
    """Write one output; return its file, None for stdout."""
    if target == "-":
        from forensics.support.sanitise import encodable

        sys.stdout.write(encodable(text, sys.stdout.encoding))
        sys.stdout.flush()
        return None
    write_text(Path(target), text)
    return target
