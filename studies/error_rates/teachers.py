"""The page's section on teachers, and their rows among its first figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from forensics.cohorts.teacher_level import ASSISTANT_STYLE, MAX_ERROR, MIN_FOUND, HeldOut
from forensics.cohorts.teacher_wording import held_out_words
from studies.error_rates.cells import number, row
from studies.error_rates.teacher_claims import RIGHT, WRONG
from studies.error_rates.teacher_study import MIN_TEACHER_CLUSTERS

_SPECIFICITY = "specificity to the documented teacher (variant chosen on other students)"
_PROVIDER = "teacher's provider, top-1 (micro · macro)"
_TRACE = "trace: documented students that are flagged"
_VERSIONS = {
    "plain": "plain",
    "removed": "hubs removed, fitted on unrelated pairs",
    "blind": "hubs removed, fitted blind to labels",
    "hubs": "hubs alone",
}


def figures(measured: Mapping[str, Any] | None, levels: HeldOut | None) -> Iterator[str]:
    """Yield the rows of the first figures, in what `teacher_study` and `held_out` gave."""
    if measured is None:
        for label in (_SPECIFICITY, _PROVIDER):
            yield from row(label, "–", "not measured: no documented teachers")
    else:
        yield from _specificity_figure(measured["specificity"])
        yield from _provider_figure(measured["provider"])
    if levels is not None:
        limit = "" if levels.holds else f"{_why_not(levels)}"
        share = f"{levels.found} of {levels.students} documented students are flagged"
        yield from row(_TRACE, share, limit)


def _specificity_figure(measured: Mapping[str, Any]) -> Iterator[str]:
    area, rate = measured["of_chosen"] or (None, None)
    if area is None or rate is None:
        yield from row(_SPECIFICITY, "–", "not measured")
        return
    interval = measured["intervals"]
    told = (
        f"AUC {number(area)}{_limits(interval['auc'])}, "
        f"TPR at 1 % {number(rate)}{_limits(interval['tpr'])}"
    )
    name, best = max(measured["rows"].items(), key=lambda one: one[1]["margin"] or (0, 0))
    why = (
        "students resemble other models of the time as much as their teacher; "
        f"{name}, best in hindsight, gives {_pair(best['margin'])}"
    )
    yield from row(_SPECIFICITY, told, why)


def _provider_figure(measured: Mapping[str, Any]) -> Iterator[str]:
    told = (
        f"{number(measured['micro'])} · {number(measured['macro'])} (always naming the "
        f"commonest: {measured['majority']:.2f})"
    )
    limit = (
        f"of {measured['untaught']} models without a teacher {number(measured['untaught_named'])} "
        "are attributed to a provider too"
    )
    if len(measured["providers"]) < 2:
        only = "".join(measured["providers"])
        limit = f"**not measurable**: every documented provider is {only}; {limit}"
    yield from row(_PROVIDER, told, limit)


def section(found: Mapping[str, Any] | None, levels: HeldOut | None) -> Iterator[str]:
    """Yield the section on teachers, in what `teacher_study` and `held_out` gave."""
    yield "## Teachers"
    yield ""
    if found is None:
        yield "Not measured: no documented teachers."
    else:
        yield from _kinship(found["common_teacher"])
        yield ""
        yield from _specificity(found)
        yield ""
        yield from _provider(found["provider"])
    if levels is not None:
        yield ""
        yield from _levels(levels)


def _kinship(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield (
        "Common teacher on all prompts, AUC / TPR at 1 %, pair-weighted. A hub is a model that "
        "is similar to most others: *removed* subtracts from each pair's score an effect of "
        "either model (a two-way additive fit), *hubs alone* ranks pairs by these effects and "
        "nothing else. *Fused* is a logistic regression that saw neither cluster of a pair."
    )
    yield ""
    yield from row("statistic", *_VERSIONS.values())
    yield from row(*["---"] * (len(_VERSIONS) + 1))
    for name, versions in found.items():
        yield from row(name, *(_pair(versions.get(one)) for one in _VERSIONS))
    yield ""
    yield (
        "No LR is given. One developer taught all of these students, so *learned from the same "
        "teacher* and *writes like that developer's models* are one label. Every unrelated pair "
        "has a model without a teacher, so effects fitted on unrelated pairs leave in the score "
        "the manner that all students share; effects fitted blind to labels remove it, and with "
        "it whatever the teacher contributed. The truth lies between the two columns, and data "
        "with one teaching developer cannot say where."
    )


def _specificity(found: Mapping[str, Any]) -> Iterator[str]:
    counts, measured = found["claims"], found["specificity"]
    wrong = ", ".join(f"{counts[kind]} {kind}" for kind in WRONG)
    yield (
        f"Specificity: {counts[RIGHT]} documented claims that one model taught another against "
        f"wrong ones ({wrong}). Each is scored by the student's similarity to the claimed teacher "
        "minus its similarity to the best model of the teacher's time that is not documented to "
        "have taught it; the last column omits the subtraction. AUC / TPR at 1 %."
    )
    yield ""
    yield from row(
        "statistic", "margin", *(f"against: {kind}" for kind in WRONG), "similarity alone"
    )
    yield from row(*["---"] * (len(WRONG) + 3))
    for name, figures in measured["rows"].items():
        yield from row(name, *(_pair(figures[one]) for one in ("margin", *WRONG, "score")))
    interval = measured["intervals"]
    yield ""
    yield (
        "Chosen on one half of the students' groups (lineage clusters joined with families) and "
        f"measured on the other ({_listed(measured['chosen'])}): {_pair(measured['of_chosen'])}, "
        f"95 % intervals over {measured['groups']} groups{_limits(interval['auc'])} and"
        f"{_limits(interval['tpr'])}. Teachers cannot be held out."
    )
    yield ""
    yield from row("teacher's developer", "claims", "students' groups", "teachers' clusters", "LR")
    yield from row(*["---"] * 5)
    for name, one in found["by_developer"].items():
        lr = "possible" if one["ratio"] else f"none: fewer than {MIN_TEACHER_CLUSTERS} clusters"
        counts_of = (str(one[key]) for key in ("claims", "groups", "teacher_clusters"))
        yield from row(name, *counts_of, lr)


def _provider(found: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "Provider: the developer of the model to which a student is most similar, among models "
        f"documented to have had no teacher, against {found['untaught']} models that had no "
        f"teacher and should be attributed to nobody. {found['candidates']:.0%} of these "
        f"candidates come from a teaching developer ({_listed(found['providers'])})."
    )
    yield ""
    yield from row(
        "statistic", "students: right", "models without a teacher: the same provider named"
    )
    yield from row(*["---"] * 3)
    for name, (right, wrong) in found["rows"].items():
        yield from row(name, number(right), number(wrong))
    yield from row(
        f"chosen on the other half ({_listed(found['chosen'])})",
        number(found["micro"]),
        number(found["untaught_named"]),
    )


def _levels(levels: HeldOut) -> Iterator[str]:
    outcome = (
        f"names that level, *{ASSISTANT_STYLE}*, where a subject is flagged"
        if levels.holds
        else f"therefore names no teacher at any level. {_why_not(levels)}"
    )
    yield (
        "`trace` never names a teaching model, family or developer. Whether a subject leans "
        "towards students at all is measured by its mean similarity to documented students minus "
        "its mean similarity to models documented to have had no teacher. "
        f"{held_out_words(levels)} (upper 95 % limit {levels.limit:.0%}). `trace` {outcome}."
    )


def _why_not(levels: HeldOut) -> str:
    return (
        f"**Not supported.** Only {levels.found / max(levels.students, 1):.0%} of documented "
        f"students are flagged ({MIN_FOUND:.0%} required), and the upper limit on false flags is "
        f"{levels.limit:.0%} ({MAX_ERROR:.0%} allowed)"
    )


def _pair(figures: tuple[float, float] | None) -> str:
    return "–" if figures is None else f"{figures[0]:.3f} / {figures[1]:.2f}"


def _limits(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" [{interval[0]:.3f}, {interval[1]:.3f}]"


def _listed(names: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(names))
