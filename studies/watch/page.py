"""Writes the page on watching an endpoint: `python -m studies.watch.page --date DATE`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

import numpy as np

from forensics.evidence.watching.watch_standing import WatchStanding
from forensics.support.files import write_text
from forensics.support.resources import data_folder
from studies.watch.answers import WATCHED, Table, read_table
from studies.watch.runs import LEVEL, SAMPLES, Scenario, watch

NULL_RUNS = 1_000
NULL_CALLS = 1_000
RUNS = 100
_NAMES = {
    "gemma3-270m": "Gemma 3 270M (another model)",
    "smollm2-pruned": "SmolLM2, a fifth of its weights pruned",
    "smollm2-noised": "SmolLM2 with noise",
    "smollm2-4bit": "SmolLM2, rounded to 4 bits once more",
}


def main() -> None:
    """Run the watches and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", required=True)
    table = read_table()
    write_text(data_folder("reports") / "WATCH.md", page(table, parser.parse_args().date))


def page(table: Table, date: str, null_runs: int = NULL_RUNS, runs: int = RUNS) -> str:
    """Return the page.

    Args:
        table: what every model answers.
        date: to be printed.
        null_runs: watches of an unchanged model, with and without a cache.
        runs: watches for each change.
    """
    lines = [
        "# Watching an endpoint: false alarms, and how soon another model is seen",
        "",
        f"Made by `make watch` on {date}. The watched model is SmolLM2-135M-Instruct; answers are "
        "one token at temperature 0.5, drawn from what the models themselves expect after the 40 "
        f"prompts of the suite `watch`. Every watch has a baseline of its own ({SAMPLES} draws a "
        f"prompt) and looks after every call; the level is {100 * LEVEL:g} %. The same path over "
        "HTTP, on fewer watches, is in the tests.",
        "",
        "## Nothing changed",
        "",
        "| host | watches | calls each | false alarms | 95 % interval |",
        "|---|---|---|---|---|",
        *_null_rows(table, null_runs),
        "",
        "Intervals are those of Clopper and Pearson. The cache keeps the first answer to each "
        "prompt for good.",
        "",
        "## Another model answers",
        "",
        f"{runs} watches each. *Found after* is the number of calls after the change, as a median "
        "with the middle 80 %. The share is that of calls which another model is said to answer, "
        "at least; *covered* says how often its 95 % interval held the true share.",
        "",
        "| who answers | which calls | found | found after | share | covered |",
        "|---|---|---|---|---|---|",
        *_change_rows(table, runs),
        "",
        "A share is computed as if the other model gave none of the watched model's usual "
        "answers. A copy of the watched model gives mostly those, so its share is "
        "underestimated, and the interval need not hold the true one.",
        "",
    ]
    return "\n".join(lines)


def _null_rows(table: Table, runs: int) -> Iterator[str]:
    same = table[WATCHED]
    for host, cached in (("as before", False), ("with a cache", True)):
        scenario = Scenario(WATCHED, 0.0, NULL_CALLS, cached=cached)
        ends = [watch(same, same, scenario, seed) for seed in range(runs)]
        wrong = sum(end.crossed is not None for end in ends)
        low, high = exact_interval(wrong, runs)
        between = f"{100 * low:.2f} % to {100 * high:.2f} %"
        yield f"| {host} | {runs:,} | {NULL_CALLS:,} | {wrong} | {between} |"


def _change_rows(table: Table, runs: int) -> Iterator[str]:
    for other, name in _NAMES.items():
        for scenario, which in (
            (Scenario(other, 1.0, 500), "all"),
            (Scenario(other, 1.0, 900, start=400), "all from call 401 on"),
            (Scenario(other, 0.2, 1_000), "a random 20 %"),
        ):
            ends = [watch(table[WATCHED], table[other], scenario, seed) for seed in range(runs)]
            yield f"| {name} | {which} | {_cells(ends, scenario)} |"


def _cells(ends: Sequence[WatchStanding], scenario: Scenario) -> str:
    found = [end.crossed - scenario.start for end in ends if end.crossed is not None]
    shares = [end.share for end in ends if end.share is not None]
    covered = sum(share.low <= scenario.share <= share.high for share in shares)
    return " | ".join(
        (
            f"{len(found)} of {len(ends)}",
            _after(found, len(ends)),
            f"{100 * np.median([share.estimate for share in shares]):.0f} %",
            f"{covered} of {len(shares)}",
        )
    )


def _after(found: Sequence[int], runs: int) -> str:
    if 2 * len(found) <= runs:
        return "–"
    waits = np.sort([*found, *[np.inf] * (runs - len(found))])
    low, middle, high = (float(waits[int(q * (runs - 1))]) for q in (0.1, 0.5, 0.9))
    last = "over" if np.isinf(high) else f"{high:.0f}"
    return f"{middle:.0f} ({low:.0f} to {last})"


def exact_interval(count: int, runs: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson (1934) for a share."""
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, count, runs - count + 1)) if count else 0.0
    high = float(beta.ppf(1 - tail, count + 1, runs - count)) if count < runs else 1.0
    return low, high


if __name__ == "__main__":
    main()
