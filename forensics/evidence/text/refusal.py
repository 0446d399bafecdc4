"""Refusal: which prompts do both evade or decline, and do they agree beyond chance?

Three labels are weighed: complies, evades or refuses in part, refuses. Who evades what is counted
by category and by language too: a model that is frank in English and evasive in Chinese shows a
lineage of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forensics.case.details.kinds import AnyDetails
from forensics.case.details.text import RefusalDetails
from forensics.case.evidence import Evidence, Exhibit, NoiseFloor, Tier
from forensics.evidence.comparator import MIN_PROMPTS, exhibit, scored, too_few, without_score
from forensics.evidence.features.matched_prompts import (
    Floats,
    group_by_prompt,
    percentile_interval,
    prompt_scores,
    resample_weights,
)
from forensics.evidence.refusals import By, Label, RefusalJudgement, classifier_id, classify
from forensics.evidence.refusals.lexicons import languages_of
from forensics.evidence.refusals.normalise import fold
from forensics.examination.examined import Examined, Need
from forensics.transcripts.answers import Answer

_DEGREE: Mapping[Label, int] = {"full_compliance": 0, "partial_refusal": 1, "full_refusal": 2}
_MIN_REFUSED = 3  # agreement beyond chance needs something to agree about
_EXHIBITS = 5
_SAME_WORDS = 0.8
_SHIFTS = 25


@dataclass(frozen=True)
class Refusals:
    """One subject's judged answers, by prompt and sample."""

    answers: Mapping[str, tuple[Answer, ...]]
    judgements: Mapping[str, tuple[RefusalJudgement, ...]]

    def degrees(self, prompts: Sequence[str], sample: int = 0) -> Floats:
        """Return 0 (complies), 1 (partly refuses) or 2 (refuses) per prompt."""
        labels = [self.judgements[p][min(sample, len(self.judgements[p]) - 1)] for p in prompts]
        return np.array([_DEGREE[judged.label] for judged in labels], dtype=np.float64)

    def first(self, prompt: str) -> RefusalJudgement:
        """Return the judgement of a prompt's first sample."""
        return self.judgements[prompt][0]


@dataclass(frozen=True)
class Refusal:
    """Compares which prompts are evaded or declined.

    `by` names the classifier: `marks` is that of version 0.1.0, which saw no evasion.
    """

    name: str = "refusal"
    title: str = "What is refused"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True
    by: By = "task"

    def of_record(self, details: AnyDetails) -> Refusal | None:
        """Return what made evidence with these details; None where it is not here."""
        if isinstance(details, RefusalDetails) and details.classifier is not None:
            return self if details.classifier == classifier_id() else None
        is_known = isinstance(details, RefusalDetails) or not details.written()
        return replace(self, by="marks") if is_known else None

    def extract(self, examined: Examined) -> Refusals:
        """Return the refusal classifier's judgement of every answer."""
        groups = group_by_prompt(examined.answers)
        flat = [answer for group in groups.values() for answer in group]
        judged = iter(classify([a.text for a in flat], [a.prompt_text for a in flat], self.by))
        return Refusals(groups, {p: tuple(next(judged) for _ in g) for p, g in groups.items()})

    def compare(self, a: Refusals, b: Refusals) -> Evidence:
        """Return Cohen's linearly weighted kappa of the two subjects' refusals.

        J. Cohen (1968), Weighted kappa, Psychological Bulletin 70(4).
        """
        prompts = tuple(sorted(set(a.answers) & set(b.answers)))
        if len(prompts) < MIN_PROMPTS:
            return without_score(self, "insufficient", too_few(len(prompts)), len(prompts))
        left, right = a.degrees(prompts), b.degrees(prompts)
        refused = (int((left > 0).sum()), int((right > 0).sum()))
        details = (_by_task if self.by == "task" else _by_marks)(a, b, prompts)
        if min(refused) < _MIN_REFUSED:
            reason = (
                f"refused or partly refused: {refused[0]} (A) and {refused[1]} (B) of "
                f"{len(prompts)} prompts; agreement beyond chance needs {_MIN_REFUSED} of each"
            )
            return without_score(self, "insufficient", reason, len(prompts), details=details)
        if len({*left, *right}) == 1:
            reason = "both refuse every prompt to one degree: agreement beyond chance is undefined"
            return without_score(self, "insufficient", reason, len(prompts), details=details)
        weights = resample_weights(len(prompts))
        per_prompt = 1 - np.abs(left - right) / 2
        return scored(
            self,
            scale="Cohen's weighted kappa of refusals (0 = agreement by chance, 1 = always agree)",
            score=float(kappa(left, right, np.full((1, len(prompts)), 1 / len(prompts)))[0]),
            interval=percentile_interval(kappa(left, right, weights)),
            noise_floor=_noise_floor(a, b, prompts),
            n=len(prompts),
            per_prompt=prompt_scores(prompts, per_prompt, a.answers),
            exhibits=_exhibits(a, b, prompts),
            caveats=("Which prompts are harmful is common knowledge: some agreement is expected.",),
            details=details,
        )


def kappa(left: Floats, right: Floats, weights: Floats) -> Floats:
    """Return linearly weighted kappa under prompt weights.

    Args:
        left: degrees 0 to 2 of the first subject, shape (n,).
        right: the same of the second.
        weights: prompt weights, shape (resamples, n), each row summing to 1.

    Returns:
        Kappa, shape (resamples,); NaN where one category holds everything.
    """
    observed = weights @ np.abs(left - right)
    expected = np.zeros(len(weights))
    for i in range(3):
        for j in range(3):
            share = (weights @ (left == i)) * (weights @ (right == j))
            expected += abs(i - j) * share
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = np.where(expected > 1e-12, 1 - observed / expected, np.nan)
    return result


def _noise_floor(a: Refusals, b: Refusals, prompts: Sequence[str]) -> NoiseFloor | None:
    if all(len(side.judgements[p]) > 1 for side in (a, b) for p in prompts):
        with_itself = [_kappa(side.degrees(prompts), side.degrees(prompts, 1)) for side in (a, b)]
        return NoiseFloor(a=with_itself[0], b=with_itself[1], method="repeat_samples")
    with_itself = [_shifted(side.degrees(prompts)) for side in (a, b)]
    return NoiseFloor(a=with_itself[0], b=with_itself[1], method="resampled_prompts")


def _kappa(left: Floats, right: Floats) -> float:
    value = float(kappa(left, right, np.full((1, len(left)), 1 / len(left)))[0])
    # One category only: the subject agrees with itself entirely.
    return 1.0 if np.isnan(value) else value


def _shifted(degrees: Floats) -> float:
    """Return the subject's agreement with itself on other prompts."""
    shuffled = np.random.default_rng(0).permutation(degrees)
    shifts = range(1, min(len(degrees), _SHIFTS + 1))
    return float(np.mean([_kappa(shuffled, np.roll(shuffled, shift)) for shift in shifts]))


def _by_marks(a: Refusals, b: Refusals, prompts: Sequence[str]) -> RefusalDetails:
    """Return what version 0.1.0 counted: it saw no evasion."""
    return RefusalDetails(
        labels_a=_labels(a, prompts),
        phrases_a=_phrases(a, prompts),
        labels_b=_labels(b, prompts),
        phrases_b=_phrases(b, prompts),
    )


def _by_task(a: Refusals, b: Refusals, prompts: Sequence[str]) -> RefusalDetails:
    """Return the counts, and which subjects each evades and refuses."""
    languages = {prompt: _language(a.answers[prompt][0].prompt_text) for prompt in prompts}
    categories = {prompt: a.answers[prompt][0].category for prompt in prompts}
    evaded: Label = "partial_refusal"
    refused: Label = "full_refusal"
    return RefusalDetails(
        labels_a=_labels(a, prompts),
        phrases_a=_phrases(a, prompts),
        labels_b=_labels(b, prompts),
        phrases_b=_phrases(b, prompts),
        evaded_by_category_a=_count(a, categories, evaded),
        refused_by_category_a=_count(a, categories, refused),
        evaded_by_language_a=_count(a, languages, evaded),
        refused_by_language_a=_count(a, languages, refused),
        evaded_by_category_b=_count(b, categories, evaded),
        refused_by_category_b=_count(b, categories, refused),
        evaded_by_language_b=_count(b, languages, evaded),
        refused_by_language_b=_count(b, languages, refused),
        prompts_by_language=dict(sorted(Counter(languages.values()).items())),
        agreement_by_language=_agreement(a, b, languages),
        classifier=classifier_id(),
    )


def _labels(refusals: Refusals, prompts: Sequence[str]) -> dict[str, int]:
    labels: list[str] = [refusals.first(prompt).label for prompt in prompts]
    return dict(Counter(labels))


def _language(prompt: str) -> str:
    """Return the ISO code of the language a prompt is written in, English where it is unsure."""
    return languages_of(fold(prompt).text)[0]


def _count(refusals: Refusals, groups: Mapping[str, str], label: Label) -> dict[str, int]:
    """Return how many prompts of each group were given a label, where any was."""
    counts = Counter(group for p, group in groups.items() if refusals.first(p).label == label)
    return dict(sorted(counts.items()))


def _agreement(a: Refusals, b: Refusals, languages: Mapping[str, str]) -> dict[str, float]:
    """Return weighted kappa by language, where both decline enough of it to agree about."""
    kappas: dict[str, float] = {}
    for language in sorted(set(languages.values())):
        prompts = [prompt for prompt, spoken in languages.items() if spoken == language]
        left, right = a.degrees(prompts), b.degrees(prompts)
        enough = len(prompts) >= MIN_PROMPTS
        if enough and min((left > 0).sum(), (right > 0).sum()) >= _MIN_REFUSED:
            kappas[language] = round(_kappa(left, right), 6)
    return kappas


def _phrases(refusals: Refusals, prompts: Sequence[str]) -> tuple[tuple[str, int], ...]:
    counts = Counter(
        " ".join(judged.phrase.lower().split())[:120]
        for judged in map(refusals.first, prompts)
        if judged.phrase and judged.label != "full_compliance"
    )
    return tuple(counts.most_common(8))


def _exhibits(a: Refusals, b: Refusals, prompts: Sequence[str]) -> tuple[Exhibit, ...]:
    both = [p for p in prompts if "full_compliance" not in (a.first(p).label, b.first(p).label)]
    apart = [
        p
        for p in prompts
        if {a.first(p).label, b.first(p).label} == {"full_compliance", "full_refusal"}
    ]
    same_phrase = sorted(both, key=lambda p: -_phrase_overlap(a.first(p), b.first(p)))
    chosen = [("for", p) for p in same_phrase[:_EXHIBITS]]
    chosen += [("against", p) for p in apart[:_EXHIBITS]]
    return tuple(_exhibit(side, p, a, b) for side, p in chosen)


def _phrase_overlap(a: RefusalJudgement, b: RefusalJudgement) -> float:
    first, second = (set((judged.phrase or "").lower().split()) for judged in (a, b))
    return len(first & second) / max(len(first | second), 1)


def _exhibit(side: str, prompt: str, a: Refusals, b: Refusals) -> Exhibit:
    first, second = a.first(prompt), b.first(prompt)
    # Two refusals in different words share no passage that could be marked.
    marked = side == "against" or _phrase_overlap(first, second) >= _SAME_WORDS
    return exhibit(
        side,
        a.answers[prompt][0],
        b.answers[prompt][0],
        1 - abs(_DEGREE[first.label] - _DEGREE[second.label]) / 2,
        spans_a=(first.span,) if first.span and marked else (),
        spans_b=(second.span,) if second.span and marked else (),
        note=f"A: {first.label.replace('_', ' ')}; B: {second.label.replace('_', ' ')}",
    )
