"""Which kinds of evidence are alike beyond what unrelated models reach?

Any two assistants that answer the same question are alike to some degree. A kind of evidence speaks
for kinship only where hardly any unrelated pair scores as high, after correction for how many kinds
were looked at; or where the two are as alike as a model asked twice.

Only pairs that answered the same prompts can tell. Against pairs on other prompts the same rule
named some kind for 0 to 33 % of the unrelated pairs of a set left out, and for 0 to 31 % when it
had to hold against every other set by itself: where such a score stands is shown, and speaks for
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from forensics.case.evidence import Evidence, Neighbourhood, ReferenceScores

LEVEL = 0.05
_KINDS_TOGETHER = 3


def neighbourhood(
    evidence: Evidence,
    reference: ReferenceScores | None,
    prompts: Literal["matched", "other"],
) -> Neighbourhood | None:
    """Place a score among unrelated pairs; None without a score or without such pairs.

    Args:
        evidence: with the score.
        reference: what pairs score on the comparator's scale.
        prompts: whether those pairs answered the prompts of the case.
    """
    if evidence.score is None or reference is None or not sum(reference.unrelated):
        return None
    below = [edge <= evidence.score for edge in reference.edges[1:-1]]
    place = sum(below)  # the last bin holds what lies beyond, the first what lies below
    reaching = sum(reference.unrelated[place:])
    pairs = sum(reference.unrelated)
    return Neighbourhood(
        source=reference.cohort,
        prompts=prompts,
        above=round(1 - reaching / pairs, 4),
        reaching=reaching,
        pairs=pairs,
    )


def at_floor(evidence: Evidence) -> bool:
    """Tell whether a score cannot be told from that of either model asked twice.

    Of 70 unrelated pairs asked three times, none reaches both floors in any of six kinds; 2 reach
    the lower one. Without repeated answers there is no such floor, and the answer is no.
    """
    floor = evidence.noise_floor
    if floor is None or floor.method != "repeat_samples" or evidence.interval is None:
        return False
    return evidence.interval.high >= max(floor.a, floor.b) > 0


def beyond_unrelated(evidence: Sequence[Evidence], level: float = LEVEL) -> frozenset[str]:
    """Name the comparators whose score speaks for kinship.

    A kind's p-value is (1 + unrelated pairs that reach it) / (1 + unrelated pairs), by Holm's
    step-down procedure at `level` over the kinds with pairs on the same prompts (Holm 1979, A
    Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6);
    kinds at their repeat floor speak without it.

    Args:
        evidence: kinds of evidence of a pair; those without a score do not count.
        level: how often at most some kind is named of an unrelated pair.
    """
    scored = [entry for entry in evidence if entry.status == "ok" and entry.score is not None]
    p_values = {
        entry.comparator: (1 + entry.neighbourhood.reaching) / (1 + entry.neighbourhood.pairs)
        for entry in scored
        if entry.neighbourhood is not None and entry.neighbourhood.prompts == "matched"
    }
    named = {entry.comparator for entry in scored if at_floor(entry)}
    for rank, name in enumerate(sorted(p_values, key=lambda name: (p_values[name], name))):
        if p_values[name] > level / (len(p_values) - rank):
            break
        named.add(name)
    return frozenset(named)


def standing_out(evidence: Sequence[Evidence], level: float = LEVEL) -> tuple[int, int]:
    """Return in how many kinds a pair lies beyond unrelated pairs on its prompts, and of how many.

    Each kind is held to `level` by itself: many of them together say that something is there,
    where so few unrelated pairs answered that none passes `beyond_unrelated` alone.

    Args:
        evidence: kinds of evidence of a pair; those without such neighbours do not count.
        level: the share of unrelated pairs that may reach a kind's score.
    """
    placed = [
        entry.neighbourhood
        for entry in evidence
        if entry.neighbourhood is not None and entry.neighbourhood.prompts == "matched"
    ]
    beyond = sum((1 + near.reaching) / (1 + near.pairs) <= level for near in placed)
    return beyond, len(placed)


def stands_out(evidence: Sequence[Evidence]) -> bool:
    """Tell whether most kinds of evidence, three at least, lie beyond unrelated pairs."""
    beyond, kinds = standing_out(evidence)
    return beyond >= _KINDS_TOGETHER and 2 * beyond > kinds
