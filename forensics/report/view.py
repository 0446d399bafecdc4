"""What every report shows of a `Case`, and in which words; formats differ only in layout."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from forensics.case.as_given import AsGiven
from forensics.case.details.details_record import Details
from forensics.case.document import Case, Claim, Finding
from forensics.case.evidence import Evidence
from forensics.report.likelihood import error_words, population_words
from forensics.support.numbers import DASH, number
from forensics.verdicts.neighbours import at_floor

_LEAST_P = 0.0001

MASKED = "Names of models and makers are masked in this report."
EVIDENCE_STATUS: Mapping[str, str] = {
    "ok": "measured",
    "insufficient": "insufficient data",
    "not_applicable": "not applicable",
    "not_measured": "not measured",
    "error": "could not be computed",
}
_CALIBRATION: Mapping[str, str] = {
    "none": "uncalibrated: no reference cohort",
    "transferred": "calibration transferred from another population",
    "matched": "calibrated on models of the same era and kind",
    "held_out": "calibrated on held-out models",
}
_STATUS: Mapping[str, str] = {
    "screening": "Screening",
    "calibrated": "Calibrated result",
    "inconclusive": "Inconclusive",
    "insufficient": "Insufficient data",
}


def lookup(case: Case, path: str) -> Any:
    """Return the value at a dotted path of the case, such as `evidence.0.interval.low`.

    Raises:
        KeyError: nothing is there.
    """
    value: Any = case
    for part in path.split("."):
        try:
            if isinstance(value, Details | AsGiven):
                value = value.written()
            if isinstance(value, Mapping):
                value = value[part]
            elif isinstance(value, tuple | list):
                value = value[int(part)]
            else:
                value = getattr(value, part)
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise KeyError(f"the case has nothing at {path!r}") from error
    return value.written() if isinstance(value, Details | AsGiven) else value


def display(value: Any) -> str:
    """Return any value of a case as text, before sanitising."""
    if value is None or value == "":
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, float):
        return number(value)
    return _listed(value)


def _listed(value: Any) -> str:
    if isinstance(value, Mapping) and not any(map(_nested, value.values())):
        return ", ".join(f"{key}: {display(entry)}" for key, entry in value.items()) or DASH
    if isinstance(value, list | tuple) and not any(map(_nested, value)):
        return ", ".join(map(display, value)) or DASH
    return json.dumps(value, ensure_ascii=True, default=str)


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)


def claim_words(claim: Claim) -> str:
    """Return a claim with its source, and whether outputs can test it, on one line."""
    needs = f"; besides outputs it would need {'; '.join(claim.needs)}" if claim.needs else ""
    tested = "testable from outputs" if claim.testable else "not testable from outputs"
    return f'"{claim.text}" ({claim.source}, {claim.date}): {tested}{needs}'


def status_line(case: Case) -> str:
    """Return the verdict's status in words, with the calibration it rests on."""
    verdict = case.verdict
    status = _STATUS[verdict.status]
    if verdict.status == "insufficient" and verdict.calibration == "none":
        return status
    return f"{status} · {_CALIBRATION[verdict.calibration]}"


def holds_for(case: Case) -> str:
    """Return the scope of the result in one sentence, with the error rate where there is one."""
    source = f' of the suite "{case.suite.name}"' if case.suite.name else ""
    both = case.overlap.both
    if not both:
        return "No prompt was answered by both models, so the result holds for nothing else."
    prompts = "prompt" if both == 1 else "prompts"
    asked = f"{both} {prompts}{source}"
    if case.verdict.log10_lr is not None:
        return (
            f"The result holds for {population_words(case)}, and rests on the answers of both "
            f"models to {asked}. {error_words(case)}"
        )
    return (
        f"The result holds for these two sets of answers to {asked} that both models answered, "
        "with the settings recorded below."
    )


def is_not(case: Case) -> tuple[str, ...]:
    """Return what the result does not say, in sentences."""
    rivals = (
        "The result cannot show how, when or with whose permission outputs were obtained, and "
        "text alone cannot tell direct training on a model's outputs from training on public "
        "data that contains them."
    )
    if case.verdict.log10_lr is None:
        first = (
            "The result is a measurement of similarity, not a likelihood ratio: it does not say "
            "how often unrelated models are this similar, and it is not the probability that B "
            "was trained on A."
        )
    else:
        first = (
            "This likelihood ratio weighs the evidence, not the claim: it is not the probability "
            "that B was trained on A, which also depends on what else is known."
        )
    absence = "Low similarity does not show that two models are independent."
    return (first, rivals, absence)


def has_reference(evidence: Evidence) -> bool:
    """Tell whether the cohort's pairs were scored too, in histograms that fit together."""
    reference = evidence.reference
    if reference is None or len(reference.edges) < 2:
        return False
    bins = len(reference.edges) - 1
    return len(reference.unrelated) == len(reference.related) == bins


def among_pairs(evidence: Evidence) -> str:
    """Return above how many of the cohort's pairs the score lies, in words."""
    reference, score = evidence.reference, evidence.score
    if reference is None or score is None:
        return ""
    above = [
        f"{_percent(share_below(reference.edges, counts, score))} of {sum(counts):,} {name}"
        for counts, name in (
            (reference.unrelated, "unrelated pairs"),
            (
                reference.related,
                f"pairs of close relatives from {reference.clusters} lineage clusters",
            ),
        )
        if sum(counts)
    ]
    return f"above {' and '.join(above)}" if above else "the cohort has no pair to compare it with"


def among_unrelated(evidence: Evidence) -> str:
    """Return above how many unrelated pairs the score lies, in words; nothing without any."""
    near = evidence.neighbourhood
    if near is None:
        return ""
    where = "" if near.prompts == "matched" else ", on other prompts"
    return f"above {_percent(near.above)} of {near.pairs:,} unrelated pairs{where}"


def _percent(share: float) -> str:
    # Rounded down: "above 100 %" of a thousand pairs must not be said while one lies above.
    return f"{math.floor(share * 1000) / 10:g} %"


def share_below(edges: Sequence[float], counts: Sequence[int], value: float) -> float:
    """Return the share of a histogram below `value`; within a bin, pairs are spread evenly.

    Args:
        edges: the n + 1 ends of n bins.
        counts: how many values each bin holds, at least one in all.
        value: on the scale of `edges`.
    """
    below = 0.0
    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
        part = (value - low) / (high - low) if high > low else float(value > low)
        below += count * min(max(part, 0.0), 1.0)
    return below / sum(counts)


def floor_words(evidence: Evidence) -> str:
    """Return what the noise floor of this evidence is."""
    if evidence.noise_floor is None:
        return "no noise floor was measured"
    if evidence.noise_floor.method == "repeat_samples":
        return "each model asked the same prompt twice"
    return "each model against its own answers to other prompts"


def explained(evidence: Evidence) -> str:
    """Return how much of the score's differences length and formatting explain, in per cent."""
    share = evidence.explained_by_length_and_formatting
    return DASH if share is None else f"{share.share * 100:.0f} %"


def p_value(value: float) -> str:
    """Return a p-value as text: never a bare zero."""
    return f"< {_LEAST_P:g}" if value < _LEAST_P else f"{value:.2g}"


def ratios(evidence: Evidence) -> str:
    """Return the evidence's log10 likelihood ratios, by hypothesis where they differ."""
    ratios = evidence.log10_lr or {}
    if len(set(ratios.values())) == 1:
        return f"{next(iter(ratios.values())):+.2f}"
    return ", ".join(f"{name.replace('_', ' ')} {value:+.2f}" for name, value in ratios.items())


def position(evidence: Evidence) -> str:
    """Return where the score lies relative to the noise floor, in a few words."""
    floor, score = evidence.noise_floor, evidence.score
    if floor is None or score is None:
        return ""
    interval = evidence.interval
    low, high = (interval.low, interval.high) if interval else (score, score)
    bottom, top = sorted((floor.a, floor.b))
    if floor.method == "repeat_samples":
        degree = "as" if high >= bottom else "less"
        return f"{degree} alike {'as' if degree == 'as' else 'than'} one model asked twice"
    if low > top:
        return "above the noise floor"
    return "below the noise floor" if high < bottom else "not clear of the noise floor"


def tripwire_words(case: Case) -> str:
    """Return what the copy tripwire found, in one sentence."""
    wire = case.copy_tripwire
    counted = (
        f"{wire.identical} of {wire.compared} compared answer pairs of {wire.min_chars} characters "
        f"or more are identical (limit {wire.limit})"
    )
    if wire.tripped:
        return f"{counted}: the reading is capped at one model, a cache, an alias or a proxy."
    return f"{counted}: not tripped."


@dataclass(frozen=True)
class FindingSides:
    """The findings of a verdict: for kinship, against, and two kinds that are alike for no reason.

    `apart` are as alike as any two assistants; of `unplaced` nobody knows how alike these are.
    """

    speak_for: tuple[Finding, ...]
    apart: tuple[Finding, ...]
    unplaced: tuple[Finding, ...]
    against: tuple[Finding, ...]

    @property
    def grey(self) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
        """Those that are alike and speak for nothing, by what is said of them."""
        groups = ((APART, self.apart), (UNPLACED, self.unplaced))
        return tuple((title, findings) for title, findings in groups if findings)


APART = "As alike as any two assistants"
UNPLACED = "Alike, but how alike unrelated models are here was not measured"


def sides(case: Case) -> FindingSides:
    """Return the findings of a case's verdict by what they say."""
    verdict = case.verdict
    apart = set(verdict.findings_apart)
    placed = {e.comparator for e in case.evidence if _is_placed(e)}
    alike = [finding for finding in verdict.findings_for if finding.comparator not in apart]
    return FindingSides(
        speak_for=tuple(finding for finding in alike if finding.comparator in placed),
        apart=tuple(finding for finding in verdict.findings_for if finding.comparator in apart),
        unplaced=tuple(finding for finding in alike if finding.comparator not in placed),
        against=verdict.findings_against,
    )


def _is_placed(evidence: Evidence) -> bool:
    """Tell whether it is known how alike unrelated models are: by scores, or by an exact test."""
    if evidence.tier != "text" or evidence.p_value is not None:
        return True
    scored = evidence.neighbourhood is not None or evidence.reference is not None
    return scored or at_floor(evidence)


def titles(case: Case) -> Mapping[str, str]:
    """Return comparator name → title."""
    return {evidence.comparator: evidence.title for evidence in case.evidence}


def columns(value: Any) -> tuple[str, ...]:
    """Return the keys that a list of flat records shares; nothing where it is no such list."""
    if not isinstance(value, list | tuple) or not value:
        return ()
    if not all(isinstance(record, Mapping) for record in value):
        return ()
    keys = tuple(str(key) for key in value[0])
    nested = any(isinstance(v, Mapping | list | tuple) for r in value for v in r.values())
    if nested or any(tuple(record) != keys or "." in "".join(keys) for record in value):
        return ()
    return keys


def flatten(value: Any, path: str, limit: int = 60) -> list[tuple[str, str]]:
    """Return the leaves of a JSON value as `(label, path)` rows; a list of records is one leaf.

    A key that a dotted path cannot express ends the descent: its row shows the value around it.
    """
    whole = value.written() if isinstance(value, Details | AsGiven) else value
    return list(islice(_leaves(whole, "", path), limit))


def _leaves(value: Any, label: str, path: str) -> Iterator[tuple[str, str]]:
    children: list[tuple[str, Any]] = []
    if isinstance(value, Mapping):
        children = [(str(key), child) for key, child in value.items()]
    elif isinstance(value, list | tuple) and not columns(value):
        nested = any(isinstance(child, Mapping | list) for child in value)
        children = [(str(i), child) for i, child in enumerate(value)] if nested else []
    if not children or any("." in key or not key for key, _ in children):
        yield label, path
        return
    for key, child in children:
        name = key.replace("_", " ")
        yield from _leaves(child, f"{label} › {name}" if label else name, f"{path}.{key}")
