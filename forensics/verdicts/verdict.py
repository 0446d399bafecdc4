"""Evidence → what is decided of a pair; `verdict_wording` says it in sentences.

Without a reference cohort the verdict is a screening: it says what is alike and what is not, and
that nobody can tell from this alone how alike unrelated models are. With a cohort that covers both
subjects it is a likelihood ratio of close kinship against independence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.case.details.reference import Judged, LikenessDetails
from forensics.case.document import CopyTripwire, Overlap
from forensics.case.evidence import Evidence
from forensics.evidence.comparator import MIN_PROMPTS
from forensics.transcripts.transcript import Transcript
from forensics.verdicts.decision import Decision, NoRatio, Ratio, Screening, Shortfall
from forensics.verdicts.neighbours import beyond_unrelated
from forensics.verdicts.shifting import SHIFT
from forensics.verdicts.tier_readings import LIKENESS, SHARED_MANNER, TRANSFERRED, tiers_of

_ROUNDING = 1e-6  # float32 sums of equal answers differ by this much


def decide(evidence: Sequence[Evidence], overlap: Overlap, tripwire: CopyTripwire) -> Decision:
    """Return what all evidence of a case comes to.

    Args:
        evidence: what the comparators found, and what a cohort or a calibration says of the pair.
        overlap: how many prompts both subjects answered.
        tripwire: identical long answers.
    """
    added = {e.comparator: e for e in evidence if e.comparator in (LIKENESS, TRANSFERRED)}
    of_text = [e for e in evidence if e.tier == "text" or e.status != "ok"]
    screening = screen([e for e in of_text if e.comparator not in added], overlap, tripwire)
    ratio = _weighed(added) if added and screening.shortfall is None else None
    return Decision(screening, ratio, tiers_of(evidence))


def _weighed(judged: Mapping[str, Evidence]) -> Ratio | NoRatio:
    """Return the cohort's ratio, or the transferred one where the cohort has no calibration."""
    of_cohort, transferred = judged.get(LIKENESS), judged.get(TRANSFERRED)
    if of_cohort is None or (transferred is not None and of_cohort.log10_lr is None):
        return weigh(transferred or judged[LIKENESS])
    return weigh(of_cohort)


def decide_in_cohort(likeness: Evidence, overlap: Overlap, tripwire: CopyTripwire) -> Decision:
    """Return what a cohort says of two subjects of which one at least is known by numbers only.

    Args:
        likeness: the cohort's judgement, see `cohorts.judging`.
        overlap: how many of the cohort's prompts both subjects answered.
        tripwire: identical long answers; of numbers there are none.
    """
    shortfall: Shortfall | None = None if likeness.status == "ok" else "unplaced"
    screening = Screening((likeness,), overlap, tripwire, shortfall, by_numbers=True)
    return Decision(screening, None if shortfall else weigh(likeness))


def screen(evidence: Sequence[Evidence], overlap: Overlap, tripwire: CopyTripwire) -> Screening:
    """Return what evidence without a cohort allows to say.

    Args:
        evidence: what the comparators found.
        overlap: how many prompts both subjects answered.
        tripwire: identical long answers.
    """
    measured = [e for e in evidence if e.status == "ok" and e.weight == "normal"]
    if not measured:
        return Screening(tuple(evidence), overlap, tripwire, _shortfall(evidence, overlap))
    # A test of equality is read by its p-value, shared manner by the test of one model: their
    # scores speak for or against nothing else.
    shown = [
        e
        for e in evidence
        if e.status == "ok" and e.p_value is None and e.comparator not in (SHARED_MANNER, SHIFT)
    ]
    return Screening(
        tuple(evidence),
        overlap,
        tripwire,
        measured=tuple(measured),
        alike=tuple(e for e in measured if _alike(e)),
        findings_for=tuple(e for e in shown if _alike(e)),
        findings_against=tuple(e for e in shown if not _alike(e)),
        findings_apart=_apart([e for e in shown if e.weight == "normal"]),
    )


def _apart(kinds: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Return the kinds that are alike, as any two assistants are: unrelated pairs were scored."""
    named = beyond_unrelated(kinds)
    return tuple(
        e for e in kinds if _alike(e) and e.neighbourhood is not None and e.comparator not in named
    )


def _shortfall(evidence: Sequence[Evidence], overlap: Overlap) -> Shortfall:
    if evidence and all(e.tier != "text" for e in evidence):
        return "out_of_reach"
    if overlap.both == 0:
        return "no_shared_prompt"
    return "few_prompts" if overlap.both < MIN_PROMPTS else "nothing_measured"


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


def weigh(judged: Evidence) -> Ratio | NoRatio:
    """Return the likelihood ratio that a calibration allows, or why there is none.

    Args:
        judged: of a cohort (see `cohorts.judging`), or of a calibration that was fitted to other
            prompts and models (see `cohorts.transferred`).
    """
    if judged.status != "ok":
        return NoRatio("not_judged", judged)
    details = judged.details
    if not isinstance(details, Judged):
        return NoRatio("unread", judged)
    by_cohort = details if isinstance(details, LikenessDetails) else None
    cohort = by_cohort.cohort if by_cohort else ""
    unmet = tuple(condition.text for condition in details.conditions if not condition.met)
    interval, bounds = details.log10_lr_interval, details.log10_lr_bounds
    if judged.log10_lr is None or interval is None or bounds is None:
        return NoRatio("uncalibrated", judged, cohort)
    if unmet:
        return NoRatio("outside", judged, cohort, unmet)
    return Ratio(
        judged,
        judged.log10_lr["close_descent"],
        interval,
        bounds,
        "matched" if by_cohort else "transferred",
        details.error_at_score,
        details.error_rates,
        cohort,
        is_member=by_cohort is not None and by_cohort.known_as.any,
        learned=details.log10_lr_learned,
    )


def changed(a: Transcript | None, b: Transcript | None) -> list[tuple[str, str]]:
    """Name the transcripts, A or B, that were changed after they were written, and what shows it.

    Args:
        a: transcript of the known subject; None of a cohort's model.
        b: transcript of the questioned subject.
    """
    return [
        (letter, side.broken)
        for letter, side in (("A", a), ("B", b))
        if side is not None and side.broken
    ]
