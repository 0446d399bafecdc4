"""Fit what transfers to other prompts, judge it by sets left out, ship it.

The command is `python -m studies.transferred.study DATA --date D`.

Lines over openings, wording, layout and length are fitted on pairs of six sets of prompts and
models together, and judged by leaving out a set *and* all clusters of the pair from the others.
Unrelated pairs are those of a set's best confidence; one answer a prompt counts.

What was tried on the same sets and left out (pooled Cllr with a set left out, at most 128 prompts,
pairs asked alike; in the same trial .45 for what ships): writing style beside these (.46 to .60),
the similarity of habits across prompts over each model's own (.48 to .56: it takes the era of
AlpacaEval for kinship, 12 % false alarms), distances of whole profiles (.57 to .60), correlation of
answers' lengths (no change), character sequences (.45 to .62), how varied a model's own answers are
in place of their length (.49 to .72), scores of wording without length (.60), long answers cut to
6,000 characters (no change). A line for pairs asked under different system prompts, with a level of
its own, gave 26 % false alarms; those get no ratio below 1 instead. About ninety combinations were
looked at, so the figures are somewhat better than on sets never seen.

Later 35 changes of the fit were compared inside the training sets only (for each set left out, a
further set left out of the other five, with the clusters of its pairs, the first set being absent
but not its clusters; 128 prompts, mean Cllr of the six trials, .550 for what ships): a ridge of .03
to .5 (.515 to .532), 4 and 12 (.61, .70), freer and tighter levels of sets (.559, .550), no and a
threefold draw towards 0 (.549, .552), slopes of their own for each set (.556 to .574), sets
weighted by the root of their clusters or equally (.542, .539), the difference of lengths, the
shorter length, wording by length, the weaker of openings and wording (.539 to .554), no length, no
layout (.631, .571), and fifteen combinations of these (.508 to .546). Three selections were then
read on the sets left out, .517 and .8 % of unrelated pairs above 10 for what ships: for each set
the change with the least inner Cllr, .514 and 4.4 %; the least among those with no more inner false
alarms than what ships, .530 and 1.3 %; the best mean of all six trials (a ridge of .3, slopes of
their own, sets equal; not nested, as every set had a say), .472 and 2.0 %. Each has more false
alarms, so none was taken.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case.evidence import ReferenceScores
from forensics.cohorts.calibration import (
    CalibrationError,
    LogisticFusion,
    auc,
    bootstrap_over_clusters,
    cllr,
    cllr_min,
    cluster_weights,
    count_clusters,
    error_rate,
)
from forensics.cohorts.fitting import Calibration
from forensics.cohorts.similarity import Flags, Floats
from forensics.cohorts.transferred import FILE, JUDGED, Transferred
from forensics.support.files import write_text
from forensics.support.resources import data_folder
from studies.transferred.fitting import fit_line, refits
from studies.transferred.kinds import reference_of
from studies.transferred.page import markdown
from studies.transferred.tables import SIZES, SetScores, scored_sets

_FALSE = np.log(10.0)
_RESAMPLES = 300
_RANGE = (0.02, 0.98)  # of the models' median answers
_MISSED = 0.0  # a natural LLR that speaks against known kin


@dataclass(frozen=True)
class Pooled:
    """Pairs of all sets at one number of prompts; arrays by pair."""

    values: Floats
    kin: Flags
    sets: NDArray[np.intp]
    clusters: NDArray[np.intp]
    other: Flags
    shared: Flags

    def where(self, keep: Flags) -> Pooled:
        """Return some of the pairs."""
        return Pooled(
            self.values[keep],
            self.kin[keep],
            self.sets[keep],
            self.clusters[keep],
            self.other[keep],
            self.shared[keep],
        )

    @property
    def fitted(self) -> Flags:
        """Flag the pairs that lines are fitted to: asked alike, and scored."""
        return ~self.other & np.isfinite(self.values).all(axis=1)


def study(
    sets: Sequence[SetScores], reference: Mapping[str, ReferenceScores], date: str
) -> Transferred:
    """Fit on all sets, judge on each by lines that saw neither it nor the pair's clusters."""
    lengths = _range(sets)
    pools = {size: pooled(sets, size, lengths) for size in SIZES}
    lines = tuple((size, _fit(pool)) for size, pool in pools.items())
    held_out = {size: left_out(sets, size) for size in SIZES}
    first = pools[SIZES[0]]
    unrelated = ~first.kin & np.all([p.fitted for p in pools.values()], axis=0)
    fitted = np.all([p.fitted for p in pools.values()], axis=0)
    several = [pool.where(fitted) for pool in pools.values()]
    released = [date for one in sets for date in one.released if date]
    return Transferred(
        Calibration(lines),
        refits([p.values for p in several], several[0].kin, several[0].sets, several[0].clusters),
        np.array([held_out[size][unrelated] for size in SIZES]),
        first.clusters[unrelated].astype(np.float64),
        lengths,
        {"rows": [_row(sets, pools[size], held_out[size], size) for size in SIZES]},
        {
            "fitted_on": ", ".join(one.name for one in sets),
            "models": sum(len(one.released) for one in sets),
            "command": "python -m studies.transferred.study",
            "date": date,
        },
        {one.name: _without(i, pools) for i, one in enumerate(sets)},
        (min(released), max(released)),
        reference,
    )


def pooled(sets: Sequence[SetScores], size: int, lengths: tuple[float, float]) -> Pooled:
    """Put sets together; lengths are cut to the longest."""
    return Pooled(
        np.concatenate([one.numbers(size, lengths[1]) for one in sets]),
        np.concatenate([one.kin for one in sets]),
        np.concatenate([np.full(len(one.kin), i) for i, one in enumerate(sets)]).astype(np.intp),
        np.concatenate([one.clusters for one in sets]),
        np.concatenate([one.other for one in sets]),
        np.concatenate([one.shared for one in sets]),
    )


def _range(sets: Sequence[SetScores]) -> tuple[float, float]:
    every = np.concatenate([one.lengths[max(one.lengths)].reshape(-1) for one in sets])
    low, high = np.quantile(every, _RANGE)
    return float(round(low)), float(round(high))


def _fit(pool: Pooled) -> LogisticFusion:
    used = pool.where(pool.fitted)
    return fit_line(used.values, used.kin, used.sets, used.clusters)


def _without(number: int, pools: Mapping[int, Pooled]) -> Calibration:
    others = {size: pool.where(np.asarray(pool.sets != number)) for size, pool in pools.items()}
    return Calibration(tuple((size, _fit(pool)) for size, pool in others.items()))


def left_out(sets: Sequence[SetScores], size: int) -> Floats:
    """Return LLRs by lines that saw neither a pair's set nor its clusters: shape (pairs,).

    The range of lengths is that of the other sets. NaN where there is no score.
    """
    llr = []
    for number, one in enumerate(sets):
        others = [other for i, other in enumerate(sets) if i != number]
        lengths = _range(others)
        train = pooled(others, size, lengths)
        train = train.where(train.fitted)
        values = one.numbers(size, lengths[1])
        llr.append(_judged(one, values, train))
    return np.concatenate(llr)


def taught_left_out(sets: Sequence[SetScores], taught: Sequence[SetScores], size: int) -> Floats:
    """Return LLRs of students by lines that saw neither their set nor their clusters: (pairs,).

    Args:
        sets: what lines are fitted to.
        taught: pairs of which one learned from the other, of the same sets in the same order.
        size: number of prompts.
    """
    llr = []
    for number, students in enumerate(taught):
        others = [other for i, other in enumerate(sets) if i != number]
        lengths = _range(others)
        train = pooled(others, size, lengths)
        llr.append(_judged(students, students.numbers(size, lengths[1]), train.where(train.fitted)))
    return np.concatenate(llr)


def _judged(one: SetScores, values: Floats, train: Pooled) -> Floats:
    known = np.isfinite(values).all(axis=1)
    llr = np.full(len(values), np.nan)
    shared = np.isin(one.clusters, train.clusters)
    groups: dict[tuple[int, ...], list[int]] = {}
    for i in np.flatnonzero(known).tolist():
        groups.setdefault(tuple(sorted(set(one.clusters[i][shared[i]].tolist()))), []).append(i)
    for own, rows in groups.items():
        apart = train.where(np.asarray(~np.isin(train.clusters, own).any(axis=1)))
        line = fit_line(apart.values, apart.kin, apart.sets, apart.clusters)
        llr[rows] = line.llr(values[rows])
    return np.where(one.other, np.maximum(llr, 0.0), llr)


def _row(sets: Sequence[SetScores], pool: Pooled, llr: Floats, size: int) -> dict[str, Any]:
    alike = ~pool.other
    tests = {JUDGED[0]: rates(pool, llr)}
    tests["pairs asked alike"] = rates(pool.where(alike), llr[alike])
    for number, one in enumerate(sets):
        inside = np.asarray(pool.sets == number)
        tests[one.name] = rates(pool.where(inside), llr[inside])
    by_set = {one.name: tests[one.name]["cllr"] for one in sets}
    names = [(one.name, *names) for one in sets for names in one.names]
    missed = np.flatnonzero(pool.kin & (llr < _MISSED))
    under_one = pool.shared & ~pool.kin & np.isfinite(llr)
    return {
        "prompts": size,
        "tests": tests,
        "worst_set": max(by_set, key=lambda name: by_set[name] or 0.0),
        "missed": [" · ".join(names[i]) for i in missed[np.argsort(llr[missed])]],
        "one_system_prompt": {
            "unrelated_pairs": int(under_one.sum()),
            "above_10": int((llr[under_one] > _FALSE).sum()),
        },
    }


def rates(pool: Pooled, llr: Floats) -> dict[str, Any]:
    """Return Cllr and rates, pooled over pairs and with each pair of clusters counting once.

    A pair without a score counts as an LR of 1, that is as an abstention.
    """
    abstained = ~np.isfinite(llr)
    llr = np.where(abstained, 0.0, llr)
    kin, unrelated = pool.kin, ~pool.kin
    low, high = pool.clusters.T
    weights = cluster_weights(low, high, kin)
    in_error = unrelated & (llr > _FALSE)
    trials = count_clusters(low[unrelated], high[unrelated])
    errors = count_clusters(low[in_error], high[in_error]) if in_error.any() else 0
    equal = np.ones(len(llr))

    def cost(of: Floats) -> float:
        return cllr(llr[kin], llr[unrelated], of[kin], of[unrelated])

    def false(of: Floats) -> float:
        return float(of[in_error].sum() / of[unrelated].sum()) if of[unrelated].sum() else np.nan

    return {
        "kin_pairs": int(kin.sum()),
        "kin_clusters": count_clusters(low[kin], high[kin]),
        "unrelated_pairs": int(unrelated.sum()),
        "clusters": trials,
        "auc": round(auc(llr[kin], llr[unrelated], equal[kin], equal[unrelated]), 4),
        "cllr": round(cost(equal), 4),
        "cllr_interval": _interval(cost, low, high, equal),
        "cllr_min": round(cllr_min(llr[kin], llr[unrelated]), 4),
        "cllr_by_cluster": round(cost(weights), 4),
        "cllr_by_cluster_interval": _interval(cost, low, high, weights),
        "false_above_10": round(false(equal), 4),
        "false_interval": _interval(false, low, high, equal),
        "false_by_cluster": round(false(weights), 4),
        "clusters_in_error": errors,
        "cluster_rate_below": round(error_rate(errors, trials).upper, 4),
        "found_above_10": round(float((llr[kin] > _FALSE).mean()), 4),
        "abstained": round(float(abstained.mean()), 4),
    }


def _interval(
    statistic: Any, low: NDArray[np.intp], high: NDArray[np.intp], weights: Floats
) -> list[float] | None:
    try:
        found = bootstrap_over_clusters(statistic, low, high, weights, n_resamples=_RESAMPLES)
    except CalibrationError:
        return None
    if found.low is None or found.high is None:
        return None
    return [round(found.low, 4), round(found.high, 4)]


def main() -> None:
    """Write `probes/transferred.json` and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="folder with the tables")
    parser.add_argument("--date", required=True, help="date to record, YYYY-MM-DD")
    parser.add_argument("--probes", type=Path, default=data_folder("probes"), help="where to write")
    parser.add_argument("--cache", type=Path, help="folder that keeps scores between runs")
    given = parser.parse_args()
    sets = scored_sets(given.data, given.cache)
    found = study(sets, reference_of(given.data, given.cache), given.date)
    text = json.dumps(found.to_json(), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    write_text(given.probes / FILE, text + "\n")
    print(markdown(found))  # noqa: T201


if __name__ == "__main__":
    main()
