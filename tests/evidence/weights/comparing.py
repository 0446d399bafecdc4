"""Weight comparators on two local folders."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from forensics.case.evidence import Evidence
from forensics.evidence import load_comparators
from forensics.examination.examined import Examined
from forensics.subjects.model_files.folder import model_files
from forensics.subjects.subject import parse_subject
from forensics.transcripts.transcript import Transcript
from forensics.verdicts.compare import measure
from forensics.verdicts.measurable import of_tiers


def examined(folder: Path) -> Examined:
    """Return a model without answers."""
    subject = parse_subject(f"hf:{folder}")
    return Examined(subject, Transcript(subject.name, ()), model_files(subject))


def weight_evidence(a: Path, b: Path) -> dict[str, Evidence]:
    """Return what every weight comparator says of two folders."""
    sides = examined(a), examined(b)
    return {c.name: measure(c, *sides) for c in of_tiers(load_comparators(), ("weights",))}


# A process begins with the peak of the one that starts it, so a small one has to.
_STARTER = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)
"""


def cost_of(command: Sequence[str]) -> tuple[float, int]:
    """Run a command; return its processor seconds and the most memory it held, in megabytes."""
    ran = subprocess.run(
        [sys.executable, "-c", _STARTER, *command], capture_output=True, text=True, check=True
    )
    status, seconds, megabytes = ran.stdout.split()
    assert status == "0", ran.stderr
    return float(seconds), int(megabytes)
