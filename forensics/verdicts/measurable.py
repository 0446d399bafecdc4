"""Tiers of evidence: which can be had of two subjects, and what they say together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from forensics.case.evidence import Evidence, Tier
from forensics.case.tier_names import tier_title
from forensics.errors import UsageError
from forensics.evidence.comparator import Comparator, without_score
from forensics.examination.examined import PROBABILITIES, Examined, Need

TIERS: tuple[Tier, ...] = get_args(Tier)


@dataclass(frozen=True)
class Unmeasured:
    """Stands in a report for a tier, or one comparator, that cannot be measured."""

    name: str
    title: str
    tier: Tier
    reason: str
    needs: frozenset[Need] = frozenset()
    symmetric: bool = True

    def extract(self, examined: Examined) -> None:
        """Return nothing: there is nothing to look at."""

    def compare(self, a: None, b: None) -> Evidence:
        """Return evidence that says why there is none."""
        return without_score(self, "not_measured", self.reason)


def of_tiers(
    comparators: Iterable[Comparator[Any]], wanted: Sequence[Tier]
) -> list[Comparator[Any]]:
    """Return the comparators of these tiers, in their order; of all tiers where none is named.

    Raises:
        UsageError: none is left.
    """
    left = [comparator for comparator in comparators if not wanted or comparator.tier in wanted]
    if not left:
        raise UsageError(f"no comparator of the tier {', '.join(wanted)} is left to run")
    return left


def measurable(
    comparators: Sequence[Comparator[Any]], a: Examined, b: Examined
) -> list[Comparator[Any]]:
    """Replace comparators that cannot run by one that says why, and a whole tier by one line.

    Text is left alone: what is wrong with answers is told comparator by comparator.
    """
    runnable: list[Comparator[Any]] = []
    told_tiers: set[Tier] = set()
    for comparator in comparators:
        reason = _lacking(comparator, a, b)
        if reason is not None and _is_no_loss(comparator, comparators, a, b):
            continue
        if reason is None or comparator.tier == "text":
            runnable.append(comparator)
        elif (
            not _any_left(comparators, comparator.tier, a, b) and comparator.tier not in told_tiers
        ):
            told_tiers.add(comparator.tier)
            tier = comparator.tier
            runnable.append(Unmeasured(tier, tier_title(tier), tier, reason))
        elif comparator.tier not in told_tiers:
            runnable.append(Unmeasured(comparator.name, comparator.title, comparator.tier, reason))
    return runnable


def _is_no_loss(
    comparator: Comparator[Any], comparators: Sequence[Comparator[Any]], a: Examined, b: Examined
) -> bool:
    """Tell whether a comparator only stands in for others of its tier, which are not missing."""
    others = any(other.tier == comparator.tier and other is not comparator for other in comparators)
    return "first_tokens" in comparator.needs and others and not (a.unseen or b.unseen)


def _any_left(comparators: Sequence[Comparator[Any]], tier: Tier, a: Examined, b: Examined) -> bool:
    return any(
        _lacking(comparator, a, b) is None for comparator in comparators if comparator.tier == tier
    )


_NEEDED: dict[Need, str] = {
    "explained": "token probabilities",
    "first_tokens": "first tokens",
    "logprobs": "token probabilities",
    "token_counts": "token counts",
    "tokenizer": "tokenizer",
    "weights": "weights",
}


def _lacking(comparator: Comparator[Any], a: Examined, b: Examined) -> str | None:
    lacking = [
        f"{_who(letter, need, side)} {_why(need, side)}"
        for letter, side in (("A", a), ("B", b))
        for need in _NEEDED
        if need in comparator.needs and need not in side.available
    ]
    return "; ".join(lacking) or None


def _who(letter: str, need: Need, side: Examined) -> str:
    # What is wrong with the weights does not come of the kind of subject.
    packed = need == "weights" and side.files is not None and side.files.unread
    return letter if packed else f"{letter} ({side.subject.kind})"


def _why_no_probabilities(need: Need, side: Examined) -> str:
    if side.unseen:
        return side.unseen
    if need == "first_tokens":
        return (
            "is asked for them only beside a chat endpoint that echoes no texts, if one of the "
            "two is local"
        )
    if side.files is not None:
        return "needs control models for comparison: --control SUBJECT"
    if side.subject.kind == "openai":
        return "is asked for them by --tiers logprobs with --control SUBJECT"
    return f"gives no {_NEEDED[need]}"


def _why(need: Need, side: Examined) -> str:
    if need in PROBABILITIES:
        return _why_no_probabilities(need, side)
    if need in ("token_counts", "tokenizer") and side.subject.kind == "openai":
        return "shows no tokenizer; --tiers tokenizer asks it for token counts"
    if need == "tokenizer" and side.files is not None:
        from forensics.subjects.model_files.tokenizer_files import why_no_tokenizer

        return why_no_tokenizer(side.files.path)
    if need == "weights" and side.files is not None:
        from forensics.subjects.model_files.other_formats import why_no_weights

        return side.files.unread or why_no_weights(side.files.path)
    return f"gives no {_NEEDED[need]}"
