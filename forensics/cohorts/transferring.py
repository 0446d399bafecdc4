"""A pair judged by lines that were fitted on other prompts: conditions, ratio, interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np

from forensics.case.details.reference import MetCondition, ReleaseMonths, TransferredDetails
from forensics.case.evidence import Evidence, Interval
from forensics.cohorts.calibration import to_log10
from forensics.cohorts.fitting import CLOSE_KIN
from forensics.cohorts.learned import transferred_against_learned
from forensics.cohorts.population import Condition, month
from forensics.cohorts.similarity import Floats
from forensics.cohorts.transferred import (
    FEATURES,
    NAME,
    TITLE,
    Transferred,
    mixed_llr,
    scores_of,
)
from forensics.evidence.features.matched_prompts import resample_weights
from forensics.examination.examined import Examined
from forensics.support.numbers import percent
from forensics.transcripts.answers import MAX_ANALYSED_CHARS

_CUT_OFF = 0.2
SHORTEST = 100  # characters; the quizzes fitted to have medians of 150 and more, but for one model
_SCALE = "log10 likelihood ratio of close kinship against independence, calibration transferred"
_OTHER_PROMPT = (
    "The two were asked under different system prompts, so low similarity does not speak against "
    "kinship here: the ratio is not below 1."
)


def judge_transferred(
    a: Examined,
    b: Examined,
    evidence: Sequence[Evidence],
    known: Transferred,
    released: tuple[str, str] = ("", ""),
) -> Evidence:
    """Return the fused likelihood ratio of a pair; `details` hold its conditions.

    Args:
        a: the known subject.
        b: the questioned subject.
        evidence: what the comparators found, those of `FEATURES` among them.
        known: the calibration.
        released: `YYYY-MM` of A and B, where known.
    """
    by_name = {entry.comparator: entry for entry in evidence}
    details = TransferredDetails(
        calibration_sha256=known.sha256, released=ReleaseMonths(a=released[0], b=released[1])
    )
    scores, lacking = scores_of({name: entry.score for name, entry in by_name.items()})
    if scores is None:
        return Evidence(
            comparator=NAME,
            title=TITLE,
            status="insufficient",
            reason=f"no score of {', '.join(lacking)}",
            details=details,
        )
    used = [by_name[name] for name in FEATURES]
    n = min(entry.n for entry in used)
    conditions = list(_conditions(a, b, n, known, released))
    met = tuple(MetCondition(met=condition.met, text=condition.text) for condition in conditions)
    details = details.model_copy(update={"conditions": met})
    if not all(condition.met for condition in conditions):
        unmet = "; ".join(condition.text for condition in conditions if not condition.met)
        return Evidence(
            comparator=NAME,
            title=TITLE,
            status="not_applicable",
            reason=unmet,
            n=n,
            details=details,
        )
    lengths = np.array([[_median_length(a), _median_length(b)]])
    other = np.array([_system_prompt(a) != _system_prompt(b)])
    llr = mixed_llr(known.calibration, known.numbers(scores, lengths), n, other)
    drawn = _draws(used, lengths, known, n)
    drawn = np.maximum(drawn, 0.0) if other[0] else drawn
    low, high = (float(x) for x in np.quantile(drawn, [0.025, 0.975]))
    bounds = known.calibration.nearest(n).bounds
    limits = to_log10(np.array([low, high, bounds.lower, bounds.upper])).round(4).tolist()
    value = round(float(to_log10(llr)[0]), 4)
    learned = transferred_against_learned(known.sha256, value, n)
    caveats = ("Fitted on other prompts and other models than these.",)
    return Evidence(
        comparator=NAME,
        title=TITLE,
        status="ok",
        scale=_SCALE,
        score=value,
        interval=Interval(
            low=limits[0], high=limits[1], method="percentile bootstrap over prompts and clusters"
        ),
        n=n,
        log10_lr={str(name): value for name in CLOSE_KIN},
        caveats=(*caveats, *([_OTHER_PROMPT] if other[0] else [])),
        details=details.model_copy(
            update={
                "log10_lr_interval": (limits[0], limits[1]),
                "log10_lr_bounds": (limits[2], limits[3]),
                "error_at_score": known.error_at(float(llr[0]), n),
                "error_rates": known.rates_at(n),
                **({} if learned is None else {"log10_lr_learned": learned}),
            }
        ),
    )


def _draws(used: Sequence[Evidence], lengths: Floats, known: Transferred, n: int) -> Floats:
    """Return LLRs over resampled prompts and refits; scores are means over prompts."""
    by_prompt = [{p.prompt_sha256: p.score for p in entry.per_prompt} for entry in used]
    common = sorted(set.intersection(*map(set, by_prompt)))
    rows = [[scores[prompt] for prompt in common] for scores in by_prompt]
    table = np.array(rows, dtype=np.float64).T
    drawn = resample_weights(len(table)) @ table
    return known.refitted(known.numbers(drawn, np.tile(lengths, (len(drawn), 1))), n)


def _conditions(
    a: Examined, b: Examined, n: int, known: Transferred, released: tuple[str, str]
) -> Iterator[Condition]:
    yield Condition(
        n >= known.least, f"{n} prompts were compared; at least {known.least} are needed"
    )
    for called, side, date in (("A", a, released[0]), ("B", b, released[1])):
        # An answer longer than what is analysed was not cut off by its model's limit.
        cut = sum(
            not answer.complete and len(answer.text) < MAX_ANALYSED_CHARS for answer in side.answers
        ) / max(len(side.answers), 1)
        yield Condition(
            cut <= _CUT_OFF,
            f"{percent(cut)} of {called}'s answers are cut off; at most {percent(_CUT_OFF)} may be",
        )
        yield length_condition(called, _median_length(side), known)
        yield _era(called, date, known)
    first, second = _system_prompt(a), _system_prompt(b)
    yield Condition(True, _asked_under(first, second))


def length_condition(called: str, length: float, known: Transferred) -> Condition:
    """Say whether a median answer, in characters, is as long as those of the models fitted to.

    A longer one counts as the longest: on sets of long answers, judged by lines of shorter ones,
    this did no harm.
    """
    low, high = known.lengths
    text = f"the median answer of {called}, {length:.0f} characters, "
    if length < SHORTEST:
        return Condition(False, f"{text}is too short to show habits ({SHORTEST} are needed)")
    if length < low:
        most = f"the {low:.0f} to {high:.0f} of most models fitted to"
        return Condition(True, f"{text}lies below {most}, as that of some did")
    if length > high:
        return Condition(True, f"{text}counts as the longest of the models fitted to ({high:.0f})")
    return Condition(True, f"{text}lies in the {low:.0f} to {high:.0f} of the models fitted to")


def _era(called: str, released: str, known: Transferred) -> Condition:
    """Say how far beyond the models fitted to a subject is; that refuses nothing."""
    first, last = (month(fitted_month) for fitted_month in known.months)
    at = month(released)
    fitted = f"the models fitted to are of {known.months[0]} to {known.months[1]}"
    if at is None or first is None or last is None:
        return Condition(True, f"when {called} was released is not known; {fitted}")
    beyond = max(first - at, at - last, 0)
    if not beyond:
        return Condition(True, f"{called} ({released}) is of their time: {fitted}")
    return Condition(True, f"{called} ({released}) lies {beyond} months beyond them: {fitted}")


def _asked_under(first: str, second: str) -> str:
    if first != second:
        return "the subjects were asked under different system prompts"
    if first:
        return "both were asked under one system prompt, as some of the pairs fitted to were"
    return "the subjects were not asked under one system prompt"


def _median_length(side: Examined) -> float:
    return float(median([len(answer.text) for answer in side.answers] or [0]))


def _system_prompt(side: Examined) -> str:
    settings = [m.settings.get("system_prompt") for m in side.transcript.manifests]
    return next((str(prompt) for prompt in settings if prompt), "")
