"""Fit what may transfer, test it elsewhere, ship what held.

The command is `python -m studies.transferred.study DATA --date D`.

Lines over style, layout and openings are fitted on pairs of AlpacaEval at several numbers of
prompts, and tested (a) there with lineage clusters held out and (b) on other models, other prompts
and other tasks: Misguided Attention (models of 2025) and XSTest together, one answer a prompt. The
rule, fixed beforehand: a line ships only if in both tests Cllr is at most 0.8 and at most 2 % of
the unrelated pairs get a likelihood ratio above 10. No ratio is stronger than the clusters of the
other data sets allow.

`phrasing` and `lexicon` are measured beside them and stay out: what strangers share in words
depends on the prompts and on how many answers to each are averaged. `phrasing` passes with 32 and
64 prompts, but not with 16, nor with three answers a prompt of Misguided Attention (12 % false
alarms with 16 prompts, 2.4 % with 52; style, layout and openings: none).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forensics.cohorts.calibration import (
    CalibrationError,
    LogisticFusion,
    auc,
    cllr,
    cluster_bounds,
    cluster_weights,
    count_clusters,
    error_rate,
    pigeonhole_weights,
)
from forensics.cohorts.fitting import CLOSE_KIN, Calibration, Labelled
from forensics.cohorts.likeness import Flags, Floats
from forensics.cohorts.lineage.hypotheses import LabelledPair, read_pairs
from forensics.cohorts.lineage.models import ModelFacts, read_models
from forensics.cohorts.outputs import Outputs, arrange, read_outputs
from forensics.cohorts.population import traits_of
from forensics.cohorts.transferred import FEATURES, FILE, JUDGED, Transferred
from forensics.cohorts.validation import FOLDS
from forensics.evaluation.cohort_build import near_copies
from forensics.evaluation.reference_scores import comparator_scores, spread
from forensics.evidence import load_comparators
from forensics.suites.suite import Message, Prompt
from forensics.support.files import write_text
from forensics.support.resources import data_folder
from forensics.transcripts.transcript import Response

SIZES = (16, 32, 64)
MOST_CLLR = 0.8
MOST_FALSE = 0.02
ALSO = ("phrasing", "lexicon")  # measured, and not used
_FALSE = np.log(10.0)
_UNRELATED = 300
_REFITS = 100
_RIDGE = 0.1
# The models of XSTest (Röttger et al. 2024, section 4): two of them under two system prompts.
_XSTEST = {
    "gpt4": "gpt-4",
    "llama2new": "llama-2-70b-chat",
    "llama2orig": "llama-2-70b-chat",
    "mistralguard": "mistral-7b-instruct-v0.1",
    "mistralinstruct": "mistral-7b-instruct-v0.1",
}


@dataclass(frozen=True)
class Measured:
    """Pairs of one data set, and their scores by number of prompts, shape (pairs, comparators)."""

    labelled: Labelled
    scores: Mapping[int, Floats]

    @property
    def kin(self) -> Flags:
        """Flag the close kin, shape (pairs,)."""
        return self.labelled.are(*CLOSE_KIN)

    @property
    def strangers(self) -> Flags:
        """Flag the unrelated pairs, shape (pairs,)."""
        return self.labelled.are("independent")


def study(data: Path, date: str) -> Transferred:
    """Measure on a folder with the tables of AlpacaEval, Misguided Attention and XSTest."""
    fitted_on, pairs = _table(data, "alpaca_eval")
    copies = near_copies(fitted_on)
    trusted = [one for one in pairs if one.a not in copies and one.b not in copies]
    others = {"Misguided Attention": _table(data, "misguided_attention"), "XSTest": _xstest(data)}
    home = measured(fitted_on, trusted)
    away = {name: measured(*one) for name, one in others.items()}
    lengths = _lengths([fitted_on, *(one for one, _ in others.values())])
    provenance = {
        "fitted_on": "outputs submitted to tatsu-lab/alpaca_eval, 2023 to 2024",
        "tested_on": "cpldcpu/MisguidedAttention (2025) and XSTest (2023 to 2024)",
        "command": "python -m studies.transferred.study",
        "date": date,
    }
    return transferred(home, away, lengths, provenance)


def transferred(
    home: Measured,
    away: Mapping[str, Measured],
    lengths: tuple[float, float],
    provenance: Mapping[str, Any],
) -> Transferred:
    """Fit on one data set, test on others, keep the lines that pass the rule.

    Args:
        home: pairs to fit to.
        away: pairs to test on, by data set.
        lengths: range of the median answers' lengths, in characters.
        provenance: what else is to be known.
    """
    used = list(range(len(FEATURES)))
    rows = [_row(home, away, size, used, "+".join(FEATURES)) for size in home.scores]
    rows += [
        _row(home, away, size, [len(FEATURES) + i], name)
        for i, name in enumerate(ALSO)
        for size in home.scores
    ]
    kept = [row["prompts"] for row in rows[: len(home.scores)] if row["passed"]]
    lines = tuple((size, _bounded(home, away, size, used)) for size in kept)
    tested = _pooled(away)
    strangers = tested.strangers
    llrs = [line.llr(tested.scores[size][strangers][:, used]) for size, line in lines]
    return Transferred(
        Calibration(lines),
        _refits(home, kept, used),
        np.array(llrs).reshape(len(lines), int(strangers.sum())),
        tested.labelled.clusters[strangers].astype(np.float64),
        lengths,
        {"rows": rows},
        dict(provenance),
    )


def measured(outputs: Outputs, pairs: Sequence[LabelledPair], seed: int = 0) -> Measured:
    """Score close kin and unrelated pairs on the first sample, at the numbers of `SIZES`."""
    once = Outputs(
        outputs.facts,
        outputs.prompts,
        tuple(tuple(samples[:1] for samples in row) for row in outputs.texts),
    )
    every = once.labelled(pairs)
    kin = every.are(*CLOSE_KIN)
    labelled = every.where(kin | spread(every, every.are("independent"), _UNRELATED, seed))
    comparators = load_comparators(only=[*FEATURES, *ALSO])
    order = np.random.default_rng(seed).permutation(len(once.prompts))
    scores = {}
    for size in SIZES:
        used = once.on(np.sort(order[:size]))
        found = comparator_scores(comparators, used, labelled.pairs)
        scores[size] = np.column_stack([found[name] for name in (*FEATURES, *ALSO)])
    return Measured(labelled, scores)


def _pooled(away: Mapping[str, Measured]) -> Measured:
    """Put data sets together; clusters of different ones stay apart."""
    parts, clusters, first = list(away.values()), [], 0
    for one in parts:
        clusters.append(one.labelled.clusters + first)
        first = int(clusters[-1].max()) + 1
    labelled = Labelled(
        np.concatenate([one.labelled.pairs for one in parts]),
        tuple(name for one in parts for name in one.labelled.hypotheses),
        np.concatenate(clusters),
    )
    sizes = parts[0].scores
    return Measured(labelled, {s: np.concatenate([one.scores[s] for one in parts]) for s in sizes})


def _bounded(
    home: Measured, away: Mapping[str, Measured], size: int, used: list[int]
) -> LogisticFusion:
    line = _fit(home, size, used, np.ones(len(home.kin), dtype=bool))
    tested = _pooled(away)
    counts = [
        count_clusters(*tested.labelled.clusters[f].T) for f in (tested.kin, tested.strangers)
    ]
    return line.with_bounds(line.bounds.within(cluster_bounds(*counts)))


def _fit(
    one: Measured, size: int, used: list[int], keep: Flags, times: Floats | None = None
) -> LogisticFusion:
    scores = one.scores[size][:, used]
    keep = keep & np.isfinite(scores).all(axis=1)
    low, high = one.labelled.clusters[keep].T
    kin = one.kin[keep]
    weights = cluster_weights(low, high, kin) * (1.0 if times is None else times[keep])
    counts = (count_clusters(low[kin], high[kin]), count_clusters(low[~kin], high[~kin]))
    line = LogisticFusion.fit(
        scores[keep],
        kin,
        weights,
        names=[(*FEATURES, *ALSO)[i] for i in used],
        ridge=_RIDGE,
        monotone=True,
        clusters=counts,
    )
    return line.with_bounds(cluster_bounds(*counts))


def _row(
    home: Measured, away: Mapping[str, Measured], size: int, used: list[int], name: str
) -> dict[str, Any]:
    line = _bounded(home, away, size, used)
    tests = {JUDGED[0]: (home, _held_out(home, size, used, line))}
    for where, one in {**away, JUDGED[1]: _pooled(away)}.items():
        tests[where] = one, _llr(line, one.scores[size][:, used])
    found = {where: _rates(one, llr) for where, (one, llr) in tests.items()}
    judged = [found[where] for where in JUDGED]
    passed = all(r["cllr"] <= MOST_CLLR and r["false_above_10"] <= MOST_FALSE for r in judged)
    return {"scores": name, "prompts": size, "passed": passed, "tests": found}


def _llr(line: LogisticFusion, scores: Floats) -> Floats:
    known = np.isfinite(scores).all(axis=1)
    llr = np.full(len(scores), np.nan)
    llr[known] = line.llr(scores[known])
    return llr


def _held_out(one: Measured, size: int, used: list[int], whole: LogisticFusion) -> Floats:
    clusters = one.labelled.clusters
    folds = np.random.default_rng(0).integers(0, FOLDS, int(clusters.max()) + 1)
    fold = np.sort(folds[clusters], axis=1)
    llr = np.full(len(fold), np.nan)
    for first, second in np.unique(fold, axis=0):
        inside = (fold == (first, second)).all(axis=1)
        apart = np.asarray(~np.isin(fold, (first, second)).any(axis=1))
        line = _fit(one, size, used, apart).with_bounds(whole.bounds)
        llr[inside] = _llr(line, one.scores[size][inside][:, used])
    return llr


def _rates(one: Measured, llr: Floats) -> dict[str, Any]:
    """Return Cllr and rates, each pair of clusters counting once; NaN LLRs are left out."""
    known = np.isfinite(llr)
    kin, strangers = one.kin & known, one.strangers & known
    clusters = one.labelled.clusters
    weights = np.zeros(len(llr))
    for flags in (kin, strangers):
        weights[flags] = cluster_weights(*clusters[flags].T)
    wrong = strangers & (llr > _FALSE)
    trials = count_clusters(*clusters[strangers].T)
    errors = count_clusters(*clusters[wrong].T) if wrong.any() else 0
    return {
        "kin_pairs": int(kin.sum()),
        "kin_clusters": count_clusters(*clusters[kin].T),
        "unrelated_pairs": int(strangers.sum()),
        "clusters": trials,
        "auc": round(auc(llr[kin], llr[strangers], weights[kin], weights[strangers]), 4),
        "cllr": round(cllr(llr[kin], llr[strangers], weights[kin], weights[strangers]), 4),
        "false_above_10": round(float(weights[wrong].sum() / weights[strangers].sum()), 4),
        "clusters_in_error": errors,
        "cluster_rate_below": round(error_rate(errors, trials).upper, 4),
        "found_above_10": round(float(weights[kin & (llr > _FALSE)].sum() / weights[kin].sum()), 4),
    }


def _refits(home: Measured, sizes: Sequence[int], used: list[int]) -> Floats:
    """Fit the lines to clusters drawn with replacement: shape (lines, refits, 1 + features)."""
    if not sizes:
        return np.zeros((0, 0, 1 + len(used)))
    found: list[list[list[float]]] = []
    every = np.ones(len(home.kin), dtype=bool)
    low, high = home.labelled.clusters.T
    for times in pigeonhole_weights(low, high, 2 * _REFITS):
        try:
            found.append([_straight(_fit(home, s, used, every, times)) for s in sizes])
        except CalibrationError:  # no kin among the clusters drawn
            continue
        if len(found) == _REFITS:
            break
    return np.array(found).reshape(-1, len(sizes), 1 + len(used)).transpose(1, 0, 2)


def _straight(line: LogisticFusion) -> list[float]:
    slopes = np.array(line.coefficients) / np.array(line.scales)
    return [float(line.intercept - slopes @ np.array(line.means)), *slopes.tolist()]


def _lengths(tables: Sequence[Outputs]) -> tuple[float, float]:
    medians = [
        traits_of(one.facts[name], [text for row in one.texts for text in row[i]]).length
        for one in tables
        for i, name in enumerate(one.models)
    ]
    return min(medians), max(medians)


def _table(data: Path, prefix: str) -> tuple[Outputs, Sequence[LabelledPair]]:
    facts = read_models(data / f"{prefix}_models.csv")
    pairs = read_pairs(data / f"{prefix}_pairs.csv.gz", facts, independent="best")
    return read_outputs([data / f"{prefix}_outputs.parquet"], facts), pairs


def _xstest(data: Path) -> tuple[Outputs, Sequence[LabelledPair]]:
    import pandas as pd

    table = pd.read_parquet(data / "xstest_completions.parquet")
    answers: dict[str, list[Response]] = {name: [] for name in _XSTEST}
    for row in table.itertuples():
        prompt = Prompt(str(row.prompt_id), (Message("user", str(row.prompt)),))
        answers[str(row.model)].append(Response(prompt=prompt, text=str(row.completion)))
    facts = {name: ModelFacts(name, weights) for name, weights in _XSTEST.items()}
    names = list(_XSTEST)
    pairs = [
        LabelledPair(a, b, "same_model_other_setting", "high", "same_model")
        if _XSTEST[a] == _XSTEST[b]
        else LabelledPair(a, b, "unrelated", "high", "independent")
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    ]
    return arrange(facts, answers), pairs


def markdown(found: Transferred | None) -> str:
    """Return the section of the page of error rates on the transferred calibration."""
    if found is None:
        return "No line passed the rule: nothing is transferred to suites without a cohort.\n"
    return "\n".join(_page(found)) + "\n"


def _page(found: Transferred) -> Iterator[str]:
    yield (
        "| scores | prompts | measured on | kin pairs (clusters) | unrelated pairs (clusters) | "
        "AUC | Cllr | unrelated with LR > 10 | clusters in error (upper 95 %) | kin with LR > 10 |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for row in found.rates["rows"]:
        mark = "" if row["passed"] else " (failed)"
        for where, one in row["tests"].items():
            yield (
                f"| {row['scores'].replace('+', ', ')} | {row['prompts']}{mark} | {where} "
                f"| {one['kin_pairs']} ({one['kin_clusters']}) "
                f"| {one['unrelated_pairs']} ({one['clusters']}) | {one['auc']:.3f} "
                f"| {one['cllr']:.3f} | {one['false_above_10']:.1%} "
                f"| {one['clusters_in_error']} of {one['clusters']} "
                f"(< {one['cluster_rate_below']:.0%}) | {one['found_above_10']:.0%} |"
            )


def main() -> None:
    """Write `probes/transferred.json` and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="folder with the tables")
    parser.add_argument("--date", required=True, help="date to record, YYYY-MM-DD")
    parser.add_argument("--probes", type=Path, default=data_folder("probes"), help="where to write")
    given = parser.parse_args()
    found = study(given.data, given.date)
    text = json.dumps(found.to_json(), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    write_text(given.probes / FILE, text + "\n")
    print(markdown(found))  # noqa: T201


if __name__ == "__main__":
    main()
