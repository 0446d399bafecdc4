"""The verdict in sentences; `verdict` decides what it is."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.case.details.reference import CohortErrorRates
from forensics.case.details.text import PhrasingDetails
from forensics.case.document import CopyTripwire, Finding, Verdict
from forensics.case.evidence import Evidence
from forensics.case.questions import QuestionAnswer
from forensics.cohorts.calibration.verbal import verbal_tier
from forensics.evidence.comparator import MIN_PROMPTS
from forensics.support.numbers import percent
from forensics.verdicts.decision import Decision, NoRatio, Ratio, Screening
from forensics.verdicts.detection_limit import shipped
from forensics.verdicts.tier_readings import LIKENESS
from forensics.verdicts.tier_wording import (
    findings_of_tests,
    tier_headlines,
    tier_reading_words,
    tier_table,
)
from forensics.verdicts.verdict import habit_level

UNCALIBRATED = "uncalibrated: no reference cohort"
NO_TEXT = "Text not shipped: passages, style and refusals cannot be compared."
_SHOWN = 5
_USUAL = (
    "Any two assistants that answer the same question are alike to some degree; how alike "
    "unrelated models of the same era and kind are was not measured here."
)
_USUAL_OF_NUMBERS = "Unrelated assistants are alike to some degree too."
_CLOSE = "the two are one model or of close descent"
_SHARED_PROPOSITION = (
    "To text, one model under two settings and two models of close descent are one proposition, "
    "and two sizes of a model that the same people tuned alike can score as high. A common "
    "teacher or base is neither supported nor excluded: text did not separate these from "
    "unrelated models well enough to calibrate."
)
_SEEN = (
    "A subject is one of the cohort's own models: its lineage cluster was left out of the "
    "reference, but not out of the pairs that the calibration was fitted on."
)
_WEIGHS = (
    "This likelihood ratio weighs the evidence, not the claim: it is not the probability that one "
    "was trained on the other."
)


def worded(
    decision: Decision,
    changed: Sequence[tuple[str, str]] = (),
    left_out: Sequence[str] = (),
    answers: tuple[QuestionAnswer, ...] = (),
    advice: str = "",
) -> Verdict:
    """Return the verdict of a case, in sentences.

    Args:
        decision: what was decided.
        changed: a letter, A or B, for each transcript that was changed after it was written, and
            what its hash chain shows.
        left_out: what this installation could not measure, a sentence each.
        answers: to the four questions.
        advice: what would give a likelihood ratio, see `suite_advice`.
    """
    screening, tiers = decision.screening, decision.tiers
    weighed = decision.weighed
    spoken = tiers if tiers is not None and tiers.measured and tiers.speak else None
    beyond = spoken.measured if spoken else ()
    headlines = tier_headlines(spoken) if spoken else []
    readings = [tier_reading_words(spoken)] if spoken else []
    if screening.shortfall is None or spoken is None:
        headlines.append(_headline(decision))
        readings.append(_reading(decision))
    return Verdict(
        status=decision.status,
        calibration=weighed.calibration if weighed else "none",
        headline=" ".join(headlines),
        reading=" ".join(readings),
        findings_for=(
            *findings_of_tests(beyond, kin=True),
            *_of_likeness(weighed, speaks_for=True),
            *map(_finding, screening.findings_for),
        ),
        findings_against=(
            *findings_of_tests(beyond, kin=False),
            *_of_likeness(weighed, speaks_for=False),
            *map(_finding, screening.findings_against),
        ),
        findings_apart=tuple(finding.comparator for finding in screening.findings_apart),
        reasons=_reasons(decision),
        limits=(*map(_changed, changed), *left_out, *_limits(decision, advice)),
        readings=tier_table(tiers) if tiers is not None and tiers.measured else {},
        log10_lr=weighed.judged.log10_lr if weighed else None,
        error_at_score=weighed.error_at_score if weighed else None,
        answers=answers,
    )


def _headline(decision: Decision) -> str:
    screening = decision.screening
    if screening.shortfall is not None:
        return f"Insufficient data: {_shortfall(screening)}."
    if isinstance(decision.ratio, Ratio):
        return _ratio_headline(decision.ratio)
    population = UNCALIBRATED
    if decision.ratio is not None and decision.ratio.cause == "outside":
        population = f"outside the validated population of {decision.ratio.cohort}"
    if screening.by_numbers:
        return f"Screening ({population}): similarity {screening.evidence[0].score:.2f}."
    return (
        f"Screening ({population}): more similar on the same prompts than on different "
        f"ones, in {len(screening.alike)} of {len(screening.measured)} kinds of evidence."
    )


def _shortfall(screening: Screening) -> str:
    overlap = screening.overlap
    if screening.shortfall == "out_of_reach":
        return "nothing that was asked for could be measured for both models"
    if screening.shortfall == "no_shared_prompt":
        return f"the subjects share no prompt with a usable answer (A: {overlap.a}, B: {overlap.b})"
    if screening.shortfall == "few_prompts":
        return (
            f"only {overlap.both} prompts have usable answers from both models; {MIN_PROMPTS} are "
            "needed"
        )
    if screening.shortfall == "unplaced":
        return screening.evidence[0].reason
    return "no comparator could measure this pair"


def _ratio_headline(ratio: Ratio) -> str:
    low, high = (f"{end:.2f}" for end in ratio.interval)
    between = f" [{low}, {high}]" if low != high else ""
    by = "this cohort" if ratio.calibration == "matched" else "this calibration"
    bound = f", the {ratio.at_bound} {by} can support," if ratio.at_bound else ""
    weighs = (
        f"ikelihood ratio {_ratio(ratio.value)}{bound} for close kinship against independence "
        f"(log10 {ratio.value:.2f}{between})"
    )
    if ratio.calibration == "matched":
        return f"L{weighs}."
    return f"Screening: l{weighs}, with a calibration transferred from other prompts and models."


def _ratio(log10_lr: float) -> str:
    return f"{10**log10_lr:.3g}" if log10_lr >= 0 else f"1/{10**-log10_lr:.3g}"


def _reading(decision: Decision) -> str:
    screening = decision.screening
    if screening.shortfall is not None:
        return "Nothing can be said about kinship, in either direction."
    if screening.tripwire.tripped:
        return _copies(screening.tripwire)
    if decision.weighed:
        words = verbal_tier(decision.weighed.value, _CLOSE, "they are independent")
        return f"{words.sentence} {_SHARED_PROPOSITION}"
    if screening.by_numbers:
        likeness = screening.evidence[0]
        return f"Similarity {likeness.score:.2f} on {likeness.n} prompts. {NO_TEXT}"
    return _alike(screening)


def _copies(tripwire: CopyTripwire) -> str:
    """Return what a tripped copy tripwire caps every reading at."""
    return (
        f"Same model, cache, alias or proxy: {tripwire.identical} of {tripwire.compared} long "
        "answers are identical, character by character. The scores say no more than that."
    )


def _alike(screening: Screening) -> str:
    if not screening.alike:
        return (
            "No similarity beyond what each subject's own habits produce. This is not evidence of "
            "independence."
        )
    measured = screening.measured
    runs = next(
        (e.details.long_runs for e in measured if isinstance(e.details, PhrasingDetails)), None
    )
    passages = (
        ""
        if runs is None
        else f" On {runs.prompts} of {runs.n} prompts they share a long passage that "
        "is not the prompt's: at least a fifth of the shorter answer (a limit of "
        f"{runs.words[0]} to {runs.words[1]} words)."
    )
    return (
        "Similar on the same prompts in: "
        f"{', '.join(e.title.lower() for e in screening.alike)}.{passages} Unrelated assistants "
        "are similar to some degree too; only a reference cohort shows whether this is more."
    )


def _finding(evidence: Evidence) -> Finding:
    interval = evidence.interval
    span = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval else ""
    weak = "; carries little weight" if evidence.weight == "low" else ""
    text = (
        f"{evidence.score:.3f}{span} against {habit_level(evidence):.3f} by habit alone, "
        f"n = {evidence.n}{weak}"
    )
    return Finding(comparator=evidence.comparator, text=text)


def _of_likeness(ratio: Ratio | None, *, speaks_for: bool) -> list[Finding]:
    """Return what a cohort's ratio says among the findings; a transferred one is no evidence."""
    if ratio is None or ratio.calibration != "matched" or (ratio.value > 0) is not speaks_for:
        return []
    likeness = ratio.judged
    interval = likeness.interval
    span = f" [{interval.low:.2f}, {interval.high:.2f}]" if interval else ""
    text = (
        f"{likeness.score:.2f}{span} standard deviations above the reference models most similar "
        f"to either, n = {likeness.n}; log10 LR {ratio.value:+.2f}"
    )
    return [Finding(comparator=likeness.comparator, text=text)]


def _reasons(decision: Decision) -> tuple[str, ...]:
    ratio = decision.ratio
    unmet = ratio.unmet if isinstance(ratio, NoRatio) else ()
    return (
        *(f"No likelihood ratio: {text}." for text in unmet),
        *_reasons_of_text(decision.screening),
        *([] if not isinstance(ratio, NoRatio) or unmet else [_no_ratio(ratio)]),
    )


def _reasons_of_text(screening: Screening) -> list[str]:
    if screening.shortfall is not None:
        return [f"{e.title}: {e.reason}" for e in screening.evidence if e.reason]
    if screening.by_numbers:
        return [NO_TEXT, *_telling(screening.evidence[0])]
    return [
        f"{e.title}: {e.status.replace('_', ' ')} ({e.reason})"
        for e in screening.evidence
        if e.score is None
    ]


def _no_ratio(ratio: NoRatio) -> str:
    judged = ratio.judged
    if ratio.cause == "uncalibrated":
        return f"the cohort {ratio.cohort} has too few pairs of known relatives to calibrate"
    # The lines of a transferred ratio are no kind of evidence of their own to a reader.
    what = judged.title if judged.comparator == LIKENESS else "No likelihood ratio"
    unread = "this version cannot read its details"
    return f"{what}: {unread if ratio.cause == 'unread' else judged.reason}"


def _telling(evidence: Evidence) -> list[str]:
    """Name the prompts that speak most for, and most against."""
    order = sorted(evidence.per_prompt, key=lambda prompt: -prompt.score)
    most = ", ".join(f"{prompt.prompt_id} ({prompt.score:+.2f})" for prompt in order[:_SHOWN])
    least = ", ".join(
        f"{prompt.prompt_id} ({prompt.score:+.2f})" for prompt in order[::-1][:_SHOWN]
    )
    return [f"Most alike on prompts {most}.", f"Least alike on prompts {least}."]


def _limits(decision: Decision, advice: str) -> list[str]:
    screening, ratio = decision.screening, decision.weighed
    silence = [shipped().silence] if decision.silence else []
    if screening.shortfall is not None:
        return ["Missing data is not evidence of independence.", *silence]
    if ratio is not None and ratio.calibration == "matched":
        return [_weighs(ratio), *([_SEEN] if ratio.is_member else []), *silence]
    transferred = [_weighs_transferred(ratio)] if ratio else []
    usual = _USUAL_OF_NUMBERS if screening.by_numbers else f"{_USUAL} {advice}".rstrip()
    return [*transferred, usual, *silence]


def _weighs(ratio: Ratio) -> str:
    rates = ratio.rates
    measured = (
        f"; on its {rates.n_pos} pairs of close descent from {rates.n_clusters} lineage "
        f"clusters against {rates.n_neg} unrelated pairs, held out by cluster, the area under "
        f"the ROC curve is {rates.auc:.3f} and Cllr {rates.cllr:.3f}"
        if isinstance(rates, CohortErrorRates) and rates.auc is not None and rates.cllr is not None
        else ""
    )
    return (
        f"{_WEIGHS} It holds for models and settings like those of the cohort "
        f"{ratio.cohort}{measured}. {_bounds(ratio)}"
    )


def _weighs_transferred(ratio: Ratio) -> str:
    tests = {} if isinstance(ratio.rates, CohortErrorRates) else ratio.rates
    by_set = "; ".join(
        f"on {where}, {rates.kin_pairs} close relatives against {rates.unrelated_pairs} "
        f"unrelated pairs of {rates.clusters} lineage clusters, Cllr is {rates.cllr:.2f} and "
        f"{percent(rates.false_above_10, 1)} of the unrelated pairs get a ratio above 10"
        for where, rates in tests.items()
    )
    return (
        f"{_WEIGHS} It rests on openings, wording and layout only, and was fitted on other prompts "
        f"and models: {by_set}. {_bounds(ratio)}"
    )


def _bounds(ratio: Ratio) -> str:
    low, high = (_ratio(bound) for bound in ratio.bounds)
    return f"The number of lineage clusters keeps it between {low} and {high}."


def _changed(transcript: tuple[str, str]) -> str:
    letter, broken = transcript
    return (
        f"The transcript of {letter} was changed after it was written, as its hash chain shows "
        f"({broken}): what is said here holds for the file as it is."
    )
