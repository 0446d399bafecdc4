"""Evidence → verdict.

Without a reference cohort the verdict is a screening: it says what is alike and what is not, and
that nobody can tell from this alone how alike unrelated models are. With a cohort that covers both
subjects it is a likelihood ratio of close kinship against independence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forensics.case.document import CopyTripwire, ErrorAtScore, Finding, Overlap, Verdict
from forensics.case.evidence import Evidence
from forensics.cohorts.calibration.verbal import verbal_tier
from forensics.evidence.base import MIN_PROMPTS
from forensics.transcripts.transcript import Transcript

_NEAR_BOUND = 1e-3
_ROUNDING = 1e-6  # float32 sums of equal answers differ by this much
UNCALIBRATED = "uncalibrated: no reference cohort"
_LIMITS = (
    "Any two assistants that answer the same question are alike to some degree; how alike "
    "unrelated models of the same era and kind are was not measured here. The suite alpaca-eval "
    "has a cohort: ask both models that (--suite alpaca-eval) for a likelihood ratio.",
)


def screen(evidence: Sequence[Evidence], overlap: Overlap, tripwire: CopyTripwire) -> Verdict:
    """Return the verdict that evidence without a cohort allows: `screening` or `insufficient`.

    Args:
        evidence: what the comparators found.
        overlap: how many prompts both subjects answered.
        tripwire: identical long answers.
    """
    measured = [e for e in evidence if e.status == "ok" and e.weight == "normal"]
    if not measured:
        return _insufficient(evidence, overlap)
    alike = [e for e in measured if _alike(e)]
    # A test of equality is read by its p-value: its score speaks for or against nothing else.
    told = [e for e in evidence if e.status == "ok" and e.p_value is None]
    return Verdict(
        status="screening",
        headline=(
            f"Screening ({UNCALIBRATED}): alike beyond mismatched prompts in {len(alike)} of "
            f"{len(measured)} kinds of evidence."
        ),
        reading=_reading(alike, measured, tripwire),
        findings_for=tuple(_finding(e) for e in told if _alike(e)),
        findings_against=tuple(_finding(e) for e in told if not _alike(e)),
        reasons=tuple(
            f"{e.title}: {e.status.replace('_', ' ')} ({e.reason})"
            for e in evidence
            if e.score is None
        ),
        limits=_LIMITS,
    )


def _insufficient(evidence: Sequence[Evidence], overlap: Overlap) -> Verdict:
    if evidence and all(e.tier != "text" for e in evidence):
        why = "none of what was asked for could be measured of both"
    elif overlap.both == 0:
        why = f"the subjects share no prompt with a usable answer (A: {overlap.a}, B: {overlap.b})"
    elif overlap.both < MIN_PROMPTS:
        why = f"only {overlap.both} prompts have usable answers of both; {MIN_PROMPTS} are needed"
    else:
        why = "no comparator could measure this pair"
    return Verdict(
        status="insufficient",
        headline=f"Insufficient data: {why}.",
        reading="Nothing can be said about kinship, in either direction.",
        reasons=tuple(f"{e.title}: {e.reason}" for e in evidence if e.reason),
        limits=("Missing data is not evidence of independence.",),
    )


def _alike(evidence: Evidence) -> bool:
    """Tell whether the whole interval lies above zero and above what habits alone reach."""
    if evidence.interval is None:
        return False
    return evidence.interval.low > habit_level(evidence) + _ROUNDING


def habit_level(evidence: Evidence) -> float:
    """Return the score that is reached without any likeness on matched prompts."""
    floor = evidence.noise_floor
    if floor is None or floor.method == "repeat_samples":
        return 0.0
    return max(0.0, floor.a, floor.b)


def _finding(evidence: Evidence) -> Finding:
    interval = evidence.interval
    span = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval else ""
    weak = "; weighs little" if evidence.weight == "low" else ""
    text = (
        f"{evidence.score:.3f}{span} against {habit_level(evidence):.3f} by habit alone, "
        f"n = {evidence.n}{weak}"
    )
    return Finding(comparator=evidence.comparator, text=text)


def flagged(verdict: Verdict, a: Transcript | None, b: Transcript | None) -> Verdict:
    """Return the verdict with what limits it most, where a transcript was changed.

    Args:
        verdict: as the answers have it.
        a: transcript of the known subject; None of a cohort's model.
        b: transcript of the questioned subject.
    """
    changed = tuple(
        f"The transcript of {letter} was changed after it was written, as its hash chain shows "
        f"({side.broken}): what is said here holds for the file as it is."
        for letter, side in (("A", a), ("B", b))
        if side is not None and side.broken
    )
    if not changed:
        return verdict
    return verdict.model_copy(update={"limits": (*changed, *verdict.limits)})


def tripwire_reading(tripwire: CopyTripwire) -> str:
    """Return what a tripped copy tripwire caps every reading at."""
    return (
        f"Same model, cache, alias or proxy: {tripwire.identical} of {tripwire.compared} long "
        "answers are identical, character by character. The scores say no more than that."
    )


def _reading(
    alike: Sequence[Evidence], measured: Sequence[Evidence], tripwire: CopyTripwire
) -> str:
    if tripwire.tripped:
        return tripwire_reading(tripwire)
    if not alike:
        return (
            "No likeness beyond what each subject's habits bring. That is no evidence of "
            "independence."
        )
    runs = next((e.details["long_runs"] for e in measured if "long_runs" in e.details), None)
    passages = (
        ""
        if runs is None
        else f" On {runs['prompts']} of {runs['n']} prompts they share a long passage: a fifth of "
        f"the shorter answer, {runs['words'][0]} to {runs['words'][1]} words not the prompt's."
    )
    return (
        f"Alike on the same prompts in: {', '.join(e.title.lower() for e in alike)}.{passages} "
        "Unrelated assistants are alike to some degree too: whether this is more than that "
        "takes a reference cohort."
    )


def weigh(screening: Verdict, likeness: Evidence, tripwire: CopyTripwire) -> Verdict:
    """Return the verdict that likeness against a cohort allows, or the screening with a reason.

    Args:
        screening: what the evidence says without a cohort.
        likeness: the cohort's judgement, see `cohorts.judging`.
        tripwire: identical long answers, which cap the reading.
    """
    cohort = str(likeness.details.get("cohort", ""))
    if likeness.log10_lr is None:
        reason = f"the cohort {cohort} holds too few pairs of known kin to calibrate"
        return screening.model_copy(update={"reasons": (*screening.reasons, reason)})
    unmet = [one["text"] for one in likeness.details.get("conditions", ()) if not one["met"]]
    if unmet:
        return _outside(screening, cohort, unmet)
    value = likeness.log10_lr["close_descent"]
    words = verbal_tier(value, _CLOSE, "they are independent")
    low, high = likeness.details["log10_lr_interval"]
    rates = likeness.details.get("error_rates", {})
    is_member = any(likeness.details.get("known_as", {}).values())
    interval = likeness.interval
    span = f" [{interval.low:.2f}, {interval.high:.2f}]" if interval else ""
    finding = Finding(
        comparator=likeness.comparator,
        text=f"{likeness.score:.2f}{span} standard deviations beyond the reference models most "
        f"like either, n = {likeness.n}; log10 LR {value:+.2f}",
    )
    return screening.model_copy(
        update={
            "status": "inconclusive" if words.direction == "neither" else "calibrated",
            "calibration": "matched",
            "headline": (
                f"Likelihood ratio {_ratio(value)}{_at_bound(value, likeness)} for close kinship "
                f"against independence (log10 {value:.2f} [{low:.2f}, {high:.2f}])."
            ),
            "reading": (
                tripwire_reading(tripwire)
                if tripwire.tripped
                else f"{words.sentence} {_SHARED_PROPOSITION}"
            ),
            "log10_lr": likeness.log10_lr,
            "error_at_score": _error_at_score(likeness),
            "findings_for": (*([finding] if value > 0 else []), *screening.findings_for),
            "findings_against": (*([] if value > 0 else [finding]), *screening.findings_against),
            "limits": (
                _weighs(cohort, rates, likeness.details["log10_lr_bounds"]),
                *([_SEEN] if is_member else []),
                *screening.limits[1:],
            ),
        }
    )


def weigh_transferred(screening: Verdict, fused: Evidence, tripwire: CopyTripwire) -> Verdict:
    """Return the screening with a likelihood ratio whose calibration comes from other prompts.

    It stays a screening: how alike unrelated models are on these prompts was not measured.

    Args:
        screening: what the evidence says without a cohort.
        fused: the ratio, see `cohorts.transferred`; its conditions are met.
        tripwire: identical long answers, which cap the reading.
    """
    value = (fused.log10_lr or {})["close_descent"]
    words = verbal_tier(value, _CLOSE, "they are independent")
    low, high = fused.details["log10_lr_interval"]
    return screening.model_copy(
        update={
            "calibration": "transferred",
            "headline": (
                f"Screening: likelihood ratio {_ratio(value)}{_at_bound(value, fused)} for close "
                f"kinship against independence (log10 {value:.2f} [{low:.2f}, {high:.2f}]), its "
                "calibration transferred from other prompts and models."
            ),
            "reading": (
                tripwire_reading(tripwire)
                if tripwire.tripped
                else f"{words.sentence} {_SHARED_PROPOSITION}"
            ),
            "log10_lr": fused.log10_lr,
            "error_at_score": _error_at_score(fused),
            "limits": (_transferred_limits(fused), *screening.limits),
        }
    )


def _transferred_limits(fused: Evidence) -> str:
    told = "; ".join(
        f"on {where}, {one['kin_pairs']} close kin against {one['unrelated_pairs']} unrelated "
        f"pairs of {one['clusters']} lineage clusters, Cllr is {one['cllr']:.2f} and "
        f"{one['false_above_10']:.1%} of the unrelated get a ratio above 10"
        for where, one in fused.details["error_rates"].items()
    )
    low, high = fused.details["log10_lr_bounds"]
    return (
        "This likelihood ratio weighs the evidence, not the claim: it is not the probability that "
        "one was trained on the other. It rests on style, layout and openings only, and was fitted "
        f"on other prompts and models: {told}. The number of lineage clusters keeps it between "
        f"{_ratio(low)} and {_ratio(high)}."
    )


_CLOSE = "the two are one model or of close descent"
_SHARED_PROPOSITION = (
    "One model under two settings and two models of close descent are one proposition to text, and "
    "two sizes that the same people tuned alike can score as high. A common teacher or base is "
    "neither supported nor excluded: text did not tell these from strangers well enough to "
    "calibrate."
)
_SEEN = (
    "A subject is one of the cohort's own models: its lineage cluster was left out of the "
    "reference, but not of the pairs that the calibration was fitted to."
)


def _ratio(log10_lr: float) -> str:
    return f"{10**log10_lr:.3g}" if log10_lr >= 0 else f"1/{10**-log10_lr:.3g}"


def _error_at_score(likeness: Evidence) -> ErrorAtScore | None:
    found = likeness.details.get("error_at_score")
    return None if found is None else ErrorAtScore.model_validate(found)


def _at_bound(log10_lr: float, judged: Evidence) -> str:
    low, high = judged.details["log10_lr_bounds"]
    by = "this cohort" if "cohort" in judged.details else "these lines"
    if log10_lr >= high - _NEAR_BOUND:
        return f", the highest {by} can support,"
    return f", the lowest {by} can support," if log10_lr <= low + _NEAR_BOUND else ""


def _outside(screening: Verdict, cohort: str, unmet: Sequence[str]) -> Verdict:
    if screening.status == "insufficient":
        return screening
    headline = screening.headline.replace(
        UNCALIBRATED, f"outside the validated population of {cohort}"
    )
    why = tuple(f"No likelihood ratio: {text}." for text in unmet)
    return screening.model_copy(
        update={"headline": headline, "reasons": (*why, *screening.reasons)}
    )


def _weighs(cohort: str, rates: Mapping[str, Any], bounds: Sequence[float]) -> str:
    measured = (
        f"; on its {rates['n_pos']} pairs of close descent from {rates['n_clusters']} lineage "
        f"clusters against {rates['n_neg']} unrelated pairs, held out by cluster, the area under "
        f"the ROC curve is {rates['auc']:.3f} and Cllr {rates['cllr']:.3f}"
        if rates.get("auc") is not None and rates.get("cllr") is not None
        else ""
    )
    return (
        "This likelihood ratio weighs the evidence, not the claim: it is not the probability that "
        "one was trained on the other. It holds for models and settings like those of the cohort "
        f"{cohort}{measured}. The number of lineage clusters keeps it between "
        f"{_ratio(bounds[0])} and {_ratio(bounds[1])}."
    )
