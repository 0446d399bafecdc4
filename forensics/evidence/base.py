"""What a comparator is: one kind of evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from forensics.case.evidence import Evidence, EvidenceStatus, Exhibit, Tier
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

F = TypeVar("F")


class Comparator(Protocol[F]):
    """One kind of evidence about a pair.

    `needs` says what a subject must have; `symmetric` whether `compare(a, b)` and `compare(b, a)`
    agree. `extract` runs once per subject and its result may be cached; `compare` must be
    deterministic, must not depend on the order of answers, and must not touch the network.
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


def without_score(
    comparator: Comparator[F], status: EvidenceStatus, reason: str, n: int = 0
) -> Evidence:
    """Return evidence that has no score, and says why."""
    return Evidence(
        comparator=comparator.name,
        title=comparator.title,
        tier=comparator.tier,
        status=status,
        reason=reason,
        n=n,
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
            reason = f"{letter} gives one and the same answer to every prompt"
            return without_score(comparator, "insufficient", reason, len(common))
    matched = match(a, b)
    return Evidence(
        comparator=comparator.name,
        title=comparator.title,
        tier=comparator.tier,
        status="ok",
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
