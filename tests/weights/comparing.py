"""Weight comparators on two local folders."""

from __future__ import annotations

from pathlib import Path

from forensics.comparators import load_comparators
from forensics.compare import measure
from forensics.evidence import Evidence
from forensics.examined import Examined
from forensics.model_folder import model_files
from forensics.subjects import parse_subject
from forensics.tiers import of_tiers
from forensics.transcripts import Transcript


def examined(folder: Path) -> Examined:
    """Return a model without answers."""
    subject = parse_subject(f"hf:{folder}")
    return Examined(subject, Transcript(subject.name, ()), model_files(subject))


def weight_evidence(a: Path, b: Path) -> dict[str, Evidence]:
    """Return what every weight comparator says of two folders."""
    sides = examined(a), examined(b)
    return {c.name: measure(c, *sides) for c in of_tiers(load_comparators(), ("weights",))}
