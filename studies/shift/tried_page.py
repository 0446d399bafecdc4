"""The section of the page on shift that says which other readings of answers help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.outputs import Outputs
from forensics.evaluation.step_rates import JudgedStep, KnownStep, rates
from studies.shift import tried

_MARGIN = 3.5
_HEAD = """
## Other readings of the same answers

Each was tried in place of character sequences, then all together; nothing was fitted. *Chosen
inside*: each lineage cluster is judged by the reading that has the largest area within base
families on all other clusters, so that no cluster has a part in what judges it."""
_ONCE = """
One answer a prompt, steps of everyday instructions; *null clusters ahead* lead by 3.5 or more.

| reading | area | within base family | found at 5 % | at 10 % | house first \
| null clusters ahead | on the four other sets |
|---|---|---|---|---|---|---|---|"""
_REPEATEDLY = """
Three answers a prompt, puzzles: what the student shares with its documented teacher, and how the
change is read.

| reading | {students} | null clusters that name somebody |
|---|---|---|---|---|"""


def section(
    sets: Mapping[str, tuple[Outputs, Sequence[KnownStep]]],
    once: str,
    repeatedly: str,
    cohort: Cohort,
    students: Sequence[tuple[KnownStep, str]],
) -> Iterator[str]:
    """Yield the lines of the section.

    Args:
        sets: outputs and steps by name.
        once: the set with students that answered once.
        repeatedly: the set that was asked repeatedly.
        cohort: the same as a cohort.
        students: documented ones of that cohort, and their teacher.
    """
    yield _HEAD
    yield _ONCE
    judged = {name: tried.once(*entry) for name, entry in sets.items()}
    inside, counts = tried.chosen(judged[once])
    others = [by_reading for name, by_reading in judged.items() if name != once]
    for reading, steps in judged[once].items():
        elsewhere = [_ahead(by_reading[reading]) for by_reading in others]
        cell = f"{sum(a for a, _ in elsewhere)} of {sum(n for _, n in elsewhere)}"
        yield _once_row(reading, steps, len(sets[once][1]), cell)
    yield _once_row("chosen inside", inside, len(sets[once][1]), "-")
    picks = ", ".join(f"{name} for {count}" for name, count in counts.items() if count)
    yield f"\nChosen inside: {picks} of {sum(counts.values())} clusters."
    yield _REPEATEDLY.format(students=" | ".join(step.model for step, _ in students))
    nulls = [step for step in sets[repeatedly][1] if not step.teacher]
    for reading, reference in tried.repeatedly(sets[repeatedly][0], cohort):
        cells = []
        for step, teacher in students:
            details = tried.towards(reference, cohort, teacher, step)
            cells.append(f"{details.least.share:.0%}, {details.reading}" if details else "-")
        named, every = tried.alarms(reference, cohort, nulls)
        yield f"| {reading} | {' | '.join(cells)} | {named} of {every} |"


def _ahead(steps: Sequence[JudgedStep]) -> tuple[int, int]:
    nulls = [step for step in steps if not step.step.teacher]
    ahead = {step.cluster for step in nulls if step.leads[step.first].margin >= _MARGIN}
    return len(ahead), len({step.cluster for step in nulls})


def _once_row(reading: str, steps: Sequence[JudgedStep], asked: int, elsewhere: str) -> str:
    figures = rates(steps, asked)
    named = {
        "auc": figures["auc"],
        "auc_within_base_family": figures["auc_within_base_family"],
        "tpr_at_0.05": figures["tpr_at_fpr"]["0.05"],
        "tpr_at_0.1": figures["tpr_at_fpr"]["0.1"],
        "top1_developer": figures["top1_developer"],
    }
    cells = [_figure(value, figures["interval"][name]) for name, value in named.items()]
    ahead, every = _ahead(steps)
    return f"| {reading} | {' | '.join(cells)} | {ahead} of {every} | {elsewhere} |"


def _figure(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f} ({interval[0]:.2f} to {interval[1]:.2f})" if interval else f"{value:.2f}"
