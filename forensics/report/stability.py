"""Does a score hang on one category of prompts?"""

from __future__ import annotations

from dataclasses import dataclass

from forensics.case.document import Case
from forensics.case.evidence import Evidence


@dataclass(frozen=True)
class WithoutCategory:
    """The mean score on the prompts of all categories but one; `n` counts those prompts."""

    category: str
    n: int
    mean: float


@dataclass(frozen=True)
class Stability:
    """Mean per-prompt scores of one comparator, over all prompts and leaving each category out."""

    mean: float
    n: int
    without: tuple[WithoutCategory, ...]

    @property
    def farthest(self) -> WithoutCategory:
        """The category whose absence moves the mean most."""
        return max(self.without, key=lambda left_out: abs(left_out.mean - self.mean))

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest mean without one category."""
        means = [left_out.mean for left_out in self.without]
        return min(means), max(means)


def leaving_one_out(case: Case, evidence: Evidence) -> Stability | None:
    """Return how the mean per-prompt score moves when one category of prompts is left out.

    The means are over prompts, each weighing the same. They need not equal the comparator's score,
    which may be another function of the same prompts.

    Args:
        case: whose prompts tell each score's category.
        evidence: whose per-prompt scores are taken.

    Returns:
        None where the scored prompts are of fewer than two categories.
    """
    categories = {prompt.prompt_sha256: prompt.category for prompt in case.prompts}
    scores = [
        (categories[entry.prompt_sha256], entry.score)
        for entry in evidence.per_prompt
        if entry.prompt_sha256 in categories
    ]
    names = sorted({category for category, _ in scores})
    if len(names) < 2:
        return None
    total = sum(score for _, score in scores)
    without = []
    for name in names:
        of_category = [score for category, score in scores if category == name]
        n = len(scores) - len(of_category)
        without.append(WithoutCategory(name, n, (total - sum(of_category)) / n))
    return Stability(total / len(scores), len(scores), tuple(without))
