"""Token counts: which tokenizer, told from how many tokens fixed strings make.

Works through any endpoint that reports how many prompt tokens it read; a local model's tokenizer
is counted from its files, so that a model here can be compared with one behind an endpoint.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from forensics.case.details.tokenizer import TokenCountsDetails
from forensics.case.evidence import Evidence, EvidenceStatus, Tier
from forensics.evidence.comparator import scored, without_score
from forensics.examination.examined import Examined, Need
from forensics.examination.token_counting import LEAST_STRINGS, TokenCounts, known_counts

_NEAREST = 3
_CAVEATS = (
    "Equal counts point to one tokenizer, not to shared weights; models of many makers share one.",
    "An endpoint may count with another tokenizer than the model's.",
)


@dataclass(frozen=True)
class TokenCountVectors:
    """Compares the token counts of fixed strings."""

    name: str = "token_counts"
    title: str = "Token counts"
    tier: Tier = "tokenizer"
    needs: frozenset[Need] = frozenset({"token_counts"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> TokenCounts:
        """Return the counts measured at the endpoint, or of the tokenizer's files.

        Raises:
            BackendError: the files are damaged.
        """
        assert examined.token_counts is not None  # noqa: S101 (`needs` says so)
        return examined.token_counts

    def compare(self, a: TokenCounts, b: TokenCounts) -> Evidence:
        """Return the share of strings that make equally many tokens in both."""
        problems = [f"{letter}: {s.problem}" for letter, s in (("A", a), ("B", b)) if s.problem]
        if problems:
            return without_score(self, "not_measured", "; ".join(problems))
        shared = sorted(a.counts.keys() & b.counts.keys())
        if len(shared) < LEAST_STRINGS:
            status: EvidenceStatus = "insufficient"
            reason = f"{len(shared)} strings counted in both; at least {LEAST_STRINGS} are needed"
            return without_score(self, status, reason, len(shared))
        known = known_counts()
        highest, pairs = _between_others(known)
        score = _equal(a.counts, b.counts)
        return scored(
            self,
            scale=(
                "share of strings with equal token counts (between different known tokenizers: "
                f"at most {highest:.2f} in {pairs} pairs)"
            ),
            score=score,
            baseline=highest,
            n=len(shared),
            caveats=_CAVEATS,
            details=TokenCountsDetails(
                reading=_reading(score, highest),
                kin=score == 1.0,
                a=dict(a.counts),
                b=dict(b.counts),
                sources=(a.source, b.source),
                nearest_a=tuple(nearest(a.counts, known)),
                nearest_b=tuple(nearest(b.counts, known)),
            ),
        )


def nearest(
    counts: Mapping[str, int], known: Mapping[str, Mapping[str, int]]
) -> list[tuple[str, float]]:
    """Return the most similar known tokenizers with their shares of equal counts, best first."""
    shares = ((name, round(_equal(counts, other), 4)) for name, other in known.items())
    return sorted(shares, key=lambda entry: (-entry[1], entry[0]))[:_NEAREST]


def _reading(score: float, highest: float) -> str:
    if score == 1.0:
        return "no difference: the same tokenizer, or two that split these strings alike"
    if score > highest:
        return "more alike than different known tokenizers are: one family or version of another"
    return "different tokenizers"


def _equal(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    shared = a.keys() & b.keys()
    return sum(a[name] == b[name] for name in shared) / len(shared) if shared else 0.0


def _between_others(known: Mapping[str, Mapping[str, int]]) -> tuple[float, int]:
    """Return the highest share between known tokenizers that count differently, and of how many."""
    shares = [_equal(a, b) for a, b in itertools.combinations(known.values(), 2)]
    different = [share for share in shares if share < 1.0]
    return max(different), len(different)
