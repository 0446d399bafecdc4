"""What a trace says, in sentences; `tracing` decides what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from forensics.support.numbers import percent

Level = Literal["none", "model", "family", "developer", "several"]


def related_to(level: Level, best: str, family: str, developer: str, count: int) -> str:
    """Name those that a subject is related to, as precisely as they agree.

    Args:
        level: how precisely.
        best: the likeliest model.
        family: of the likeliest.
        developer: of the likeliest.
        count: how many models pass the limit.
    """
    return {
        "none": "",
        "model": best,
        "family": f"the {family} family (best: {best})",
        "developer": f"models of {developer} (best: {best})",
        "several": f"{count} models of several families (best: {best})",
    }[level]


def none_of_these(best: str, limit: float, unmet: Sequence[str]) -> str:
    """Say that no model passes the family-wise limit, and that the best does not either."""
    return (
        f"None of these: no model passes the family-wise limit of {percent(limit)} (the best, "
        f"{best}, does not stand out from what unrelated subjects reach).{_outside(unmet)}"
    )


def stands_out(who: str, unmet: Sequence[str]) -> str:
    """Say who is alike to a subject that lies outside the validated population."""
    return (
        f"Screening only: the subject stands out as similar to {who}, but no relation is claimed "
        f"and no likelihood ratio is given.{_outside(unmet)}"
    )


def _outside(unmet: Sequence[str]) -> str:
    return f" Outside the validated population: {'; '.join(unmet)}." if unmet else ""


def related(who: str) -> str:
    """Say who a subject is related to, and what text cannot tell of it."""
    return (
        f"Related to {who}: the same model, one of close descent, or one that the same people "
        "tuned alike. Text cannot tell which of these."
    )


def too_few_answers(answered: int, prompts: int, least: int) -> str:
    """Say that a subject answered too few of the cohort's prompts."""
    return (
        f"Insufficient data: {answered} of the cohort's {prompts} prompts have a usable answer; at "
        f"least {least} are needed."
    )
