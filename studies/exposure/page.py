"""Writes the page on exposure: `python -m studies.exposure.page --date DATE`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

import numpy as np

from forensics.evidence.exposure.arrangements import Unit, arrangements
from forensics.evidence.exposure.betting import betting
from forensics.evidence.exposure.exposure_test import Scores, subject_residual
from forensics.evidence.exposure.flips import permutation_test
from forensics.evidence.exposure.residuals import predictable_residual
from forensics.support.files import write_text
from forensics.support.resources import data_folder
from studies.exposure.curves import DRAWS, LEVEL, curve, interval
from studies.exposure.real_sections import real_sections
from studies.exposure.tiny import PROMPTS, SHARES, STEPS, readings

NULL_RUNS = 400
_PAIRS = (25, 50, 100)


def main() -> None:
    """Make the students and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", required=True)
    write_text(data_folder("reports") / "EXPOSURE.md", page(readings(), parser.parse_args().date))


def page(read: Mapping[str, Sequence[Unit]], date: str) -> str:
    """Return the page."""
    lines = [
        "# Exposure: what the test finds, and what it does not",
        "",
        f"Made by `make exposure` on {date}. First real models, whose numbers are kept "
        "(`make exposure-students`); then tiny ones that are made each time.",
        "",
        *real_sections(),
        *tiny_sections(read),
    ]
    return "\n".join(lines)


def tiny_sections(read: Mapping[str, Sequence[Unit]]) -> list[str]:
    """Return the lines on tiny models: without exposure, then with."""
    from scipy import stats

    p_values, crossed = null_runs(read)
    uniform = stats.kstest(p_values, "uniform").pvalue
    low, high = interval(crossed, NULL_RUNS)
    rejected = sum(p <= LEVEL for p in p_values)
    return [
        "## Tiny models",
        "",
        "The models are tiny (two layers, 96 wide) and are "
        f"tuned for {STEPS} steps on {PROMPTS} answers of random words, each read many times: this "
        "shows that the test works, not how much a large model keeps of an answer read once.",
        "",
        "### Without exposure",
        "",
        f"{NULL_RUNS} runs on what all {len(read) - 1} students say of the log's answers, minus "
        "what the base says, with served and withheld dealt again in every run: the labels are "
        "random, the models are not tuned again. "
        f"p is uniform (Kolmogorov-Smirnov p = {uniform:.2f}); p <= 0.01 in {rejected} runs; the "
        f"e-process reached 100 in {crossed} of {NULL_RUNS} (95 % interval {low:.1%} to "
        f"{high:.1%}).",
        "",
        "| model | pairs | p | highest capital |",
        "|---|---|---|---|",
        *(_row(name, read) for name in ("0%",)),
        "",
        "### With exposure",
        "",
        "All logged pairs, by how many of the served answers were trained on; all other lessons "
        "are third answers to the same prompts that are in no log.",
        "",
        "| share | pairs | p | highest capital |",
        "|---|---|---|---|",
        *(_row(f"{share:.0%}", read) for share in SHARES if share),
        "",
        f"How often p <= 0.01, in {DRAWS} random choices of so many logged pairs (of one student a "
        "share; the intervals do not cover other students):",
        "",
        f"| share | {' | '.join(f'{n} pairs' for n in _PAIRS)} |",
        f"|---|{'---|' * len(_PAIRS)}",
        *(curve(f"{share:.0%}", _ways(f"{share:.0%}", read), _PAIRS) for share in SHARES),
        "",
    ]


def null_runs(
    read: Mapping[str, Sequence[Unit]], runs: int = NULL_RUNS, seed: int = 0
) -> tuple[list[float], int]:
    """Return the p-values of runs with labels dealt anew, and how many e-processes reached 100."""
    generator = np.random.default_rng(seed)
    students = [name for name in sorted(read) if name != "base"]
    p_values, crossed = [], 0
    for run in range(runs):
        name = students[run % len(students)]
        flips = generator.random(len(read["base"])) < 0.5
        dealt = [
            tuple(_turned(unit, flip) for unit, flip in zip(read[n], flips, strict=True))
            for n in (name, "base")
        ]
        ways = [arrangements(unit) for unit in subject_residual(Scores(dealt[0], dealt[1]))]
        p_values.append(permutation_test(ways, run, 999).p_value)
        crossed += _capital(*dealt) >= 1 / LEVEL
    return p_values, crossed


def _capital(own: Sequence[Unit], base: Sequence[Unit]) -> float:
    rest = predictable_residual(own, [base])
    return betting([arrangements(unit) for unit in rest]).highest


def _turned(unit: Unit, flip: bool) -> Unit:
    return Unit(unit.key, unit.values[::-1], 1) if flip else unit


def _ways(name: str, read: Mapping[str, Sequence[Unit]]) -> list[np.ndarray]:
    scores = Scores(tuple(read[name]), tuple(read["base"]))
    return [arrangements(unit) for unit in subject_residual(scores)]


def _row(name: str, read: Mapping[str, Sequence[Unit]]) -> str:
    ways = _ways(name, read)
    highest = _capital(read[name], read["base"])
    return f"| {name} | {len(ways)} | {permutation_test(ways).p_value:.2g} | {highest:.3g} |"


if __name__ == "__main__":
    main()
