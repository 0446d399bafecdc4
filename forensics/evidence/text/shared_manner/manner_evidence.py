"""Shared manner: how much of what each shares with itself, asked again, do the two share?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from forensics.case.details.shared_manner import Centring
from forensics.case.evidence import Evidence, Exhibit, Interval, NoiseFloor, PromptScore, Tier
from forensics.evidence.comparator import MIN_PROMPTS, Comparator, exhibit, without_score
from forensics.evidence.features.matched_prompts import row_dots
from forensics.evidence.text.shared_manner.attenuation import CentredCosines
from forensics.evidence.text.shared_manner.centring import MIN_MODELS, MannerReference, place
from forensics.evidence.text.shared_manner.measuring import MannerOfPair, details_of, measured_in
from forensics.evidence.text.shared_manner.repeated import MeanRows, Repeated
from forensics.examination.examined import Examined, Need

NAME = "shared_manner"
TITLE = "Shared manner"
_EXHIBITS = 3
_SCALES: Mapping[Centring, str] = {
    "cohort": "share of a model's own manner (0 = as unrelated models, 1 = as one model)",
    "other_prompts": "share of a model's own manner (1 = as one model; unrelated models share "
    "some, too: how much depends on the prompts)",
}


@dataclass(frozen=True)
class SharedManner:
    """Compares what two models share with what each shares with itself.

    `reference` are the models to centre on; without them only answers to other prompts are
    subtracted, and nothing but "one model" can be read.
    """

    reference: MannerReference | None = None
    name: str = NAME
    title: str = TITLE
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Repeated:
        """Return the sequences of all answers to prompts that have two or more."""
        return Repeated.of(examined.answers)

    def compare(self, a: Repeated, b: Repeated) -> Evidence:
        """Return how much of their own manner both share; 1 is one model."""
        prompts = tuple(sorted(set(a.prompts) & set(b.prompts)))
        if len(prompts) < MIN_PROMPTS:
            return without_score(self, "insufficient", too_few_repeats(len(prompts)), len(prompts))
        reference = _cut(self.reference, prompts)
        if reference is None:
            measured = by_other_prompts(a.rows(prompts), b.rows(prompts))
        else:
            prompts = reference.prompts
            measured = _by_reference(a, b, reference)
        names = _names(a, prompts, reference)
        samples = (a.median_samples(prompts), b.median_samples(prompts))
        return evidence_of(self, measured, names, samples, _exhibits(a, b, prompts, measured))


def too_few_repeats(prompts: int) -> str:
    """Return the reason for no score where too few prompts were asked repeatedly."""
    return (
        f"{prompts} matched prompts have two or more answers of each; at least {MIN_PROMPTS} are "
        "needed: ask each prompt three times (--samples 3 --temperature 0.7)"
    )


class PromptName(NamedTuple):
    """A prompt as a report names it."""

    sha256: str
    id: str
    category: str


def _names(
    a: Repeated, prompts: Sequence[str], reference: MannerReference | None
) -> list[PromptName]:
    firsts = [a.answers[prompt][0] for prompt in prompts]
    # An import knows no categories; a cohort has those of its suite.
    known = [answer.category for answer in firsts] if reference is None else reference.categories
    return [
        PromptName(answer.prompt_sha256, answer.prompt_id, category)
        for answer, category in zip(firsts, known, strict=True)
    ]


def _cut(reference: MannerReference | None, prompts: Sequence[str]) -> MannerReference | None:
    """Return the reference on these prompts, where it has enough of them and enough models."""
    if reference is None:
        return None
    counts = reference.answered.sum(axis=1)
    known = reference.places
    shared = [p for p in prompts if p in known and counts[known[p]] >= MIN_MODELS]
    return reference.on(shared) if len(shared) >= MIN_PROMPTS else None


def _by_reference(a: Repeated, b: Repeated, reference: MannerReference) -> MannerOfPair:
    first, second = (side.rows(reference.prompts, reference.weights) for side in (a, b))
    cross = row_dots(first.means, second.means)
    return measured_in(place(first, reference), place(second, reference), reference, cross)


def by_other_prompts(a: MeanRows, b: MeanRows) -> MannerOfPair:
    """Measure two subjects of which nothing is subtracted but what answers to other prompts share.

    Args:
        a: the one's rows, all sequences weighed alike.
        b: the other's, on the same prompts.
    """
    cross = row_dots(a.means, b.means)
    return MannerOfPair(
        CentredCosines(
            cross - _mismatched(a, b), a.within - _mismatched(a, a), b.within - _mismatched(b, b)
        ),
        cross,
    )


def _mismatched(a: MeanRows, b: MeanRows) -> float:
    """Return the mean cosine of answers to different prompts."""
    n = len(a.means)
    sums = (side.means.sum(axis=0, dtype=np.float64) for side in (a, b))
    total = float(np.dot(*sums))
    return (total - float(row_dots(a.means, b.means).sum())) / (n * (n - 1))


def evidence_of(
    comparator: Comparator[Repeated],
    measured: MannerOfPair,
    prompts: Sequence[PromptName],
    samples: tuple[int, int],
    exhibits: Sequence[Exhibit] = (),
) -> Evidence:
    """Return the evidence of what was measured.

    Args:
        comparator: for its name, title and tier.
        measured: what both share.
        prompts: hash, id and category of each, in order.
        samples: the median number of answers a prompt of A and of B.
        exhibits: the passages to show.
    """
    agreement = measured.agreement
    if not agreement.measurable:
        reason = "the repeated answers of one subject are no more alike than any answers"
        return without_score(comparator, "insufficient", reason, len(prompts))
    details = details_of(measured, [prompt.category for prompt in prompts], samples)
    floor_a, floor_b = (round(floor / agreement.scale, 6) for floor in agreement.floors)
    return Evidence(
        comparator=comparator.name,
        title=comparator.title,
        tier=comparator.tier,
        status="ok",
        # It is the ground of an answer of its own and no further count of what is alike.
        weight="low",
        scale=_SCALES[measured.centring],
        score=round(agreement.share, 6),
        interval=Interval(low=details.low, high=details.high),
        noise_floor=NoiseFloor(a=floor_a, b=floor_b, method="repeat_samples"),
        matched=round(float(measured.matched.mean()), 6),
        n=len(prompts),
        per_prompt=tuple(
            PromptScore(prompt_sha256=p.sha256, prompt_id=p.id, score=round(float(score), 6))
            for p, score in zip(prompts, agreement.scores, strict=True)
        ),
        exhibits=tuple(exhibits),
        caveats=_caveats(measured.centring),
        details=details,
    )


def _caveats(centring: Centring) -> tuple[str, ...]:
    mode = (
        "One model that thinks before some answers only, or that answers under two system "
        "prompts, has two manners."
    )
    if centring == "cohort":
        return (mode,)
    plain = (
        "No cohort answered these prompts several times: how much unrelated models share on them "
        "is not known, so only the test of one model is read from this."
    )
    return (mode, plain)


def _exhibits(
    a: Repeated, b: Repeated, prompts: Sequence[str], measured: MannerOfPair
) -> tuple[Exhibit, ...]:
    scores = measured.agreement.scores
    order = np.argsort(-scores, kind="stable")
    most = [("for", i) for i in order[:_EXHIBITS] if scores[i] > 0]
    least = [("against", i) for i in order[::-1][:_EXHIBITS] if scores[i] < 1]
    return tuple(
        exhibit(
            side,
            a.answers[prompts[i]][0],
            b.answers[prompts[i]][0],
            scores[i],
            note=f"{len(a.answers[prompts[i]])} answers of A, {len(b.answers[prompts[i]])} of B",
        )
        for side, i in (*most, *least)
    )
