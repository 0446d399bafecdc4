"""Writes the page on shift: `python -m studies.shift.page DATA --date DATE`.

DATA holds AlpacaEval's tables and the folder `modern`. The tables of steps are written anew first.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forensics.case.details.shift import ShiftDetails
from forensics.cohorts.calibration import error_rate
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort
from forensics.cohorts.lineage.models import clusters, read_models
from forensics.cohorts.outputs import Outputs, read_outputs
from forensics.evaluation.step_rates import KnownStep, null_margins, read_steps, step_rates
from forensics.support.files import write_text
from forensics.support.resources import data_folder
from studies.shift import confirmed_page, tried_page
from studies.shift.measure import Pointed, pointed, shift_towards, undisclosed_releases
from studies.shift.steps import SETS, table_of, write_tables

PUZZLES = "modern/misguided_attention"
EVERYDAY = "alpaca_eval"
_MARGIN = 3.5
_DOCUMENTED = (
    ("DeepHermes-3-Mistral-24B-Pre", ("mistral-small-3",), "deepseek-r1", "student"),
    ("ll3.3-nemotron-49b-v1-thk", ("llama-3.3-70b-instruct",), "deepseek-r1", "student"),
    ("deepseek-r1-distill-llama-70b", ("llama-3.3-70b-instruct",), "deepseek-r1", "student"),
    ("optimus-alpha", ("gpt-4o-2024-11-20",), "gpt-4.1", "one model's earlier version"),
    ("claude-sonnet-4", ("claude-3.7-sonnet",), "deepseek-r1", "no link is documented"),
)


def page(data: Path, date: str) -> str:
    """Return the page."""
    cohort = find_cohort("misguided-attention")
    facts = read_models(data / f"{PUZZLES}_models.csv")
    sets = {name: _read(data, name) for name in SETS}
    steps = sets[PUZZLES][1]
    nulls = pointed(cohort, [step for step in steps if not step.teacher])
    hidden = pointed(cohort, undisclosed_releases(facts))
    parts = [
        _HEAD.format(date=date),
        _null_section(cohort, nulls, hidden),
        _documented_section(cohort),
        _once_section(sets),
        "\n".join(tried_page.section(sets, EVERYDAY, PUZZLES, cohort, _students())),
        "\n".join(confirmed_page.section(sets, EVERYDAY, _genres(data))),
        _TAIL,
    ]
    return "\n".join(parts)


Sets = Mapping[str, tuple[Outputs, Sequence[KnownStep]]]


def _read(data: Path, name: str) -> tuple[Outputs, list[KnownStep]]:
    facts = read_models(data / f"{name}_models.csv")
    outputs = read_outputs([data / f"{name}_outputs.parquet"], facts)
    return outputs, read_steps(table_of(name), facts)


def _genres(data: Path) -> dict[str, str]:
    """Return which collection each everyday instruction comes from, by prompt id."""
    with (data / "alpaca_eval_prompts.csv").open(encoding="utf-8", newline="") as file:
        return {row["prompt_id"]: row["subset"] for row in csv.DictReader(file)}


def _students() -> list[tuple[KnownStep, str]]:
    return [
        (KnownStep(model, bases, ""), known)
        for model, bases, known, what in _DOCUMENTED
        if what == "student"
    ]


_HEAD = """# Shift: what a model became that its own past was not

Made on {date} by `make shift`. Similarity to a candidate teacher mostly shows which models resemble
all others; change against a model's own past leaves out what the two always had in common ([how it
is measured](../docs/explanations/shift.md)). A *step* is a model beside its own past, a *null step*
is one without a documented teacher from another developer, and a *pseudo-step* compares the same
weights in another setting. A *house* is a developer. `studies/shift/tables/` says where each label
comes from.

**No likelihood ratio is issued for learning from answers by text**: these figures do not carry one.
A change "points to" a model at most.
"""
_TAIL = """
## What these figures are worth

- The reading rule (more than 99 % of unrelated pairs share, more change than any other model's, an
  interval above 0, every past) was written after a first look at the steps of the puzzles. The
  result on its null steps is therefore not an independent test, and no second set has repeated
  answers.
- The way a house is represented was chosen on the puzzles. Which pasts and candidates count was
  corrected after looking at everyday instructions: pasts without the student's own teacher, earlier
  releases on the same base only, no candidate that is a student itself, that is built on the same
  base, or that came later. Each correction follows from what a past and a teacher are, but the row
  of that set is a description, not a held-out result.
- With one answer per prompt, the shares found at 5 % and at 10 % differ so much because a few null
  clusters lead by far; the intervals show how little is known.
- The area within base families and the shares found are low, and null steps name candidates as
  well. So nothing is concluded from one answer per prompt, and no likelihood ratio is given.

## What was tried, and what was not

- The mean of a house's models in place of its best candidate named neither of the two students of
  deepseek-r1 that the table of puzzles then had; the best candidate named both. On everyday
  instructions the mean had an area of .71 (.75 within base families), found 27 % at 5 % and put the
  house first in 48 %, against .72 (.67), 3 % and 74 % on the same steps.
- Taking off the past's own profile, with a coefficient from null steps of other clusters, gained
  nothing on everyday instructions (area .73 with it and .73 without, within base families .66 and
  .64, both far inside either interval). On the five sets 20 of 106 null clusters led by 3.5 or more
  with it, 19 without it. It was deleted.
- Function words are the one reading that helps on everyday instructions, and every cluster's choice
  on the others fell on them: area .81 in place of .73, within base families .82 in place of .64,
  45 % found at 5 % in place of 9 %, 4 of 79 null clusters ahead on the other sets in place of 14.
  They did not become the statistic: the interval of .82 begins at .67, on [the page of
  students](STUDENTS.md) they find one teacher of seven fewer than character sequences do, and a
  fixed list of words reads no language that it does not hold.
- The other readings, and all of them together, do not help. Logistic regression of the margins of
  the first eight, the judged cluster left out, had an area of .74 (.66 within base families) and
  found 15 % at 5 %.
- Names and numbers stand for shared inventions and picks, phrases of a fixed list for reasoning
  turns. Both were written last, for this table. They lead falsely least often, but their areas
  within base families, .62 and .58, are below that of character sequences.
  Leaving composites out of the candidates improved no area (tried on a third of the prompts).
- Mean change in place of the margin over the runner-up house had areas of .82 to .88 over all and
  .66 to .78 within base families: what it gains are base families, not teachers.
- With three answers a prompt no reading finds the student that character sequences miss. Openings
  and ends, names and numbers, and all readings together find the same two and name nobody on the 22
  null clusters, which is one fewer and no difference that 22 clusters can show.
- With three answers a prompt the first candidate of a null step leads the runner-up house by 1.7 at
  most (a paired t; median .5 of 40 steps). `trace --base` names all candidates within 3.5 of the
  first one: deepseek-r1 and QwQ-32b for both students that are found.
- Students among the candidates, later models and pasts with the same teacher, all three together:
  the house came first in 0 to 8 % of students, by three ways of scoring; without them in 33 to
  55 %.
- The area within base families is a mean over four of them, one of which (gemma-2) has students of
  one cluster: a last digit there moves the mean by some hundredths.
- The largest margin of all points to Shopee-SlimMoA, a composite of models that are not listed.
- A genre that is found and another that confirms: on everyday instructions the teacher's house
  leads again for most students, but so does the first house in a third to half of null steps. So
  confirmation between collections of one kind of instruction does not clear a model. A second past
  agrees for all students that the first one finds, and for more than half of the null steps.
- Not tried: calibration by genre. The puzzles are one genre, and no other set was asked repeatedly.
- Students of known teachers made for this purpose are read on [a page of their own](STUDENTS.md).

## What every such finding leaves open

Identical data still gives distinguishable models; a trace fades with later tuning; the base
family changes its size; paraphrase weakens it; two teachers mix; many hands repost answers. The
change is symmetric: release dates alone tell who came first. It states a measurement, not
conduct.
"""


def _null_section(cohort: Cohort, nulls: Sequence[Pointed], hidden: Sequence[Pointed]) -> str:
    kinds = {True: "pseudo-steps (another setting)", False: "releases and tunings"}
    lines = [
        "\n## Null steps first: prompts answered three times\n",
        f"{len(cohort.models)} models, {len(cohort.prompts)} altered puzzles. Every step was held "
        "against every model of another developer that was not released after it. Its own lineage\n"
        "cluster is never part of the yardstick. Labels of unrelated pairs are of medium "
        "confidence.\n",
        "| null steps | steps | lineage clusters | candidates | steps that name somebody "
        "| clusters |",
        "|---|---|---|---|---|---|",
    ]
    for setting, name in kinds.items():
        some = [n for n in nulls if _is_setting(cohort, n.step) == setting]
        lines.append(_null_row(name, some))
    lines.append(_null_row("all", nulls))
    alarms = [f"{n.step.model} → {', '.join(n.named)}" for n in nulls if n.named]
    lines.append(f"\nNamed: {'; '.join(alarms) or 'nobody'}.")
    named = [f"{n.step.model} → {', '.join(n.named)}" for n in hidden if n.named]
    lines.append(
        f"\n{len(hidden)} further releases are from developers that do not say whether there was "
        f"a teacher: they count neither as null steps nor as students. {len(named)} of them name "
        f"somebody: {'; '.join(named) or 'nobody'}.\nThe cause is not known."
    )
    return "\n".join(lines)


def _is_setting(cohort: Cohort, step: KnownStep) -> bool:
    facts = cohort.facts
    return facts[step.model].weights_id.casefold() == facts[step.bases[0]].weights_id.casefold()


def _null_row(name: str, some: Sequence[Pointed]) -> str:
    every = {n.cluster for n in some}
    wrong = {n.cluster for n in some if n.named}
    rate = error_rate(len(wrong), len(every))
    candidates = sum(n.candidates for n in some)
    alarms = sum(bool(n.named) for n in some)
    bound = f"{len(wrong)} of {len(every)} (upper 95 % limit {rate.upper:.0%})"
    return f"| {name} | {len(some)} | {len(every)} | {candidates} | {alarms} | {bound} |"


def _documented_section(cohort: Cohort) -> str:
    lines = [
        "\n## Documented pairs, on the same prompts\n",
        "| model (its past) | candidate | what it is | past · candidate | model · candidate | "
        "change (95 %) | models without that teacher that changed less | reading |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for model, bases, known, what in _DOCUMENTED:
        details = shift_towards(cohort, known, KnownStep(model, bases, ""))
        if details is not None:
            lines.append(_documented_row(model, bases[0], known, what, details))
    lines.append(
        "\nThe three students have one teacher and two lineages: no rate can be drawn from them. "
        "phi-4-reasoning-plus\n(o3-mini) and olmo-2-32b (gpt-4o) have no past in the set."
    )
    return "\n".join(lines)


def _documented_row(model: str, base: str, known: str, what: str, shift: ShiftDetails) -> str:
    least, others = shift.least, shift.others
    less = f"{others.less} of {others.models}" if others is not None else "-"
    change = f"{least.change:.0%} ({least.low:.0%} to {least.high:.0%})"
    cells = (f"{model} ({base})", known, what, f"{least.past:.0%}", f"{least.share:.0%}", change)
    return f"| {' | '.join((*cells, less, shift.reading))} |"


def _once_section(sets: Sets) -> str:
    rows = [
        "\n## One answer per prompt: the margin over the runner-up house\n",
        "`forensics evaluate OUTPUTS --models MODELS --steps STEPS`. Nothing is fitted; every "
        "lineage cluster\nweighs the same; intervals are 95 % intervals, from resampled "
        "clusters.\n",
        f"| set | null steps (clusters) | median margin | null clusters above {_MARGIN} | students "
        "| area | within base family | found at 5 % | at 10 % | house first | abstained |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    leading: list[str] = []
    for name, (outputs, steps) in sets.items():
        row, above = _once_row(name, outputs, steps)
        rows.append(row)
        leading += above
    rows.append(f"\nLargest margin of a null step, set by set: {'; '.join(leading)}.")
    rows.append(
        "\nNo threshold on a margin is in use: nothing is concluded from a change in "
        "answers given once."
    )
    return "\n".join(rows)


def _once_row(name: str, outputs: Outputs, steps: Sequence[KnownStep]) -> tuple[str, list[str]]:
    figures = step_rates(outputs, steps)
    margins = [(step, lead) for step, lead in null_margins(outputs, steps) if not step.teacher]
    numbers = clusters(outputs.facts)
    every = {numbers[step.model] for step, _ in margins}
    above = {numbers[step.model] for step, lead in margins if lead.margin >= _MARGIN}
    ranked = sorted(margins, key=lambda pair: -pair[1].margin)[:1]
    cells = (
        name.removeprefix("modern/"),
        f"{figures['n_neg']} ({figures['n_neg_clusters']})",
        f"{np.median([lead.margin for _, lead in margins]):.1f}",
        f"{len(above)} of {len(every)} (limit {error_rate(len(above), len(every)).upper:.0%})",
        str(figures["n_pos"]),
        _figure(figures, "auc", figures["auc"]),
        _figure(figures, "auc_within_base_family", figures["auc_within_base_family"]),
        _figure(figures, "tpr_at_0.05", figures["tpr_at_fpr"]["0.05"]),
        _figure(figures, "tpr_at_0.1", figures["tpr_at_fpr"]["0.1"]),
        _figure(figures, "top1_developer", figures["top1_developer"]),
        f"{figures['abstained']:.0%}",
    )
    named = [f"{step.model} → {lead.name} ({lead.margin:.1f})" for step, lead in ranked]
    return f"| {' | '.join(cells)} |", named


def _figure(figures: dict[str, Any], name: str, value: float | None) -> str:
    if value is None:
        return "-"
    low, high = figures["interval"][name] or (None, None)
    return (
        f"{value:.2f}" if low is None or high is None else f"{value:.2f} ({low:.2f} to {high:.2f})"
    )


def main() -> None:
    """Write the tables of steps and the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--date", required=True)
    options = parser.parse_args()
    write_tables(options.data)
    write_text(data_folder("reports") / "SHIFT.md", page(options.data, options.date))


if __name__ == "__main__":
    main()
