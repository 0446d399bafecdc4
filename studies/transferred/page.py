"""The section of the page of error rates on the transferred calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from forensics.cohorts.transferred import JUDGED, Transferred

_SHOWN = 12
# Measured once, on the lines that ship; a test fails when these are fitted anew.
REMAINING_LOSS = (
    "Of the pooled Cllr of 0.52 on 128 prompts, 0.16 comes from unrelated pairs of alpaca-eval "
    "asked alike: 301 of 795 get a ratio above 1, the highest Mixtral-8x22B-Instruct-v0.1 · "
    "gpt4_0314. They are more similar than the calibration from the other sets expects; these "
    "data cannot tell whether the prompts or the models of 2023 are the cause. Another 0.13 "
    "comes from pairs asked under two system prompts, which get no ratio below 1; among the "
    "related pairs of that kind, claude-3.5-sonnet-1022 with and without a system prompt gets a "
    "ratio of 1. Calibrated in hindsight, the same ratios would still cost 0.45. Of 35 changes "
    "to the fit, compared on the training sets, three selections were judged on the sets left "
    "out: the lowest nested Cllr gave 0.51 with 4.4 % of unrelated pairs above 10; the lowest "
    "among changes without more nested false alarms, 0.53 with 1.3 %; the best mean of all "
    "trials, to which every set contributed, 0.47 with 2.0 %. Each has more false alarms than "
    "the 0.8 % of the shipped calibration, so it was kept."
)


def markdown(found: Transferred | None) -> str:
    """Return the section as Markdown, without its heading."""
    if found is None:
        return "No calibration is transferred to suites without a cohort.\n"
    return "\n".join(_section(found)) + "\n"


def _section(found: Transferred) -> Iterator[str]:
    last = found.rates["rows"][-1]
    yield (
        f"Fitted on {found.provenance['models']} models of {found.provenance['fitted_on']}, "
        f"released {found.months[0]} to {found.months[1]}. Every figure comes from a calibration "
        "that saw neither the set nor the lineage clusters of the pair. *Pooled* counts every "
        "pair once, *by cluster* every pair of lineage clusters; intervals resample clusters. "
        "Pairs asked under two different system prompts get no ratio below 1; the second row "
        "leaves such pairs out. The method was chosen on these sets, so expect higher error "
        "rates on others."
    )
    yield ""
    yield (
        "| prompts | judged on | related pairs (clusters) | unrelated pairs (clusters) | AUC | "
        "Cllr, pooled | Cllr, by cluster | lowest possible Cllr | unrelated pairs with LR > 10 | "
        "clusters in error (upper 95 %) | related pairs with LR > 10 |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for row in found.rates["rows"]:
        shown = row["tests"] if row is last else _only_pooled(row["tests"])
        for where, one in shown.items():
            yield _line(row["prompts"], where, one)
    yield ""
    yield f"The worst set is {last['worst_set']}."
    asked = last["one_system_prompt"]
    yield (
        f"Of {asked['unrelated_pairs']} unrelated pairs asked under one shared system prompt, "
        f"{asked['above_10']} get a ratio above 10."
    )
    missed = last["missed"]
    named = "; ".join(missed[:_SHOWN])
    more = f"; and {len(missed) - _SHOWN} more" if len(missed) > _SHOWN else ""
    yield (
        f"Related pairs that get a ratio below 1, the lowest first ({len(missed)}): {named}{more}."
    )


def _only_pooled(tests: Mapping[str, Any]) -> Mapping[str, Any]:
    return {where: one for where, one in tests.items() if where == JUDGED[0]}


def _line(prompts: int, where: str, one: Mapping[str, Any]) -> str:
    return (
        f"| {prompts} | {where} | {one['kin_pairs']} ({one['kin_clusters']}) "
        f"| {one['unrelated_pairs']} ({one['clusters']}) | {one['auc']:.3f} "
        f"| {one['cllr']:.2f}{_span(one['cllr_interval'])} "
        f"| {one['cllr_by_cluster']:.2f}{_span(one['cllr_by_cluster_interval'])} "
        f"| {one['cllr_min']:.2f} "
        f"| {one['false_above_10']:.1%}{_span(one['false_interval'], share=True)} "
        f"| {one['clusters_in_error']} of {one['clusters']} (< {one['cluster_rate_below']:.0%}) "
        f"| {one['found_above_10']:.0%} |"
    )


def _span(interval: list[float] | None, share: bool = False) -> str:
    if interval is None:
        return ""
    low, high = interval
    return f" [{low:.1%}, {high:.1%}]" if share else f" [{low:.2f}, {high:.2f}]"
