"""How kin differ from models that learned from one another, for every shipped calibration.

The command is `python -m studies.transferred.learned DATA --date D`; it writes
`probes/learned.json` and prints what the lines say of documented pairs.

A cohort's line is fitted to its own kin and to pairs of which one learned from the other, or both
from one model, on the scale of its similarity. The transferred calibration's is over the ratio that
it gives by lines which saw neither the pair's set nor its clusters: on other prompts than its own
nothing but that ratio is known. Cohorts without enough documented students have no line.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.calibration import to_log10
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.fitting import (
    CLOSE_KIN,
    TAUGHT,
    Calibration,
    Labelled,
    fit_learned,
    fit_line,
)
from forensics.cohorts.learned import FILE
from forensics.cohorts.pack_files import read_cohort
from forensics.cohorts.similarity import Flags, Floats, pair_scores
from forensics.cohorts.transferred import shipped
from forensics.evaluation.cohort_build import near_copies
from forensics.support.files import write_text
from forensics.support.resources import data_folder
from studies.cohorts.build_shipped import RECIPES, tables
from studies.transferred.study import left_out, taught_left_out
from studies.transferred.tables import SIZES, SetScores, scored_sets, taught_sets

_SUPPORTED = 1.0  # log10


@dataclass(frozen=True)
class Counted:
    """Pairs of one kind: `likely` reach a ratio above 10 against strangers, `told` against both."""

    kind: str
    pairs: int
    likely: int
    told: int

    def __str__(self) -> str:
        """Say it as a row of a table."""
        return f"| {self.kind} | {self.pairs} | {self.likely} | {self.told} |"


def of_cohort(cohort: Cohort, labelled: Labelled) -> tuple[Calibration | None, list[Counted]]:
    """Fit a cohort's line, and count its pairs by lines that saw neither of their clusters."""
    lines = fit_learned(cohort.similarities(), cohort.excluded(), labelled)
    if cohort.calibration is None:
        return lines, []
    used = labelled.where(labelled.are(*CLOSE_KIN, TAUGHT))
    score = pair_scores(cohort.similarities(), cohort.excluded(), used.pairs).score
    ratio = to_log10(cohort.calibration.llr(np.nan_to_num(score), len(cohort.prompts)))
    likely = np.isfinite(score) & (ratio > _SUPPORTED)
    told = np.array([bool(likely[i]) and _told(score, used, i) for i in range(len(score))])
    return lines, _counted(used, likely, told)


def _told(score: Floats, used: Labelled, pair: int) -> bool:
    apart = np.asarray(~np.isin(used.clusters, used.clusters[pair]).any(axis=1))
    line = fit_line(score[None, apart], used.where(apart), against=TAUGHT)
    return line is not None and float(to_log10(line.llr(score[[pair]]))[0]) > _SUPPORTED


def _counted(used: Labelled, likely: Flags, told: Flags) -> list[Counted]:
    kinds = {"kin": used.are(*CLOSE_KIN), "one learned from the other": used.are(TAUGHT)}
    return [
        Counted(kind, int(of.sum()), int(likely[of].sum()), int(told[of].sum()))
        for kind, of in kinds.items()
    ]


def of_transferred(
    sets: Sequence[SetScores], taught: Sequence[SetScores]
) -> tuple[Calibration | None, list[Counted]]:
    """Fit the line over the transferred ratio; the arguments are those of `tables`."""
    kin = np.concatenate([scores.kin for scores in sets])
    clusters = np.concatenate(
        [*(scores.clusters[scores.kin] for scores in sets), *(s.clusters for s in taught)]
    )
    students = sum(len(scores.kin) for scores in taught)
    names = (*repeat(CLOSE_KIN[1], int(kin.sum())), *repeat(TAUGHT, students))
    labelled = Labelled(np.zeros((len(names), 2), dtype=np.intp), names, clusters)
    lines, ratios = [], []
    for size in SIZES:
        llr = [left_out(sets, size)[kin], taught_left_out(sets, taught, size)]
        ratios.append(to_log10(np.concatenate(llr)))
        line = fit_line(ratios[-1][None], labelled, against=TAUGHT)
        if line is not None:
            lines.append((size, line))
    calibration = Calibration(tuple(lines)) if lines else None
    if calibration is None:
        return None, []
    ratio = np.nan_to_num(ratios[-1])
    likely = ratio > _SUPPORTED
    told = likely & (to_log10(calibration.llr(ratio, SIZES[-1])) > _SUPPORTED)
    return calibration, _counted(labelled, likely, told)


def _labelled(recipe: Any, data: Path) -> tuple[tuple[str, ...], Labelled]:
    outputs, pairs = tables(recipe, data)
    copies = near_copies(outputs)
    return outputs.models, outputs.labelled([p for p in pairs if not {p.a, p.b} & copies])


def _placed(labelled: Labelled, models: Sequence[str], cohort: Cohort) -> Labelled:
    places: NDArray[np.intp] = np.array([cohort.place(model) for model in models], dtype=np.intp)
    return Labelled(places[labelled.pairs], labelled.hypotheses, labelled.clusters)


def main() -> None:
    """Write `probes/learned.json` and print how many documented pairs are told apart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="folder with the tables")
    parser.add_argument("--date", required=True, help="date to record, YYYY-MM-DD")
    parser.add_argument("--probes", type=Path, default=data_folder("probes"), help="where to write")
    parser.add_argument("--cache", type=Path, help="folder that keeps scores between runs")
    given = parser.parse_args()
    entries: list[tuple[str, str, Calibration | None]] = []
    rows = ["| calibration | pairs | n | above 10 against strangers | against students too |"]
    rows.append("|---|---|---:|---:|---:|")
    for recipe in RECIPES:
        cohort = read_cohort(given.probes / recipe.suite / "cohort.safetensors")
        models, labelled = _labelled(recipe, given.data)
        lines, counts = of_cohort(cohort, _placed(labelled, models, cohort))
        entries.append((cohort.name, cohort.sha256, lines))
        rows += [f"| {cohort.name} {count}" for count in counts]
    known = shipped()
    if known is not None:
        sets, taught = scored_sets(given.data, given.cache), taught_sets(given.data, given.cache)
        lines, counts = of_transferred(sets, taught)
        entries.append(("transferred", known.sha256, lines))
        rows += [f"| transferred {count}" for count in counts]
    document = {
        "command": "python -m studies.transferred.learned",
        "date": given.date,
        "lines": [
            {"name": name, "sha256": sha256, "calibration": lines.to_json()}
            for name, sha256, lines in entries
            if lines is not None
        ],
    }
    text = json.dumps(document, ensure_ascii=True, allow_nan=False, indent=1)
    write_text(given.probes / FILE, text + "\n")
    print("\n".join(rows))  # noqa: T201


if __name__ == "__main__":
    main()
