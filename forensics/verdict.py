"""Evidence → verdict.

Without a reference cohort the verdict is a screening: it says what is alike and what is not, and
that nobody can tell from this alone how alike unrelated models are.
"""

from __future__ import annotations

from collections.abc import Sequence

from forensics.case import CopyTripwire, Finding, Overlap, Verdict
from forensics.comparators.base import MIN_PROMPTS
from forensics.evidence import Evidence

_ROUNDING = 1e-6  # float32 sums of equal answers differ by this much
UNCALIBRATED = "uncalibrated: no reference cohort"
_LIMITS = (
    "Any two assistants that answer the same question are alike to some degree; how alike "
    "unrelated models of the same era and kind are was not measured here.",
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
    if overlap.both == 0:
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


def _reading(
    alike: Sequence[Evidence], measured: Sequence[Evidence], tripwire: CopyTripwire
) -> str:
    if tripwire.tripped:
        return (
            f"Same model, cache, alias or proxy: {tripwire.identical} of {tripwire.compared} long "
            "answers are identical, character by character. The scores say no more than that."
        )
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
