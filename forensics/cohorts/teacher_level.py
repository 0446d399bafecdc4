"""Whether leaning towards students tells a student: how a cohort's own models fare, held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from forensics.cohorts.calibration import error_rate

Level = Literal["assistant-style kinship, source undetermined", "none"]
ASSISTANT_STYLE: Level = "assistant-style kinship, source undetermined"
# Fourteen clusters, none of them in error, are the least that bounds an error rate so.
MAX_ERROR = 0.2
MIN_FOUND = 0.3


@dataclass(frozen=True)
class HeldOut:
    """How the cohort's own models fare, each held against others of its time and no kin.

    Of `students` documented students `found` lean towards students, and so does some model of
    `wrong` of the `others` lineage clusters documented to have had no teacher.
    """

    students: int
    found: int
    others: int
    wrong: int

    @property
    def limit(self) -> float:
        """The upper 95 % limit of the share of others that lean."""
        return error_rate(self.wrong, self.others).upper

    @property
    def holds(self) -> bool:
        """Whether leaning tells a student."""
        enough = self.found >= MIN_FOUND * self.students > 0
        return enough and self.limit <= MAX_ERROR
