"""Running the command line, in a process of its own or in this one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.processes import ROOT, run_command

__all__ = ["ONE", "QUICK", "ROOT", "Result", "forensics"]
# Comparators that need no model: the others have tests of their own.
QUICK = ("--without", "embedding")
ONE = ("--only", "openings")
_ANNOUNCED = "; --dry-run shows more\n"


@dataclass(frozen=True)
class Result:
    """What a run left behind."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of stderr; fails when there is another number of lines, or a traceback.

        What a run says it will ask, before it asks, is no complaint.
        """
        assert "Traceback" not in self.err, self.err
        lines = [line for line in self.err.splitlines(True) if not line.endswith(_ANNOUNCED)]
        assert len(lines) == 1, self.err
        assert lines[0].startswith("forensics: "), self.err
        assert "internal error" not in self.err, self.err
        return lines[0]


def forensics(
    *arguments: object,
    cwd: Path,
    limit: Callable[[], None] | None = None,
    stdout: IO[Any] | int | None = None,
    cold: bool = False,
    **environment: str,
) -> Result:
    """Run `python -m forensics` in `cwd` (see `run_command`) with what this process was given."""
    cleared = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "FORENSICS_DEBUG", "OPENAI_API_KEY"}
    inherited = {key: value for key, value in os.environ.items() if key not in cleared}
    search = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    done = run_command(
        [*map(str, arguments)],
        cwd=cwd,
        environment=inherited | {"PYTHONPATH": search} | environment,
        stdout=stdout,
        limit=limit,
        cold=cold,
    )
    return Result(done.code, done.out.decode("utf-8"), done.err.decode("utf-8"))
