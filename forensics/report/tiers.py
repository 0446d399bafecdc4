"""Each tier of evidence in a few words: what it asks, what was measured of it, what not and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.case.document import Case
from forensics.case.evidence import Evidence, Tier
from forensics.case.tier_names import TIER_NAMES, tier_title
from forensics.report import view

_ASKS: Mapping[Tier, str] = {
    "text": (
        "Are answers to the same prompts alike in wording, form and choices? That shows that two "
        "models behave alike, not why."
    ),
    "logprobs": (
        "Do both expect the same words more than control models do? That can show training on "
        "one another's text, which leaves no trace in weights."
    ),
    "tokenizer": (
        "Do both split text into the same pieces? That is context only: a shared tokenizer does "
        "not mean shared weights."
    ),
    "weights": (
        "Do the weights correspond beyond chance, even if they were permuted or rescaled? That "
        "tells an altered copy from a separately trained model."
    ),
}
# What the verdict reads of a tier; text is read together with token probabilities, as behaviour.
_READ: Mapping[Tier, str] = {
    "logprobs": "behaviour",
    "tokenizer": "tokenizer",
    "weights": "weights",
}


@dataclass(frozen=True)
class TierSummary:
    """One tier: `asks` introduces it, `outcome` says what was measured, what not and why.

    `reading` is what the verdict reads of it, empty where it was not measured.
    """

    tier: Tier
    asks: str
    outcome: str
    reading: str

    @property
    def title(self) -> str:
        """The tier's name, as a heading begins."""
        return tier_title(self.tier)


def tier_summaries(case: Case) -> tuple[TierSummary, ...]:
    """Return all tiers, those of which nothing was asked included."""
    return tuple(_summary(case, tier) for tier in TIER_NAMES)


def _summary(case: Case, tier: Tier) -> TierSummary:
    entries = [entry for entry in case.evidence if entry.tier == tier]
    measured = [entry for entry in entries if entry.status == "ok"]
    reading = case.verdict.readings.get(_READ.get(tier, ""), "") if measured else ""
    return TierSummary(tier, _ASKS[tier], _outcome(entries, measured), reading)


def _outcome(entries: list[Evidence], measured: list[Evidence]) -> str:
    if not entries:
        return "Not part of this run."
    if not measured:
        return f"Not measured: {_reasons(entries)}."
    if len(measured) == len(entries):
        return f"Measured: {_count(len(measured))}."
    left = [entry for entry in entries if entry not in measured]
    return f"Measured: {_count(len(measured))}. Not measured: {_reasons(left)}."


def _count(kinds: int) -> str:
    return "1 kind of evidence" if kinds == 1 else f"{kinds} kinds of evidence"


def _reasons(entries: list[Evidence]) -> str:
    """Return each reason once, with the titles it holds for."""
    titles: dict[str, list[str]] = {}
    for entry in entries:
        reason = entry.reason or view.EVIDENCE_STATUS[entry.status]
        titles.setdefault(reason.rstrip("."), []).append(entry.title.lower())
    if len(titles) == 1:
        return next(iter(titles))
    return "; ".join(f"{', '.join(names)} ({reason})" for reason, names in titles.items())
