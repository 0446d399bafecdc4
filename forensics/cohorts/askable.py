"""Which suites give a likelihood ratio for models of a time, and how many calls that takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from forensics.cohorts.finding import shipped_files
from forensics.cohorts.pack_files import read_head
from forensics.cohorts.population import MIN_PEERS, MONTHS, month
from forensics.suites.loading import suite_names

# A subject's own lineage and family are no peers: a few more than are needed must be there.
_OF_THEIR_OWN = 5


@dataclass(frozen=True)
class AskableSuite:
    """A suite whose cohort is calibrated: what it asks, and the months of release of its models."""

    name: str
    prompts: int
    months: tuple[int, ...]

    def covers(self, released: str) -> bool:
        """Tell whether enough of its models were released about a month `YYYY-MM`."""
        at = month(released)
        if at is None:
            return False
        near = sum(abs(fitted - at) <= MONTHS for fitted in self.months)
        return near >= MIN_PEERS + _OF_THEIR_OWN

    @property
    def span(self) -> tuple[str, str] | None:
        """The first and the last month that it covers; None where it covers none."""
        if not self.months:
            return None
        every = range(self.months[0] - MONTHS, self.months[-1] + MONTHS + 1)
        covered = [released for released in map(_written, every) if self.covers(released)]
        return (covered[0], covered[-1]) if covered else None


def askable_suites() -> list[AskableSuite]:
    """Return the shipped suites that have a calibrated cohort, the shortest first."""
    texts = set(suite_names())
    suites = []
    for name, path in shipped_files().items():
        head = read_head(path)
        if name in texts and head.get("calibration"):
            months = _known(str(model.get("released") or "") for model in head["models"])
            suites.append(AskableSuite(name, len(head["prompts"]), months))
    return sorted(suites, key=lambda suite: (suite.prompts, suite.name))


def _known(released: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted(at for at in map(month, released) if at is not None))


def _written(at: int) -> str:
    return f"{(at - 1) // 12:04d}-{(at - 1) % 12 + 1:02d}"
