"""Running the command line, in a process of its own or in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Comparators that need no model: the others have tests of their own.
QUICK = ("--without", "embedding")
ONE = ("--only", "openings")


@dataclass(frozen=True)
class Result:
    """What a run left behind."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of stderr; fails when there is another number of lines, or a traceback."""
        assert "Traceback" not in self.err, self.err
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("forensics: "), self.err
        assert "internal error" not in self.err, self.err
        return self.err


def forensics(
    *arguments: object,
    cwd: Path,
    limit: Callable[[], None] | None = None,
    stdout: Any = subprocess.PIPE,
    **environment: str,
) -> Result:
    """Run `python -m forensics` in `cwd`; `limit` runs in the child before it starts."""
    cleared = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "FORENSICS_DEBUG", "OPENAI_API_KEY"}
    inherited = {key: value for key, value in os.environ.items() if key not in cleared}
    search = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", "forensics", *map(str, arguments)],
        cwd=cwd,
        env=inherited | {"PYTHONPATH": search} | environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        preexec_fn=limit,
        timeout=120,
        check=False,
    )
    return Result(done.returncode, done.stdout or "", done.stderr)
