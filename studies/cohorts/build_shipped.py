"""Build the cohorts that come with the package: `python -m studies.cohorts.build_shipped DATA`.

DATA holds, for each of them, a table of outputs, one of models and one of labelled pairs. What is
written are numbers, hashes and the models' facts; no answer and no prompt.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.lineage.hypotheses import (
    Confidence,
    LabelledPair,
    best_confidence,
    read_pairs,
)
from forensics.cohorts.lineage.models import read_models
from forensics.cohorts.outputs import Outputs, read_outputs
from forensics.cohorts.pack_files import write_cohort
from forensics.evaluation.cohort_build import build
from forensics.suites.references import read_hashes
from forensics.suites.suite import Prompt
from forensics.support.files import write_text
from forensics.support.resources import data_folder


@dataclass(frozen=True)
class _Recipe:
    """One shipped cohort: its suite, its tables' common prefix, and where its answers are from.

    `category` is that of every prompt, for a suite whose list of prompts is written here too;
    without it the list is there already. `left_out` names models whose answers are, byte for byte,
    those of another listing of the same model.
    """

    suite: str
    prefix: str
    source: str
    licence: str
    independent: Confidence | Literal["best"]
    category: str = ""
    left_out: tuple[str, ...] = ()


RECIPES = (
    _Recipe(
        suite="alpaca-eval",
        prefix="alpaca_eval",
        source="outputs submitted to tatsu-lab/alpaca_eval, 2023 to 2024, one answer a prompt",
        licence="source CC-BY-NC-4.0; this file holds no text, only numbers derived from it",
        independent="high",
    ),
    _Recipe(
        suite="misguided-attention",
        prefix="modern/misguided_attention",
        source="cpldcpu/MisguidedAttention, models of late 2024 to mid-2025, 3 answers a prompt",
        licence="source CC0-1.0; this file holds no text, only numbers derived from it",
        independent="best",
        category="puzzle",
    ),
    _Recipe(
        suite="longform",
        prefix="modern/longform",
        source="EQ-bench/longform-writing-bench, models of 2024 to May 2025, one answer a step",
        licence="source MIT; this file holds no text, only numbers derived from it",
        independent="best",
        category="story step",
        left_out=("THUDM__GLM-4-32B-0414", "openrouter__quasar-alpha"),
    ),
    _Recipe(
        suite="slop-score",
        prefix="modern/slop_score",
        source="sam-paech/slop-score, models of mid-2024 to November 2025, one answer a prompt",
        licence="source MIT; this file holds no text, only numbers derived from it",
        independent="best",
        category="story",
    ),
    _Recipe(
        suite="farel",
        prefix="modern/farel",
        source="fairydreaming/farel-bench, models of 2023 to January 2025, one greedy answer a "
        "prompt, 30 models with and without one shared system prompt",
        licence="source MIT; this file holds no text, only numbers derived from it",
        independent="best",
        category="family quiz",
    ),
)


def build_shipped(recipe: _Recipe, data: Path, date: str, probes: Path) -> Cohort:
    """Build one cohort (and its list of prompts, where that is made here) into `probes`."""
    outputs, pairs = tables(recipe, data)
    folder = probes / recipe.suite
    if recipe.category:
        write_text(folder / "prompts.csv", _listed(outputs.prompts, recipe.category))
    provenance = {
        "source": recipe.source,
        "licence": recipe.licence,
        "command": "python -m studies.cohorts.build_shipped",
        "date": date,
        "unrelated_confidence": best_confidence(pairs),
    }
    known = {prompt.sha256: prompt for prompt in read_hashes(folder / "prompts.csv")}
    cohort = build(_renamed(outputs, known), pairs, recipe.suite, provenance=provenance)
    return write_cohort(folder / "cohort.safetensors", cohort)


def tables(recipe: _Recipe, data: Path) -> tuple[Outputs, tuple[LabelledPair, ...]]:
    """Read a recipe's answers and labelled pairs; without the models that it leaves out."""
    facts = read_models(data / f"{recipe.prefix}_models.csv")
    pairs = read_pairs(
        data / f"{recipe.prefix}_pairs.csv.gz", facts, independent=recipe.independent
    )
    outputs = read_outputs([data / f"{recipe.prefix}_outputs.parquet"], facts)
    kept = [i for i, model in enumerate(outputs.models) if model not in recipe.left_out]
    names = [outputs.models[i] for i in kept]
    return (
        replace(
            outputs,
            facts={name: outputs.facts[name] for name in names},
            texts=tuple(tuple(row[i] for i in kept) for row in outputs.texts),
        ),
        tuple(pair for pair in pairs if {pair.a, pair.b} <= set(names)),
    )


def _listed(prompts: Iterable[Prompt], category: str) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("id", "category", "sha256"))
    table.writerows(sorted((p.id, category, p.sha256) for p in prompts))
    return text.getvalue()


def _renamed(outputs: Outputs, known: Mapping[str, Prompt]) -> Outputs:
    """Give prompts the ids and categories that they have in the suite."""
    named = [known.get(prompt.sha256, prompt) for prompt in outputs.prompts]
    texts = [prompt.messages for prompt in outputs.prompts]
    return replace(
        outputs,
        prompts=tuple(replace(p, messages=t) for p, t in zip(named, texts, strict=True)),
    )


def main() -> None:
    """Build all shipped cohorts from the data folder named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="folder with the tables")
    parser.add_argument("--date", required=True, help="date to record, YYYY-MM-DD")
    parser.add_argument("--probes", type=Path, default=data_folder("probes"), help="where to write")
    parser.add_argument("--suite", action="append", help="build only this one (repeatable)")
    given = parser.parse_args()
    for recipe in RECIPES:
        if given.suite and recipe.suite not in given.suite:
            continue
        cohort = build_shipped(recipe, given.data, given.date, given.probes)
        print(f"{cohort.name}: {len(cohort.models)} models, sha256 {cohort.sha256}")  # noqa: T201


if __name__ == "__main__":
    main()
