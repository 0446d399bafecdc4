"""What a comparator is: one kind of evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeVar

from forensics.case.details.details_record import Details
from forensics.case.details.kinds import AnyDetails
from forensics.case.evidence import (
    Direction,
    Evidence,
    EvidenceStatus,
    Exhibit,
    Interval,
    NoiseFloor,
    PromptScore,
    Tier,
)
from forensics.evidence.features.matched_prompts import (
    Matched,
    PromptRows,
    bootstrap_mean,
    match,
    prompt_scores,
)
from forensics.examination.examined import Examined, Need
from forensics.transcripts.answers import Answer

MIN_PROMPTS = 8  # below this a bootstrap interval over prompts says nothing

_NO_DETAILS = Details()

F = TypeVar("F")


class Comparator(Protocol[F]):
    """One kind of evidence about a pair.

    `needs` says what a subject must have; `symmetric` whether `compare(a, b)` and `compare(b, a)`
    agree. `extract` looks at one subject alone, and `compare` leaves what it returned as it is, so
    that features may be used for several pairs. `compare` must be deterministic, must not depend on
    the order of answers, and must not touch the network.
    """

    @property
    def name(self) -> str:
        """Identifier, `[a-z_]+`."""
        ...

    @property
    def title(self) -> str:
        """What it looks at, in two or three plain words."""
        ...

    @property
    def tier(self) -> Tier:
        """Which tier of evidence it belongs to."""
        ...

    @property
    def needs(self) -> frozenset[Need]:
        """What must be available of both subjects."""
        ...

    @property
    def symmetric(self) -> bool:
        """Whether swapping the subjects leaves the score unchanged."""
        ...

    def extract(self, examined: Examined) -> F:
        """Return what `compare` needs of one subject."""
        ...

    def compare(self, a: F, b: F) -> Evidence:
        """Return what the two subjects' features say; never raises for lack of data."""
        ...


def scored(
    comparator: Comparator[F],
    *,
    scale: str,
    score: float,
    n: int,
    weight: Literal["normal", "low"] = "normal",
    interval: Interval | None = None,
    noise_floor: NoiseFloor | None = None,
    matched: float | None = None,
    baseline: float | None = None,
    p_value: float | None = None,
    direction: Direction | None = None,
    per_prompt: tuple[PromptScore, ...] = (),
    exhibits: tuple[Exhibit, ...] = (),
    caveats: tuple[str, ...] = (),
    details: AnyDetails = _NO_DETAILS,
) -> Evidence:
    """Return evidence with a score, headed by the comparator's name, title and tier.

    Args:
        comparator: what measured it.
        scale: the score's scale in words.
        score: higher means more alike.
        n: what was counted: matched prompts, passages, units, tensors.
        weight: `low` for what speaks little of kinship.
        interval: of the score, on its scale.
        noise_floor: each subject's score against itself.
        matched: the similarity on matched prompts.
        baseline: the same on mismatched ones.
        p_value: of the comparator's own null hypothesis.
        direction: who came first, where it tells that.
        per_prompt: the score on every prompt.
        exhibits: passages to show.
        caveats: what a reader should keep in mind.
        details: the kind's own record.
    """
    return Evidence(
        comparator=comparator.name,
        title=comparator.title,
        tier=comparator.tier,
        status="ok",
        scale=scale,
        weight=weight,
        score=score,
        interval=interval,
        noise_floor=noise_floor,
        matched=matched,
        baseline=baseline,
        n=n,
        p_value=p_value,
        direction=direction,
        per_prompt=per_prompt,
        exhibits=exhibits,
        caveats=caveats,
        details=details,
    )


def without_score(
    comparator: Comparator[F],
    status: EvidenceStatus,
    reason: str,
    n: int = 0,
    *,
    weight: Literal["normal", "low"] = "normal",
    details: AnyDetails = _NO_DETAILS,
) -> Evidence:
    """Return evidence that has no score, and says why; `n` is how much there was."""
    return Evidence(
        comparator=comparator.name,
        title=comparator.title,
        tier=comparator.tier,
        status=status,
        reason=reason,
        weight=weight,
        n=n,
        details=details,
    )


def matched_evidence(
    comparator: Comparator[F],
    a: PromptRows,
    b: PromptRows,
    scale: str,
    exhibits: Callable[[Matched], tuple[Exhibit, ...]],
    caveats: Sequence[str] = (),
) -> Evidence:
    """Return the evidence of a comparator whose answers are row vectors, see `matching`.

    Args:
        comparator: for its name, title and tier.
        a: rows of the known subject.
        b: rows of the questioned subject.
        scale: the score's scale in words.
        exhibits: chooses the passages to show.
        caveats: what a reader should keep in mind.
    """
    common = sorted(set(a.prompts) & set(b.prompts))
    if len(common) < MIN_PROMPTS:
        return without_score(comparator, "insufficient", too_few(len(common)), len(common))
    for letter, side in (("A", a), ("B", b)):
        if len({answer.text for group in side.answers.values() for answer in group}) == 1:
            reason = f"{letter} gives the same answer to every prompt"
            return without_score(comparator, "insufficient", reason, len(common))
    matched = match(a, b)
    return scored(
        comparator,
        scale=scale,
        score=float(matched.scores.mean()),
        interval=bootstrap_mean(matched.scores),
        noise_floor=matched.noise_floor,
        matched=float(matched.similarity.mean()),
        baseline=float(matched.expected.mean()),
        n=len(matched.prompts),
        per_prompt=prompt_scores(matched.prompts, matched.scores, a.answers),
        exhibits=exhibits(matched),
        caveats=tuple(caveats),
    )


def too_few(n: int, least: int = MIN_PROMPTS) -> str:
    """Return the reason for evidence that has too few prompts."""
    return f"{n} usable matched prompts; at least {least} are needed"


def exhibit(
    side: str,
    a: Answer,
    b: Answer,
    score: float,
    spans_a: Sequence[tuple[int, int]] = (),
    spans_b: Sequence[tuple[int, int]] = (),
    note: str = "",
) -> Exhibit:
    """Return an exhibit of two answers to one prompt; `side` is `for`, `against` or `random`."""
    return Exhibit.model_validate(
        {
            "prompt_sha256": a.prompt_sha256,
            "prompt_id": a.prompt_id,
            "side": side,
            "score": round(float(score), 6),
            "sample_a": a.sample,
            "sample_b": b.sample,
            "spans_a": tuple(spans_a),
            "spans_b": tuple(spans_b),
            "note": note,
        }
    )
