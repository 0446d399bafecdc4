"""Exposure result → the outputs a command line asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from forensics.cli.rendering import check_targets
from forensics.errors import UsageError
from forensics.evidence.exposure.exposure_record import ExposureResult
from forensics.evidence.exposure.result_files import read_exposure
from forensics.report.exposure import exposure_formats, print_exposure
from forensics.support.files import write_text


def is_exposure(path: Path) -> bool:
    """Tell whether a file says that it is the result of an exposure test."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("kind") == "exposure"


def render_exposure(path: Path, targets: Sequence[tuple[str, str]]) -> None:
    """Render a stored result again.

    Args:
        path: written by `exposure test --json`.
        targets: formats, and where they go; `-` is stdout.

    Raises:
        UsageError: no such format of an exposure result, or targets that contradict each other.
        InputFileError: the file cannot be read.
    """
    known = exposure_formats()
    for name, _ in targets:
        if name not in known:
            raise UsageError(
                f"the result of an exposure test is not written as {name}; there are "
                f"{', '.join(sorted(known))}"
            )
    check_targets(targets)
    write_exposure(read_exposure(path), targets)


def write_exposure(result: ExposureResult, targets: Sequence[tuple[str, str]]) -> None:
    """Write every output, then the answer on the terminal unless stdout is taken.

    Args:
        result: what to write.
        targets: formats, and where they go; `-` is stdout.

    Raises:
        OutputError: a file cannot be written.
    """
    formats = exposure_formats()
    for name, target in targets:
        text = formats[name](result)
        if target == "-":
            sys.stdout.write(text)
        else:
            write_text(Path(target), text)
    if not any(target == "-" for _, target in targets):
        print_exposure(result)
