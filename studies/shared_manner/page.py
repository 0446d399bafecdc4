"""Writes the page on shared manner: `python -m studies.shared_manner.page DATA --date DATE`.

DATA holds AlpacaEval's tables and the folder `modern`. It also writes `probes/one-model.json`, the
near relatives that the test of one model is known to tell apart, for prompts without a cohort.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forensics.cohorts.lineage.models import clusters
from forensics.evidence.features.matched_prompts import Floats
from forensics.evidence.text.shared_manner.elsewhere import FILE
from forensics.support.files import write_text
from forensics.support.resources import data_folder
from studies.shared_manner.asked import asked_section
from studies.shared_manner.designs import Design, designs
from studies.shared_manner.measure import (
    PairResult,
    Quantiles,
    Tested,
    clusters_of,
    foils,
    quantiles,
    results,
)
from studies.shared_manner.representations import CHOSEN_ON, View, views
from studies.shared_manner.tables import PUZZLES, SOURCES, Answers, centred_once, read, read_once

_READINGS = {"one_model": "one model", "another_manner": "another manner", "undecided": "undecided"}
_MIN_HOSTS = 3  # pairs of one model below which they are no unit
_UNRELATED = "different developers, no documented link"


@dataclass(frozen=True)
class Once:
    """A set of one answer a prompt: unrelated pairs in units of one model at two hosts."""

    genre: str
    confidence: str
    unrelated: Quantiles
    floor: float | None
    floors: int
    values: Floats


def once(data: Path) -> list[Once]:
    """Measure the sets whose models were asked once: their floor is borrowed, or unknown."""
    found = []
    for source in SOURCES[1:]:
        outputs, pairs, confidence = read_once(source, data)
        cosines = centred_once(outputs)
        place = {model: number for number, model in enumerate(outputs.models)}
        hosts = [
            cosines[place[p.a], place[p.b]]
            for p in pairs
            if p.relation == "same_model_other_setting" and _another_host(outputs.facts, p.a, p.b)
        ]
        floor = float(np.median(hosts)) if len(hosts) >= _MIN_HOSTS else None
        apart = [(p.a, p.b) for p in pairs if p.hypothesis == "independent"]
        values = np.array([cosines[place[a], place[b]] for a, b in apart]) / (floor or 1.0)
        known = quantiles(values, apart, clusters(outputs.facts))
        found.append(Once(source.genre, confidence, known, floor, len(hosts), values))
    return found


def _another_host(facts: object, a: str, b: str) -> bool:
    """Tell whether two listings differ in nothing but host, run or precision."""
    settings = {facts[model].setting for model in (a, b)}  # type: ignore[index]
    return settings <= {"", "another host", "free host", "another run", "8-bit"}


def page(
    answers: Answers,
    found: Sequence[PairResult],
    others: Sequence[Once],
    asked: Sequence[Design],
    seen: Sequence[View],
    date: str,
    folder: Path | None = None,
) -> str:
    """Return the page as Markdown."""
    return "\n".join(
        [
            *_head(answers, date),
            *_unrelated(answers, found, others),
            *_same(found),
            *_foils(found),
            *_false(found, answers),
            *_asking(asked),
            *(asked_section(folder) if folder else ()),
            *_views(seen),
            *_limits(),
        ]
    )


def _head(answers: Answers, date: str) -> Iterator[str]:
    yield "# Shared manner: error rates"
    yield ""
    yield (
        f"Made on {date} by `python -m studies.shared_manner.page`. Shared manner is what the "
        "answers of two models have in common, as a share of what each has in common with its "
        "own answers when it is asked again: 0 % is as similar as unrelated models of the time, "
        "100 % is one model. Nothing is fitted. The margin of the test of one model, 80 % to 125 "
        "%, is a convention; the suites' datasheets say why. The margin without a cohort, 90 % "
        "to 111 %, follows from what unrelated models share on these very puzzles, so its "
        "figures here are not independent of it."
    )
    yield ""
    reference = answers.reference
    yield (
        f"Repeated answers of current models are public for one set only: {len(reference.models)} "
        f"models, {len(reference.prompts)} altered puzzles, three answers each. All figures of "
        "the test rest on it. Intervals come from resampling prompts for a pair, and from "
        "resampling lineage clusters (models that descend from one another) for quantiles over "
        "pairs."
    )
    yield ""


def _unrelated(
    answers: Answers, found: Sequence[PairResult], others: Sequence[Once]
) -> Iterator[str]:
    apart = [one for one in found if one.kind == "unrelated"]
    names = [(one.pair.a, one.pair.b) for one in apart]
    centred = quantiles(np.array([one.centred.share for one in apart]), names, clusters_of(answers))
    uncentred = quantiles(np.array([one.plain.share for one in apart]), names, clusters_of(answers))
    yield "## What unrelated models share"
    yield ""
    yield (
        f"Unrelated: {_UNRELATED} (confidence in the table: the highest that the set has). "
        "Figures are per cent of one model's own manner. For sets whose models were asked once, "
        "the unit is the median of models that are listed twice, at two hosts or in two "
        "precisions."
    )
    yield ""
    yield "| genre | centred on | confidence | models (clusters) | pairs | median | 95 % | 99 % |"
    yield "|---|---|---|---:|---:|---|---|---|"
    genre = PUZZLES.genre
    yield _quantile_row(genre, "the other models", answers.confidence, centred)
    yield _quantile_row(genre, "other prompts only", answers.confidence, uncentred)
    for one in others:
        if one.floor is None:
            continue
        title = f"{one.genre} (unit from {one.floors} pairs)"
        yield _quantile_row(title, "the other models", one.confidence, one.unrelated)
    yield ""
    missing = [one.genre for one in others if one.floor is None]
    yield f"The unit is not known for {', '.join(missing)}: no model was listed there often enough."
    yield ""
    limit = centred.values[1][0]
    for one in others:
        if one.floor is not None:
            above = (one.values > limit).mean()
            yield (
                f"The limit of one set does not hold for another: {_cent(float(above))} of "
                f"unrelated pairs on {one.genre} share more than the {_cent(limit)} that 95 % of "
                f"them stay below on {genre}. Reports judge a pair by unrelated pairs on the same "
                "prompts only, and say where there are none."
            )
            yield ""


def _quantile_row(genre: str, centring: str, confidence: str, known: Quantiles) -> str:
    cells = [f"{_cent(at)} [{_cent(low)}, {_cent(high)}]" for at, low, high in known.values]
    return (
        f"| {genre} | {centring} | {confidence} | {known.models} ({known.clusters}) | "
        f"{known.pairs:,} | {' | '.join(cells)} |"
    )


def _same(found: Sequence[PairResult]) -> Iterator[str]:
    same = sorted((o for o in found if o.kind == "same"), key=lambda one: -one.centred.share)
    yield "## One model in two settings"
    yield ""
    yield f"All {len(same)} pairs of the same weights. " + (
        "A model has one manner when it thinks before it answers and another when it does not: "
        "the test reads those pairs as *another manner*, which is why that reading never means "
        "other weights."
    )
    yield ""
    yield from _pair_table(same)


def _foils(found: Sequence[PairResult]) -> Iterator[str]:
    near = foils(found)
    told = sum(one.centred.reading == "another_manner" for one in near)
    told_plain = sum(one.plain.reading == "another_manner" for one in near)
    yield "## Foils: the nearest relative of each model that is another model"
    yield ""
    yield (
        f"Told from one model: {told} of {len(near)}, and {told_plain} of {len(near)} without a "
        "cohort. The two pairs that are read as one model are a preview and its release, and a "
        "model served under another name that was announced as an early form of the other."
    )
    yield ""
    yield from _pair_table(near)


def _pair_table(rows: Sequence[PairResult]) -> Iterator[str]:
    yield "| pair | shared manner | reading | without a cohort | reading |"
    yield "|---|---|---|---|---|"
    for one in rows:
        yield (
            f"| {one.pair.a} · {one.pair.b} | {_tested(one.centred)} | "
            f"{_READINGS[one.centred.reading]} | {_tested(one.plain)} | "
            f"{_READINGS[one.plain.reading]} |"
        )
    yield ""


def _tested(one: Tested) -> str:
    return f"{_cent(one.share)} [{_cent(one.low)}, {_cent(one.high)}]"


def _false(found: Sequence[PairResult], answers: Answers) -> Iterator[str]:
    yield "## False readings of one model"
    yield ""
    yield "| pairs | n (clusters) | read as one model | without a cohort |"
    yield "|---|---:|---:|---:|"
    numbers = clusters_of(answers)
    for kind, title in (
        ("unrelated", f"unrelated: {_UNRELATED}"),
        ("relatives", "one developer's family, or one descent, other weights"),
        ("other", "all others (teachers, shared bases, undisclosed)"),
    ):
        some = [one for one in found if one.kind == kind]
        involved = {numbers[m] for one in some for m in (one.pair.a, one.pair.b)}
        wrong = sum(one.centred.reading == "one_model" for one in some)
        plain = sum(one.plain.reading == "one_model" for one in some)
        yield f"| {title} | {len(some):,} ({len(involved)}) | {wrong} | {plain} |"
        if kind == "unrelated":
            limit = 1 - 0.05 ** (1 / len(involved))
    yield ""
    yield (
        f"With no cluster in error, the rate among unrelated models lies below {100 * limit:.1f} "
        "% of clusters (one-sided 95 %, Clopper and Pearson 1934); pairs share models, so they "
        "bound the rate less."
    )
    yield ""


def _asking(asked: Sequence[Design]) -> Iterator[str]:
    yield "## Ways of asking"
    yield ""
    yield (
        "The same answers with some left out: 20 draws of prompts each. *One* is how often the "
        "three pairs of one model in one mode are read as one model, *apart* how often foils "
        "(near relatives that are other models) are told apart, *taken* how often a foil is read "
        "as one model (the preview among them), *error* the root mean square difference from all "
        "prompts asked three times, in percentage points."
    )
    yield ""
    yield "| prompts × answers | calls | centred on | one | apart | taken | error |"
    yield "|---|---:|---|---:|---:|---:|---:|"
    for one in asked:
        centring = "the other models" if one.centring == "cohort" else "other prompts only"
        yield (
            f"| {one.prompts} × {one.samples} | {one.prompts * one.samples} | {centring} | "
            f"{_cent(one.one)} | {_cent(one.apart)} | {_cent(one.taken)} | {one.error:.1f} |"
        )
    yield ""
    yield (
        "At 48 calls, three answers to 16 prompts show one model more often than two answers to "
        "24; at 96 calls, both do about equally well. Three answers also leave a prompt usable "
        "if one of them fails or is empty. Sixteen prompts give shared manner within a few "
        "points, but too seldom show one model or tell a foil apart. **Recommended: 64 prompts, "
        "three answers each, temperature 0.7**: 192 calls, fewer than for 202 prompts asked once."
    )
    yield ""


def _views(seen: Sequence[View]) -> Iterator[str]:
    genres = [source.genre for source in CHOSEN_ON]
    yield "## What of an answer is compared"
    yield ""
    yield (
        "This was chosen on sets that the figures above do not come from. Area under the ROC "
        "curve of close relatives (same weights, descent) against unrelated pairs, after "
        "centring; 40 prompts."
    )
    yield ""
    kin = seen[0].kin if seen else ()
    heads = [f"{genre} ({n} related pairs)" for genre, n in zip(genres, kin, strict=True)]
    yield f"| view | {' | '.join(heads)} |"
    yield "|---|" + "---:|" * len(genres)
    for view in seen:
        areas = ["–" if not np.isfinite(area) else f"{area:.3f}" for area in view.areas]
        yield f"| {view.name} | {' | '.join(areas)} |"
    yield ""
    yield (
        "Openings alone and skeletons rank relatives about as well as four characters of the "
        "first 1,500, and slightly better on sets with few related pairs. No view is better by "
        "more than those few pairs can show, and cohorts keep the first 1,500 characters anyway, "
        "so only these are used. Reasoning in its own delimiters is split off before anything is "
        "compared."
    )
    yield ""


def _limits() -> Iterator[str]:
    yield "## Where these figures do not apply"
    yield ""
    yield (
        "- One genre: the test was measured on puzzles. Stories, refusals and other languages have "
        "no repeated public answers with known lineage."
    )
    yield (
        "- Another mode of answering (thinking, a system prompt, another language) is another "
        "manner: *another manner* says nothing about weights."
    )
    yield (
        "- Unrelated means that no link is documented, at medium confidence for models of 2025. "
        "Pairs that share an undisclosed teacher may be among them, so limits are upper limits."
    )
    yield (
        "- Two listings of one proxy, cache or alias are one model for this test: it cannot tell "
        "who answers behind a name."
    )
    yield (
        "- Without a cohort, what unrelated models share depends on the prompts (median 62 % on "
        "puzzles): only *one model* is read from it, and the foils are those of other prompts."
    )
    yield ""


def _cent(value: float) -> str:
    return f"{100 * value:.0f} %".replace("-", "−")


def foils_file(found: Sequence[PairResult], answers: Answers, date: str) -> str:
    """Return the foils without a cohort as the file that is shipped."""
    rows = [
        {
            "a": one.pair.a,
            "b": one.pair.b,
            "share": round(one.plain.share, 4),
            "low": round(one.plain.test[0], 4),
            "high": round(one.plain.test[1], 4),
            "apart": one.plain.reading == "another_manner",
        }
        for one in foils(found)
    ]
    content = {
        "source": "misguided-attention",
        "prompts": len(answers.reference.prompts),
        "samples": 3,
        "provenance": {
            "answers": "cpldcpu/MisguidedAttention, CC0-1.0",
            "command": "python -m studies.shared_manner.page",
            "date": date,
        },
        "foils": sorted(rows, key=lambda row: (str(row["a"]), str(row["b"]))),
    }
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


def main() -> None:
    """Write the page and the foils."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="folder with the tables")
    parser.add_argument("--date", required=True, help="date to record, YYYY-MM-DD")
    parser.add_argument(
        "--asked", type=Path, required=True, help="folder with transcripts, see `asked`"
    )
    given = parser.parse_args()
    if not any(given.asked.glob("*.jsonl")):
        parser.error(
            f"{given.asked} holds no transcripts of embedded models, on which a section of the "
            "page rests; make them with the commands of studies/shared_manner/asked.py, or name "
            "another folder (make shared-manner ASKED=FOLDER)"
        )
    answers = read(PUZZLES, given.data)
    found = results(answers)
    near = [(one.pair.a, one.pair.b) for one in foils(found)]
    text = page(
        answers,
        found,
        once(given.data),
        designs(given.data, near),
        views(given.data),
        given.date,
        given.asked,
    )
    write_text(data_folder("reports") / "SHARED-MANNER.md", text)
    write_text(data_folder("probes") / FILE, foils_file(found, answers, given.date))


if __name__ == "__main__":
    main()
