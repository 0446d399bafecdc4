"""Writes the page on many models: `python -m studies.scale.page DATA --date DATE [--ray FILE…]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forensics.cohorts.finding import find_cohort
from forensics.support.files import write_text
from forensics.support.numbers import percent
from forensics.support.resources import data_folder
from studies.scale.pairs import AddedModel, AllPairs, added_model, all_pairs, makespan
from studies.scale.searching import NEAREST, Recall, Searched, recall, searched
from studies.scale.synthetic import drawn

COHORT = "alpaca-eval"
TABLE = "alpaca_eval_outputs.parquet"
PROMPTS = 100
PAIRS, RECALLED, SEARCHED = 10_000, 10_000, (10_000, 100_000)
QUERIES = 200
NODES = (1, 8, 64)
CORES = 2  # of a node, as here
NETWORK = 1e9  # bytes a second; assumed
MOST_OVERHEAD, MOST_SECONDS, LEAST_RECALL = 0.15, 0.05, 0.98


@dataclass(frozen=True)
class RayRun:
    """One run of the benchmark: median ratios, Ray over two processes."""

    clock: float
    processors: float


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with the reference data")
    parser.add_argument("--date", required=True)
    parser.add_argument("--ray", type=Path, nargs="*", default=[], help="files of the benchmark")
    given = parser.parse_args()
    cohort = find_cohort(COHORT)
    answers = _answers(given.data, PROMPTS)
    population = drawn(cohort, PAIRS, PROMPTS)
    pairs, one_more = all_pairs(population), added_model(population, answers)
    del population
    found = recall(cohort, RECALLED, PROMPTS, QUERIES)
    searches = [searched(cohort, models, PROMPTS, QUERIES) for models in SEARCHED]
    runs = [ray_run(path) for path in given.ray]
    lines = page(given.date, pairs, one_more, found, searches, runs)
    text = "\n".join(line.rstrip() for line in lines)
    write_text(data_folder("reports") / "SCALE.md", text + "\n")


def ray_run(path: Path) -> RayRun:
    """Read what the benchmark of Ray's overhead wrote (`--benchmark-json`)."""
    about = json.loads(path.read_text(encoding="utf-8"))["benchmarks"][0]["extra_info"]
    return RayRun(float(about["clock"]), float(about["processors"]))


def _answers(data: Path, count: int) -> list[str]:
    import pandas as pd

    table = pd.read_parquet(data / TABLE, columns=["model", "output"])
    first = table[table["model"] == sorted(table["model"].unique())[0]]
    return [str(text) for text in first["output"].head(count)]


def page(
    date: str,
    pairs: AllPairs,
    one_more: AddedModel,
    found: Recall,
    searches: Sequence[Searched],
    runs: Sequence[RayRun],
) -> Iterator[str]:
    """Yield the lines of the page.

    Args:
        date: to be printed.
        pairs: all pairs, measured on one processor.
        one_more: what one model more costs.
        found: how many of the nearest an index finds.
        searches: what indexes took.
        runs: of the benchmark of Ray.
    """
    yield "# Many models: what they cost, and what bounds it"
    yield ""
    yield f"Made by `make scale` on {date}, on a machine of {CORES} cores; a block uses one thread."
    yield "Models are synthetic: each has three parents among the "
    yield f"models of the cohort `{COHORT}`, with random weights, and gives to every prompt the "
    yield "answer of one of them. So answers are real ones, and every model has near and far "
    yield "neighbours. Asking models, which costs far more than all of this, is not counted."
    yield ""
    yield from _pairs(pairs)
    yield from _one_more(pairs, one_more)
    yield from _search(found, searches)
    yield from _ray(runs)


def _pairs(pairs: AllPairs) -> Iterator[str]:
    yield f"## All pairs of {pairs.models:,} models, {pairs.prompts} prompts"
    yield ""
    count = pairs.models * (pairs.models - 1) // 2
    yield f"{count:,} pairs, measured on one processor: {pairs.blocks + pairs.rest:.0f} s, of "
    yield f"which {sum(pairs.tiles):.0f} s in {len(pairs.tiles)} tiles of the square of models "
    yield f"(the longest {max(pairs.tiles):.1f} s), {sum(pairs.centring):.1f} s in "
    yield f"{len(pairs.centring)} blocks that subtract what all models say, "
    yield f"{sum(pairs.nearest):.1f} s in {len(pairs.nearest)} blocks that normalise, and "
    yield f"{pairs.rest:.1f} s in the process that puts them together."
    yield ""
    yield "For more machines the time is extrapolated from these blocks, handed out in order to "
    yield f"whoever is free: {CORES} cores a node, a network of {NETWORK / 1e9:.0f} GB/s "
    yield f"(assumed) out of one of them, over which {pairs.rows_bytes / 1e6:.0f} MB go to each "
    yield f"node and {pairs.result_bytes / 1e6:.0f} MB come back."
    yield ""
    yield "| nodes | blocks | transfer | putting together | in all | bounded by |"
    yield "|---|---|---|---|---|---|"
    for nodes in NODES:
        yield _node_row(pairs, nodes)
    yield ""
    yield f"There are {len(pairs.tiles)} tiles, so that more workers than these have nothing to "
    yield "do: smaller tiles would keep them busy, but putting together and transfer remain."
    yield ""


def _node_row(pairs: AllPairs, nodes: int) -> str:
    workers = CORES * nodes
    stages = (pairs.centring, pairs.tiles, pairs.nearest)
    blocks = sum(makespan(stage, workers) for stage in stages)
    sent = pairs.rows_bytes * (nodes - 1) + pairs.result_bytes * (nodes - 1) / nodes
    transfer = sent / NETWORK
    total = blocks + transfer + pairs.rest
    parts = {"blocks": blocks, "transfer": transfer, "putting together": pairs.rest}
    bound = max(parts, key=lambda name: parts[name])
    if bound == "blocks" and workers > len(pairs.tiles):
        bound = "the longest tile"
    return (
        f"| {nodes} | {blocks:.1f} s | {transfer:.1f} s | {pairs.rest:.1f} s | {total:.1f} s "
        f"| {bound} |"
    )


def _one_more(pairs: AllPairs, one_more: AddedModel) -> Iterator[str]:
    whole = one_more.sketched * pairs.models
    yield "## One model more"
    yield ""
    yield f"Sketching its {one_more.answers} answers takes {1000 * one_more.sketched:.0f} ms, and "
    yield f"its similarity to {pairs.models:,} models {one_more.compared:.2f} s of one processor, "
    yield "nothing of the other pairs being computed again. Sketching all of "
    yield f"{pairs.models:,} models at this rate takes {whole:.0f} s of one processor, "
    yield "in blocks that need nothing of each other."
    yield ""


def _search(found: Recall, searches: Sequence[Searched]) -> Iterator[str]:
    yield f"## The {NEAREST} nearest, by index"
    yield ""
    share = float(np.mean(found.shares))
    yield f"`forensics cohort nearest` finds {percent(share, 1)} of the {NEAREST} nearest of "
    yield f"{found.models:,} models by exact ranking (recall; n = {len(found.shares)} queries, the "
    yield f"worst {percent(min(found.shares))}); the goal is {percent(LEAST_RECALL)}: "
    yield f"{_met(share >= LEAST_RECALL)}. Similarities are exact for what it lists."
    yield ""
    yield "| models | index made | file | opened | a search: median | 95 of 100 within | n |"
    yield "|---|---|---|---|---|---|---|"
    for some in searches:
        median, most = np.quantile(some.searches, [0.5, 0.95])
        yield (
            f"| {some.models:,} | {some.made:.0f} s | {some.size / 1e6:,.0f} MB "
            f"| {some.loaded:.1f} s | {1000 * median:.0f} ms | {1000 * most:.0f} ms "
            f"| {len(some.searches)} |"
        )
    yield ""
    last = searches[-1]
    median = float(np.median(last.searches))
    yield f"The goal is {1000 * MOST_SECONDS:.0f} ms for {last.models:,} models: "
    yield f"{_met(median <= MOST_SECONDS)} (median). The search reads "
    yield "what it compares exactly from the file, which is fastest when it lies in memory."
    yield ""


def _ray(runs: Sequence[RayRun]) -> Iterator[str]:
    yield "## Ray against two processes"
    yield ""
    if not runs:
        yield "Not measured in this run."
        return
    yield "500 tiny subjects, examined by tasks on Ray and by the same two workers without it, in "
    yield "alternating blocks of 25, start-up excluded (`tests/benchmarks/test_fleet.py`). The "
    yield "ratio is the median over blocks."
    yield ""
    yield "| run | time more | processor time more |"
    yield "|---|---|---|"
    for number, run in enumerate(runs, 1):
        yield f"| {number} | {percent(run.clock - 1, 1)} | {percent(run.processors - 1, 1)} |"
    yield ""
    usual = float(np.median([run.clock for run in runs]))
    yield f"The goal is at most {percent(MOST_OVERHEAD)} more time: "
    yield f"{_met(usual - 1 <= MOST_OVERHEAD)}."


def _met(is_met: bool) -> str:
    return "met" if is_met else "not met"


if __name__ == "__main__":
    main()
